package sigv4

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	emptyHash       = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	unsignedPayload = "UNSIGNED-PAYLOAD"
	streamSigned    = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	streamUnsigned  = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

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
