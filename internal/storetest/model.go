package storetest

import (
	"fmt"
	"testing"
	"time"

	"fovea"
)

func model(id int64, p *fovea.Project, name string) *fovea.Model {
	at := time.UnixMilli(1_700_000_000_000 + id).UTC()
	return &fovea.Model{
		ID: fovea.ModelID(id), Project: p.ID, Name: name, Created: at, Updated: at, Status: fovea.Training,
		Asked: fovea.Asked{Output: fovea.ObjectRef{Bucket: "out", Key: "models/"}},
	}
}

func testModel(t *testing.T, s fovea.Store) {
	p := project(1, "a")
	m := model(5, p, "v1")
	update(t, s, put(p))
	absent(t, s, "model", func(tx fovea.Tx) (*fovea.Model, error) { return tx.Model(5) })
	absent(t, s, "model by name", func(tx fovea.Tx) (*fovea.Model, error) { return tx.ModelNamed(1, "v1") })
	update(t, s, func(tx fovea.Tx) error { return tx.PutModel(m) })
	same(t, "model", m, view(t, s, func(tx fovea.Tx) (*fovea.Model, error) { return tx.Model(5) }))

	m.Status, m.Message, m.Ours, m.Updated = fovea.StartFailed, "no \x00 memory", true, time.UnixMilli(1_800_000_000_001).UTC()
	m.Began = time.UnixMilli(1_799_999_999_000).UTC()
	m.Waiting = fovea.Wait{Since: time.UnixMilli(1_799_999_997_000).UTC(), Seen: time.UnixMilli(1_799_999_998_000).UTC()}
	m.Progress, m.Stage, m.MinUnits, m.MaxUnits, m.Weights = 0.75, "heads", 2, 3, "models/5/weights"
	m.Train, m.Test = fovea.RevisionKey{Dataset: 7, Number: 3}, fovea.RevisionKey{Dataset: 8, Number: 1}
	m.Asked = fovea.Asked{KMSKey: "k", Description: "d\u00fc", Caller: "AKIA", AutoSplit: true, Source: "arn:x",
		TrainManifests: []fovea.ObjectRef{{Bucket: "b", Key: "k", Version: "1"}}, TestManifests: []fovea.ObjectRef{{Bucket: "b", Key: "t"}},
		Pinned: []fovea.ObjectInfo{{Ref: fovea.ObjectRef{Bucket: "b", Key: "k", Version: "1"}, ETag: `"e"`, Size: 7, Modified: time.UnixMilli(1_799_999_996_000).UTC()}}}
	m.Result = &fovea.TrainingResult{Ended: time.UnixMilli(1_800_000_000_000).UTC(), Seconds: 12, Code: "1", Recipe: "classification",
		Precision: 0.5, Recall: 0.25, F1: 1.0 / 3, Summary: fovea.ObjectRef{Bucket: "out", Key: "s"},
		Backbone: "P 00ff", Thresholds: map[string]float64{"a": 0.25, "mask:a": 0.5}}
	m.Thresholds = map[string]float64{"a": 0.125}
	update(t, s, func(tx fovea.Tx) error { return tx.PutModel(m) })
	m.Message = "no \ufffd memory"
	same(t, "model", m, view(t, s, func(tx fovea.Tx) (*fovea.Model, error) { return tx.ModelNamed(1, "v1") }))
	for name, want := range map[string]bool{"models/5/weights": true, "models/5": false, "": false} {
		if name == "" {
			continue
		}
		same(t, "weights "+name, want, view(t, s, func(tx fovea.Tx) (bool, error) { return tx.HasWeights(name) }))
	}

	update(t, s, func(tx fovea.Tx) error { return tx.DeleteModel(5) })
	absent(t, s, "deleted model", func(tx fovea.Tx) (*fovea.Model, error) { return tx.Model(5) })
}

func testModelRules(t *testing.T, s fovea.Store) {
	p := project(1, "a")
	update(t, s, func(tx fovea.Tx) error {
		if err := tx.PutProject(p); err != nil {
			return err
		}
		return tx.PutModel(model(5, p, "v1"))
	})
	refused(t, s, "model of no project", func(tx fovea.Tx) error { return tx.PutModel(model(6, project(2, "b"), "v1")) })
	refused(t, s, "second model of a name", func(tx fovea.Tx) error { return tx.PutModel(model(6, p, "v1")) })
	refused(t, s, "project with a model", func(tx fovea.Tx) error { return tx.DeleteProject(1) })
	refused(t, s, "model of no status", func(tx fovea.Tx) error {
		m := model(6, p, "v2")
		m.Status = "odd"
		return tx.PutModel(m)
	})
}

func testModelLists(t *testing.T, s fovea.Store) {
	p, other := project(1, "a"), project(2, "b")
	other.Service = fovea.Lookout
	update(t, s, func(tx fovea.Tx) error {
		for _, p := range []*fovea.Project{p, other} {
			if err := tx.PutProject(p); err != nil {
				return err
			}
		}
		for i, status := range []fovea.ModelStatus{fovea.Trained, fovea.Running, fovea.Training, fovea.Running} {
			m := model(int64(10+i), p, fmt.Sprint("v", i))
			m.Status, m.Train = status, fovea.RevisionKey{Dataset: 7, Number: int64(i)}
			if err := tx.PutModel(m); err != nil {
				return err
			}
		}
		m := model(20, other, "1")
		m.Status, m.Test = fovea.Running, fovea.RevisionKey{Dataset: 7, Number: 3}
		return tx.PutModel(m)
	})
	ids := func(list []*fovea.Model, err error) ([]int64, error) {
		var out []int64
		for _, m := range list {
			out = append(out, int64(m.ID))
		}
		return out, err
	}
	for _, tt := range []struct {
		name string
		list func(fovea.Tx) ([]*fovea.Model, error)
		want []int64
	}{
		{"latest first", func(tx fovea.Tx) ([]*fovea.Model, error) { return tx.ModelsOf(1, time.Time{}, 3) }, []int64{13, 12, 11}},
		{"before a time", func(tx fovea.Tx) ([]*fovea.Model, error) {
			return tx.ModelsOf(1, time.UnixMilli(1_700_000_000_011), 9)
		}, []int64{10}},
		{"all of them", func(tx fovea.Tx) ([]*fovea.Model, error) { return tx.ModelsAfter(0, 9) }, []int64{10, 11, 12, 13, 20}},
		{"two after one", func(tx fovea.Tx) ([]*fovea.Model, error) { return tx.ModelsAfter(11, 2) }, []int64{12, 13}},
		{"after the last", func(tx fovea.Tx) ([]*fovea.Model, error) { return tx.ModelsAfter(20, 2) }, nil},
		{"on a revision", func(tx fovea.Tx) ([]*fovea.Model, error) {
			return tx.ModelsOn(fovea.RevisionKey{Dataset: 7, Number: 3})
		}, []int64{13, 20}},
		{"on a dataset", func(tx fovea.Tx) ([]*fovea.Model, error) { return tx.ModelsOn(fovea.RevisionKey{Dataset: 7}) }, []int64{10, 11, 12, 13, 20}},
		{"on none", func(tx fovea.Tx) ([]*fovea.Model, error) { return tx.ModelsOn(fovea.RevisionKey{Dataset: 9}) }, nil},
	} {
		same(t, tt.name, tt.want, view(t, s, func(tx fovea.Tx) ([]int64, error) { return ids(tt.list(tx)) }))
	}
	same(t, "models of a project", 4, view(t, s, func(tx fovea.Tx) (int, error) { return tx.CountModelsOf(1) }))
	same(t, "running or training", 3, view(t, s, func(tx fovea.Tx) (int, error) {
		return tx.CountModels(p.Key(), fovea.Running, fovea.Training)
	}))
}
