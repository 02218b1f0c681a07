package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/hosting"
	"fovea/internal/jobs"
	"fovea/internal/model"
	"fovea/internal/server"
	"fovea/internal/sqlstore"
)

// TestJobsApart: trainings and starts, which wait and take long, keep nothing
// waiting, and stops wait for nothing; there are as many starts at a time as loads.
func TestJobsApart(t *testing.T) {
	n := &node{config: &config{}}
	r := n.newRunner(new(dataset.Ops), new(model.Ops), nil)
	want := map[string]int{"train": 1, "start": hosting.MaxLoads, "host": 1}
	if diff := cmp.Diff(want, r.Apart); diff != "" {
		t.Errorf("apart (-want +got):\n%s", diff)
	}
	if got := r.Handlers["train"].Attempts; got != trainAttempts {
		t.Errorf("a training is begun %d times", got)
	}
	for _, job := range []fovea.JobArgs{fovea.StartJob{}, fovea.HostJob{}} {
		if h := r.Handlers[job.Kind()]; h.Run == nil || h.GiveUp == nil {
			t.Errorf("nobody does jobs of the kind %s", job.Kind())
		}
	}
}

// TestStopBesideImports: a model is stopped while imports and updates, which may
// take hours, take all the workers that there are for them.
func TestStopBesideImports(t *testing.T) {
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fovea.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	n := &node{config: &config{}, store: store, log: slog.New(slog.DiscardHandler)}
	r := n.newRunner(new(dataset.Ops), new(model.Ops), server.NewMetrics())
	begun, stopped := make(chan string, 10), make(chan struct{})
	for kind := range r.Handlers {
		r.Handlers[kind] = jobs.Handler{Run: func(ctx context.Context, _ fovea.Job) error {
			begun <- kind
			<-ctx.Done()
			return context.Cause(ctx)
		}}
	}
	r.Handlers[fovea.HostJob{}.Kind()] = jobs.Handler{Run: func(context.Context, fovea.Job) error { close(stopped); return nil }}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	enqueue := func(list ...fovea.JobArgs) {
		t.Helper()
		err := store.Update(t.Context(), func(tx fovea.Tx) error {
			for _, j := range list {
				if err := tx.Enqueue(j); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	for i := range fovea.DatasetID(4) {
		enqueue(fovea.ImportJob{Dataset: i + 1})
	}
	for range 2 { // or the sweep, which comes by itself
		<-begun
	}
	enqueue(fovea.HostJob{Model: 1})
	select {
	case <-stopped:
	case <-time.After(time.Minute):
		t.Error("the stop waits for the imports")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
