package transfer

import (
	"context"
	"fmt"
	"io"
	"time"
)

// idleTimeout bounds the wait for the next bytes of an answer.
const idleTimeout = time.Minute

// A watched reader ends what it reads from if nothing comes for a while, and
// remembers its own error apart from those of a writer.
type watched struct {
	r     io.Reader
	timer *time.Timer
	err   error
}

// watch returns a reader that calls cancel when nothing has come for
// idleTimeout. It must be read to its end or an error, or cancel be called.
func watch(r io.Reader, cancel context.CancelCauseFunc) *watched {
	return &watched{r: r, timer: time.AfterFunc(idleTimeout, func() {
		cancel(fmt.Errorf("nothing came for %v: %w", idleTimeout, errCut))
	})}
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err == nil {
		w.timer.Reset(idleTimeout)
		return n, nil
	}
	w.timer.Stop()
	if err != io.EOF {
		w.err = err
	}
	return n, err
}
