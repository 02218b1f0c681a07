package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"fovea"
)

// A manifestSource is a manifest that can be read in any order.
type manifestSource struct {
	io.ReaderAt
	info  fovea.ObjectInfo
	close func() error
}

// Close releases what the manifest is read from.
func (s *manifestSource) Close() error { return s.close() }

// openManifest opens the manifest that an argument names: an S3 URI, a file,
// or - for standard input.
func (c *config) openManifest(ctx context.Context, name string) (*manifestSource, error) {
	if rest, ok := strings.CutPrefix(name, "s3://"); ok {
		return c.openS3Manifest(ctx, rest)
	}
	f, remove, err := openInput(name)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = fmt.Errorf("%s is a folder; name a manifest file", name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), remove())
	}
	info := fovea.ObjectInfo{Ref: fovea.ObjectRef{Key: name}, Size: st.Size(), Modified: st.ModTime()}
	return &manifestSource{f, info, func() error { return errors.Join(f.Close(), remove()) }}, nil
}

// openInput opens a file. What cannot be read in any order, such as standard
// input, is copied to a temporary file, which remove removes.
func openInput(name string) (f *os.File, remove func() error, err error) {
	keep := func() error { return nil }
	in := os.Stdin
	if name != "-" {
		if in, err = os.Open(name); err != nil {
			return nil, keep, err
		}
		if st, err := in.Stat(); err != nil || st.Mode().IsRegular() || st.IsDir() {
			return in, keep, err
		}
		defer in.Close()
	}
	tmp, err := os.CreateTemp("", "fovea-stdin-*")
	if err != nil {
		return nil, keep, err
	}
	remove = func() error { return os.Remove(tmp.Name()) }
	if _, err := io.Copy(tmp, in); err != nil {
		return nil, keep, errors.Join(fmt.Errorf("read %s: %w", name, err), tmp.Close(), remove())
	}
	return tmp, remove, nil
}

// openS3Manifest opens an object of S3, named BUCKET/KEY.
func (c *config) openS3Manifest(ctx context.Context, name string) (*manifestSource, error) {
	bucket, key, _ := strings.Cut(name, "/")
	if bucket == "" || key == "" {
		return nil, fmt.Errorf("s3://%s does not name an object: s3://BUCKET/KEY", name)
	}
	objects, err := c.openClientS3()
	if err != nil {
		return nil, err
	}
	info, err := objects.Stat(ctx, fovea.ObjectRef{Bucket: bucket, Key: key})
	if err != nil {
		return nil, err
	}
	return &manifestSource{fovea.ObjectReader(ctx, objects, info), info, func() error { return nil }}, nil
}

// openClientS3 returns the S3 that the flags, or the variables of AWS clients,
// name.
func (c *config) openClientS3() (fovea.Objects, error) {
	c.clientDefaults()
	if c.S3AccessKey == "" || c.S3SecretKey == "" {
		return nil, errors.New("reading from S3 needs keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (for fovea's own S3: eval \"$(fovea env)\"), or --s3-access-key and --s3-secret-key")
	}
	return c.openExternalS3()
}

// clientDefaults takes what the flags do not say about S3 from the variables
// that AWS clients read. Keys and their session token come from one place.
func (c *config) clientDefaults() {
	if c.S3AccessKey == "" && c.S3SecretKey == "" {
		c.S3AccessKey, c.S3SecretKey = os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
		c.S3Token = cmp.Or(c.S3Token, os.Getenv("AWS_SESSION_TOKEN"))
	}
	c.S3Endpoint = cmp.Or(c.S3Endpoint, os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"))
	if !c.S3RegionSet {
		c.S3Region = cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), c.S3Region)
	}
}
