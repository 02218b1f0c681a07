package jobs_test

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"fovea"
	"fovea/internal/jobs"
)

// TestHelp: a process helps once with what another one of its build runs, and
// with nothing else.
func TestHelp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fovea.db")
	begun, goOn := make(chan struct{}, 1), make(chan struct{})
	runs := jobs.Handler{
		Run: func(context.Context, fovea.Job) error { begun <- struct{}{}; <-goOn; return nil },
		Help: func(_ context.Context, job fovea.Job) error {
			t.Errorf("the process that runs job %d helps with it", job.ID)
			return nil
		},
	}
	helped := make(chan fovea.Job, 10)
	helps := jobs.Handler{Help: func(_ context.Context, job fovea.Job) error { helped <- job; panic("help is no duty") }}
	start := func(build string, h jobs.Handler, workers int) *bench {
		b := &bench{t: t, store: openStore(t, path)}
		b.runner = &jobs.Runner{
			Queue: b.store, Handlers: map[string]jobs.Handler{"work": h}, Build: build, Workers: workers,
			Poll: 20 * time.Millisecond, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		}
		b.start()
		t.Cleanup(b.close)
		return b
	}
	first := start("b1", runs, 1)
	first.enqueue(work{Name: "x"})
	<-begun
	start("b1", helps, 1)
	other := jobs.Handler{Help: func(context.Context, fovea.Job) error { t.Error("another build helps"); return nil }}
	start("b2", other, 1)
	select {
	case job := <-helped:
		if string(job.Args) != `{"Name":"x","N":0}` || job.Attempt != 1 {
			t.Errorf("helped with %+v", job)
		}
	case <-time.After(patience):
		t.Fatal("nobody helps")
	}
	time.Sleep(100 * time.Millisecond)
	close(goOn)
	if n := len(helped); n != 0 {
		t.Errorf("helped %d times more", n)
	}
}
