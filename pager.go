package fovea

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// PageLife is how long a page token is good (CL-2.5, LV-2.102).
const PageLife = 24 * time.Hour

// A Pager issues and opens page tokens. A token is opaque to clients, of
// the standard base64 alphabet, shorter than 1024 characters as long as the
// position is shorter than 700 bytes (CL-2.5, LV-1.47), and good only for the scope that it was issued for: the same operation, resource and
// filters. It is authenticated, so that nobody walks what they may not see by
// writing their own. All nodes of an installation share the key.
type Pager struct {
	Key []byte
	Now func() time.Time
}

const (
	pageMAC  = 12
	pageHead = 8 // issue time, seconds since the Unix epoch
)

// Issue returns a token for a position, a few hundred bytes at most that only
// the operation understands.
func (p *Pager) Issue(scope string, position []byte) string {
	b := make([]byte, pageMAC+pageHead, pageMAC+pageHead+len(position))
	binary.BigEndian.PutUint64(b[pageMAC:], uint64(p.Now().Unix()))
	b = append(b, position...)
	copy(b, p.mac(scope, b[pageMAC:]))
	return base64.StdEncoding.EncodeToString(b)
}

// Open returns the position of a token that was issued for the scope. Any
// other token, and one that is older than PageLife, is BadToken.
func (p *Pager) Open(scope, token string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(b) < pageMAC+pageHead || !hmac.Equal(b[:pageMAC], p.mac(scope, b[pageMAC:])) {
		return nil, Errorf(BadToken, "The pagination token was not issued for this request. "+
			"Send it with the same parameters as the request that it came from, or start again without one.")
	}
	issued := time.Unix(int64(binary.BigEndian.Uint64(b[pageMAC:])), 0)
	if age := p.Now().Sub(issued); age > PageLife {
		return nil, Errorf(BadToken, "The pagination token expired: it is older than 24 hours. Start again without one.")
	}
	return b[pageMAC+pageHead:], nil
}

func (p *Pager) mac(scope string, body []byte) []byte {
	h := hmac.New(sha256.New, p.Key)
	h.Write(binary.AppendUvarint(nil, uint64(len(scope))))
	h.Write([]byte(scope))
	h.Write(body)
	return h.Sum(nil)[:pageMAC]
}
