package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fovea"
	"fovea/internal/exchange"
)

// The folders below a prefix.
const (
	imageFolder = "images/"
	maskFolder  = "masks/"
)

// maxKey is the longest key that S3 takes, in bytes.
const maxKey = 1024

// A place is where in S3 the files of a project are.
type place struct {
	client *s3.Client
	region string
	bucket string
	prefix string // empty, or ends with a slash
}

// DefaultBucket is the bucket of data sets for which none is named.
const DefaultBucket = "fovea-datasets"

// DefaultPrefix returns the prefix of a project's files for which none is named.
func DefaultPrefix(service fovea.Service, project string) string {
	return string(service) + "/" + project + "/"
}

// cleanPrefix returns a prefix that is empty or ends with one slash.
func cleanPrefix(prefix string) string {
	prefix = strings.Trim(prefix, "/")
	if prefix == "" {
		return ""
	}
	return prefix + "/"
}

// key returns the key of a file of the collection. What a collection promises
// of its names is checked, because a key is also a path, in the hands of
// whoever downloads it.
func (p *place) key(folder, name string) (string, error) {
	key := p.prefix + folder + name
	switch {
	case !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\\x00"):
		return "", fmt.Errorf("%q is no path within the collection", name)
	case !utf8.ValidString(name):
		return "", fmt.Errorf("the name %q is not UTF-8, which S3 requires; rename the file", name)
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", fmt.Errorf("the name %q has control characters; rename the file", name)
	case len(key) > maxKey:
		return "", fmt.Errorf("%s: its key would have %d bytes, and S3 allows %d; give it a shorter name, or a shorter --prefix", name, len(key), maxKey)
	}
	return key, nil
}

// manifest names the manifest of a split.
func (p *place) manifest(split exchange.Split) fovea.ObjectRef {
	return fovea.ObjectRef{Bucket: p.bucket, Key: p.prefix + string(split) + ".manifest"}
}

// makeBucket makes the bucket unless it exists.
func (p *place) makeBucket(ctx context.Context) error {
	_, err := p.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &p.bucket})
	if err == nil {
		return nil
	}
	if statusOf(err) != http.StatusNotFound {
		return p.failed("look for", err)
	}
	in := &s3.CreateBucketInput{Bucket: &p.bucket}
	if p.region != "us-east-1" { // which may not be named
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(p.region)}
	}
	_, err = p.client.CreateBucket(ctx, in)
	var mine *types.BucketAlreadyOwnedByYou
	if err != nil && !errors.As(err, &mine) {
		return p.failed("create", err)
	}
	return nil
}

func (p *place) failed(what string, err error) error {
	way := ""
	switch statusOf(err) {
	case http.StatusForbidden, http.StatusConflict, http.StatusBadRequest:
		way = "; name another with --bucket"
	}
	return fmt.Errorf("%s the bucket %s: %w%s", what, p.bucket, err, way)
}

// statusOf returns the HTTP status of an answer that is an error, 0 if there
// was no answer.
func statusOf(err error) int {
	if e := (*awshttp.ResponseError)(nil); errors.As(err, &e) {
		return e.HTTPStatusCode()
	}
	return 0
}

// A remote is what S3 tells of an object.
type remote struct {
	size int64
	etag string // without the quotation marks
}

func remoteOf(size *int64, etag *string) remote {
	return remote{aws.ToInt64(size), strings.Trim(aws.ToString(etag), `"`)}
}

// A listing finds objects below a prefix by listing it page by page, which is
// cheap as long as it is asked for keys in their order. It must be used by one
// goroutine at a time.
type listing struct {
	place *place
	pages *s3.ListObjectsV2Paginator
	page  []types.Object
	prev  string // the last key that was passed
	ended bool
}

func (p *place) list(folder string) *listing {
	return &listing{place: p, pages: s3.NewListObjectsV2Paginator(p.client,
		&s3.ListObjectsV2Input{Bucket: &p.bucket, Prefix: aws.String(p.prefix + folder)})}
}

// find returns the object of a key, or ok false if there is none.
func (l *listing) find(ctx context.Context, key string) (found remote, ok bool, err error) {
	if key <= l.prev {
		return l.place.head(ctx, key)
	}
	for {
		for len(l.page) == 0 && !l.ended {
			if err := l.more(ctx); err != nil {
				return found, false, err
			}
		}
		if l.ended || *l.page[0].Key > key {
			return found, false, nil
		}
		o := l.page[0]
		l.prev, l.page = *o.Key, l.page[1:]
		if *o.Key == key {
			return remoteOf(o.Size, o.ETag), true, nil
		}
	}
}

func (l *listing) more(ctx context.Context) error {
	if l.ended = !l.pages.HasMorePages(); l.ended {
		return nil
	}
	out, err := l.pages.NextPage(ctx)
	if err != nil {
		return fmt.Errorf("list s3://%s/%s: %w", l.place.bucket, l.place.prefix, err)
	}
	l.page = out.Contents
	return nil
}

// head looks for one object.
func (p *place) head(ctx context.Context, key string) (remote, bool, error) {
	out, err := p.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &p.bucket, Key: &key})
	if err != nil {
		if statusOf(err) == http.StatusNotFound {
			return remote{}, false, nil
		}
		return remote{}, false, fmt.Errorf("look for s3://%s/%s: %w", p.bucket, key, err)
	}
	return remoteOf(out.ContentLength, out.ETag), true, nil
}
