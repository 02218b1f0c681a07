package s3api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"fovea"
)

var _ fovea.Objects = (*Store)(nil)

// Stat implements fovea.Objects. The cause of a BadObject error for what does
// not exist is fs.ErrNotExist.
func (s *Store) Stat(ctx context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	q := s.read(ctx)
	o, err := getObject(q, ref.Bucket, ref.Key, ref.Version)
	if err != nil {
		return fovea.ObjectInfo{}, badObject(ref, err)
	}
	b, err := getBucket(q, ref.Bucket)
	if err != nil {
		return fovea.ObjectInfo{}, badObject(ref, err)
	}
	return o.describe(b), nil
}

// CheckBucket reports a bucket that is not there as BadObject.
func (s *Store) CheckBucket(ctx context.Context, name string) error {
	if _, err := getBucket(s.read(ctx), name); err != nil {
		return badObject(fovea.ObjectRef{Bucket: name}, err)
	}
	return nil
}

// Read implements fovea.Objects.
func (s *Store) Read(ctx context.Context, info fovea.ObjectInfo, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n < 0 {
		return nil, fmt.Errorf("read %s: negative offset %d or length %d", info.Ref, off, n)
	}
	o, err := getObject(s.read(ctx), info.Ref.Bucket, info.Ref.Key, info.Ref.Version)
	if err != nil {
		return nil, badObject(info.Ref, err)
	}
	if quote(o.etag) != info.ETag || o.size != info.Size {
		return nil, &fovea.Error{Kind: fovea.BadObject,
			Message: fmt.Sprintf("%s has been replaced since it was looked at: its ETag is %s and was %s", info.Ref, quote(o.etag), info.ETag)}
	}
	return s.blobs.open(o.body.slice(off, n)), nil
}

// Write implements fovea.Objects. The body must have exactly size bytes.
func (s *Store) Write(ctx context.Context, ref fovea.ObjectRef, contentType string, body io.Reader, size int64) (fovea.ObjectInfo, error) {
	if err := checkKey(ref.Key); err != nil {
		return fovea.ObjectInfo{}, badObject(ref, err)
	}
	if _, err := getBucket(s.read(ctx), ref.Bucket); err != nil {
		return fovea.ObjectInfo{}, badObject(ref, err)
	}
	st, err := s.stage(io.LimitReader(body, size+1), nil)
	if err != nil {
		return fovea.ObjectInfo{}, fmt.Errorf("write %s: %w", ref, err)
	}
	if st.size != size {
		st.drop()
		return fovea.ObjectInfo{}, fmt.Errorf("write %s: the body has not the %d bytes that were announced", ref, size)
	}
	o := &object{bucket: ref.Bucket, key: ref.Key, info: info{Headers: map[string]string{"Content-Type": cmp.Or(contentType, "binary/octet-stream")}}}
	b, err := s.putObject(ctx, o, st, condition{})
	if err != nil {
		return fovea.ObjectInfo{}, badObject(ref, err)
	}
	return o.describe(b), nil
}

// describe returns what the rest of the program wants to know of an object.
// The version pins it where there are versions, and the ETag everywhere.
func (o *object) describe(b *bucket) fovea.ObjectInfo {
	ref := fovea.ObjectRef{Bucket: o.bucket, Key: o.key}
	if b.versioned() {
		ref.Version = o.version
	}
	return fovea.ObjectInfo{Ref: ref, ETag: quote(o.etag), Size: o.size, Modified: o.modified, ContentType: o.info.Headers["Content-Type"]}
}

// badObject turns an error of the protocol into the vocabulary's, naming the
// object.
func badObject(ref fovea.ObjectRef, err error) error {
	e := (*Error)(nil)
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", ref, err)
	}
	bad := &fovea.Error{Kind: fovea.BadObject, Message: fmt.Sprintf("%s: %s: %s", ref, e.Code, e.Message), Err: err}
	if e.Status == 404 {
		bad.Message = fmt.Sprintf("%s does not exist", ref)
		if e.Code == "NoSuchBucket" {
			bad.Message = fmt.Sprintf("%s: there is no bucket %s", ref, ref.Bucket)
		}
		bad.Err = fs.ErrNotExist
	}
	return bad
}

func quote(etag string) string { return `"` + etag + `"` }
