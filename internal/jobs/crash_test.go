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
	testLease = 300 * time.Millisecond
	steps     = 20
)

// TestChild is not a test but a process that runs jobs until it is killed.
func TestChild(t *testing.T) {
	path := os.Getenv(childEnv)
	if path == "" {
		t.Skip("run by the other tests")
	}
	s := openStore(t, path)
	if err := stepRunner(s).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// stepRunner runs jobs of twenty steps, each stored when it is done.
func stepRunner(s *sqlstore.Store) *jobs.Runner {
	return &jobs.Runner{
		Queue: s, Lease: testLease, Poll: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Handlers: map[string]jobs.Handler{"work": {Run: func(ctx context.Context, j fovea.Job) error {
			var w work
			if err := json.Unmarshal(j.Args, &w); err != nil {
				return err
			}
			fmt.Println("runs", w.N)
			for done := 0; done < steps; {
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

// startChild starts a process that runs jobs; said gives what it says.
func startChild(t *testing.T, path string) (cmd *exec.Cmd, said *bufio.Scanner) {
	t.Helper()
	cmd = exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
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

// TestTakeover: when a process is killed, another one goes on with its job
// about a lease later, from where it was left.
func TestTakeover(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fovea.db")
	b := &bench{t: t, store: openStore(t, path)}
	defer b.close()
	b.enqueue(work{N: 1})
	cmd, said := startChild(t, path)
	if !said.Scan() {
		t.Fatal("the child runs nothing")
	}
	b.runner = stepRunner(b.store)
	b.start() // while the child lives this one gets nothing
	time.Sleep(steps * 10 * time.Millisecond / 2)
	kill(t, cmd)
	begin := time.Now()
	for !allDone(t, b.store, 1) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("ten seconds after the kill: %v", b.jobs())
		}
		time.Sleep(5 * time.Millisecond)
	}
	if took := time.Since(begin); took < testLease/3 {
		t.Errorf("done %v after the kill: the job was not taken over but run beside", took)
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
	begin := time.Now()
	for !allDone(t, b.store, n) {
		if time.Since(begin) > time.Minute {
			t.Fatalf("after a minute: %v", b.jobs())
		}
		one, _ := startChild(t, path)
		two, _ := startChild(t, path)
		time.Sleep(50*time.Millisecond + rand.N(300*time.Millisecond))
		kill(t, one)
		kill(t, two)
	}
	err := b.store.View(t.Context(), func(tx fovea.Tx) error {
		for i := range n {
			if v, err := tx.Setting(fmt.Sprint("steps of ", i)); err != nil || v != strconv.Itoa(steps) {
				t.Errorf("steps of %d = %s, %v, want %d", i, v, err, steps)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
