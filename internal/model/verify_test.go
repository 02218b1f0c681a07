package model_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/model"
)

// damage is what a test does to a blob.
var damages = map[string]func(data string) (now string, gone bool){
	"a flipped bit": func(data string) (string, bool) {
		return data[:len(data)/2] + string(data[len(data)/2]^1) + data[len(data)/2+1:], false
	},
	"cut":               func(data string) (string, bool) { return data[:len(data)-1], false },
	"empty":             func(string) (string, bool) { return "", false },
	"those of another":  func(string) (string, bool) { return "other weights", false },
	"something follows": func(data string) (string, bool) { return data + "\x00", false },
	"missing":           func(string) (string, bool) { return "", true },
}

// TestHardeningT18Weights: weights that are not those that were stored are never
// used, whichever way they came about; a start says why, and goes well once they
// are restored.
func TestHardeningT18Weights(t *testing.T) {
	ctx := context.Background()
	for name, damaged := range damages {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fovea.CustomLabels)
			w.load(t, fovea.Train, line("a", "normal"))
			m := w.run(t, w.create(t, "v1"))
			good := w.weights(t, m)
			w.Ready = func(ctx context.Context, m *fovea.Model) error {
				_, err := w.ReadWeights(ctx, m)
				return err
			}
			if bad, gone := damaged(good); gone {
				w.Blobs.Delete(ctx, m.Weights)
			} else if _, err := w.Blobs.Put(ctx, m.Weights, strings.NewReader(bad)); err != nil {
				t.Fatal(err)
			}
			var damage *model.Damage
			if _, err := w.ReadWeights(ctx, m); !errors.As(err, &damage) || fovea.KindOf(err) != fovea.Internal {
				t.Errorf("they are read: %v", err)
			}
			if _, err := w.Start(ctx, w.ref("v1"), model.Units{Min: 1}); err != nil {
				t.Fatal(err)
			}
			if m := w.host(t, "v1"); m.Status != fovea.StartFailed || !m.Ours || !strings.Contains(m.Message, "Its weights are damaged: they are ") {
				t.Errorf("started with them it is %+v", m)
			}
			if _, err := w.Blobs.Put(ctx, m.Weights, strings.NewReader(good)); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Start(ctx, w.ref("v1"), model.Units{Min: 1}); err != nil {
				t.Fatal(err)
			}
			if m := w.host(t, "v1"); m.Status != fovea.Running || m.Message != "" {
				t.Errorf("once they are restored it is %+v", m)
			}
		})
	}
}

// TestVerifyModels (T18): damaged weights and reports are named with the models
// that need them, copies included, and nothing else is.
func TestVerifyModels(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.trainer.train = reports
	w.load(t, fovea.Train, line("a", "normal"))
	m := w.run(t, w.create(t, "v1"))
	other := w.run(t, w.create(t, "v2"))
	v, err := w.Copy(ctx, w.copySpec("v1", "c1"))
	if err != nil {
		t.Fatal(err)
	}
	w.copied(t, v)
	w.create(t, "young")
	found, err := w.Verify(ctx)
	if err != nil || found.Models != 3 || found.Bytes == 0 || len(found.Damaged) != 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	report := strings.TrimSuffix(other.Weights, "model") + "report.json"
	for name, text := range map[string]string{m.Weights: "bad", report: "{"} {
		if _, err := w.Blobs.Put(ctx, name, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	if found, err = w.Verify(ctx); err != nil {
		t.Fatal(err)
	}
	want := []model.DamagedFile{
		{Name: m.Weights, Problem: "they are not those that were trained: their checksum is wrong", Models: []string{"custom-labels/parts/c1", "custom-labels/parts/v1"}},
		{Name: report, Problem: "it is no JSON", Models: []string{"custom-labels/parts/v2"}},
	}
	if diff := cmp.Diff(want, found.Damaged); diff != "" {
		t.Errorf("damaged (-want +got):\n%s", diff)
	}
}

// TestOldAttempt (T17): an attempt at a training that does not know that another
// one has come to an end leaves what that one stored as it is.
func TestOldAttempt(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	m := w.create(t, "v1")
	w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		w.trainer.train = learns
		if err := w.RunTrain(ctx, fovea.TrainJob{Model: m.ID}); err != nil { // the other one
			t.Error(err)
		}
		if err := run.PutWeights(context.WithoutCancel(ctx), strings.NewReader("of another build")); err != nil {
			t.Error(err)
		}
		return &fovea.TrainingResult{F1: 0.1}, nil
	}
	if err := w.RunTrain(ctx, fovea.TrainJob{Model: m.ID}); err != nil {
		t.Fatal(err)
	}
	if m := w.get(t, m.ID); m.Status != fovea.Trained || m.Result.F1 != 0.5 || strings.Contains(w.weights(t, m), "another build") {
		t.Errorf("%+v %+v", m, m.Result)
	}
}
