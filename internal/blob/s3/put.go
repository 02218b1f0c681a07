package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fovea"
)

// partSize is how much of a blob a Put holds in memory, and sends at a time.
// S3 takes 10,000 parts.
const partSize = 8 << 20

// abortTimeout is how long a failed Put tries to remove its parts.
const abortTimeout = 10 * time.Second

// buffers are shared by Puts, each of which needs one for a short time.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Put implements fovea.Blobs. A blob of up to 8 MiB is one request.
func (b *Blobs) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	if err := fovea.CheckBlobName(name); err != nil {
		return 0, err
	}
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	last, err := fill(buf, r)
	var n int64
	switch {
	case err != nil:
	case last:
		n = int64(buf.Len())
		err = b.putWhole(ctx, name, buf.Bytes())
	default:
		n, err = b.putParts(ctx, name, buf, r)
	}
	if err != nil {
		return 0, fmt.Errorf("put blob %s: %w", name, err)
	}
	return n, nil
}

// fill reads the next part and reports whether it is the last.
func fill(buf *bytes.Buffer, r io.Reader) (last bool, err error) {
	buf.Reset()
	_, err = io.CopyN(buf, r, partSize)
	if err == io.EOF {
		return true, nil
	}
	return false, err
}

func (b *Blobs) putWhole(ctx context.Context, name string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.bucket, Key: b.key(name), Body: bytes.NewReader(data), ContentLength: new(int64(len(data))),
	})
	return err
}

// putParts sends the part in buf and the rest of r. Nobody sees them before
// the end.
func (b *Blobs) putParts(ctx context.Context, name string, buf *bytes.Buffer, r io.Reader) (int64, error) {
	u := upload{b: b, name: name}
	err := u.create(ctx)
	if err != nil {
		return 0, err
	}
	for last := false; err == nil; {
		if err = u.part(ctx, buf.Bytes()); err == nil && last {
			err = u.complete(ctx)
			break
		}
		if err == nil {
			last, err = fill(buf, r)
		}
	}
	if err != nil {
		return 0, errors.Join(err, u.abort(ctx))
	}
	return u.size, nil
}

// An upload sends a blob in parts.
type upload struct {
	b     *Blobs
	name  string
	id    *string
	parts []types.CompletedPart
	size  int64
}

func (u *upload) create(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := u.b.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &u.b.bucket, Key: u.b.key(u.name)})
	if err != nil {
		return err
	}
	u.id = out.UploadId
	return nil
}

func (u *upload) part(ctx context.Context, data []byte) error {
	if len(data) == 0 {
		return nil // the blob ended with the part before
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	number := int32(len(u.parts) + 1)
	out, err := u.b.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &u.b.bucket, Key: u.b.key(u.name), UploadId: u.id, PartNumber: &number,
		Body: bytes.NewReader(data), ContentLength: new(int64(len(data))),
	})
	if err != nil {
		return err
	}
	u.parts = append(u.parts, types.CompletedPart{
		PartNumber: &number, ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32,
	})
	u.size += int64(len(data))
	return nil
}

func (u *upload) complete(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := u.b.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.b.bucket, Key: u.b.key(u.name), UploadId: u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
	})
	return err
}

// abort removes the parts, also when ctx has ended.
func (u *upload) abort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	_, err := u.b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.b.bucket, Key: u.b.key(u.name), UploadId: u.id,
	})
	if err != nil {
		return fmt.Errorf("remove the parts: %w", err)
	}
	return nil
}
