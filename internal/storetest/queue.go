package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"fovea"
)

// A job is a job of the tests.
type job struct {
	Type string
	Name string
	N    int
}

func (j job) Kind() string   { return j.Type }
func (j job) Unique() string { return j.Name }

const lease = 3 * time.Second

var kinds = []string{"a", "b"}

func enqueue(t *testing.T, s Store, list ...job) {
	t.Helper()
	update(t, s, func(tx fovea.Tx) error {
		for _, j := range list {
			if err := tx.Enqueue(j); err != nil {
				return err
			}
		}
		return nil
	})
}

// claim claims a job that must be due.
func claim(t *testing.T, s Store, worker string) *fovea.Job {
	t.Helper()
	j, err := s.ClaimJob(t.Context(), worker, kinds, nil, lease)
	if err != nil {
		t.Fatalf("%s claims: %v", worker, err)
	}
	return j
}

// noneDue expects that no job is due.
func noneDue(t *testing.T, s Store, when string) {
	t.Helper()
	j, err := s.ClaimJob(t.Context(), "nobody", kinds, nil, lease)
	if err == nil || fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("%s a claim gets %v, %v, want NotFound", when, j, err)
	}
}

// succeed and lost judge the outcome of a call.
func succeed(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func lost(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("%s = %v, want NotFound", what, err)
	}
}

// testEnqueue: a job is there when its transaction has committed, and somebody
// is told.
func testEnqueue(t *testing.T, s Store, _ *clock) {
	told := 0
	s.OnEnqueue(func() { told++ })
	stop := errors.New("stop")
	err := s.Update(t.Context(), func(tx fovea.Tx) error {
		if err := tx.Enqueue(job{Type: "a", N: 1}); err != nil {
			return err
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Errorf("update = %v, want %v", err, stop)
	}
	noneDue(t, s, "after a rollback")
	update(t, s, func(tx fovea.Tx) error {
		err := tx.Enqueue(job{Type: "a", N: 7})
		if told != 0 {
			t.Error("told before the commit")
		}
		if _, err := s.JobNamed(t.Context(), ""); fovea.KindOf(err) != fovea.NotFound {
			t.Errorf("a job without a name = %v, want NotFound", err)
		}
		return err
	})
	update(t, s, func(fovea.Tx) error { return nil })
	same(t, "told of jobs", 1, told)
	j := claim(t, s, "w")
	var args job
	if err := json.Unmarshal(j.Args, &args); err != nil {
		t.Error(err)
	}
	same(t, "arguments", job{Type: "a", N: 7}, args)
	j.Args, j.ID = nil, 0
	same(t, "job", &fovea.Job{Kind: "a", Attempt: 1, Queued: start}, j)
}

func testUniqueJobs(t *testing.T, s Store, c *clock) {
	told := 0
	s.OnEnqueue(func() { told++ })
	enqueue(t, s, job{Type: "a", Name: "x"}, job{Type: "a", Name: "x"})
	enqueue(t, s, job{Type: "b", Name: "x"}) // the name counts, not the kind
	same(t, "told of jobs", 1, told)
	first := claim(t, s, "w")
	id, err := s.JobNamed(t.Context(), "x")
	if id != first.ID || err != nil {
		t.Errorf("job named x = %d, %v, want %d", id, err, first.ID)
	}
	enqueue(t, s, job{Type: "a", Name: "x"}) // runs still
	noneDue(t, s, "while it runs")
	succeed(t, "end", s.EndJob(t.Context(), first.ID, "w", "done", ""))
	_, err = s.JobNamed(t.Context(), "x")
	lost(t, "job named x after its end", err)
	enqueue(t, s, job{Type: "a", Name: "x"}, job{Type: "a"}, job{Type: "a"})
	for range 3 {
		claim(t, s, "w")
	}
	noneDue(t, s, "after three claims")
}

func testClaims(t *testing.T, s Store, c *clock) {
	enqueue(t, s, job{Type: "other"})
	for n := range 3 {
		c.add(time.Millisecond)
		enqueue(t, s, job{Type: kinds[n%2], N: n})
	}
	for n := range 3 { // in the order in which they were queued
		var args job
		if err := json.Unmarshal(claim(t, s, fmt.Sprint(n)).Args, &args); err != nil || args.N != n {
			t.Errorf("claim %d = %+v, %v", n, args, err)
		}
	}
	noneDue(t, s, "with a job of another kind")
	if _, err := s.ClaimJob(t.Context(), "w", []string{"other"}, nil, lease); err != nil {
		t.Error(err)
	}
}

// testClaimsAtOnce: no two workers get one job.
func testClaimsAtOnce(t *testing.T, s Store, _ *clock) {
	const n = 20
	enqueue(t, s, slices.Repeat([]job{{Type: "a"}}, n)...)
	var mu sync.Mutex
	ids := map[fovea.JobID]int{}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				j, err := s.ClaimJob(t.Context(), fmt.Sprint(w, i), kinds, nil, lease)
				if fovea.KindOf(err) == fovea.NotFound && err != nil {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				ids[j.ID]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(ids) != n {
		t.Errorf("%d jobs were claimed, want %d: %v", len(ids), n, ids)
	}
	for id, claims := range ids {
		if claims != 1 {
			t.Errorf("job %d was claimed %d times", id, claims)
		}
	}
}

func testLeases(t *testing.T, s Store, c *clock) {
	enqueue(t, s, job{Type: "a"})
	j := claim(t, s, "w1")
	for range 3 {
		c.add(lease - time.Millisecond)
		noneDue(t, s, "before a lease ends")
		if cancelled, err := s.BeatJob(t.Context(), j.ID, "w1", lease); cancelled || err != nil {
			t.Errorf("beat = %v, %v", cancelled, err)
		}
	}
	c.add(lease)
	again := claim(t, s, "w2") // w1 is taken for dead
	if again.ID != j.ID || again.Attempt != 2 || again.Failures != 0 {
		t.Errorf("took over %+v, want attempt 2 of %d", again, j.ID)
	}
	_, err := s.BeatJob(t.Context(), j.ID, "w1", lease)
	lost(t, "beat of the first worker", err)
	lost(t, "end by the first worker", s.EndJob(t.Context(), j.ID, "w1", "done", ""))
	lost(t, "retry by the first worker", s.RetryJob(t.Context(), j.ID, "w1", "x", time.Second))
	lost(t, "return by the first worker", s.ReturnJob(t.Context(), j.ID, "w1"))
	lost(t, "deferral by the first worker", s.DeferJob(t.Context(), j.ID, "w1", "x", 0))
	succeed(t, "end by the second worker", s.EndJob(t.Context(), j.ID, "w2", "done", ""))
	lost(t, "second end", s.EndJob(t.Context(), j.ID, "w2", "failed", ""))
	c.add(time.Hour)
	noneDue(t, s, "after the end")
}

// testRunningJobs: those are listed that somebody works on, and who.
func testRunningJobs(t *testing.T, s Store, c *clock) {
	running := func(want ...string) {
		t.Helper()
		list, err := s.RunningJobs(t.Context(), []string{"a"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, j := range list {
			got = append(got, fmt.Sprintf("%s %s %d %s", j.Kind, j.Worker, j.Attempt, j.Args))
		}
		same(t, "running jobs", want, got)
	}
	enqueue(t, s, job{Type: "a", N: 1})
	c.add(time.Millisecond)
	enqueue(t, s, job{Type: "b", N: 2})
	c.add(time.Millisecond)
	enqueue(t, s, job{Type: "a", N: 3})
	running()
	claim(t, s, "w1")
	claim(t, s, "w2")
	third := claim(t, s, "w3")
	running(`a w1 1 {"Type":"a","Name":"","N":1}`, `a w3 1 {"Type":"a","Name":"","N":3}`)
	succeed(t, "cancel", s.CancelJob(t.Context(), third.ID))
	running(`a w1 1 {"Type":"a","Name":"","N":1}`)
	c.add(lease)
	running()
}

func testEnds(t *testing.T, s Store, c *clock) {
	enqueue(t, s, job{Type: "a"})
	j := claim(t, s, "w1")
	succeed(t, "return", s.ReturnJob(t.Context(), j.ID, "w1"))
	j = claim(t, s, "w1") // at once, and it does not count
	same(t, "attempt and failures", [2]int{1, 0}, [2]int{j.Attempt, j.Failures})
	succeed(t, "defer", s.DeferJob(t.Context(), j.ID, "w1", "not here", 0))
	if got, err := s.ClaimJob(t.Context(), "w1", kinds, []fovea.JobID{1, j.ID}, lease); fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("a claim of others than the only one that is due gets %v, %v, want NotFound", got, err)
	}
	enqueue(t, s, job{Type: "b"})
	other, err := s.ClaimJob(t.Context(), "w1", kinds, []fovea.JobID{j.ID}, lease)
	if err != nil || other.ID == j.ID {
		t.Fatalf("a claim of any but job %d gets %v, %v", j.ID, other, err)
	}
	succeed(t, "end", s.EndJob(t.Context(), other.ID, "w1", "done", ""))
	j = claim(t, s, "w1")
	succeed(t, "defer", s.DeferJob(t.Context(), j.ID, "w1", "not here", time.Minute))
	c.add(time.Minute - time.Millisecond)
	noneDue(t, s, "before the deferral is over")
	c.add(time.Millisecond)
	j = claim(t, s, "w2") // and that does not count either
	same(t, "attempt and failures", [2]int{1, 0}, [2]int{j.Attempt, j.Failures})
	succeed(t, "retry", s.RetryJob(t.Context(), j.ID, "w2", "no space", time.Minute))
	c.add(time.Minute - time.Millisecond)
	noneDue(t, s, "before the wait is over")
	c.add(time.Millisecond)
	j = claim(t, s, "w3")
	same(t, "attempt and failures", [2]int{2, 1}, [2]int{j.Attempt, j.Failures})
	succeed(t, "end", s.EndJob(t.Context(), j.ID, "w3", "failed", "no space"))
	noneDue(t, s, "after the end")

	enqueue(t, s, job{Type: "a"})
	j = claim(t, s, "w4")
	if err := s.EndJob(t.Context(), j.ID, "w4", "perhaps", ""); err == nil || fovea.KindOf(err) != fovea.Internal {
		t.Errorf("end in a state that is none = %v, want an Internal error", err)
	}
}

func testCancel(t *testing.T, s Store, c *clock) {
	enqueue(t, s, job{Type: "a", Name: "queued"})
	id, err := s.JobNamed(t.Context(), "queued")
	if err != nil {
		t.Fatal(err)
	}
	succeed(t, "cancel of a queued job", s.CancelJob(t.Context(), id))
	lost(t, "second cancel", s.CancelJob(t.Context(), id))
	noneDue(t, s, "after a cancel")

	for how, leave := range map[string]func(fovea.JobID) error{
		"ended":    func(id fovea.JobID) error { return s.EndJob(t.Context(), id, "w", "cancelled", "") },
		"retried":  func(id fovea.JobID) error { return s.RetryJob(t.Context(), id, "w", "x", 0) },
		"returned": func(id fovea.JobID) error { return s.ReturnJob(t.Context(), id, "w") },
		"deferred": func(id fovea.JobID) error { return s.DeferJob(t.Context(), id, "w", "x", 0) },
		"dead":     func(fovea.JobID) error { c.add(time.Minute); return nil },
	} {
		enqueue(t, s, job{Type: "a", Name: how})
		j := claim(t, s, "w")
		succeed(t, "cancel of a running job", s.CancelJob(t.Context(), j.ID))
		if cancelled, err := s.BeatJob(t.Context(), j.ID, "w", lease); !cancelled || err != nil {
			t.Errorf("beat of a cancelled job = %v, %v", cancelled, err)
		}
		noneDue(t, s, "while it ends")
		succeed(t, how, leave(j.ID))
		noneDue(t, s, how)
		_, err := s.JobNamed(t.Context(), how)
		lost(t, "a job that was cancelled and "+how, err)
	}
	lost(t, "cancel of a job that is none", s.CancelJob(t.Context(), 1))
}

// testClockSetBack: jobs do not wait until the clock is again where it was
// (T19).
func testClockSetBack(t *testing.T, s Store, c *clock) {
	enqueue(t, s, job{Type: "a", N: 1}, job{Type: "a", N: 2})
	claim(t, s, "w1")
	c.add(-24 * time.Hour)
	claim(t, s, "w2")
	claim(t, s, "w3")
	noneDue(t, s, "with two jobs under new leases")
}

func testDeleteJobs(t *testing.T, s Store, c *clock) {
	for _, state := range []string{"done", "failed", "cancelled"} {
		enqueue(t, s, job{Type: "a", Name: state})
		j := claim(t, s, state)
		c.add(time.Second)
		succeed(t, "end", s.EndJob(t.Context(), j.ID, state, state, ""))
	}
	enqueue(t, s, job{Type: "a", Name: "running"})
	running := claim(t, s, "w")
	enqueue(t, s, job{Type: "a", Name: "queued"})
	deletes := func(before time.Time, want int64) {
		t.Helper()
		if n, err := s.DeleteJobs(t.Context(), before); n != want || err != nil {
			t.Errorf("deleted %d, %v, want %d", n, err, want)
		}
	}
	deletes(start, 0)
	deletes(start.Add(2*time.Second), 1) // those that ended before, not the one of that time
	deletes(start.Add(time.Hour), 2)
	succeed(t, "end", s.EndJob(t.Context(), running.ID, "w", "done", ""))
	claim(t, s, "w")
}
