package transfer

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/semaphore"

	"fovea/internal/imaging"
)

// Bounds on memory: of one file, and of all that are under way.
const (
	maxFile     = 64 << 20 // four times what a service takes (CL-12.12, LV-5.50)
	uploadBytes = 256 << 20
)

// sendTimeout bounds the upload of one file, with all its tries.
const sendTimeout = 10 * time.Minute

// md5Member is the metadata of objects that keeps the MD5 of their bytes where
// the ETag is something else, as with encryption by a key of KMS.
const md5Member = "md5"

// An uploader sends files that are not in S3 yet. It may be used by several
// goroutines at once.
type uploader struct {
	place  *place
	memory *semaphore.Weighted
}

func newUploader(p *place) *uploader {
	return &uploader{p, semaphore.NewWeighted(uploadBytes)}
}

// A file is one to be sent.
type file struct {
	name string // in the collection, for messages
	key  string
	size int64
	open func() (io.ReadCloser, error)
	was  remote // the object that has its key
	had  bool   // there is such an object
}

// A sent tells what became of a file.
type sent struct {
	info  imaging.Info
	bytes int64 // that were sent; 0 if they were there already
	fresh bool  // they were not there
}

// A fault is something wrong with one file: it is left out, and the rest goes
// on.
type fault struct{ error }

// Unwrap returns the error.
func (f fault) Unwrap() error { return f.error }

func faultf(format string, args ...any) error { return fault{fmt.Errorf(format, args...)} }

// send sends a file unless S3 has its bytes. A fault is about the file, any
// other error about S3.
func (u *uploader) send(ctx context.Context, f file) (sent, error) {
	if f.size > maxFile {
		return sent{}, faultf("%s has %d bytes; images of more than %d MiB are not imported", f.name, f.size, maxFile>>20)
	}
	if err := u.memory.Acquire(ctx, f.size+1); err != nil {
		return sent{}, err
	}
	defer u.memory.Release(f.size + 1)
	data, err := f.read()
	if err != nil {
		return sent{}, err
	}
	info, err := imaging.Probe(bytes.NewReader(data), f.size)
	if err != nil {
		return sent{}, faultf("%s cannot be used: %w", f.name, err)
	}
	sum := md5.Sum(data)
	if f.had {
		same, err := u.same(ctx, f, hex.EncodeToString(sum[:]))
		if err != nil || same {
			return sent{info: info}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	_, err = u.place.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &u.place.bucket, Key: &f.key, Body: bytes.NewReader(data), ContentLength: &f.size,
		ContentType: aws.String(contentType(info.Format)), ContentMD5: aws.String(base64.StdEncoding.EncodeToString(sum[:])),
		Metadata: map[string]string{md5Member: hex.EncodeToString(sum[:])},
	})
	if err != nil {
		return sent{}, fmt.Errorf("upload s3://%s/%s: %w", u.place.bucket, f.key, err)
	}
	return sent{info, f.size, true}, nil
}

// read returns the bytes of the file.
func (f *file) read() ([]byte, error) {
	r, err := f.open()
	if err != nil {
		return nil, faultf("%s cannot be opened: %w", f.name, err)
	}
	defer r.Close()
	data := make([]byte, f.size+1)
	n, err := io.ReadFull(r, data)
	switch {
	case err == nil || int64(n) < f.size && (err == io.EOF || err == io.ErrUnexpectedEOF):
		return nil, faultf("%s changed its size while it was read; import again", f.name)
	case int64(n) != f.size:
		return nil, faultf("%s cannot be read: %w", f.name, err)
	}
	return data[:n], nil
}

// same reports whether the object that is there has the bytes with that MD5.
func (u *uploader) same(ctx context.Context, f file, sum string) (bool, error) {
	if f.was.size != f.size {
		return false, nil
	}
	if f.was.etag == sum {
		return true, nil
	}
	out, err := u.place.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &u.place.bucket, Key: &f.key})
	if err != nil {
		if statusOf(err) == http.StatusNotFound {
			return false, nil
		}
		return false, fmt.Errorf("look for s3://%s/%s: %w", u.place.bucket, f.key, err)
	}
	return out.Metadata[md5Member] == sum, nil
}

// contentType returns the media type of a format.
func contentType(f imaging.Format) string {
	if f == imaging.PNG {
		return "image/png"
	}
	return "image/jpeg"
}
