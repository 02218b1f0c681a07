package rekognition

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/ml/classify"
	"fovea/internal/ml/head"
)

// TestFoundFile: what is kept comes back, in order, with boxes and without; a
// file that is cut off, and an error of the caller's, are told.
func TestFoundFile(t *testing.T) {
	for _, boxes := range []bool{false, true} {
		want := [][]found{{}, {{Label: 0, Score: 0.25}, {Label: 249, Score: 1}}, {}, {{Label: 7, Score: 1e-9}}}
		if boxes {
			for i := range want {
				for k := range want[i] {
					want[i][k].Box = &head.Box{Left: -0.5, Top: float64(k), Width: 1e6, Height: 1.0 / 3}
				}
			}
		}
		f := foundFile{filepath.Join(t.TempDir(), "found"), boxes}
		err := f.write(func(add func([]found) error) error {
			for _, list := range want {
				if err := add(list); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			var got [][]found
			err := f.each(len(want), func(i int, list []found) error {
				if i != len(got) {
					t.Errorf("image %d comes as %d", len(got), i)
				}
				got = append(got, append([]found{}, list...))
				return nil
			})
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
		stop := errors.New("stop")
		if err := f.each(len(want), func(i int, _ []found) error { return map[int]error{1: stop}[i] }); err != stop {
			t.Errorf("an error of the caller's: %v", err)
		}
		whole, err := os.ReadFile(f.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{0, 3, len(whole) - 1} {
			if err := os.WriteFile(f.name, whole[:size], 0o600); err != nil {
				t.Fatal(err)
			}
			if err := f.each(len(want), func(int, []found) error { return nil }); err == nil {
				t.Errorf("%d of %d bytes are taken for the whole file", size, len(whole))
			}
		}
		if err := f.write(func(func([]found) error) error { return stop }); err != stop {
			t.Errorf("an error of the writer's: %v", err)
		}
	}
}

// TestScoreLabels (CL-9.60 to CL-9.63): the thresholds and counts of labels are
// those of all their scores, read back from the file.
func TestScoreLabels(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const labels, images = 6, 40
	e := &evaluation{
		found: foundFile{name: filepath.Join(t.TempDir(), "found")}, material: &material{},
		predictor: &predictor{classifier: &classify.Model{}},
	}
	for k := range labels {
		e.predictor.Labels = append(e.predictor.Labels, fmt.Sprintf("label %d", k))
		e.scores = append(e.scores, score{label: e.predictor.Labels[k]})
	}
	scores, truth := make([][]float32, labels), make([][]bool, labels)
	err := e.found.write(func(add func([]found) error) error {
		for i := range images {
			s := labeledSample(int64(i), "a label of the test data only")
			var list []found
			for _, k := range r.Perm(labels) {
				v, has := r.Float32(), k < labels-1 && r.IntN(3) == 0 // the last is on no image
				if has {
					s.labels = append(s.labels, e.predictor.Labels[k])
				}
				list = append(list, found{Label: k, Score: v})
				scores[k], truth[k] = append(scores[k], v), append(truth[k], has)
			}
			e.material.test = append(e.material.test, s)
			if err := add(list); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = e.scoreLabels([]float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.3})
	}
	if err != nil {
		t.Fatal(err)
	}
	for k := range labels {
		want := score{label: e.predictor.Labels[k]}
		want.fromScores(scores[k], truth[k], 0.3)
		if diff := cmp.Diff(want, e.scores[k], cmp.AllowUnexported(score{})); diff != "" {
			t.Errorf("label %d (-want +got):\n%s", k, diff)
		}
	}
	if e.scores[labels-1].threshold != 0.3 {
		t.Errorf("a label on no test image has the threshold %v", e.scores[labels-1].threshold)
	}
}
