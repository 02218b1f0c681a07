package sigv4

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// unsignable are headers that a client, a proxy or net/http itself may change
// on the way, so that Sign leaves them out.
var unsignable = []string{"accept-encoding", "authorization", "connection", "content-length", "expect", "transfer-encoding",
	"user-agent", "x-amzn-trace-id"}

// Sign signs r in its Authorization header. The payload is the hexadecimal
// SHA-256 of the body, or for s3 one of the words that stand for it; for s3 it
// is sent as x-amz-content-sha256.
func Sign(r *http.Request, s Scope, secret, payload string, t time.Time) {
	stamp := t.UTC().Format(stampLayout)
	s.Date = stamp[:len(dateLayout)]
	r.Header.Set("X-Amz-Date", stamp)
	if s.Service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", payload)
	}
	query, _ := parseQuery(r.URL.RawQuery)
	a := &auth{scope: s, query: query, stamp: stamp}
	a.signAll(r)
	hash := hexHash(appendCanonical(nil, r, a, payload))
	r.Header.Set("Authorization", algorithm+" Credential="+s.KeyID+"/"+s.String()+", SignedHeaders="+a.list+
		", Signature="+sign(deriveKey(secret, s), stamp, s, hash))
}

// Presign signs r in its query, so that its URL may be used without the secret
// until expires has passed. The payload is not signed.
func Presign(r *http.Request, s Scope, secret string, t time.Time, expires time.Duration) {
	stamp := t.UTC().Format(stampLayout)
	s.Date = stamp[:len(dateLayout)]
	a := &auth{scope: s, stamp: stamp}
	a.signAll(r)
	query, _ := parseQuery(r.URL.RawQuery)
	a.query = append(query, pair{"X-Amz-Algorithm", algorithm}, pair{"X-Amz-Credential", s.KeyID + "/" + s.String()},
		pair{"X-Amz-Date", stamp}, pair{"X-Amz-Expires", strconv.Itoa(int(expires.Seconds()))}, pair{"X-Amz-SignedHeaders", a.list})
	if s.Service != "s3" { // where an absent hash does not mean an unsigned payload
		a.query = append(a.query, pair{"X-Amz-Content-Sha256", unsignedPayload})
	}
	hash := hexHash(appendCanonical(nil, r, a, unsignedPayload))
	r.URL.RawQuery = string(appendQuery(nil, a.query)) + "&X-Amz-Signature=" + sign(deriveKey(secret, s), stamp, s, hash)
}

// signAll takes the host and every header that stays as it is.
func (a *auth) signAll(r *http.Request) {
	a.signed = []string{"host"}
	for name := range r.Header {
		if name = strings.ToLower(name); !slices.Contains(unsignable, name) {
			a.signed = append(a.signed, name)
		}
	}
	slices.Sort(a.signed)
	a.list = strings.Join(a.signed, ";")
}
