package fovea

import (
	"context"
	"errors"
	"io"
	"time"
)

// An ObjectRef names an object in the users' S3.
type ObjectRef struct {
	Bucket  string
	Key     string
	Version string // "" for the current one
}

// String returns the reference as an S3 URI, for messages. A reference without
// a bucket is to a file, whose name is the key.
func (r ObjectRef) String() string {
	if r.Bucket == "" {
		return r.Key
	}
	s := "s3://" + r.Bucket + "/" + r.Key
	if r.Version != "" {
		s += "?versionId=" + r.Version
	}
	return s
}

// An ObjectInfo describes one state of an object. Its Ref has the version
// where the bucket is versioned, so that it pins this state; elsewhere the
// ETag does.
type ObjectInfo struct {
	Ref         ObjectRef
	ETag        string // as S3 sends it, with the quotation marks
	Size        int64  // bytes
	Modified    time.Time
	ContentType string
}

// Objects reads and writes the users' objects: the embedded S3 endpoint or an
// external one. An object that is missing or forbidden is a BadObject error
// whose message names it, and for a missing one has fs.ErrNotExist in its
// chain; anything else that fails is Internal.
type Objects interface {
	// Stat describes the object.
	Stat(ctx context.Context, ref ObjectRef) (ObjectInfo, error)

	// Read returns up to n bytes from offset off of exactly the state that
	// info describes; fewer only at the object's end. It reports BadObject
	// if the object has been replaced or removed since.
	Read(ctx context.Context, info ObjectInfo, off, n int64) (io.ReadCloser, error)

	// Write stores an object and returns its description once it is durable.
	Write(ctx context.Context, ref ObjectRef, contentType string, body io.Reader, size int64) (ObjectInfo, error)
}

// ObjectReader returns the object that info describes as an io.ReaderAt whose
// reads end when ctx does.
func ObjectReader(ctx context.Context, objects Objects, info ObjectInfo) io.ReaderAt {
	return objectReader{ctx, objects, info}
}

type objectReader struct {
	ctx     context.Context
	objects Objects
	info    ObjectInfo
}

func (r objectReader) ReadAt(p []byte, off int64) (int, error) {
	body, err := r.objects.Read(r.ctx, r.info, off, int64(len(p)))
	if err != nil {
		return 0, err
	}
	defer body.Close()
	n, err := io.ReadFull(body, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}
