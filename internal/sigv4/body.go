package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
)

// A Body is the body of a verified request. What it gives is to be trusted
// only once it has given io.EOF.
type Body struct {
	io.Reader // reports an *Error in place of io.EOF if the body was changed
	close     io.Closer
	size      int64
	data      []byte
	chunks    *chunkReader
}

// Close closes the body underneath.
func (b *Body) Close() error { return b.close.Close() }

// Size returns the number of bytes that reading will give, after any
// aws-chunked framing is removed; -1 if it is unknown.
func (b *Body) Size() int64 { return b.size }

// Bytes returns the whole body of a request to a service that is not s3.
func (b *Body) Bytes() []byte { return b.data }

// Trailer returns the headers that came after an aws-chunked body, their
// signature verified if it was signed. It is empty before io.EOF.
func (b *Body) Trailer() http.Header {
	if b.chunks == nil || b.chunks.trailer == nil {
		return http.Header{}
	}
	return b.chunks.trailer
}

// A hashReader passes a body through and compares its hash at the end.
type hashReader struct {
	r    io.Reader
	h    hash.Hash
	want string
	err  error
}

func newHashReader(r io.Reader, want string) *hashReader {
	return &hashReader{r: r, h: sha256.New(), want: want}
}

// Read implements io.Reader.
func (b *hashReader) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	b.h.Write(p[:n])
	switch {
	case err == io.EOF:
		if got := hex.EncodeToString(b.h.Sum(nil)); got != b.want {
			err = mismatch(b.want, got)
		}
	case err != nil:
		err = incomplete(err)
	}
	b.err = err
	return n, err
}
