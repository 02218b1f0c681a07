package jobs_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"fovea"
	"fovea/internal/jobs"
	"fovea/internal/sqlstore"
)

const (
	childEnv  = "FOVEA_JOBS_CHILD"
	holdEnv   = "FOVEA_JOBS_HOLD" // a child that gets no further than half of a job
	testLease = 300 * time.Millisecond
	holdLease = 4 * time.Second // no process is kept from renewing it for so long
	steps     = 20
	patience  = 5 * time.Minute // that the tests have, on a machine with much else to do
)

// TestChild is not a test but a process that runs jobs until it is killed.
func TestChild(t *testing.T) {
	path := os.Getenv(childEnv)
	if path == "" {
		t.Skip("run by the other tests")
	}
	r := stepRunner(openStore(t, path), testLease, steps)
	if os.Getenv(holdEnv) != "" {
		r = stepRunner(openStore(t, path), holdLease, steps/2)
	}
	if err := r.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// stepRunner runs jobs of twenty steps, each stored when it is done, and holds
// them before the step after the last that it may do.
func stepRunner(s *sqlstore.Store, lease time.Duration, last int) *jobs.Runner {
	return &jobs.Runner{
		Queue: s, Lease: lease, Poll: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Handlers: map[string]jobs.Handler{"work": {Run: func(ctx context.Context, j fovea.Job) error {
			var w work
			if err := json.Unmarshal(j.Args, &w); err != nil {
				return err
			}
			fmt.Println("runs", w.N)
			for done := 0; done < steps; {
				if done == last {
					<-ctx.Done()
				}
				err := s.Update(ctx, func(tx fovea.Tx) (err error) {
					done, err = step(tx, w)
					return err
				})
				if err != nil {
					return err
				}
				time.Sleep(10 * time.Millisecond)
			}
			return nil
		}}},
	}
}

// step takes a job one step further from where it was left and returns how far
// it is.
func step(tx fovea.Tx, w work) (int, error) {
	name := fmt.Sprint("steps of ", w.N)
	value, err := tx.Setting(name)
	if err != nil && fovea.KindOf(err) != fovea.NotFound {
		return 0, err
	}
	n, _ := strconv.Atoi(value)
	if n == steps {
		return n, nil
	}
	return n + 1, tx.PutSetting(name, strconv.Itoa(n+1))
}

// startChild starts a process that runs jobs, with more in its environment, and
// calls runs when it says that it runs one.
func startChild(t *testing.T, path string, runs func(), env ...string) (cmd *exec.Cmd) {
	t.Helper()
	cmd = exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(append(os.Environ(), childEnv+"="+path), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			runs()
		}
	}()
	return cmd
}

// stepsOf returns how far a job is.
func stepsOf(t *testing.T, s *sqlstore.Store, n int) (value string) {
	t.Helper()
	err := s.View(t.Context(), func(tx fovea.Tx) (err error) {
		value, err = tx.Setting(fmt.Sprint("steps of ", n))
		return err
	})
	if err != nil && fovea.KindOf(err) != fovea.NotFound {
		t.Fatal(err)
	}
	return value
}

func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	cmd.Wait() // says that it was killed
}

func allDone(t *testing.T, s *sqlstore.Store, n int64) bool {
	t.Helper()
	counts, err := s.JobCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(counts) == 1 && counts[0].State == "done" && counts[0].Jobs == n
}

// TestTakeover: when a process is killed, another one goes on with its job when
// its lease is over, from where it was left, and not before.
func TestTakeover(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fovea.db")
	b := &bench{t: t, store: openStore(t, path)}
	defer b.close()
	b.enqueue(work{N: 1})
	runs := make(chan struct{}, 100)
	cmd := startChild(t, path, func() { runs <- struct{}{} }, holdEnv+"=1")
	select {
	case <-runs:
	case <-time.After(patience):
		t.Fatal("the child runs nothing")
	}
	b.runner = stepRunner(b.store, holdLease, steps)
	b.start() // while the child lives this one gets nothing
	deadline := time.Now().Add(patience)
	for stepsOf(t, b.store, 1) != strconv.Itoa(steps/2) && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond) // it looks every 50
	b.want("before the kill", "running 1 0")
	kill(t, cmd)
	for !allDone(t, b.store, 1) {
		if time.Now().After(deadline) {
			t.Fatalf("%v after the kill: %v", patience, b.jobs())
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.want("in the end", "done 2 0")
}

// TestKills: however often the processes are killed, every job is done.
func TestKills(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fovea.db")
	b := &bench{t: t, store: openStore(t, path)}
	defer b.close()
	const n = 8
	for i := range n {
		b.enqueue(work{N: i})
	}
	deadline := time.After(patience)
	for !allDone(t, b.store, n) {
		runs := make(chan struct{}, 1)
		said := func() {
			select {
			case runs <- struct{}{}:
			default:
			}
		}
		one, two := startChild(t, path, said), startChild(t, path, said)
		select {
		case <-runs:
		case <-deadline:
			t.Errorf("after %v: %v", patience, b.jobs())
		}
		time.Sleep(rand.N(300 * time.Millisecond))
		kill(t, one)
		kill(t, two)
		if t.Failed() {
			return
		}
	}
	for i := range n {
		if got := stepsOf(t, b.store, i); got != strconv.Itoa(steps) {
			t.Errorf("steps of %d = %s, want %d", i, got, steps)
		}
	}
}
