package model_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/model"
)

// TestWorking: a node tells how far the training is that it works on, and how
// each one ended, once.
func TestWorking(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	var ends []string
	w.Observe = func(s fovea.Service, how model.Outcome) { ends = append(ends, string(s)+" "+string(how)) }
	none := func(when string) {
		t.Helper()
		if diff := cmp.Diff(model.Work{}, w.Working()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	train := func(name string, fn func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error)) error {
		w.trainer.train = fn
		return w.RunTrain(ctx, fovea.TrainJob{Model: w.create(t, name).ID})
	}
	none("before any")
	err := train("good", func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		if got := w.Working(); got != (model.Work{Running: 1}) {
			t.Errorf("at first it is %+v", got)
		}
		run.Progress(ctx, 0.25, "features")
		w.pass(10 * time.Minute)
		if got := w.Working(); got.Running != 1 || got.Progress != 0.25 || got.Left < 30*time.Minute || got.Left > 31*time.Minute {
			t.Errorf("after a quarter it is %+v", got)
		}
		return learns(ctx, run)
	})
	if err != nil {
		t.Fatal(err)
	}
	none("after one")
	if err := train("bad data", func(context.Context, *model.Run) (*fovea.TrainingResult, error) {
		return nil, &model.Failure{Message: "no images"}
	}); err != nil {
		t.Fatal(err)
	}
	if err := train("cancelled", func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		if _, err := w.Cancel(ctx, w.ref("cancelled")); err != nil {
			t.Error(err)
		}
		return learns(ctx, run)
	}); err != nil {
		t.Fatal(err)
	}
	if err := train("broken", func(context.Context, *model.Run) (*fovea.TrainingResult, error) {
		return nil, errors.New("disk full")
	}); err == nil {
		t.Error("a fault of ours is not tried again")
	}
	none("after a fault")
	for range 2 {
		if err := w.FailTrain(ctx, fovea.TrainJob{Model: mustFind(t, w, "broken").ID}); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"custom-labels trained", "custom-labels failed", "custom-labels cancelled", "custom-labels given_up"}
	if diff := cmp.Diff(want, ends); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}

func mustFind(t *testing.T, w *world, name string) *fovea.Model {
	t.Helper()
	v, err := w.Find(context.Background(), w.ref(name))
	if err != nil {
		t.Fatal(err)
	}
	return v.Model
}
