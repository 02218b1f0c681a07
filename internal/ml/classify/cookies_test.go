package classify_test

import (
	"cmp"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/classify"
)

// cookies returns the photographs of cookies, and their labels.
func cookies(t testing.TB) *classify.Set {
	t.Helper()
	dir := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../../../shared/data"), "cookies")
	var files []string
	for _, pattern := range []string{"dataset-files/training-images/*.jpg", "test-images/*.jpg"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Skipf("no photographs in %s: set FOVEA_TEST_DATA", dir)
	}
	var kept sync.Map // decoded images, since a training asks for each several times
	s := &classify.Set{Image: func(ctx context.Context, i int) (*imaging.Image, error) {
		if m, ok := kept.Load(i); ok {
			return m.(*imaging.Image), nil
		}
		f, err := os.Open(files[i])
		if err != nil {
			return nil, err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		m, err := imaging.Decode(ctx, f, info.Size(), imaging.Decoding{})
		kept.Store(i, m)
		return m, err
	}}
	for _, name := range files {
		class := classify.Normal
		if strings.Contains(filepath.Base(name), "anomaly") {
			class = classify.Anomalous
		}
		s.Labels = append(s.Labels, []int{class})
	}
	return s
}

// part returns the images of a set with these places.
func part(s *classify.Set, places []int) *classify.Set {
	out := &classify.Set{Image: func(ctx context.Context, i int) (*imaging.Image, error) { return s.Image(ctx, places[i]) }}
	for _, i := range places {
		out.Labels = append(out.Labels, s.Labels[i])
	}
	return out
}

// drawPlaces returns the places of the first normal and anomalous images of a random
// order, and of the rest.
func drawPlaces(s *classify.Set, normal, anomalous int, seed uint64) (train, test []int) {
	left := [2]int{normal, anomalous}
	for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm(len(s.Labels)) {
		if class := s.Labels[i][0]; left[class] > 0 {
			left[class]--
			train = append(train, i)
		} else {
			test = append(test, i)
		}
	}
	return train, test
}

// tested trains a model on some photographs, and returns what it says of every
// second of the others.
func tested(t *testing.T, all *classify.Set, train, test []int, o classify.Options) (classify.ClassEvaluation, *classify.Report) {
	t.Helper()
	o.Task, o.Seed, o.Workers = classify.Anomaly, 1, 2
	m, report, err := classify.Train(t.Context(), part(all, train), o)
	if err != nil {
		t.Fatal(err)
	}
	var scores [][]float32
	var labels [][]int
	for k := 0; k < len(test); k += 2 {
		img, err := all.Image(t.Context(), test[k])
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.Predict(img)
		if err != nil {
			t.Fatal(err)
		}
		scores, labels = append(scores, p.Scores), append(labels, all.Labels[test[k]])
	}
	return m.Evaluate(scores, labels).Classes[classify.Anomalous], report
}

// network returns the backbone that comes with the program.
func network(t testing.TB) backbone.Backbone {
	t.Helper()
	b, err := backbone.Default()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCookies is the first bar of vision.md §4 on one draw of fewer images; make
// bench-vision measures it in full, beside what is trivial.
func TestCookies(t *testing.T) {
	all := cookies(t)
	train, test := drawPlaces(all, 15, 15, 1)
	c, report := tested(t, all, train, test, classify.Options{Backbone: network(t)})
	t.Logf("AUROC %.3f, F1 %.3f; out of fold F1 %.3f", c.AUROC, c.F1(), report.Classes[classify.Anomalous].F1())
	if c.AUROC < 0.96 || c.F1() < 0.87 {
		t.Errorf("AUROC %.3f, want 0.96; F1 %.3f, want 0.87", c.AUROC, c.F1())
	}
}

// TestCookiesAlone is the second bar of vision.md §4, likewise.
func TestCookiesAlone(t *testing.T) {
	all := cookies(t)
	train, test := drawPlaces(all, 20, 0, 1)
	c, _ := tested(t, all, train, test, classify.Options{})
	t.Logf("AUROC %.3f, %d of %d normal images called anomalous, %d of %d anomalous found", c.AUROC,
		c.FalsePositives, c.FalsePositives+c.TrueNegatives, c.TruePositives, c.Images)
	if c.AUROC < 0.93 || c.FalsePositives > 3 || c.Recall() < 0.75 {
		t.Errorf("AUROC %.3f, want 0.93; %d false alarms, want 3 at most; recall %.3f, want 0.75", c.AUROC, c.FalsePositives, c.Recall())
	}
}
