package sigv4

import (
	"cmp"
	"context"
	"crypto/hmac"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Verifier verifies requests. It may be used by many goroutines.
type Verifier struct {
	// Secret returns the secret of an access key, required. An empty secret
	// without an error means that nobody has the key. It is asked for every
	// request, so a deleted key is dead at once.
	Secret func(ctx context.Context, keyID string) (string, error)

	Now        func() time.Time // default time.Now
	Skew       time.Duration    // how far clocks may differ, default 15 minutes (CL-1.24)
	MaxExpires time.Duration    // the longest life of a presigned URL, default 7 days

	keys keyCache
}

// Options say what a request must have been signed for.
type Options struct {
	Service string // required: the service that will answer, such as rekognition
	Region  string // "" accepts any region
	MaxBody int64  // most bytes of a body, default 8 MiB (CL-1.12); S3 bodies have no limit here
}

// bufs keeps the buffers in which canonical requests are built.
var bufs = sync.Pool{New: func() any { return new([]byte) }}

// Verify checks the signature of r and returns what it was signed for and its
// body, which replaces r.Body. For every service but s3 the body has been read
// and checked; an s3 body is checked while it is read. Every refusal is an
// *Error; another error is a failure of Secret.
func (v *Verifier) Verify(r *http.Request, o Options) (Scope, *Body, error) {
	a, err := parseAuth(r)
	if err != nil {
		return Scope{}, nil, err
	}
	if err := v.checkScope(a, o); err != nil {
		return a.scope, nil, err
	}
	if err := v.checkTime(a); err != nil {
		return a.scope, nil, err
	}
	if err := checkSigned(r, a); err != nil {
		return a.scope, nil, err
	}
	key, err := v.key(r.Context(), a.scope)
	if err != nil {
		return a.scope, nil, err
	}
	payload, err := declaredPayload(r, a)
	if err != nil {
		return a.scope, nil, err
	}
	if o.Service == "s3" {
		body, err := v.verifyStream(r, a, key, payload)
		return a.scope, body, err
	}
	body, err := v.verifyBuffered(r, a, key, payload, cmp.Or(o.MaxBody, 8<<20))
	return a.scope, body, err
}

func (v *Verifier) checkScope(a *auth, o Options) error {
	if a.scope.Service != o.Service {
		return errorf(BadScope, "Credential should be scoped to correct service: '%s', not %.40q.", o.Service, a.scope.Service)
	}
	if o.Region != "" && a.scope.Region != o.Region {
		return errorf(BadScope, "Credential should be scoped to a valid region: '%s', not %.40q.", o.Region, a.scope.Region)
	}
	return nil
}

// checkTime holds the time of signing against the clock.
func (v *Verifier) checkTime(a *auth) error {
	now := time.Now
	if v.Now != nil {
		now = v.Now
	}
	t, skew, longest := now().UTC(), cmp.Or(v.Skew, 15*time.Minute), cmp.Or(v.MaxExpires, 7*24*time.Hour)
	server := t.Format(stampLayout)
	if !a.presigned {
		if t.Sub(a.time).Abs() > skew {
			return errorf(Skewed, "The difference between the request time and the server's time is too large: "+
				"the request was signed at %s, the server's clock says %s, and they may differ by %v. Set the clock.", a.stamp, server, skew)
		}
		return nil
	}
	switch {
	case a.expires < time.Second || a.expires > longest:
		return errorf(IncompleteSignature, "X-Amz-Expires is %d seconds; it must be between 1 and %d.",
			int(a.expires.Seconds()), int(longest.Seconds()))
	case a.time.Sub(t) > skew:
		return errorf(Skewed, "The URL was signed at %s, which is later than the server's time %s.", a.stamp, server)
	case t.After(a.time.Add(a.expires)):
		return errorf(Expired, "Request has expired: the URL was good until %s, and the server's time is %s.",
			a.time.Add(a.expires).Format(stampLayout), server)
	}
	return nil
}

// checkSigned refuses a request some of whose meaning is not covered by its
// signature. S3 means something by every x-amz- header; the others choose
// their operation by x-amz-target.
func checkSigned(r *http.Request, a *auth) error {
	if err := a.require("host"); err != nil {
		return err
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		switch lower {
		case "x-amz-content-sha256", "x-amz-security-token", "x-amz-target":
			if _, err := single(r.Header, name); err != nil {
				return err
			}
		case "x-amz-date":
			if a.presigned {
				continue // the query has the date that counts
			}
		case "x-amz-user-agent":
			continue
		default:
			if a.scope.Service != "s3" || !strings.HasPrefix(lower, "x-amz-") {
				continue
			}
		}
		if err := a.require(lower); err != nil {
			return err
		}
	}
	return nil
}

// key returns the signing key of a scope.
func (v *Verifier) key(ctx context.Context, s Scope) ([]byte, error) {
	secret, err := v.Secret(ctx, s.KeyID)
	if err != nil {
		return nil, err
	}
	if secret == "" {
		return nil, errorf(UnknownKey, "There is no access key %.64q.", s.KeyID)
	}
	return v.keys.get(secret, s), nil
}

// check compares the signature of the request over that payload hash.
func (a *auth) check(r *http.Request, key []byte, payload string) error {
	buf := bufs.Get().(*[]byte)
	defer bufs.Put(buf)
	*buf = appendCanonical((*buf)[:0], r, a, payload)
	hash := hexHash(*buf)
	want := sign(key, a.stamp, a.scope, hash)
	if hmac.Equal([]byte(want), []byte(a.signature)) {
		return nil
	}
	return errorf(InvalidSignature, "The request signature we calculated does not match the signature you provided. "+
		"Check your secret access key, and that the client signs for region %.40q and sends the request as it signed it. "+
		"The SHA-256 of our canonical request is %s.", a.scope.Region, hash)
}
