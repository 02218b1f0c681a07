package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/jobs"
	"fovea/internal/sqlstore"
)

// A work is a job of the tests.
type work struct {
	Name string // unique, "" if it need not be
	N    int
}

func (work) Kind() string     { return "work" }
func (w work) Unique() string { return w.Name }

// A bench is a store, a runner on it and what the runner told.
type bench struct {
	t       *testing.T
	store   *sqlstore.Store
	runner  *jobs.Runner
	stop    context.CancelFunc
	stopped chan struct{}

	mu      sync.Mutex
	reports []string
}

func openStore(t *testing.T, path string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), "sqlite:"+path, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newBench opens a store and a runner that does not run yet.
func newBench(t *testing.T, h jobs.Handler) *bench {
	t.Helper()
	b := &bench{t: t, store: openStore(t, filepath.Join(t.TempDir(), "fovea.db"))}
	b.runner = b.with(h)
	return b
}

// with returns a runner of the bench's jobs that does not run yet.
func (b *bench) with(h jobs.Handler) *jobs.Runner {
	return &jobs.Runner{
		Queue: b.store, Handlers: map[string]jobs.Handler{"work": h},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Observe: func(r jobs.Report) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.reports = append(b.reports, fmt.Sprintf("%s %d %s", r.Job.Kind, r.Job.Attempt, r.State))
		},
	}
}

func (b *bench) start() {
	ctx, cancel := context.WithCancel(context.Background())
	b.stop, b.stopped = cancel, make(chan struct{})
	go func() {
		defer close(b.stopped)
		if err := b.runner.Run(ctx); err != nil {
			b.t.Errorf("run: %v", err)
		}
	}()
}

// end ends the runner, if it runs.
func (b *bench) end() {
	if b.stop != nil {
		b.stop()
		<-b.stopped
	}
}

// close ends the runner and the store.
func (b *bench) close() {
	b.end()
	if err := b.store.Close(); err != nil {
		b.t.Errorf("close: %v", err)
	}
}

func (b *bench) enqueue(args ...fovea.JobArgs) {
	b.t.Helper()
	err := b.store.Update(b.t.Context(), func(tx fovea.Tx) error {
		for _, a := range args {
			if err := tx.Enqueue(a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// jobs returns the jobs, oldest first, as "state attempt failures message".
func (b *bench) jobs() []string {
	b.t.Helper()
	list, err := b.store.Jobs(b.t.Context(), 0, 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	var lines []string
	for _, j := range slices.Backward(list) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %d %d %s", j.State, j.Attempt, j.Failures, j.Message)))
	}
	return lines
}

func (b *bench) want(what string, want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.jobs()); diff != "" {
		b.t.Errorf("jobs %s (-want +got):\n%s", what, diff)
	}
}

// ran returns what the runner reported.
func (b *bench) ran() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.reports)
}

// inBubble runs a test in which time is fake.
func inBubble(t *testing.T, h jobs.Handler, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// A bubble begins in 2000, and identifiers sort by time from 2020 on.
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		b := newBench(t, h)
		defer b.close()
		test(b)
	})
}

// settle lets d pass and whatever happens then.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func untilEnd(ctx context.Context, _ fovea.Job) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func TestRun(t *testing.T) {
	var got []int
	h := jobs.Handler{Run: func(ctx context.Context, j fovea.Job) error {
		var w work
		if err := json.Unmarshal(j.Args, &w); err != nil {
			return err
		}
		got = append(got, w.N)
		return nil
	}}
	inBubble(t, h, func(b *bench) {
		b.runner.Workers = 1
		b.enqueue(work{N: 1}, work{N: 2}, fovea.SweepJob{}) // the last of no kind that the runner knows
		b.start()
		settle(time.Millisecond)
		b.enqueue(work{N: 3}) // it starts at once, not at the next poll
		settle(time.Millisecond)
		slices.Sort(got[:2]) // of one transaction and millisecond
		if diff := cmp.Diff([]int{1, 2, 3}, got); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"work 1 done", "work 1 done", "work 1 done"}, b.ran()); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
		counts, err := b.store.JobCounts(b.t.Context())
		if err != nil || len(counts) != 2 || counts[0].State != "queued" || counts[1].Jobs != 3 {
			t.Errorf("counts = %v, %v", counts, err)
		}
	})
}

func TestUnique(t *testing.T) {
	inBubble(t, jobs.Handler{Run: untilEnd}, func(b *bench) {
		b.enqueue(work{Name: "a"}, work{Name: "a"}, work{Name: "b"}, work{}, work{})
		b.want("queued", "queued 0 0", "queued 0 0", "queued 0 0", "queued 0 0")
		b.runner.Workers = 10
		b.start()
		settle(time.Second)
		b.enqueue(work{Name: "a"}) // runs
		if err := b.runner.CancelNamed(b.t.Context(), "a"); err != nil {
			t.Error(err)
		}
		settle(0)
		b.enqueue(work{Name: "a"}) // has ended, so this is a new one
		settle(0)
		states := b.jobs()
		slices.Sort(states)
		want := []string{"cancelled 1 0 the job was cancelled", "running 1 0", "running 1 0", "running 1 0", "running 1 0"}
		if diff := cmp.Diff(want, states); diff != "" {
			t.Errorf("jobs (-want +got):\n%s", diff)
		}
	})
}

func TestRetries(t *testing.T) {
	var starts []time.Duration
	var begin time.Time
	h := jobs.Handler{Run: func(ctx context.Context, j fovea.Job) error {
		starts = append(starts, time.Since(begin))
		if j.Attempt < 4 {
			return errors.New("disk on fire")
		}
		return nil
	}}
	inBubble(t, h, func(b *bench) {
		begin = time.Now()
		b.enqueue(work{})
		b.start()
		settle(500 * time.Millisecond)
		b.want("after a failure", "queued 1 1 disk on fire")
		settle(time.Minute)
		b.want("in the end", "done 4 3")
		for i, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			// The wait, up to twice of it, and until the next poll.
			if got := starts[i+1] - starts[i]; got < wait || got > 2*wait+time.Second {
				t.Errorf("wait %d = %v, want %v to %v", i, got, wait, 2*wait+time.Second)
			}
		}
	})
}

func TestGiveUp(t *testing.T) {
	gave := 0
	h := jobs.Handler{
		Run: func(ctx context.Context, j fovea.Job) error { panic("out of range") },
		GiveUp: func(ctx context.Context, j fovea.Job, err error) error {
			if gave++; gave == 1 {
				return errors.New("no database")
			}
			return nil
		},
	}
	inBubble(t, h, func(b *bench) {
		b.runner.Failures = 2
		b.enqueue(work{})
		b.start()
		settle(5 * time.Minute)
		b.want("in the end", "failed 3 2 it was tried 2 times, 2 of which failed")
		want := []string{"work 1 retried", "work 2 retried", "work 3 failed"}
		if diff := cmp.Diff(want, b.ran()); diff != "" || gave != 2 {
			t.Errorf("gave up %d times, want 2; reports (-want +got):\n%s", gave, diff)
		}
	})
}

// TestLongMessage: what is stored of an error is bounded, and text.
func TestLongMessage(t *testing.T) {
	text := strings.Repeat("é", 100_000) + "\xff"
	h := jobs.Handler{Run: func(context.Context, fovea.Job) error { return fovea.Errorf(fovea.BadObject, "x%s", text) }}
	inBubble(t, h, func(b *bench) {
		b.enqueue(work{})
		b.start()
		settle(time.Second)
		b.want("in the end", "failed 1 0 x"+strings.Repeat("é", 999)+"\ufffd...")
	})
}

// TestUsersFault: a kind other than Internal is final, and the handler has
// dealt with it.
func TestUsersFault(t *testing.T) {
	h := jobs.Handler{
		Run:    func(ctx context.Context, j fovea.Job) error { return fovea.Errorf(fovea.BadObject, "no manifest") },
		GiveUp: func(ctx context.Context, j fovea.Job, err error) error { t.Error("gave up"); return nil },
	}
	inBubble(t, h, func(b *bench) {
		b.enqueue(work{})
		b.start()
		settle(time.Minute)
		b.want("in the end", "failed 1 0 no manifest")
	})
}

func TestPanicOfNil(t *testing.T) {
	h := jobs.Handler{Run: func(ctx context.Context, j fovea.Job) error { panic(nil) }}
	inBubble(t, h, func(b *bench) {
		b.runner.Failures = 1
		b.enqueue(work{})
		b.start()
		settle(time.Second)
		if got := b.jobs(); !strings.HasPrefix(got[0], "failed 1 0 panic:") {
			t.Errorf("jobs = %v", got)
		}
	})
}

func TestCancel(t *testing.T) {
	inBubble(t, jobs.Handler{Run: untilEnd}, func(b *bench) {
		b.runner.Workers = 1
		b.start()
		b.enqueue(work{Name: "a"})
		settle(time.Millisecond)
		b.enqueue(work{Name: "b"})
		settle(time.Millisecond)
		b.enqueue(work{Name: "c"})
		if err := b.runner.CancelNamed(b.t.Context(), "b"); err != nil { // queued
			t.Error(err)
		}
		b.want("after cancelling b", "running 1 0", "cancelled 0 0", "queued 0 0")
		if err := b.runner.CancelNamed(b.t.Context(), "a"); err != nil { // at once
			t.Error(err)
		}
		settle(0)
		b.want("after cancelling a", "cancelled 1 0 the job was cancelled", "cancelled 0 0", "running 1 0")
		id, err := b.store.JobNamed(b.t.Context(), "c")
		if err != nil {
			t.Fatal(err)
		}
		if err := b.store.CancelJob(b.t.Context(), id); err != nil { // as another process does
			t.Error(err)
		}
		settle(time.Second + 10*time.Millisecond) // a beat
		b.want("after cancelling c", "cancelled 1 0 the job was cancelled", "cancelled 0 0", "cancelled 1 0 the job was cancelled")
		if err := b.runner.CancelNamed(b.t.Context(), "a"); fovea.KindOf(err) != fovea.NotFound {
			t.Errorf("cancel of an ended job = %v, want NotFound", err)
		}
		if err := b.runner.Cancel(b.t.Context(), id); fovea.KindOf(err) != fovea.NotFound {
			t.Errorf("cancel of an ended job = %v, want NotFound", err)
		}
	})
}

// TestLease: a job that takes longer than its lease is not taken over.
func TestLease(t *testing.T) {
	h := jobs.Handler{Run: func(ctx context.Context, j fovea.Job) error {
		select {
		case <-time.After(10 * time.Minute):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}}
	inBubble(t, h, func(b *bench) {
		b.enqueue(work{})
		b.start()
		settle(9 * time.Minute)
		b.want("after nine minutes", "running 1 0")
		settle(2 * time.Minute)
		b.want("after ten", "done 1 0")
	})
}

// TestStop: what runs is handed back and not counted, also when the handler
// does not listen.
func TestStop(t *testing.T) {
	deaf := make(chan struct{})
	h := jobs.Handler{Run: func(ctx context.Context, j fovea.Job) error {
		if strings.Contains(string(j.Args), "deaf") {
			<-deaf
			return nil
		}
		return untilEnd(ctx, j)
	}}
	inBubble(t, h, func(b *bench) {
		deaf = make(chan struct{})
		b.runner.Workers = 3
		b.enqueue(work{Name: "a"}, work{Name: "deaf"}, work{Name: "b"})
		b.start()
		settle(10 * time.Second)
		begin := time.Now()
		b.stop()
		<-b.stopped
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("stopping took %v, want the grace of 10s", took)
		}
		close(deaf)
		b.want("after the stop", "queued 0 0", "queued 0 0", "queued 0 0")
		if diff := cmp.Diff([]string{"work 1 returned", "work 1 returned", "work 1 returned"}, b.ran()); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
	})
}

// TestElsewhere: a job that a node cannot do is left to others, again and again,
// and never given up for it.
func TestElsewhere(t *testing.T) {
	runs := 0
	h := jobs.Handler{Run: func(context.Context, fovea.Job) error {
		if runs++; runs <= 200 {
			return fmt.Errorf("not now: %w", fovea.ErrElsewhere)
		}
		return nil
	}}
	inBubble(t, h, func(b *bench) {
		b.enqueue(work{Name: "a"})
		b.start()
		settle(4 * time.Second)
		if runs != 1 {
			t.Errorf("it ran %d times in four seconds: no other node could have claimed it", runs)
		}
		b.want("after a second", "queued 0 0 not now: this is for another node to do")
		settle(20 * time.Minute)
		b.want("in the end", "done 1 0")
	})
}

// TestElsewhereMeansOthers: a node that can do a job gets it within seconds,
// whenever in each second it looks, and also from several that cannot.
func TestElsewhereMeansOthers(t *testing.T) {
	cannot := jobs.Handler{Run: func(context.Context, fovea.Job) error { return fovea.ErrElsewhere }}
	inBubble(t, cannot, func(b *bench) {
		b.enqueue(work{Name: "a"})
		for range 3 {
			node := &bench{t: b.t, store: b.store, runner: b.with(cannot)}
			node.start()
			defer node.end()
			settle(time.Millisecond)
		}
		settle(10 * time.Second)
		b.want("where no node can do it", "queued 0 0 this is for another node to do")
		b.runner = b.with(jobs.Handler{Run: func(context.Context, fovea.Job) error { return nil }})
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second + 10*time.Millisecond))) // later in each second than the others
		b.enqueue(work{Name: "b"})
		b.start()
		settle(3 * time.Second)
		b.want("with a node that can do it", "done 1 0", "done 1 0")
	})
}

// TestElsewhereAllAtOnce: more jobs than a node keeps in mind are still not
// claimed without end.
func TestElsewhereAllAtOnce(t *testing.T) {
	const n = 330
	runs := 0
	h := jobs.Handler{Run: func(context.Context, fovea.Job) error {
		runs++
		return fovea.ErrElsewhere
	}}
	inBubble(t, h, func(b *bench) {
		b.runner.Workers = 1
		all := make([]fovea.JobArgs, n)
		for i := range all {
			all[i] = work{N: i}
		}
		for some := range slices.Chunk(all, 20) {
			b.enqueue(some...)
			time.Sleep(time.Millisecond) // identifiers are of a moment, and random
		}
		b.start()
		settle(4 * time.Second)
		if runs != n {
			t.Errorf("%d jobs were run %d times in four seconds, want each once", n, runs)
		}
	})
}

// TestTakenOver: a handler whose job another worker has is told so.
func TestTakenOver(t *testing.T) {
	var cause error
	h := jobs.Handler{Run: func(ctx context.Context, j fovea.Job) error {
		<-ctx.Done()
		cause = context.Cause(ctx)
		return nil
	}}
	inBubble(t, h, func(b *bench) {
		b.enqueue(work{})
		b.start()
		settle(10 * time.Millisecond)
		list, err := b.store.Jobs(b.t.Context(), 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		// It looks as if the runner had been asleep for longer than a lease.
		if _, err := b.store.BeatJob(b.t.Context(), list[0].ID, list[0].Worker, -time.Second); err != nil {
			t.Fatal(err)
		}
		if _, err := b.store.ClaimJob(b.t.Context(), "other", []string{"work"}, nil, time.Minute); err != nil {
			t.Fatal(err)
		}
		settle(2 * time.Second)
		if cause != jobs.ErrLost {
			t.Errorf("cause = %v, want %v", cause, jobs.ErrLost)
		}
		b.want("with another worker", "running 2 0")
		if diff := cmp.Diff([]string{"work 1 lost"}, b.ran()); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
	})
}

// A sick queue has a database that has gone away.
type sickQueue struct {
	jobs.Queue
	sick atomic.Bool
}

var errSick = errors.New("connection refused")

func (q *sickQueue) BeatJob(ctx context.Context, id fovea.JobID, worker string, lease time.Duration) (bool, error) {
	if q.sick.Load() {
		return false, errSick
	}
	return q.Queue.BeatJob(ctx, id, worker, lease)
}

func (q *sickQueue) EndJob(ctx context.Context, id fovea.JobID, worker, state, message string) error {
	if q.sick.Load() {
		return errSick
	}
	return q.Queue.EndJob(ctx, id, worker, state, message)
}

// TestNoBeats: who cannot renew a lease gives the job up when it ends.
func TestNoBeats(t *testing.T) {
	var ended time.Duration
	h := jobs.Handler{Run: func(ctx context.Context, j fovea.Job) error {
		begin := time.Now()
		<-ctx.Done()
		if j.Attempt > 1 {
			return nil
		}
		ended = time.Since(begin)
		if context.Cause(ctx) != jobs.ErrLost {
			t.Errorf("cause = %v, want %v", context.Cause(ctx), jobs.ErrLost)
		}
		return nil
	}}
	inBubble(t, h, func(b *bench) {
		q := &sickQueue{Queue: b.store}
		q.sick.Store(true)
		b.runner.Queue = q
		b.enqueue(work{})
		b.start()
		settle(3*time.Second + 100*time.Millisecond)
		if ended < 2*time.Second || ended > 3*time.Second {
			t.Errorf("the context ended after %v, want a lease of 3s", ended)
		}
		q.sick.Store(false)
		b.stop()
		<-b.stopped
	})
}

// TestEndIsRepeated: a state that cannot be stored at once is stored later.
func TestEndIsRepeated(t *testing.T) {
	inBubble(t, jobs.Handler{Run: func(context.Context, fovea.Job) error { return nil }}, func(b *bench) {
		q := &sickQueue{Queue: b.store}
		q.sick.Store(true)
		b.runner.Queue = q
		b.enqueue(work{})
		b.start()
		settle(time.Second)
		b.want("while the database is away", "running 1 0")
		q.sick.Store(false)
		settle(time.Second)
		b.want("after that", "done 1 0")
	})
}

// TestPoison: a job that takes its process down is given up in the end.
func TestPoison(t *testing.T) {
	for _, tt := range []struct {
		attempts, deaths int
		want             string
	}{
		{0, 100, "failed 101 0 it was tried 100 times, 0 of which failed"},
		{3, 3, "failed 4 0 it was tried 3 times, 0 of which failed"},
		{3, 2, "done 3 0"},
	} {
		gave := false
		h := jobs.Handler{
			Run:      func(context.Context, fovea.Job) error { return nil },
			GiveUp:   func(context.Context, fovea.Job, error) error { gave = true; return nil },
			Attempts: tt.attempts,
		}
		inBubble(t, h, func(b *bench) {
			b.enqueue(work{})
			for i := range tt.deaths { // of processes that claim it
				if _, err := b.store.ClaimJob(b.t.Context(), fmt.Sprint(i), []string{"work"}, nil, time.Second); err != nil {
					t.Fatal(err)
				}
				settle(time.Second + time.Millisecond)
			}
			b.start()
			settle(time.Second)
			b.want("in the end", tt.want)
			if gave != strings.HasPrefix(tt.want, "failed") {
				t.Errorf("given up: %v, and it is %s", gave, tt.want)
			}
		})
	}
}

// TestEvery: a restart neither repeats nor forgets a periodic job.
func TestEvery(t *testing.T) {
	var at []time.Duration
	begin := time.Now()
	h := jobs.Handler{Run: func(context.Context, fovea.Job) error {
		at = append(at, time.Since(begin))
		return nil
	}}
	inBubble(t, h, func(b *bench) {
		begin, at = time.Now(), nil
		b.runner.Every = map[fovea.JobArgs]time.Duration{work{Name: "sweep"}: time.Hour}
		for _, run := range []time.Duration{90 * time.Minute, 15 * time.Minute, 3 * time.Hour} {
			b.start()
			settle(run)
			b.stop()
			<-b.stopped
		}
		want := []time.Duration{0, time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("ran at (-want +got):\n%s", diff)
		}
	})
}

// slow is a job of another kind.
type slow struct{ N int }

func (slow) Kind() string   { return "slow" }
func (slow) Unique() string { return "" }

// TestApart: a kind that runs apart keeps no other job waiting, however many of
// it are queued, and no more of it run at once than may.
func TestApart(t *testing.T) {
	var running, most atomic.Int64
	release, did := make(chan struct{}), make(chan struct{}, 100)
	b := newBench(t, jobs.Handler{Run: func(context.Context, fovea.Job) error { did <- struct{}{}; return nil }})
	defer b.close()
	b.runner.Handlers["slow"] = jobs.Handler{Run: func(ctx context.Context, _ fovea.Job) error {
		if n := running.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer running.Add(-1)
		select {
		case <-release:
		case <-ctx.Done():
		}
		return nil
	}}
	b.runner.Apart = map[string]int{"slow": 2}
	b.start()
	for n := range 6 {
		b.enqueueArgs(slow{n})
	}
	for n := range 5 {
		b.enqueueArgs(work{N: n})
	}
	for range 5 {
		select {
		case <-did:
		case <-time.After(patience):
			t.Fatal("the other jobs wait for the slow ones")
		}
	}
	for deadline := time.Now().Add(patience); running.Load() != 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d slow jobs run at once", running.Load())
		}
	}
	close(release)
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		counts, err := b.store.JobCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done := int64(0)
		for _, c := range counts {
			if c.State == "done" {
				done += c.Jobs
			}
		}
		if done == 11 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("in the end: %+v", counts)
		}
	}
	if most.Load() != 2 {
		t.Errorf("%d slow jobs ran at once, want 2", most.Load())
	}
}

func (b *bench) enqueueArgs(args fovea.JobArgs) {
	b.t.Helper()
	if err := b.store.Update(context.Background(), func(tx fovea.Tx) error { return tx.Enqueue(args) }); err != nil {
		b.t.Fatal(err)
	}
}
