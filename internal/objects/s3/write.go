package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fovea"
)

// What S3 allows of a multipart upload.
const (
	maxParts = 10000
	minPart  = 5 << 20
)

// partTimeout bounds the upload of one part.
const partTimeout = 10 * time.Minute

// Write implements fovea.Objects. The body must have exactly size bytes. One
// part of it is held in memory at a time, so that it can be sent again; a body
// of more than one is a multipart upload, which is aborted if it fails.
func (o *Objects) Write(ctx context.Context, ref fovea.ObjectRef, contentType string, body io.Reader, size int64) (fovea.ObjectInfo, error) {
	ref.Version = ""
	if size < 0 {
		return fovea.ObjectInfo{}, fmt.Errorf("write %s: negative size %d", ref, size)
	}
	if size <= o.partSize {
		return o.writeWhole(ctx, ref, contentType, body, size)
	}
	return o.writeParts(ctx, ref, contentType, body, size)
}

// next reads the next n bytes of a body; last says that no more may follow.
func next(ref fovea.ObjectRef, body io.Reader, n int64, last bool) ([]byte, error) {
	data := make([]byte, n)
	if _, err := io.ReadFull(body, data); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("write %s: the body is shorter than announced", ref)
		}
		return nil, fmt.Errorf("write %s: %w", ref, err)
	}
	if last {
		if k, _ := io.ReadFull(body, make([]byte, 1)); k > 0 {
			return nil, fmt.Errorf("write %s: the body is longer than announced", ref)
		}
	}
	return data, nil
}

func (o *Objects) writeWhole(ctx context.Context, ref fovea.ObjectRef, contentType string, body io.Reader, size int64) (fovea.ObjectInfo, error) {
	data, err := next(ref, body, size, true)
	if err != nil {
		return fovea.ObjectInfo{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, partTimeout)
	defer cancel()
	out, err := o.client.PutObject(ctx, &awss3.PutObjectInput{Bucket: &ref.Bucket, Key: &ref.Key, Body: bytes.NewReader(data),
		ContentLength: &size, ContentType: &contentType})
	if err != nil {
		return fovea.ObjectInfo{}, refused(ref, err)
	}
	return o.written(ctx, ref, out.VersionId)
}

// written describes what was just stored.
func (o *Objects) written(ctx context.Context, ref fovea.ObjectRef, version *string) (fovea.ObjectInfo, error) {
	ref.Version = aws.ToString(version)
	return o.Stat(ctx, ref)
}

func (o *Objects) writeParts(ctx context.Context, ref fovea.ObjectRef, contentType string, body io.Reader, size int64) (info fovea.ObjectInfo, err error) {
	up, err := o.client.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{Bucket: &ref.Bucket, Key: &ref.Key, ContentType: &contentType})
	if err != nil {
		return info, refused(ref, err)
	}
	defer func() {
		if err != nil {
			o.abort(ref, up.UploadId)
		}
	}()
	parts, err := o.uploadParts(ctx, ref, up.UploadId, body, size)
	if err != nil {
		return info, err
	}
	out, err := o.client.CompleteMultipartUpload(ctx, &awss3.CompleteMultipartUploadInput{Bucket: &ref.Bucket, Key: &ref.Key, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	if err != nil {
		return info, refused(ref, err)
	}
	return o.written(ctx, ref, out.VersionId)
}

func (o *Objects) uploadParts(ctx context.Context, ref fovea.ObjectRef, id *string, body io.Reader, size int64) ([]types.CompletedPart, error) {
	partSize := max(o.partSize, minPart, (size+maxParts-1)/maxParts)
	var parts []types.CompletedPart
	for off := int64(0); off < size; off += partSize {
		n := min(partSize, size-off)
		data, err := next(ref, body, n, off+n == size)
		if err != nil {
			return nil, err
		}
		number := aws.Int32(int32(len(parts) + 1))
		tag, err := o.uploadPart(ctx, ref, id, number, data)
		if err != nil {
			return nil, err
		}
		parts = append(parts, types.CompletedPart{PartNumber: number, ETag: tag})
	}
	return parts, nil
}

func (o *Objects) uploadPart(ctx context.Context, ref fovea.ObjectRef, id *string, number *int32, data []byte) (*string, error) {
	ctx, cancel := context.WithTimeout(ctx, partTimeout)
	defer cancel()
	out, err := o.client.UploadPart(ctx, &awss3.UploadPartInput{Bucket: &ref.Bucket, Key: &ref.Key, UploadId: id, PartNumber: number,
		Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data)))})
	if err != nil {
		return nil, refused(ref, err)
	}
	return out.ETag, nil
}

// abort gives the parts of a failed upload back. If that fails too, S3 keeps
// them until the bucket's rules remove them.
func (o *Objects) abort(ref fovea.ObjectRef, id *string) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	o.client.AbortMultipartUpload(ctx, &awss3.AbortMultipartUploadInput{Bucket: &ref.Bucket, Key: &ref.Key, UploadId: id})
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
