package appraisal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/head"
)

// best returns the label of the highest score.
func best(scores []float32) int {
	k := 0
	for i, s := range scores {
		if s > scores[k] {
			k = i
		}
	}
	return k
}

func TestOneLabel(t *testing.T) {
	r := Rule{Labels: []string{"cat", "dog"}, Thresholds: []float64{0.5, 0.5}, Decide: best}
	list := []Tested{
		{"1", []int{0}, []float32{0.9, 0.1}},
		{"2", []int{0}, []float32{0.2, 0.8}}, // wrong
		{"3", []int{1}, []float32{0.45, 0.55}},
		{"4", nil, []float32{0.3, 0.7}}, // of a label that the model does not know
	}
	e := r.Evaluate(list)
	if diff := cmp.Diff([][]int{{1, 1}, {0, 1}}, e.Confusion); diff != "" {
		t.Errorf("confusion (-want +got):\n%s", diff)
	}
	cat := e.Labels[0]
	if cat.Count != 2 || cat.TruePositives != 1 || cat.FalseNegatives != 1 || cat.Precision != 1 || cat.Recall != 0.5 || len(cat.Curve) != 4 {
		t.Errorf("cat: %+v", cat)
	}
	var names []string
	for _, x := range r.Hardest(list) {
		names = append(names, fmt.Sprintf("%s %s %s %.2f", x.SourceRef, x.Label, x.Suggested, x.By))
	}
	if diff := cmp.Diff([]string{"2 cat dog 0.60", "3 dog  -0.10"}, names); diff != "" {
		t.Errorf("hardest (-want +got):\n%s", diff)
	}
}

func TestManyLabels(t *testing.T) {
	r := Rule{Labels: []string{"a", "b"}, Thresholds: []float64{0.5, 0.3}}
	list := []Tested{
		{"1", []int{0, 1}, []float32{0.9, 0.1}},
		{"2", nil, []float32{0.8, 0.1}},
		{"3", []int{1}, []float32{0.1, 0.9}},
	}
	e := r.Evaluate(list)
	if diff := cmp.Diff([][]int{{1, 0}, {1, 1}}, e.Confusion); diff != "" {
		t.Errorf("confusion (-want +got):\n%s", diff)
	}
	hard := r.Hardest(list)
	if len(hard) != 2 || hard[0].SourceRef != "2" || hard[0].Has || hard[0].Label != "a" || hard[1].Label != "b" || !hard[1].Has {
		t.Errorf("hardest %+v", hard)
	}
}

func TestOutOfFold(t *testing.T) {
	found := &classify.Report{
		Images: []int{4, 7}, Scores: [][]float32{{0.9, 0.1}, {0.8, 0.2}}, Folds: 3,
		Evaluation: classify.Evaluation{Classes: []classify.ClassEvaluation{{Threshold: 0.4}, {Threshold: 0.6}}},
		Doubtful:   []classify.Doubt{{Image: 7, Class: 1, Has: true, Score: 0.2}},
	}
	has := func(i int) []int { return []int{map[int]int{4: 0, 7: 1}[i]} }
	var r Report
	r.OutOfFold(found, Rule{Labels: []string{"a", "b"}, Thresholds: []float64{1, 1}, Decide: best}, func(i int) string { return fmt.Sprint("s3://b/", i) }, has)
	if r.Folds != 3 || r.Trained.Labels[1].Threshold != 0.6 || r.Trained.Confusion[1][0] != 1 {
		t.Errorf("%+v", r)
	}
	want := []Image{{SourceRef: "s3://b/7", Label: "b", Has: true, Score: float64(float32(0.2)), Suggested: "a", By: 0.6 - float64(float32(0.2)), Labels: []string{"b"}}}
	if diff := cmp.Diff(want, r.Doubtful); diff != "" {
		t.Errorf("doubtful (-want +got):\n%s", diff)
	}
}

// TestEvaluateAll: however many labels are looked at together, it comes to the
// same; and each image is asked for once for every group of them.
func TestEvaluateAll(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const labels, images = 7, 3 * MaxImages
	rule := Rule{}
	for k := range labels {
		rule.Labels, rule.Thresholds = append(rule.Labels, fmt.Sprint(k)), append(rule.Thresholds, 0.5)
	}
	list := make([]Tested, images)
	for i := range list {
		list[i] = Tested{SourceRef: fmt.Sprint(i), Has: r.Perm(labels)[:r.IntN(3)], Scores: make([]float32, labels)}
		for k := range list[i].Scores {
			list[i].Scores[k] = float32(r.IntN(5)) / 4 // with many that are equal
		}
	}
	for _, decide := range []func([]float32) int{nil, best} {
		rule.Decide = decide
		want, hard := rule.Evaluate(list), rule.Hardest(list)
		for n, calls := range map[int]int{images: 1, maxScores / 3: 3, maxScores: labels, 100 * maxScores: labels} {
			got := 0
			again := Tested{} // one for all, as long as it is good
			e, hardest, err := rule.EvaluateAll(n, func(fn func(*Tested)) error {
				got++
				for _, x := range list {
					again.SourceRef, again.Has, again.Scores = x.SourceRef, x.Has, append(again.Scores[:0], x.Scores...)
					fn(&again)
				}
				return nil
			})
			if err != nil || got != calls {
				t.Errorf("%d images: %d calls, want %d: %v", n, got, calls, err)
			}
			if diff := cmp.Diff(want, e); diff != "" {
				t.Errorf("%d images (-together +in groups):\n%s", n, diff)
			}
			if diff := cmp.Diff(hard, hardest); diff != "" {
				t.Errorf("%d images: the hardest (-together +in groups):\n%s", n, diff)
			}
		}
	}
	broken := errors.New("disk")
	if _, _, err := rule.EvaluateAll(1, func(func(*Tested)) error { return broken }); err != broken {
		t.Error(err)
	}
}

func object(class int, left float64, score float32) head.Object {
	return head.Object{Class: class, Score: score, Box: head.Box{Left: left, Top: 0, Width: 10, Height: 10}}
}

func TestSearch(t *testing.T) {
	s := NewSearch([]string{"cup", "jug"}, []float64{0.5, 0.5}, 0.5)
	s.Add(Searched{"good", []head.Object{object(0, 0, 0.9)}, []head.Object{object(0, 1, 0)}})
	s.Add(Searched{"mixed up", []head.Object{object(1, 0, 0.7)}, []head.Object{object(0, 0, 0)}})
	s.Add(Searched{"missed", []head.Object{object(0, 0, 0.25)}, []head.Object{object(0, 0, 0)}})
	s.Add(Searched{"nothing there", []head.Object{object(0, 50, 0.95)}, nil})
	// A box that was missed among three that were found is less than one of two.
	three := []head.Object{object(0, 0, 0.9), object(0, 20, 0.9), object(0, 40, 0.9)}
	s.Add(Searched{"one of four", three, append([]head.Object{object(0, 90, 0)}, three...)})
	e, images := s.Evaluation()
	if diff := cmp.Diff([][]int{{4, 1, 2}, {0, 0, 0}, {1, 0, 0}}, e.Confusion); diff != "" {
		t.Errorf("confusion (-want +got):\n%s", diff)
	}
	if cup := e.Labels[0]; cup.Count != 7 || cup.TruePositives != 4 || cup.FalsePositives != 1 || cup.FalseNegatives != 3 || len(cup.Curve) != 3 {
		t.Errorf("cup: %+v", cup)
	}
	var got []string
	for _, x := range images {
		for _, b := range x.Boxes {
			got = append(got, fmt.Sprintf("%s: %s %s %.2f %.1f", x.SourceRef, b.Label, b.Error, b.Score, b.IoU))
		}
	}
	want := []string{"nothing there: cup spurious 0.95 0.0", "mixed up: cup missed 0.00 0.0", "mixed up: jug spurious 0.70 0.0", "missed: cup missed 0.25 1.0", "one of four: cup missed 0.00 0.0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("boxes (-want +got):\n%s", diff)
	}
}

// Whatever was trained, a report is no longer than it may be.
func TestBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rule := Rule{Decide: best}
	const labels, n = maxMatrix, 1000
	for k := range labels {
		rule.Labels = append(rule.Labels, fmt.Sprintf("%0255d", k))
		rule.Thresholds = append(rule.Thresholds, 0.5)
	}
	list := make([]Tested, n)
	for i := range list {
		list[i] = Tested{SourceRef: fmt.Sprintf("s3://%01024d", i), Has: []int{r.IntN(labels)}, Scores: make([]float32, labels)}
		for k := range list[i].Scores {
			list[i].Scores[k] = r.Float32()
		}
	}
	e := rule.Evaluate(list)
	for i := range list {
		list[i].Has = nil
		for k := range labels {
			list[i].Has = append(list[i].Has, k)
		}
	}
	rule.Decide = nil
	report := Report{Test: e, Trained: e, Hardest: rule.Hardest(list), Doubtful: rule.Hardest(list)}
	text, err := json.Marshal(report)
	if err != nil || len(text) > MaxBytes {
		t.Errorf("%d bytes, more than %d: %v", len(text), MaxBytes, err)
	}
	if len(report.Hardest) != MaxImages || len(e.Labels[0].Curve) != MaxPoints {
		t.Errorf("%d images, %d points", len(report.Hardest), len(e.Labels[0].Curve))
	}
	first, last := e.Labels[0].Curve[0], e.Labels[0].Curve[MaxPoints-1]
	if last.Recall != 1 || first.Threshold <= last.Threshold {
		t.Errorf("the curve goes from %+v to %+v", first, last)
	}
	s := NewSearch(rule.Labels[:1], rule.Thresholds[:1], 0.5)
	for i := range 5 * MaxImages {
		s.Add(Searched{SourceRef: fmt.Sprint(i), Found: []head.Object{object(0, 0, 0.5+float32(i)/1000)}})
		if len(s.images) > 2*MaxImages {
			t.Fatalf("%d images are kept", len(s.images))
		}
	}
	if _, images := s.Evaluation(); len(images) != MaxImages || images[0].SourceRef != "499" {
		t.Errorf("%d images, the worst %s", len(images), images[0].SourceRef)
	}
}

func TestOverlay(t *testing.T) {
	img := imaging.New(40, 20)
	for i := range img.Pix {
		img.Pix[i] = 100
	}
	h := &Heat{Label: "x", W: 4, H: 2, Data: []float32{-1, 0, 0.2, 5, 0, 0, 0, 0}, Image: img}
	file, err := h.Overlay()
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(file))
	if err != nil || m.Bounds().Dx() != 40 || m.Bounds().Dy() != 20 {
		t.Fatal(err, m.Bounds())
	}
	if r, g, b, _ := m.At(0, 0).RGBA(); r>>8 != 100 || g != r || b != r {
		t.Errorf("a cold place is %d %d %d", r>>8, g>>8, b>>8)
	}
	if r, g, b, _ := m.At(38, 2).RGBA(); r>>8 < 180 || g>>8 > 50 || b>>8 > 50 {
		t.Errorf("a hot place is %d %d %d", r>>8, g>>8, b>>8)
	}
	h.Image = imaging.New(3200, 16)
	if file, err = h.Overlay(); err != nil {
		t.Fatal(err)
	}
	if m, err := png.Decode(bytes.NewReader(file)); err != nil || m.Bounds().Dx() != maxOverlay {
		t.Errorf("a large image has %v: %v", m.Bounds(), err)
	}
}
