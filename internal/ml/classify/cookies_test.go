package classify_test

import (
	"cmp"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/baseline"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/head"
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
	s := &classify.Set{Image: func(ctx context.Context, i int) (*imaging.Image, error) {
		f, err := os.Open(files[i])
		if err != nil {
			return nil, err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		return imaging.Decode(ctx, f, info.Size(), imaging.Decoding{})
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

// images returns the images of a set.
func images(t *testing.T, s *classify.Set) []*imaging.Image {
	var out []*imaging.Image
	for i := range s.Labels {
		m, err := s.Image(context.Background(), i)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
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

// TestCookies is the first bar of vision.md §4 on one seed; make bench-vision
// measures it on more.
func TestCookies(t *testing.T) {
	all := cookies(t)
	in, out := drawPlaces(all, 20, 20, 1)
	train, test := part(all, in), part(all, out)
	m, report, err := classify.Train(context.Background(), train, classify.Options{Task: classify.Anomaly, Seed: 1, Workers: 2, Backbone: network(t)})
	if err != nil {
		t.Fatal(err)
	}
	unseen := images(t, test)
	var scores [][]float32
	for _, img := range unseen {
		p, err := m.Predict(img)
		if err != nil {
			t.Fatal(err)
		}
		scores = append(scores, p.Scores)
	}
	c := m.Evaluate(scores, test.Labels).Classes[classify.Anomalous]

	var classes []int
	for _, l := range train.Labels {
		classes = append(classes, l[0])
	}
	p, thresholds, err := baseline.Histograms(context.Background(), head.OneOf, images(t, train), head.OneHot(classes, 2), unseen)
	if err != nil {
		t.Fatal(err)
	}
	simple, truth := make([]float32, len(unseen)), make([]bool, len(unseen))
	for i := range unseen {
		simple[i], truth[i] = p.Row(i)[1], test.Labels[i][0] == classify.Anomalous
	}
	t.Logf("AUROC %.3f, F1 %.3f; out of fold F1 %.3f; colour histogram: AUROC %.3f, F1 %.3f", c.AUROC, c.F1(),
		report.Classes[classify.Anomalous].F1(), head.AUROC(simple, truth), head.Count(simple, truth, thresholds[1]).F1())
	if c.AUROC < 0.96 || c.F1() < 0.87 {
		t.Errorf("AUROC %.3f, want 0.96; F1 %.3f, want 0.87", c.AUROC, c.F1())
	}
}

// TestCookiesAlone is the second bar of vision.md §4 on one seed.
func TestCookiesAlone(t *testing.T) {
	all := cookies(t)
	in, out := drawPlaces(all, 30, 0, 1)
	train, test := part(all, in), part(all, out)
	m, _, err := classify.Train(context.Background(), train, classify.Options{Task: classify.Anomaly, Seed: 1, Workers: 2, Backbone: network(t)})
	if err != nil {
		t.Fatal(err)
	}
	unseen := images(t, test)
	var scores [][]float32
	truth := make([]bool, len(unseen))
	for i, img := range unseen {
		p, err := m.Predict(img)
		if err != nil {
			t.Fatal(err)
		}
		scores, truth[i] = append(scores, p.Scores), test.Labels[i][0] == classify.Anomalous
	}
	c := m.Evaluate(scores, test.Labels).Classes[classify.Anomalous]
	simple, err := baseline.Patches(context.Background(), images(t, train), unseen)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("AUROC %.3f, %d of %d normal images called anomalous, %d of %d anomalous found; raw patches: AUROC %.3f", c.AUROC,
		c.FalsePositives, c.FalsePositives+c.TrueNegatives, c.TruePositives, c.Images, head.AUROC(simple, truth))
	if c.AUROC < 0.93 || c.FalsePositives > 3 || c.Recall() < 0.75 {
		t.Errorf("AUROC %.3f, want 0.93; recall %.3f, want 0.75", c.AUROC, c.Recall())
	}
}
