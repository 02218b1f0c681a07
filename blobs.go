package fovea

import (
	"context"
	"io"
	"iter"
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
