package dataset_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/lookout"
	"fovea/internal/rekognition"
)

// pinned returns a model of the world's project, on revisions of datasets.
func pinned(t *testing.T, w *world, status fovea.ModelStatus, train, test fovea.RevisionKey) *fovea.Model {
	t.Helper()
	at := time.UnixMilli(1_700_000_000_000).UTC()
	m := &fovea.Model{ID: 1, Project: 1, Name: "v1", Created: at, Updated: at, Status: status, Train: train, Test: test}
	if err := w.store.Update(context.Background(), func(tx fovea.Tx) error { return tx.PutModel(m) }); err != nil {
		t.Fatal(err)
	}
	return m
}

func keyOf(v *dataset.View) fovea.RevisionKey {
	return fovea.RevisionKey{Dataset: v.Dataset.ID, Number: v.Dataset.Revision}
}

// TestDeleteTrainedOn (CL-2.62): a dataset that a training in progress uses
// stays, whatever it is used for; when the training has ended it can go, and
// the model stays.
func TestDeleteTrainedOn(t *testing.T) {
	ctx := context.Background()
	for _, profile := range []fovea.Profile{rekognition.Profile(rekognition.Limits()), lookout.Profile(lookout.Limits())} {
		w := newWorld(t, profile)
		for _, split := range []fovea.Split{fovea.Train, fovea.Test} {
			if _, err := w.Create(ctx, dataset.Spec{Project: w.project, Split: split}); err != nil {
				t.Fatal(err)
			}
		}
		m := pinned(t, w, fovea.Training, keyOf(w.view(t, fovea.Train)), keyOf(w.view(t, fovea.Test)))
		for _, split := range []fovea.Split{fovea.Train, fovea.Test} {
			err := w.Delete(ctx, w.project, split, nil, nil)
			if err == nil || fovea.KindOf(err) != fovea.InUse || !strings.Contains(err.Error(), "v1") {
				t.Errorf("%s: the %s dataset of a training: %v", profile.Service, split, err)
			}
			w.view(t, split)
		}
		m.Status = fovea.Trained
		if err := w.store.Update(ctx, func(tx fovea.Tx) error { return tx.PutModel(m) }); err != nil {
			t.Fatal(err)
		}
		for _, split := range []fovea.Split{fovea.Train, fovea.Test} {
			if err := w.Delete(ctx, w.project, split, nil, nil); err != nil {
				t.Errorf("%s: the %s dataset of a model: %v", profile.Service, split, err)
			}
		}
		err := w.store.View(ctx, func(tx fovea.Tx) error { _, err := tx.Model(m.ID); return err })
		if err != nil {
			t.Errorf("%s: the model went with its datasets: %v", profile.Service, err)
		}
	}
}

// TestPinnedRevision: the revisions that a model was trained and tested on stay,
// with all that is in them, however old they are, until the model goes.
func TestPinnedRevision(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.SweepAge = -300_000 * time.Hour // the blobs are of today
	now := time.UnixMilli(1_700_000_000_000).UTC()
	w.Now = func() time.Time { return now }
	first := map[fovea.Split]*dataset.View{}
	for _, split := range []fovea.Split{fovea.Train, fovea.Test} {
		first[split] = w.load(t, split, boxLine("a.jpg", "bolt"))
		for _, label := range []string{"nut", "bolt", "nut"} {
			now = now.Add(time.Hour)
			w.change(t, split, boxLine("a.jpg", label))
		}
	}
	m := pinned(t, w, fovea.Trained, keyOf(first[fovea.Train]), keyOf(first[fovea.Test]))
	now = now.Add(10_000 * time.Hour)
	drop := func() {
		t.Helper()
		if _, err := w.DropRevisions(ctx, dataset.Retention{Revisions: 1, Age: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if err := w.RunSweep(ctx); err != nil {
			t.Fatal(err)
		}
	}
	drop()
	for split, v := range first {
		list, err := w.History(ctx, w.view(t, split), 0, 100)
		if err != nil || len(list) != 2 || list[1].Number != v.Dataset.Revision {
			t.Fatalf("of the %s dataset are left %+v, %v; want the current revision and the pinned one", split, list, err)
		}
		if lines := w.pastOf(t, w.view(t, split), v.Dataset.Revision); len(lines) != 1 {
			t.Errorf("the pinned revision has the lines %q", lines)
		}
	}
	if err := w.store.Update(ctx, func(tx fovea.Tx) error { return tx.DeleteModel(m.ID) }); err != nil {
		t.Fatal(err)
	}
	drop()
	for split := range first {
		if list, err := w.History(ctx, w.view(t, split), 0, 100); err != nil || len(list) != 1 {
			t.Errorf("the model is gone, and of the %s dataset are left %+v, %v", split, list, err)
		}
	}
}
