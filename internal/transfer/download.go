package transfer

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fovea"
)

// A downloader fetches objects into files below a folder, and nothing outside
// it. It may be used by several goroutines at once.
type downloader struct {
	s3     *s3.Client
	server *Server // for its patience
	root   *os.Root
	work   string // folder of files that are not complete
	next   atomic.Int64
}

// errCut says that a body broke off.
var errCut = errors.New("the connection broke")

// fetch makes the file at a path the object, unless it is already, and returns
// how many bytes that took. A fault is about this object or file.
func (d *downloader) fetch(ctx context.Context, o fovea.ObjectRef, file string) (n int64, err error) {
	err = d.server.retry(ctx, func() error {
		n, err = d.try(ctx, o, file)
		return err
	})
	return n, err
}

func (d *downloader) try(ctx context.Context, o fovea.ObjectRef, file string) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	has, err := d.look(file)
	if err != nil {
		return 0, faultf("%s cannot be written: %w", file, err)
	}
	in := &s3.GetObjectInput{Bucket: &o.Bucket, Key: &o.Key}
	if has.sum != "" {
		in.IfNoneMatch = aws.String(`"` + has.sum + `"`)
	}
	out, err := d.s3.GetObject(ctx, in)
	switch status := statusOf(err); {
	case err == nil:
	case status == http.StatusNotModified:
		return 0, nil
	case status == http.StatusNotFound:
		return 0, faultf("%s does not exist", o)
	case status == http.StatusForbidden:
		return 0, faultf("%s is forbidden for this key", o)
	default:
		return 0, fmt.Errorf("download %s: %w", o, err)
	}
	defer out.Body.Close()
	if has.is(out) {
		return 0, nil
	}
	return d.store(o, file, out, watch(out.Body, cancel))
}

// A local is what is known of a file.
type local struct {
	sum      string // MD5; empty if there is no file
	size     int64
	modified time.Time
}

// look reads the file that is there.
func (d *downloader) look(file string) (local, error) {
	f, err := d.root.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return local{}, nil
	}
	if err != nil {
		return local{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return local{}, err
	}
	if !st.Mode().IsRegular() {
		return local{}, fmt.Errorf("there is something else of that name: %v", st.Mode().Type())
	}
	sum := md5.New()
	if _, err := io.Copy(sum, f); err != nil {
		return local{}, err
	}
	return local{hex.EncodeToString(sum.Sum(nil)), st.Size(), st.ModTime()}, nil
}

// is reports whether a file is the object whose head came, though its ETag is
// not the MD5 of its bytes: by their size and date, or by the MD5 in its
// metadata.
func (l local) is(out *s3.GetObjectOutput) bool {
	if l.sum == "" || l.size != aws.ToInt64(out.ContentLength) || isMD5(out) {
		return false
	}
	if sum := out.Metadata[md5Member]; sum != "" {
		return sum == l.sum
	}
	return out.LastModified != nil && l.modified.Equal(*out.LastModified)
}

// isMD5 reports whether the ETag of an object is the MD5 of its bytes: it is not
// if it was uploaded in parts, or encrypted by a key of KMS or of the client.
func isMD5(out *s3.GetObjectOutput) bool {
	switch out.ServerSideEncryption {
	case "", types.ServerSideEncryptionAes256:
		return len(strings.Trim(aws.ToString(out.ETag), `"`)) == 32 && out.SSECustomerAlgorithm == nil
	}
	return false
}

// store writes a body to a new file, which gets its name when it is complete.
func (d *downloader) store(o fovea.ObjectRef, file string, out *s3.GetObjectOutput, body *watched) (n int64, err error) {
	part := path.Join(d.work, fmt.Sprintf("part-%d-%d", os.Getpid(), d.next.Add(1)))
	f, err := d.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			d.root.Remove(part)
		}
	}()
	sum := md5.New()
	n, err = io.Copy(io.MultiWriter(f, sum), body)
	if e := f.Close(); err == nil {
		err = e
	}
	switch {
	case body.err != nil || err == nil && n != aws.ToInt64(out.ContentLength):
		return n, fmt.Errorf("download %s: %w after %d of %d bytes", o, errCut, n, aws.ToInt64(out.ContentLength))
	case err != nil: // the disk is full, for example
		return n, fmt.Errorf("write %s: %w", file, err)
	case isMD5(out) && hex.EncodeToString(sum.Sum(nil)) != strings.Trim(*out.ETag, `"`):
		return n, fmt.Errorf("download %s: %w: what came is not what its ETag says", o, errCut)
	}
	if out.LastModified != nil {
		if err := d.root.Chtimes(part, time.Time{}, *out.LastModified); err != nil {
			return n, err
		}
	}
	if err := d.root.MkdirAll(path.Dir(file), 0o777); err != nil {
		return n, faultf("%s cannot be written: %w", file, err)
	}
	if err := d.root.Rename(part, file); err != nil {
		return n, faultf("%s cannot be written: %w", file, err)
	}
	return n, nil
}
