package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// A patience ends a request to a server that has sent nothing for a while.
type patience struct {
	ctx   context.Context // of the request
	end   context.CancelFunc
	wait  time.Duration
	timer *time.Timer
}

var errSilent = errors.New("the server is silent")

// newPatience begins to wait.
func newPatience(ctx context.Context, wait time.Duration) *patience {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &patience{ctx: ctx, wait: wait}
	p.timer = time.AfterFunc(wait, func() { cancel(errSilent) })
	p.end = func() {
		p.timer.Stop()
		cancel(nil)
	}
	return p
}

// explain returns the error of a request, in words for a server that was silent.
func (p *patience) explain(err error) error {
	if err != nil && errors.Is(context.Cause(p.ctx), errSilent) {
		return fmt.Errorf("the server has sent nothing for %v, and may be busy or gone: try again, or see its log", p.wait)
	}
	return err
}

// A patientBody is the body of an answer that is read with patience.
type patientBody struct {
	body io.ReadCloser
	*patience
}

// Read implements io.Reader. Only the server is waited for: the time between
// calls does not count.
func (b *patientBody) Read(buf []byte) (int, error) {
	b.timer.Reset(b.wait)
	n, err := b.body.Read(buf)
	b.timer.Stop()
	if err != nil && err != io.EOF {
		err = b.explain(err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *patientBody) Close() error {
	b.end()
	return b.body.Close()
}
