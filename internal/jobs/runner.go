// Package jobs runs queued jobs, each at least once: a worker claims a job
// for the time of a lease and renews the lease while it works; when a process
// dies its leases end and another one takes over, within seconds and however
// long the jobs run. So handlers are written to be safe to run twice, also
// beside themselves.
//
// What becomes of a job is decided by the kind of its handler's error.
// Internal is nobody's fault but ours: the job is tried again, later and later,
// and given up in the end. Any other kind is the user's and final: the handler
// has recorded it where the user sees it.
package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fovea"
)

// A Handler does the jobs of one kind.
type Handler struct {
	// Run does a job. Its context ends when the job is cancelled, when
	// another worker has taken it, or when the runner stops; the cause is
	// ErrCancelled, ErrLost or ErrStopped.
	Run func(ctx context.Context, job fovea.Job) error

	// GiveUp, if there is one, is called when a job has failed for the last
	// time with an Internal error, to record that where users see it. Like
	// Run it may be called more than once.
	GiveUp func(ctx context.Context, job fovea.Job, err error) error

	// Attempts is after how many attempts, none of which has ended, a job is
	// given up: the processes died that made them. 0 is 100.
	Attempts int

	// Help, if there is one, is called in processes that have nothing else to
	// do while another one runs the job, to do some of its work. It returns
	// when nothing of it is left. Its error is logged and no more.
	Help func(ctx context.Context, job fovea.Job) error
}

// The causes for which the context of a handler ends.
var (
	ErrCancelled = errors.New("the job was cancelled")
	ErrLost      = errors.New("the job's lease has ended")
	ErrStopped   = errors.New("the job runner stops")
)

// A Report says what became of one attempt to do a job. State is done, failed,
// cancelled, retried, returned or lost.
type Report struct {
	Job   fovea.Job
	State string
	Took  time.Duration
	Err   error
}

// A Runner runs the jobs of a queue. Fields are set before Run and not changed
// after.
type Runner struct {
	Queue    Queue                           // required
	Handlers map[string]Handler              // by kind; required
	Every    map[fovea.JobArgs]time.Duration // what is enqueued again and again
	Workers  int                             // how many jobs run at once; 2 by default
	Apart    map[string]int                  // kinds of which so many run at once beside those, so that they keep no other waiting
	Lease    time.Duration                   // 3 s by default
	Poll     time.Duration                   // how often to look for jobs of other processes; 1 s by default
	Grace    time.Duration                   // how long stopping waits for handlers; 10 s by default
	Failures int                             // after how many a job is given up; 5 by default
	Build    string                          // names the program: only those of one build help each other
	Log      *slog.Logger                    // required
	Now      func() time.Time                // time.Now by default
	Observe  func(Report)                    // told of every attempt, for metrics

	claims  atomic.Int64
	left    left
	mu      sync.Mutex
	running map[fovea.JobID]*attempt
}

// Run runs jobs until ctx ends. It returns when those that ran have ended or
// are handed back.
func (r *Runner) Run(ctx context.Context) error {
	host, _ := os.Hostname()
	name := fmt.Sprintf("%s/%d/%08x", host, os.Getpid(), rand.Uint32())
	var wg sync.WaitGroup
	defer wg.Wait()
	lanes := r.lanes()
	wakes := make([]chan struct{}, len(lanes))
	for i := range wakes {
		wakes[i] = make(chan struct{}, 1)
	}
	r.Queue.OnEnqueue(func() {
		for _, wake := range wakes {
			select {
			case wake <- struct{}{}:
			default: // it will look anyway
			}
		}
	})
	for i, lane := range lanes {
		wg.Go(func() { r.drive(ctx, name, lane, wakes[i]) })
	}
	for args, period := range r.Every {
		wg.Go(func() { r.repeat(ctx, args, period) })
	}
	wg.Go(func() { r.help(ctx) })
	<-ctx.Done()
	return nil
}

// A lane runs the jobs of some kinds, so many at once.
type lane struct {
	kinds   []string
	workers int
}

// lanes returns a lane for each kind that runs apart, and one for all others.
func (r *Runner) lanes() []lane {
	others := lane{workers: cmp.Or(r.Workers, 2)}
	var apart []lane
	for _, kind := range slices.Sorted(maps.Keys(r.Handlers)) {
		if n := r.Apart[kind]; n > 0 {
			apart = append(apart, lane{[]string{kind}, n})
		} else {
			others.kinds = append(others.kinds, kind)
		}
	}
	return append(apart, others)
}

// drive claims and runs the jobs of a lane until ctx ends and they have ended.
func (r *Runner) drive(ctx context.Context, name string, lane lane, wake <-chan struct{}) {
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, lane.workers)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		a, err := r.claim(ctx, name, lane.kinds)
		if err == nil {
			wg.Go(func() {
				defer func() { <-slots }()
				r.work(ctx, a)
			})
			continue
		}
		<-slots
		if fovea.KindOf(err) != fovea.NotFound && ctx.Err() == nil {
			r.Log.Error("claim a job", "error", err)
		}
		select {
		case <-wake:
		case <-time.After(cmp.Or(r.Poll, time.Second)):
		case <-ctx.Done():
			return
		}
	}
}

func (r *Runner) claim(ctx context.Context, name string, kinds []string) (*attempt, error) {
	worker := fmt.Sprintf("%s/%d%s", name, r.claims.Add(1), r.build())
	job, err := r.Queue.ClaimJob(ctx, worker, kinds, r.left.list(), r.lease())
	if err != nil {
		return nil, err
	}
	return &attempt{r: r, job: *job, handler: r.Handlers[job.Kind], worker: worker}, nil
}

// work makes one attempt to do a job and tells of it.
func (r *Runner) work(ctx context.Context, a *attempt) {
	start := time.Now()
	jobCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(ErrStopped) })()
	a.ctx, a.cancel = jobCtx, cancel
	r.add(a)
	state, err := a.do()
	r.remove(a)
	took := time.Since(start)
	level, args := slog.LevelInfo, []any{"kind", a.job.Kind, "id", a.job.ID, "attempt", a.job.Attempt, "state", state, "took_ms", took.Milliseconds()}
	switch {
	case errors.Is(err, fovea.ErrElsewhere): // the same every few seconds
		level, args = slog.LevelDebug, append(args, "error", err)
	case err != nil:
		level, args = slog.LevelWarn, append(args, "error", err)
	}
	r.Log.Log(ctx, level, "job", args...)
	if r.Observe != nil {
		r.Observe(Report{a.job, state, took, err})
	}
}

func (r *Runner) add(a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == nil {
		r.running = make(map[fovea.JobID]*attempt)
	}
	r.running[a.job.ID] = a
}

func (r *Runner) remove(a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[a.job.ID] == a {
		delete(r.running, a.job.ID)
	}
}

// Cancel cancels a queued or running job, or reports NotFound. A handler in
// this process is told at once, one elsewhere within a third of a lease.
func (r *Runner) Cancel(ctx context.Context, id fovea.JobID) error {
	if err := r.Queue.CancelJob(ctx, id); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.running[id]; a != nil {
		a.cancel(ErrCancelled)
	}
	return nil
}

// CancelNamed cancels the queued or running job of a unique name, or reports
// NotFound.
func (r *Runner) CancelNamed(ctx context.Context, unique string) error {
	id, err := r.Queue.JobNamed(ctx, unique)
	if err != nil {
		return err
	}
	return r.Cancel(ctx, id)
}

func (r *Runner) lease() time.Duration { return cmp.Or(r.Lease, 3*time.Second) }

func (r *Runner) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}
