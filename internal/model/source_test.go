package model_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"fovea"
	"fovea/internal/model"
)

// Versioned objects are in buckets that keep the old versions of them.
type versioned struct {
	*objects
	current string
}

func (o *versioned) Stat(ctx context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	if ref.Version == "" {
		ref.Version = o.current
	}
	return o.objects.Stat(ctx, ref)
}

func (o *versioned) Read(_ context.Context, info fovea.ObjectInfo, off, n int64) (io.ReadCloser, error) {
	text := o.texts[info.Ref]
	return io.NopCloser(strings.NewReader(text[off:min(off+n, int64(len(text)))])), nil
}

// TestManifestsArePinned (CL-9.12): a training reads one state of each of its
// manifests, at whichever attempt and however often. Where that is gone it fails,
// and says which manifest it was.
func TestManifestsArePinned(t *testing.T) {
	first, second := line("1", "x")+line("2", "y"), line("3", "x")
	for _, tt := range []struct {
		name     string
		attempts int // before the manifest is replaced
		versions bool
		test     bool // it is the one to test with
		fails    bool
	}{
		{name: "between two readings", attempts: 0, fails: true},
		{name: "between two attempts", attempts: 1, fails: true},
		{name: "between two readings, with versions", attempts: 0, versions: true},
		{name: "between two attempts, with versions", attempts: 1, versions: true},
		{name: "before it is read, and after the other was", attempts: 0, test: true, fails: true},
		{name: "after an attempt that read the other", attempts: 1, test: true, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, fovea.CustomLabels)
			versions := &versioned{objects: w.objects, current: "1"}
			train, test := fovea.ObjectRef{Bucket: "b", Key: "train.manifest"}, fovea.ObjectRef{Bucket: "b", Key: "test.manifest"}
			replaced := train
			if tt.test {
				replaced = test
			}
			put := func(ref fovea.ObjectRef, text string) {
				if ref.Version = ""; tt.versions {
					ref.Version = versions.current
				}
				w.objects.put(ref, text)
			}
			if tt.versions {
				w.Objects = versions
			}
			put(train, first)
			put(test, first)
			w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
				for reading := range 2 {
					if w.trainer.runs == 1+tt.attempts && reading == 1-tt.attempts {
						versions.current = "2"
						put(replaced, second)
					}
					splits := []fovea.Split{fovea.Train}
					if !tt.test || reading == 1 {
						splits = append(splits, fovea.Test)
					}
					for _, split := range splits {
						lines, err := linesOf(ctx, run, split)
						if err != nil {
							return nil, err
						}
						if len(lines) != 2 {
							t.Errorf("reading %d of attempt %d: %q of %s", reading, w.trainer.runs, lines, split)
						}
					}
					if w.trainer.runs <= tt.attempts {
						return nil, errors.New("this node is going down")
					}
				}
				return learns(ctx, run)
			}
			spec := w.spec("v1")
			spec.Asked.TrainManifests, spec.Asked.TestManifests = []fovea.ObjectRef{train}, []fovea.ObjectRef{test}
			v, err := w.Create(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			for range tt.attempts {
				if err := w.RunTrain(t.Context(), fovea.TrainJob{Model: v.Model.ID}); err == nil {
					t.Error("the first attempt did not fail")
				}
			}
			m := w.run(t, v.Model)
			switch {
			case !tt.fails && m.Status != fovea.Trained:
				t.Errorf("%s: %s", m.Status, m.Message)
			case tt.fails && (m.Status != fovea.TrainFailed || m.Ours || !strings.Contains(m.Message, "The manifest "+replaced.String()+" was replaced")):
				t.Errorf("%s: %s, ours: %v", m.Status, m.Message, m.Ours)
			}
		})
	}
}
