package dataset

import (
	"context"
	"io"
	"time"

	"fovea"
)

// A timed gives every access to the objects so much time. It is for what waits
// between accesses for reasons of its own.
type timed struct {
	fovea.Objects
	timeout time.Duration
}

// Stat implements fovea.Objects.
func (t timed) Stat(ctx context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	return t.Objects.Stat(ctx, ref)
}

// Read implements fovea.Objects. The time is for all of the body.
func (t timed) Read(ctx context.Context, info fovea.ObjectInfo, off, n int64) (io.ReadCloser, error) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	body, err := t.Objects.Read(ctx, info, off, n)
	if err != nil {
		cancel()
		return nil, err
	}
	return &timedBody{body, cancel}, nil
}

// A timedBody ends its time when it is closed.
type timedBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close implements io.Closer.
func (b *timedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
