package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"fovea"
)

// callTimeout bounds a call that moves no body.
const callTimeout = 2 * time.Minute

// Objects implements fovea.Objects. It may be used by many goroutines.
type Objects struct {
	client   *awss3.Client
	attempts int
	idle     time.Duration
	backoff  time.Duration
	partSize int64
}

var _ fovea.Objects = (*Objects)(nil)

// New returns the objects of an external S3. It makes no request.
func New(c Config) (*Objects, error) {
	client, err := NewClient(c)
	if err != nil {
		return nil, err
	}
	return &Objects{
		client:   client,
		attempts: cmp.Or(c.Attempts, 6),
		idle:     cmp.Or(c.Idle, 30*time.Second),
		backoff:  cmp.Or(c.Backoff, 5*time.Second),
		partSize: cmp.Or(c.PartSize, 8<<20),
	}, nil
}

// Stat implements fovea.Objects. The error for what does not exist has
// fs.ErrNotExist as its cause, for what is forbidden fs.ErrPermission.
func (o *Objects) Stat(ctx context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	in := &awss3.HeadObjectInput{Bucket: &ref.Bucket, Key: &ref.Key}
	if ref.Version != "" {
		in.VersionId = &ref.Version
	}
	out, err := o.client.HeadObject(ctx, in)
	if err != nil {
		return fovea.ObjectInfo{}, refused(ref, err)
	}
	if out.ContentLength == nil || out.ETag == nil {
		return fovea.ObjectInfo{}, fmt.Errorf("%s: S3 answered without a length or an ETag", ref)
	}
	ref.Version = cmp.Or(ref.Version, aws.ToString(out.VersionId))
	return fovea.ObjectInfo{Ref: ref, ETag: *out.ETag, Size: *out.ContentLength, Modified: aws.ToTime(out.LastModified).UTC(),
		ContentType: aws.ToString(out.ContentType)}, nil
}

// CheckBucket reports a bucket that is not there as BadObject. One that may be
// written to and not looked at is there.
func (o *Objects) CheckBucket(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := o.client.HeadBucket(ctx, &awss3.HeadBucketInput{Bucket: &name})
	if err == nil {
		return nil
	}
	if err = refused(fovea.ObjectRef{Bucket: name}, err); errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil // the training will see
}

// Eventual reports that an object which was written just now may be missing for
// a moment: not every store shows it everywhere at once.
func (o *Objects) Eventual() bool { return true }

// Read implements fovea.Objects.
func (o *Objects) Read(ctx context.Context, info fovea.ObjectInfo, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n < 0 {
		return nil, fmt.Errorf("read %s: negative offset %d or length %d", info.Ref, off, n)
	}
	r := &reader{objects: o, ctx: ctx, info: info, off: off, end: min(off+n, info.Size)}
	if n > info.Size { // off+n may have overflowed
		r.end = info.Size
	}
	if r.off >= r.end {
		return r, nil
	}
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}
