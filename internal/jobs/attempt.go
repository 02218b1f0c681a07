package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"time"

	"fovea"
)

// maxAttempts is how often a job whose handler does not say may take the whole
// process down with it, or be interrupted by something else that does, before it
// is given up.
const maxAttempts = 100

// maxWait bounds how long a job waits after a failure.
const maxWait = time.Minute

// An attempt is one claim of a job.
type attempt struct {
	r       *Runner
	job     fovea.Job
	handler Handler
	worker  string
	ctx     context.Context // the handler's
	cancel  context.CancelCauseFunc
}

// do runs the handler and records what came of it.
func (a *attempt) do() (state string, err error) {
	limit := cmp.Or(a.r.Failures, 5)
	if a.job.Failures >= limit || a.job.Attempt > cmp.Or(a.handler.Attempts, maxAttempts) {
		err := fmt.Errorf("it was tried %d times, %d of which failed", a.job.Attempt-1, a.job.Failures)
		return a.giveUp(err)
	}
	err = a.await(a.start(func() error { return a.handler.Run(a.ctx, a.job) }))
	cause := context.Cause(a.ctx)
	switch {
	case cause == ErrLost:
		return "lost", err
	case err == nil:
		return a.end("done", nil)
	case errors.Is(err, fovea.ErrElsewhere) && cause == nil:
		wait := a.r.left.add(a.job.ID)
		return a.settle("returned", err, func(ctx context.Context) error {
			return a.r.Queue.DeferJob(ctx, a.job.ID, a.worker, message(err), wait)
		})
	case fovea.KindOf(err) != fovea.Internal:
		return a.end("failed", err)
	case cause == ErrCancelled:
		return a.end("cancelled", err)
	case cause == ErrStopped:
		return a.settle("returned", err, func(ctx context.Context) error {
			return a.r.Queue.ReturnJob(ctx, a.job.ID, a.worker)
		})
	case a.job.Failures+1 < limit:
		return a.retry(err)
	}
	return a.giveUp(err)
}

// start calls fn in a goroutine and sends its error. A panic is an error.
func (a *attempt) start(fn func() error) <-chan error {
	done := make(chan error, 1)
	go func() {
		err := errors.New("the handler ended its goroutine")
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v", v)
				a.r.Log.Error("panic in a job", "kind", a.job.Kind, "id", a.job.ID, "panic", v, "stack", string(debug.Stack()))
			}
			done <- err
		}()
		err = fn()
	}()
	return done
}

var errIgnored = errors.New("the handler went on after its context had ended, and was left to itself")

// await keeps the lease until done has the handler's error.
func (a *attempt) await(done <-chan error) error {
	beat := time.NewTicker(a.r.lease() / 3)
	defer beat.Stop()
	renewed := time.Now()
	stopping := a.ctx.Done()
	var graceOver <-chan time.Time
	for {
		select {
		case err := <-done:
			return err
		case <-stopping:
			stopping, graceOver = nil, time.After(cmp.Or(a.r.Grace, 10*time.Second))
		case <-graceOver:
			return errIgnored
		case <-beat.C:
			if context.Cause(a.ctx) == ErrLost {
				continue
			}
			if a.beat() {
				renewed = time.Now()
			} else if time.Since(renewed) >= a.r.lease() {
				a.cancel(ErrLost)
			}
		}
	}
}

// beat renews the lease and reports whether that went well.
func (a *attempt) beat() bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), a.r.lease()/2)
	defer cancel()
	cancelled, err := a.r.Queue.BeatJob(ctx, a.job.ID, a.worker, a.r.lease())
	switch {
	case err == nil && cancelled:
		a.cancel(ErrCancelled)
	case err != nil && fovea.KindOf(err) == fovea.NotFound:
		a.cancel(ErrLost)
	case err != nil:
		a.r.Log.Error("renew a job's lease", "kind", a.job.Kind, "id", a.job.ID, "error", err)
		return false
	}
	return true
}

// giveUp lets the handler record the failure and ends the job. If the handler
// cannot, the job comes here again later.
func (a *attempt) giveUp(err error) (string, error) {
	if a.handler.GiveUp != nil {
		ctx := context.WithoutCancel(a.ctx)
		if e := a.await(a.start(func() error { return a.handler.GiveUp(ctx, a.job, err) })); e != nil {
			return a.retry(fmt.Errorf("%w; then, giving it up: %w", err, e))
		}
	}
	return a.end("failed", err)
}

func (a *attempt) end(state string, err error) (string, error) {
	return a.settle(state, err, func(ctx context.Context) error {
		return a.r.Queue.EndJob(ctx, a.job.ID, a.worker, state, message(err))
	})
}

// message returns the text of an error as far as it is stored.
func message(err error) string {
	if err == nil {
		return ""
	}
	const limit = 2000
	text := err.Error()
	if len(text) > limit {
		text = text[:limit] + "..."
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

// retry queues the job again: after a second or two, and after twice as long
// each time.
func (a *attempt) retry(err error) (string, error) {
	wait := min(time.Second<<min(a.job.Failures, 10), maxWait)
	wait += rand.N(wait)
	return a.settle("retried", err, func(ctx context.Context) error {
		return a.r.Queue.RetryJob(ctx, a.job.ID, a.worker, message(err), wait)
	})
}

// settle records the state, trying for the time of a lease; after that the job
// belongs to who claims it next.
func (a *attempt) settle(state string, err error, record func(context.Context) error) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), a.r.lease())
	defer cancel()
	for {
		e := record(ctx)
		if e == nil {
			return state, err
		}
		if fovea.KindOf(e) == fovea.NotFound || ctx.Err() != nil {
			return "lost", errors.Join(err, e)
		}
		select {
		case <-time.After(a.r.lease() / 10):
		case <-ctx.Done():
		}
	}
}
