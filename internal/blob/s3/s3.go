// Package s3 keeps blobs as objects in an S3 bucket, for installations that
// are larger than one machine. The name of a blob, behind a prefix, is the key
// of its object.
//
// S3 shows an object whole or not at all, and at once to everybody, which is
// what fovea.Blobs asks for. Of a store that takes a moment to show what is new,
// what is known to be there is asked for again. What a crash may leave are parts of an upload that
// nobody sees; a lifecycle rule of the bucket should abort those.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fovea"
	objects3 "fovea/internal/objects/s3"
)

// Blobs implements fovea.Blobs in a bucket.
type Blobs struct {
	client *s3.Client
	bucket string
	prefix string // "" or ending in a slash
}

// A Config says where the blobs are.
type Config struct {
	URL      string // s3://bucket or s3://bucket/prefix; required
	Endpoint string // such as http://127.0.0.1:9000; AWS's by default
	Region   string // us-east-1 by default
	KeyID    string // required, as is Secret
	Secret   string
	Session  string // of temporary credentials
}

// callTimeout ends a call that makes no progress. It is long because it covers
// a part of a blob on its way through a slow line.
const callTimeout = 2 * time.Minute

// Open returns the blobs that a Config describes, once it has seen the bucket.
func Open(ctx context.Context, c Config) (*Blobs, error) {
	bucket, prefix, err := parseURL(c.URL)
	if err != nil {
		return nil, err
	}
	if c.KeyID == "" || c.Secret == "" {
		return nil, fovea.Errorf(fovea.Invalid, "the blobs in %s need an access key and its secret", c.URL)
	}
	client, err := newClient(c)
	if err != nil {
		return nil, fmt.Errorf("the blobs in %s: %w", c.URL, err)
	}
	b := New(client, bucket, prefix)
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket}); err != nil {
		return nil, fmt.Errorf("look for the bucket %s: %w", bucket, err)
	}
	return b, nil
}

// New returns the blobs under a prefix of a bucket.
func New(client *s3.Client, bucket, prefix string) *Blobs {
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return &Blobs{client, bucket, prefix}
}

func parseURL(text string) (bucket, prefix string, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", "", fovea.Errorf(fovea.Invalid, "the blobs' place %q is not of the form s3://BUCKET/PREFIX", text)
	}
	if prefix = strings.Trim(u.Path, "/"); prefix != "" {
		if err := fovea.CheckBlobName(prefix); err != nil {
			return "", "", fovea.Errorf(fovea.Invalid, "the blobs' place %q: %w", text, err)
		}
	}
	return u.Host, prefix, nil
}

// newClient returns a client with the retries and time limits that all of fovea
// has for S3.
func newClient(c Config) (*s3.Client, error) {
	client, err := objects3.NewClient(objects3.Config{
		Endpoint: c.Endpoint, Region: c.Region, AccessKey: c.KeyID, SecretKey: c.Secret, SessionToken: c.Session,
		PathStyle: c.Endpoint != "", // few that are not AWS have a name for every bucket
	})
	if err != nil {
		return nil, err
	}
	return s3.New(client.Options(), func(o *s3.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenSupported
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenSupported
		o.DisableLogOutputChecksumValidationSkipped = true // ranges come without checksums; nobody needs to read that
	}), nil
}

// Eventual reports that a blob which was put just now may be missing for a
// moment: not every store shows it everywhere at once.
func (b *Blobs) Eventual() bool { return true }

func (b *Blobs) key(name string) *string { return new(b.prefix + name) }

// Open implements fovea.Blobs. Who reads a blob that was replaced or deleted
// gets an error.
func (b *Blobs) Open(ctx context.Context, name string) (fovea.Blob, error) {
	if err := fovea.CheckBlobName(name); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	head, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.bucket, Key: b.key(name)})
	if status(err) == http.StatusNotFound {
		return nil, fovea.Errorf(fovea.NotFound, "there is no blob %s: %w", name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", name, err)
	}
	return &blob{b: b, name: name, etag: aws.ToString(head.ETag), size: aws.ToInt64(head.ContentLength)}, nil
}

// List implements fovea.Blobs, a page of a thousand at a time.
func (b *Blobs) List(ctx context.Context, prefix string) iter.Seq2[fovea.BlobInfo, error] {
	return func(yield func(fovea.BlobInfo, error) bool) {
		in := &s3.ListObjectsV2Input{Bucket: &b.bucket, Prefix: b.key(prefix)}
		for pages := s3.NewListObjectsV2Paginator(b.client, in); pages.HasMorePages(); {
			page, err := nextPage(ctx, pages)
			if err != nil {
				yield(fovea.BlobInfo{}, fmt.Errorf("list blobs: %w", err))
				return
			}
			for _, o := range page.Contents {
				name, ok := strings.CutPrefix(aws.ToString(o.Key), b.prefix)
				if !ok || fovea.CheckBlobName(name) != nil {
					continue // not ours
				}
				if !yield(fovea.BlobInfo{Name: name, Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
		}
	}
}

// nextPage returns the next page of a list. One whose body breaks off is asked
// for again.
func nextPage(ctx context.Context, pages *s3.ListObjectsV2Paginator) (*s3.ListObjectsV2Output, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for try := 1; ; try++ {
		page, err := pages.NextPage(ctx)
		if err == nil || try == readTries || status(err)/100 > 2 || ctx.Err() != nil {
			return page, err
		}
		time.Sleep(rand.N(readWait << try))
	}
}

// deleteBatch is how many objects S3 deletes in one request.
const deleteBatch = 1000

// Delete implements fovea.Blobs.
func (b *Blobs) Delete(ctx context.Context, names ...string) error {
	var batch []types.ObjectIdentifier
	for _, name := range names {
		if err := fovea.CheckBlobName(name); err != nil {
			return err
		}
	}
	for i, name := range names {
		batch = append(batch, types.ObjectIdentifier{Key: b.key(name)})
		if len(batch) < deleteBatch && i < len(names)-1 {
			continue
		}
		if err := b.delete(ctx, batch); err != nil {
			return fmt.Errorf("delete blobs: %w", err)
		}
		batch = batch[:0]
	}
	return nil
}

func (b *Blobs) delete(ctx context.Context, batch []types.ObjectIdentifier) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &b.bucket, Delete: &types.Delete{Objects: batch, Quiet: new(true)},
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range out.Errors {
		errs = append(errs, fmt.Errorf("%s: %s: %s", aws.ToString(e.Key), aws.ToString(e.Code), aws.ToString(e.Message)))
	}
	return errors.Join(errs...)
}

// status returns the HTTP status that an error came with, 0 if none.
func status(err error) int {
	var e interface{ HTTPStatusCode() int }
	if !errors.As(err, &e) {
		return 0
	}
	return e.HTTPStatusCode()
}

// A blob is an object as it was when it was opened.
type blob struct {
	b    *Blobs
	name string
	etag string
	size int64
}

// Size implements fovea.Blob.
func (o *blob) Size() int64 { return o.size }

// Close implements fovea.Blob.
func (o *blob) Close() error { return nil }

// readTries is how often a read is begun when the connection breaks in its
// middle. Before that the client itself repeats what fails.
const (
	readTries = 4
	readWait  = 20 * time.Millisecond
)

// ReadAt implements fovea.Blob. It outlives the context with which the blob was
// opened, since that may be kept for others, and has a time limit of its own.
func (o *blob) ReadAt(p []byte, off int64) (int, error) {
	return o.ReadAtContext(context.Background(), p, off)
}

// ReadAtContext is ReadAt that ends with ctx: see fovea.ReadBlobAt.
func (o *blob) ReadAtContext(ctx context.Context, p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("read blob %s: negative offset %d", o.name, off)
	}
	if off >= o.size {
		return 0, io.EOF
	}
	var end error
	if rest := o.size - off; int64(len(p)) > rest {
		p, end = p[:rest], io.EOF
	}
	for try := 1; n < len(p); try++ {
		var m int
		m, err = o.readRange(ctx, p[n:], off+int64(n))
		if n += m; err == nil {
			break
		}
		// It was there when it was opened; some stores do not know it everywhere at once.
		if at := status(err); try == readTries || ctx.Err() != nil || at != 0 && at != http.StatusOK && at != http.StatusPartialContent && at != http.StatusNotFound {
			return n, fmt.Errorf("read blob %s: %w", o.name, err)
		}
		time.Sleep(rand.N(readWait << try))
	}
	return n, end
}

// readRange fills p, or says how far it got. The object must be the one that
// was opened.
func (o *blob) readRange(ctx context.Context, p []byte, off int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := o.b.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &o.b.bucket, Key: o.b.key(o.name), IfMatch: &o.etag,
		Range: new(fmt.Sprintf("bytes=%d-%d", off, off+int64(len(p))-1)),
	})
	if err != nil {
		return 0, err
	}
	defer out.Body.Close()
	if got := aws.ToInt64(out.ContentLength); got != int64(len(p)) {
		return 0, fmt.Errorf("the range has %d bytes instead of %d", got, len(p))
	}
	return io.ReadFull(out.Body, p)
}
