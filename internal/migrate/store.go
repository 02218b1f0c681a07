package migrate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fovea"
	objects3 "fovea/internal/objects/s3"
)

// A Bucketer is an S3: objects, and the buckets that they are in. It may be
// used by many goroutines.
type Bucketer struct {
	fovea.Objects
	client *awss3.Client
	region string
}

// NewBucketer returns an S3. It makes no request.
func NewBucketer(c objects3.Config) (*Bucketer, error) {
	client, err := objects3.NewClient(c)
	if err != nil {
		return nil, err
	}
	objects, err := objects3.New(c)
	return &Bucketer{Objects: objects, client: client, region: cmp.Or(c.Region, "us-east-1")}, err
}

// listTimeout bounds a request that moves no body.
const listTimeout = 2 * time.Minute

// A file is an object of a listing: its name, which is the key or the path
// below a folder, and its size in bytes.
type file struct {
	name string
	size int64
}

// list yields the objects of a bucket whose keys begin with a prefix.
func (b *Bucketer) list(ctx context.Context, bucket, prefix string) iter.Seq2[file, error] {
	return func(yield func(file, error) bool) {
		pages := awss3.NewListObjectsV2Paginator(b.client, &awss3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
		for pages.HasMorePages() {
			page, err := b.listPage(ctx, pages)
			if err != nil {
				yield(file{}, fmt.Errorf("list s3://%s/%s: %w", bucket, prefix, err))
				return
			}
			for _, o := range page.Contents {
				if !yield(file{aws.ToString(o.Key), aws.ToInt64(o.Size)}, nil) {
					return
				}
			}
		}
	}
}

func (b *Bucketer) listPage(ctx context.Context, pages *awss3.ListObjectsV2Paginator) (*awss3.ListObjectsV2Output, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	return pages.NextPage(ctx)
}

// ensure makes a bucket unless it is there.
func (b *Bucketer) ensure(ctx context.Context, bucket string) error {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	_, err := b.client.HeadBucket(ctx, &awss3.HeadBucketInput{Bucket: &bucket})
	answer := (*awshttp.ResponseError)(nil)
	if err == nil || !errors.As(err, &answer) || answer.HTTPStatusCode() != http.StatusNotFound {
		return err
	}
	in := &awss3.CreateBucketInput{Bucket: &bucket}
	if b.region != "us-east-1" { // which may not be named
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(b.region)}
	}
	if _, err := b.client.CreateBucket(ctx, in); err != nil {
		return fmt.Errorf("make the bucket %s: %w", bucket, err)
	}
	return nil
}

// open returns the bytes of an object, its size, and what it says that it is.
// The error for one that does not exist has fs.ErrNotExist in its chain.
func (b *Bucketer) open(ctx context.Context, ref fovea.ObjectRef) (io.ReadCloser, fovea.ObjectInfo, error) {
	info, err := b.Stat(ctx, ref)
	if err != nil {
		return nil, info, err
	}
	body, err := b.Read(ctx, info, 0, info.Size)
	return body, info, err
}

// A measured object is one that was read: its size in bytes and its SHA-256,
// which is nil if there is no such object.
type measured struct {
	size int64
	sum  []byte
}

// sum reads an object.
func (b *Bucketer) sum(ctx context.Context, ref fovea.ObjectRef) (measured, error) {
	body, info, err := b.open(ctx, ref)
	if errors.Is(err, fs.ErrNotExist) {
		return measured{}, nil
	}
	if err != nil {
		return measured{}, err
	}
	defer body.Close()
	h := sha256.New()
	n, err := io.Copy(h, body)
	if err == nil && n != info.Size {
		err = fmt.Errorf("%s broke off after %d of %d bytes", ref, n, info.Size)
	}
	return measured{n, h.Sum(nil)}, err
}

// parseRef splits an S3 URI, whatever the case of its scheme, and reports
// whether it is one.
func parseRef(uri string) (ref fovea.ObjectRef, ok bool) {
	const scheme = "s3://"
	if len(uri) < len(scheme) || !strings.EqualFold(uri[:len(scheme)], scheme) {
		return ref, false
	}
	ref.Bucket, ref.Key, ok = strings.Cut(uri[len(scheme):], "/")
	return ref, ok && ref.Bucket != "" && ref.Key != ""
}
