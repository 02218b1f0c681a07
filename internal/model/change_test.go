package model_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"fovea"
	"fovea/internal/model"
)

// host runs the job of a model that is starting or stopping.
func (w *world) host(t testing.TB, name string) *fovea.Model {
	t.Helper()
	v, err := w.Find(context.Background(), w.ref(name))
	if err == nil {
		err = w.RunHost(context.Background(), fovea.HostJob{Model: v.Model.ID, Since: v.Model.Updated})
	}
	if err != nil {
		t.Fatal(err)
	}
	return w.get(t, v.Model.ID)
}

var statuses = []fovea.ModelStatus{fovea.Training, fovea.Trained, fovea.TrainFailed, fovea.Copying, fovea.Copied, fovea.CopyFailed,
	fovea.Starting, fovea.Running, fovea.StartFailed, fovea.Stopping, fovea.Stopped}

// TestStatuses goes through the table of operations and statuses of CL-4.3 and
// LV-3.2: what is not allowed is InUse, or Invalid for the copy of a failure,
// and changes nothing.
func TestStatuses(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	w.limit(func(l *fovea.Limits) { *l = l.Lifted() })
	names := 0
	resting := []fovea.ModelStatus{fovea.Trained, fovea.TrainFailed, fovea.Copied, fovea.CopyFailed, fovea.StartFailed, fovea.Stopped}
	for _, tt := range []struct {
		name    string
		allowed []fovea.ModelStatus
		becomes fovea.ModelStatus // "" for gone, or for as it was
		do      func(m *fovea.Model) error
	}{
		{"CL-4.3 LV-2.84 start", []fovea.ModelStatus{fovea.Trained, fovea.Copied, fovea.Stopped, fovea.StartFailed}, fovea.Starting, func(m *fovea.Model) error {
			_, err := w.Start(ctx, w.ref(m.Name), model.Units{Min: 1})
			return err
		}},
		{"CL-4.3 stop", []fovea.ModelStatus{fovea.Running, fovea.StartFailed}, fovea.Stopping, func(m *fovea.Model) error {
			_, err := w.Stop(ctx, w.ref(m.Name))
			return err
		}},
		{"cancel a training", []fovea.ModelStatus{fovea.Training}, fovea.TrainFailed, func(m *fovea.Model) error {
			if m.Status == fovea.Copying {
				return fovea.Errorf(fovea.InUse, "not in this row")
			}
			_, err := w.Cancel(ctx, w.ref(m.Name))
			return err
		}},
		{"cancel a copy", []fovea.ModelStatus{fovea.Copying}, fovea.CopyFailed, func(m *fovea.Model) error {
			if m.Status == fovea.Training {
				return fovea.Errorf(fovea.InUse, "not in this row")
			}
			_, err := w.Cancel(ctx, w.ref(m.Name))
			return err
		}},
		{"CL-2.130 LV-2.78 delete", resting, "", func(m *fovea.Model) error {
			_, err := w.Delete(ctx, w.ref(m.Name), tagsOf)
			return err
		}},
	} {
		for _, status := range statuses {
			names++
			m := w.create(t, fmt.Sprint("v", names))
			w.become(t, m.ID, status)
			err := tt.do(w.get(t, m.ID))
			if !slices.Contains(tt.allowed, status) {
				if err == nil || fovea.KindOf(err) != fovea.InUse || w.get(t, m.ID).Status != status {
					t.Errorf("%s of a model that is %s: %v", tt.name, status, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s of a model that is %s: %v", tt.name, status, err)
			} else if tt.becomes != "" && w.get(t, m.ID).Status != tt.becomes {
				t.Errorf("%s of a model that is %s: it is %s", tt.name, status, w.get(t, m.ID).Status)
			}
		}
	}
	_, err := w.Start(ctx, w.ref("none"), model.Units{Min: 1})
	want(t, "a model that is not there", err, fovea.NotFound, "none")
	_, err = w.Start(ctx, w.ref("none"), model.Units{Min: 2, Max: 1})
	want(t, "CL-1.43 CL-10.3 LV-2.85: units, before anything is looked for", err, fovea.Invalid, "MaxInferenceUnits")

	// A failure that is stopped can be started again (CL-10.9).
	v := w.create(t, "failed")
	w.become(t, v.ID, fovea.StartFailed)
	if _, err := w.Stop(ctx, w.ref("failed")); err != nil {
		t.Fatal(err)
	}
	if m := w.host(t, "failed"); m.Status != fovea.Stopped || m.Message != "" {
		t.Errorf("%+v", m)
	}
}

// TestStopLookout (LV-2.89, LV-3.2): a model of Lookout may be stopped while it
// is starting, and not after it failed to.
func TestStopLookout(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.Lookout)
	w.load(t, fovea.Train, line("a", "normal"))
	w.limit(func(l *fovea.Limits) { *l = l.Lifted() })
	for _, status := range statuses {
		m := w.create(t, "")
		w.become(t, m.ID, status)
		_, err := w.Stop(ctx, w.ref(m.Name))
		if status != fovea.Starting && status != fovea.Running {
			want(t, "stop of a model that is "+string(status), err, fovea.InUse, m.Name)
			continue
		}
		if err != nil {
			t.Errorf("stop of a model that is %s: %v", status, err)
		}
		if m := w.host(t, m.Name); m.Status != fovea.Stopped {
			t.Errorf("a model that was %s is %s after a stop", status, m.Status)
		}
	}
}

// TestHost (CL-10.8, LV-2.82): a start and a stop end; the units stay to be
// seen.
func TestHost(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	w.run(t, w.create(t, "v1"))
	if _, err := w.Start(ctx, w.ref("v1"), model.Units{Min: 2, Max: 3}); err != nil {
		t.Fatal(err)
	}
	if m := w.host(t, "v1"); m.Status != fovea.Running || m.MinUnits != 2 || m.MaxUnits != 3 {
		t.Errorf("%+v", m)
	}
	stopped, err := w.Stop(ctx, w.ref("v1"))
	if err != nil {
		t.Fatal(err)
	}
	if m := w.host(t, "v1"); m.Status != fovea.Stopped || m.MinUnits != 2 || m.MaxUnits != 3 {
		t.Errorf("%+v", m)
	}

	// A job of an earlier change does nothing, nor does one of a model that is gone.
	if _, err := w.Start(ctx, w.ref("v1"), model.Units{Min: 1}); err != nil {
		t.Fatal(err)
	}
	if err := w.RunHost(ctx, fovea.HostJob{Model: stopped.Model.ID, Since: stopped.Model.Updated}); err != nil {
		t.Fatal(err)
	}
	if m := w.get(t, stopped.Model.ID); m.Status != fovea.Starting || m.MaxUnits != 0 {
		t.Errorf("an old job made it %+v", m)
	}
	if err := w.RunHost(ctx, fovea.HostJob{Model: 99}); err != nil {
		t.Error(err)
	}

	// One that cannot be hosted says why, and may be started again (LV-2.84).
	w.Ready = func(context.Context, *fovea.Model) error { return fovea.Errorf(fovea.NotReady, "its weights are gone") }
	if m := w.host(t, "v1"); m.Status != fovea.StartFailed || m.Message != "its weights are gone" || m.Ours {
		t.Errorf("%+v", m)
	}
	w.Ready = func(context.Context, *fovea.Model) error { return fovea.Errorf(fovea.Throttled, "no room in memory") }
	if _, err := w.Start(context.Background(), w.ref("v1"), model.Units{Min: 1}); err != nil {
		t.Fatal(err)
	}
	full, err := w.Find(context.Background(), w.ref("v1"))
	if err != nil {
		t.Fatal(err)
	}
	err = w.RunHost(context.Background(), fovea.HostJob{Model: full.Model.ID, Since: full.Model.Updated})
	if m := w.get(t, full.Model.ID); err == nil || fovea.KindOf(err) != fovea.Internal || m.Status != fovea.Starting {
		t.Errorf("without room in memory it is %s, %v; the job is to be tried again", m.Status, err)
	}
	w.become(t, full.Model.ID, fovea.StartFailed)
	w.Ready = func(context.Context, *fovea.Model) error { return errors.New("secret path") }
	v, err := w.Start(ctx, w.ref("v1"), model.Units{Min: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.RunHost(ctx, fovea.HostJob{Model: v.Model.ID, Since: v.Model.Updated}); err == nil {
		t.Error("a fault of ours is not tried again")
	}
	if err := w.FailHost(ctx, fovea.HostJob{Model: v.Model.ID, Since: v.Model.Updated}); err != nil {
		t.Fatal(err)
	}
	if m := w.get(t, v.Model.ID); m.Status != fovea.StartFailed || !m.Ours || m.Message != "The model could not be started." {
		t.Errorf("%+v", m)
	}
}

// TestHostLimits (CL-10.2, CL-10.3, CL-10.5, LV-2.85, LV-2.86).
func TestHostLimits(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	w.limit(func(l *fovea.Limits) { l.Units, l.Running, l.Trainings = 5, 2, 0 })
	for _, name := range []string{"v1", "v2", "v3"} {
		w.run(t, w.create(t, name))
	}
	for _, tt := range []struct {
		units model.Units
		kind  fovea.Kind
	}{
		{model.Units{Min: 3, Max: 2}, fovea.Invalid},
		{model.Units{Min: 6}, fovea.Limit},
		{model.Units{Min: 1, Max: 6}, fovea.Limit},
	} {
		_, err := w.Start(ctx, w.ref("v1"), tt.units)
		want(t, "units", err, tt.kind)
	}
	for _, name := range []string{"v1", "v2"} {
		if _, err := w.Start(ctx, w.ref(name), model.Units{Min: 5, Max: 5}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.Start(ctx, w.ref("v3"), model.Units{Min: 1})
	want(t, "third model that runs", err, fovea.Limit, "2 models")
	w.host(t, "v1")
	if _, err := w.Stop(ctx, w.ref("v1")); err != nil {
		t.Fatal(err)
	}
	w.host(t, "v1")
	if _, err := w.Start(ctx, w.ref("v3"), model.Units{Min: 1}); err != nil {
		t.Errorf("after one was stopped: %v", err)
	}
}

// TestDelete (CL-2.131, CL-2.132, LV-2.81): a model goes at once with its tags;
// its files stay; its project can go then.
func TestDelete(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	spec := w.spec("v1")
	spec.Tags = map[string]string{"team": "3"}
	v, err := w.Create(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	m := w.run(t, v.Model)
	if _, err := w.Delete(ctx, w.ref("v1"), tagsOf); err != nil {
		t.Fatal(err)
	}
	_, err = w.Find(ctx, w.ref("v1"))
	want(t, "a deleted model", err, fovea.NotFound)
	w.Store.View(ctx, func(tx fovea.Tx) error {
		if tags, err := tx.Tags(tagsOf(v)); err != nil || len(tags) > 0 {
			t.Errorf("tags %v, %v", tags, err)
		}
		return nil
	})
	if w.objects.text("out", m.Result.Summary.Key) == "" {
		t.Error("the evaluation went with the model")
	}
	_, err = w.Delete(ctx, w.ref("v1"), tagsOf)
	want(t, "LV-2.80", err, fovea.NotFound)
}
