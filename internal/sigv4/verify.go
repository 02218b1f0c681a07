package sigv4

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	emptyHash       = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	unsignedPayload = "UNSIGNED-PAYLOAD"
	streamSigned    = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	streamUnsigned  = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
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
		return nil, errorf(UnknownKey, "The security token included in the request is invalid: there is no access key %.64q.", s.KeyID)
	}
	return v.keys.get(secret, s), nil
}

// declaredPayload returns the x-amz-content-sha256 of the request, from the
// header or from a presigned query, "" if there is none.
func declaredPayload(r *http.Request, a *auth) (string, error) {
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if a.presigned {
		if q, ok := lookup(a.query, "X-Amz-Content-Sha256"); ok {
			if payload != "" && payload != q {
				return "", errorf(BadPayload, "x-amz-content-sha256 differs between header and query.")
			}
			payload = q
		}
	}
	switch payload {
	case "", unsignedPayload, streamSigned, streamTrailer, streamUnsigned:
		return payload, nil
	}
	if !isHex64(payload) {
		return "", errorf(BadPayload, "x-amz-content-sha256 must be %s, %s, %s, %s or 64 lower-case hexadecimal digits.",
			unsignedPayload, streamSigned, streamTrailer, streamUnsigned)
	}
	return payload, nil
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

// verifyBuffered verifies a request of a service that is not s3: the payload
// hash is that of the body, whether the client declared it or not (CL-1.21).
func (v *Verifier) verifyBuffered(r *http.Request, a *auth, key []byte, payload string, limit int64) (*Body, error) {
	bound := true
	switch {
	case payload == unsignedPayload && a.presigned:
		bound = false
	case payload != "" && !isHex64(payload):
		return nil, errorf(BadPayload, "The payload form %s is not allowed for %s; sign the hash of the body.", payload, a.scope.Service)
	}
	if payload != "" { // known before the body, so refuse forged requests unread
		if err := a.check(r, key, payload); err != nil {
			return nil, err
		}
	}
	data, err := readBody(r, limit)
	if err != nil {
		return nil, err
	}
	hash := hexHash(data)
	switch {
	case payload == "":
		if err := a.check(r, key, hash); err != nil {
			return nil, err
		}
	case bound && hash != payload:
		return nil, mismatch(payload, hash)
	}
	body := &Body{Reader: bytes.NewReader(data), close: r.Body, size: int64(len(data)), data: data}
	r.Body = body
	return body, nil
}

func readBody(r *http.Request, limit int64) ([]byte, error) {
	tooLarge := errorf(BodyTooLarge, "The request body is larger than %d bytes.", limit)
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	var buf bytes.Buffer
	buf.Grow(int(min(max(r.ContentLength, 0), 1<<20)) + bytes.MinRead) // a promise of more is not worth memory yet
	n, err := buf.ReadFrom(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, incomplete(err)
	case n > limit:
		return nil, tooLarge
	}
	return buf.Bytes(), nil
}

func incomplete(err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	return errorf(IncompleteBody, "The request body ended before all of it was read: %v.", err)
}

func mismatch(want, got string) *Error {
	return errorf(BodyMismatch, "The body is not the one that was signed: its SHA-256 is %s, x-amz-content-sha256 says %s.", got, want)
}

// verifyStream verifies an s3 request and returns a body that checks itself.
func (v *Verifier) verifyStream(r *http.Request, a *auth, key []byte, payload string) (*Body, error) {
	if payload == "" {
		if !a.presigned {
			return nil, errorf(BadPayload, "Missing required header for this request: x-amz-content-sha256.")
		}
		payload = unsignedPayload
	}
	if err := a.check(r, key, payload); err != nil {
		return nil, err
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	body := &Body{Reader: r.Body, close: r.Body, size: r.ContentLength}
	switch {
	case payload == unsignedPayload:
	case isHex64(payload):
		body.Reader = newHashReader(r.Body, payload)
	case a.presigned:
		return nil, errorf(BadPayload, "A presigned URL cannot have the payload form %s.", payload)
	default:
		size, err := decodedLength(r.Header)
		if err != nil {
			return nil, err
		}
		body.size = size
		c := newChunkReader(r.Body, size, payload != streamSigned)
		if payload != streamUnsigned {
			c.chain = newChain(key, a)
		}
		body.Reader, body.chunks = c, c
	}
	r.Body = body
	return body, nil
}

func decodedLength(h http.Header) (int64, error) {
	const name = "X-Amz-Decoded-Content-Length"
	if len(h[name]) != 1 {
		return 0, errorf(MissingLength, "A streaming upload must have one %s header.", strings.ToLower(name))
	}
	n, err := strconv.ParseUint(h[name][0], 10, 63)
	if err != nil {
		return 0, errorf(MissingLength, "%s is %.40q; it must be a number of bytes.", strings.ToLower(name), h[name][0])
	}
	return int64(n), nil
}
