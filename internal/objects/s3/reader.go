package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"fovea"
)

// progress is how many bytes a body must give before its troubles are
// forgotten.
const progress = 256 << 10

// A reader reads bytes off to end of one state of an object, over as many
// requests as it takes.
type reader struct {
	objects *Objects
	ctx     context.Context
	info    fovea.ObjectInfo
	off     int64 // of the next byte
	end     int64
	fails   int   // since good bytes last came
	good    int64 // bytes since the last failure

	body   io.ReadCloser // nil between requests
	cancel context.CancelFunc
	timer  *time.Timer // cancels the request when no bytes come
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.off < r.end {
		if r.body == nil {
			if err := r.open(); err != nil {
				return 0, err
			}
		}
		r.timer.Reset(r.objects.idle)
		n, err := r.body.Read(p[:min(int64(len(p)), r.end-r.off)])
		r.timer.Stop()
		r.off += int64(n)
		r.good += int64(n)
		if err != nil {
			if err := r.broken(err); err != nil {
				return n, err
			}
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, io.EOF
}

// broken ends a request whose body failed. It returns nil if another may go on
// from here, after a pause.
func (r *reader) broken(cause error) error {
	r.drop()
	if r.off == r.end {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if r.good >= progress {
		r.fails = 0
	}
	r.good = 0
	if cause == io.EOF { // which would read as the end of the object
		cause = io.ErrUnexpectedEOF
	}
	if r.fails++; r.fails >= r.objects.attempts {
		return fmt.Errorf("read %s: the body broke off at byte %d of %d, %d times in a row: %w", r.info.Ref, r.off, r.end, r.fails, cause)
	}
	pause := min(50*time.Millisecond<<r.fails, r.objects.backoff)
	select {
	case <-time.After(rand.N(pause) + 1):
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

// open asks for the rest. An object that is missing was there when it was
// looked at: some stores do not show a new one everywhere at once, so it is
// asked for again, as after a broken body.
func (r *reader) open() error {
	for {
		err := r.ask()
		if !errors.Is(err, fs.ErrNotExist) || r.broken(err) != nil {
			return err
		}
	}
}

// ask asks for the rest once, pinned to the state that info describes.
func (r *reader) ask() error {
	ctx, cancel := context.WithCancel(r.ctx)
	spec := fmt.Sprintf("bytes=%d-%d", r.off, r.end-1)
	in := &awss3.GetObjectInput{Bucket: &r.info.Ref.Bucket, Key: &r.info.Ref.Key, Range: &spec, IfMatch: &r.info.ETag}
	if r.info.Ref.Version != "" {
		in.VersionId = &r.info.Ref.Version
	}
	out, err := r.objects.client.GetObject(ctx, in)
	if err == nil {
		err = r.check(out)
	} else if r.ctx.Err() == nil {
		err = refused(r.info.Ref, err)
	}
	if err != nil {
		if out != nil && out.Body != nil {
			out.Body.Close()
		}
		cancel()
		return err
	}
	r.body, r.cancel = out.Body, cancel
	r.timer = time.AfterFunc(r.objects.idle, cancel)
	r.timer.Stop()
	return nil
}

// check holds the answer against what was asked for: not every store heeds a
// range or a condition.
func (r *reader) check(out *awss3.GetObjectOutput) error {
	if tag := aws.ToString(out.ETag); tag != r.info.ETag {
		return replaced(r.info.Ref)
	}
	whole := r.off == 0 && r.end == r.info.Size
	want := fmt.Sprintf("bytes %d-%d/%d", r.off, r.end-1, r.info.Size)
	got := aws.ToString(out.ContentRange)
	if got != want && !(whole && got == "") && !strings.HasPrefix(got, strings.TrimSuffix(want, itoa(r.info.Size))+"*") {
		return fmt.Errorf("read %s: S3 answered the range %q, and %q was asked for", r.info.Ref, got, want)
	}
	return nil
}

// drop ends the current request.
func (r *reader) drop() {
	if r.body == nil {
		return
	}
	r.timer.Stop()
	r.cancel()
	r.body.Close()
	r.body = nil
}

// Close implements io.Closer. What was not read is not waited for.
func (r *reader) Close() error {
	r.drop()
	r.off = r.end
	return nil
}
