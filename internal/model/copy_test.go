package model_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fovea"
	"fovea/internal/model"
)

func (w *world) copySpec(from, name string) model.CopySpec {
	return model.CopySpec{
		From: w.ref(from), SourceID: "arn:" + from, Project: w.project, Name: name, TagsOf: tagsOf,
		Output: fovea.ObjectRef{Bucket: "copies", Key: "c/"}, Tags: map[string]string{"team": "3"},
	}
}

// copied runs the job of a copy.
func (w *world) copied(t testing.TB, v *model.View) *fovea.Model {
	t.Helper()
	if err := w.RunCopy(context.Background(), fovea.CopyModelJob{Model: v.Model.ID}); err != nil {
		t.Fatal(err)
	}
	return w.get(t, v.Model.ID)
}

// TestCopy (CL-11.1 to CL-11.7): a copy has the weights and the results of its
// source and files of its own, and outlives it, whatever the sweep does.
func TestCopy(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.SweepAge = -300_000 * time.Hour // the blobs are of today
	w.load(t, fovea.Train, line("a", "normal"))
	source := w.run(t, w.create(t, "v1"))
	weights := w.weights(t, source)
	spec := w.copySpec("v1", "c1")
	spec.Project = w.makeProject(t, 2, "other")
	v, err := w.Copy(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	if v.Model.Status != fovea.Copying || v.Project.Name != "other" || v.Model.Asked.Source != "arn:v1" || !v.Model.Created.After(source.Created) {
		t.Errorf("%+v", v.Model)
	}
	m := w.copied(t, v)
	if m.Status != fovea.Copied || m.Result.F1 != 0.5 || m.Result.Summary.Key != "c/EvaluationResultSummary-other-c1.json" {
		t.Errorf("%+v %+v", m, m.Result)
	}
	if w.objects.text("copies", m.Result.Summary.Key) != "{}" {
		t.Error("the evaluation was not copied")
	}
	if _, err := w.Delete(ctx, w.ref("v1"), tagsOf); err != nil {
		t.Fatal(err)
	}
	if err := w.RunSweep(ctx); err != nil {
		t.Fatal(err)
	}
	if w.weights(t, m) != weights {
		t.Error("the copy has other weights")
	}
	if _, err := w.Delete(ctx, model.Ref{Project: spec.Project, Name: "c1"}, tagsOf); err != nil {
		t.Fatal(err)
	}
	if err := w.RunSweep(ctx); err != nil {
		t.Fatal(err)
	}
	if n := w.blobs(t); n != 0 {
		t.Errorf("%d weights are left of models that are gone", n)
	}
}

func (w *world) blobs(t testing.TB) (n int) {
	t.Helper()
	for _, err := range w.Blobs.List(context.Background(), "weights/") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// TestCopySources: which models can be copied (CL-4.3).
func TestCopySources(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.limit(func(l *fovea.Limits) { *l = l.Lifted() })
	w.load(t, fovea.Train, line("a", "normal"))
	refused := map[fovea.ModelStatus]fovea.Kind{
		fovea.Training: fovea.InUse, fovea.Copying: fovea.InUse, fovea.TrainFailed: fovea.Invalid, fovea.CopyFailed: fovea.Invalid,
	}
	for i, status := range statuses {
		m := w.run(t, w.create(t, fmt.Sprint("v", i)))
		w.become(t, m.ID, status)
		_, err := w.Copy(ctx, w.copySpec(m.Name, fmt.Sprint("c", i)))
		if kind, no := refused[status]; no {
			want(t, "copy of a model that is "+string(status), err, kind, m.Name)
		} else if err != nil {
			t.Errorf("copy of a model that is %s: %v", status, err)
		}
	}
	_, err := w.Copy(ctx, w.copySpec("none", "c"))
	want(t, "no source", err, fovea.NotFound, "none")
	w.run(t, w.create(t, "v"))
	_, err = w.Copy(ctx, w.copySpec("v", "v"))
	want(t, "CL-11.4", err, fovea.InUse, "v")
	spec := w.copySpec("v", "c")
	spec.Project.Name = "gone"
	_, err = w.Copy(ctx, spec)
	want(t, "no project", err, fovea.NotFound, "gone")
	w.limit(func(l *fovea.Limits) { l.Copies = 1 })
	_, err = w.Copy(ctx, w.copySpec("v", "c"))
	want(t, "CL-11.9", err, fovea.Limit, "copies")
}

// TestCopyFails: files that are gone are left out; an output that cannot be
// written fails the copy; a fault of ours is tried again.
func TestCopyFails(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	m := w.run(t, w.create(t, "v1"))
	copyOf := func(name string) *model.View {
		t.Helper()
		v, err := w.Copy(ctx, w.copySpec("v1", name))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	w.objects.refuse = fovea.Errorf(fovea.Denied, "no")
	if m := w.copied(t, copyOf("c1")); m.Status != fovea.CopyFailed || m.Message != model.CannotWrite {
		t.Errorf("%+v", m)
	}
	w.objects.refuse = errors.New("the disk is full")
	v := copyOf("c2")
	if err := w.RunCopy(ctx, fovea.CopyModelJob{Model: v.Model.ID}); err == nil || w.get(t, v.Model.ID).Status != fovea.Copying {
		t.Errorf("a fault of ours: %v", err)
	}
	if err := w.FailCopy(ctx, fovea.CopyModelJob{Model: v.Model.ID}); err != nil {
		t.Fatal(err)
	}
	if m := w.get(t, v.Model.ID); m.Status != fovea.CopyFailed || m.Message != "Our fault." || !m.Ours {
		t.Errorf("%+v", m)
	}
	w.objects.refuse = nil
	delete(w.objects.texts, m.Result.Summary)
	if m := w.copied(t, copyOf("c3")); m.Status != fovea.Copied || m.Result.Summary.Key != "" {
		t.Errorf("%+v %+v", m, m.Result)
	}
	v = copyOf("c4")
	if _, err := w.Cancel(ctx, w.ref("c4")); err != nil {
		t.Fatal(err)
	}
	if m := w.copied(t, v); m.Status != fovea.CopyFailed || m.Message != "It was cancelled." {
		t.Errorf("%+v", m)
	}
}

// TestSweep: weights of trainings that came to nothing go, those of trainings in
// progress and of models stay, and young ones are left alone.
func TestSweep(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	w.run(t, w.create(t, "good"))
	w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		if _, err := learns(ctx, run); err != nil {
			return nil, err
		}
		return nil, &model.Failure{Message: "No."}
	}
	w.run(t, w.create(t, "failed"))
	w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		w.SweepAge = -300_000 * time.Hour // the blobs are of today
		if _, err := learns(ctx, run); err != nil {
			return nil, err
		}
		if n := w.blobs(t); n != 3 {
			t.Errorf("%d weights before the sweep", n)
		}
		if err := w.RunSweep(ctx); err != nil {
			t.Error(err)
		}
		return learns(ctx, run)
	}
	if err := w.RunSweep(ctx); err != nil || w.blobs(t) != 2 {
		t.Errorf("young weights: %d are left, %v", w.blobs(t), err)
	}
	m := w.run(t, w.create(t, "now"))
	if n := w.blobs(t); n != 2 {
		t.Errorf("%d weights are left, want those of two models", n)
	}
	w.weights(t, m)
	_, err := w.ReadWeights(ctx, &fovea.Model{Name: "x", Status: fovea.TrainFailed})
	want(t, "a model without weights", err, fovea.NotReady)
}
