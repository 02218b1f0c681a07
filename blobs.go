package fovea

import (
	"context"
	"io"
	"iter"
	"strings"
	"time"
)

// A BlobInfo describes a stored blob.
type BlobInfo struct {
	Name     string
	Size     int64 // bytes
	Modified time.Time
}

// A Blob is an open blob. Reads may run beside each other.
type Blob interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// ReadBlobAt is b.ReadAt, and ends with ctx where reading may take long: in S3.
// Blobs that are kept there have a method ReadAtContext for it.
func ReadBlobAt(ctx context.Context, b Blob, p []byte, off int64) (int, error) {
	type contextReader interface {
		ReadAtContext(ctx context.Context, p []byte, off int64) (int, error)
	}
	if r, ok := b.(contextReader); ok {
		return r.ReadAtContext(ctx, p, off)
	}
	return b.ReadAt(p, off)
}

// Blobs keeps what is too large for rows: segments, import reports, weights.
// A name is a relative slash path of the characters [A-Za-z0-9._-] and "/",
// without "." or ".." elements. Blobs are never changed in place.
type Blobs interface {
	// Put stores everything r gives under name, replacing what was there.
	// When it returns nil the blob is durable and whole; a reader never
	// sees a part of it, whatever crashes.
	Put(ctx context.Context, name string, r io.Reader) (int64, error)

	// Open opens a blob, or reports NotFound.
	Open(ctx context.Context, name string) (Blob, error)

	// List yields the blobs whose name begins with prefix, in order of name.
	List(ctx context.Context, prefix string) iter.Seq2[BlobInfo, error]

	// Delete removes blobs; one that is not there is no error.
	Delete(ctx context.Context, names ...string) error
}

// CheckBlobName reports Invalid for a name that Blobs does not accept: a
// character, an element or a length that is not allowed. All of Blobs use it,
// so that they refuse the same names.
func CheckBlobName(name string) error {
	if len(name) > maxBlobName {
		return Errorf(Invalid, "the blob name %.40q... has %d characters, more than %d", name, len(name), maxBlobName)
	}
	for element := range strings.SplitSeq(name, "/") {
		if element == "" || element == "." || element == ".." || len(element) > maxBlobElement {
			return Errorf(Invalid, "the blob name %q has an element that is empty, a dot, two dots or over %d characters",
				name, maxBlobElement)
		}
	}
	for _, c := range []byte(name) {
		if !isBlobNameByte(c) {
			return Errorf(Invalid, "the blob name %q has a character other than A-Z a-z 0-9 . _ - /", name)
		}
	}
	return nil
}

// What a name may be long: S3 takes 1024 bytes, prefix included, and file
// systems 255 an element, from which disk takes some for temporary names.
const (
	maxBlobName    = 800
	maxBlobElement = 200
)

func isBlobNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("._-/", c) >= 0
}
