package head_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
)

// marks returns whether each letter is a plus.
func marks(s string) []bool {
	out := make([]bool, len(s))
	for i, c := range s {
		out[i] = c == '+'
	}
	return out
}

func TestMetrics(t *testing.T) {
	for _, tt := range []struct {
		name          string
		scores        []float32
		truth         string
		auroc, ap     float64
		threshold, f1 float64
	}{
		{"perfect", []float32{.9, .8, .3, .1}, "++--", 1, 1, .55, 1},
		{"reversed", []float32{.1, .3, .8, .9}, "++--", 0, .4166667, .05, 2. / 3},
		// scikit-learn's example of roc_auc_score and average_precision_score.
		{"mixed", []float32{.1, .4, .35, .8}, "--++", .75, .8333333, .225, .8},
		{"equal", []float32{.5, .5, .5, .5}, "+-+-", .5, .5, .25, 2. / 3},
		{"ties", []float32{.9, .5, .5, .1}, "++--", .875, .8333333, .3, .8},
		{"no positives", []float32{.9, .5}, "--", .5, 0, .5, 0},
		{"no negatives", []float32{.9, .5}, "++", .5, 1, .25, 1},
		{"nothing", nil, "", .5, 0, .5, 0},
		{"equally good: the higher recall", []float32{.9, .8, .7, .6}, "+--+", .5, .75, .3, 2. / 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			truth := marks(tt.truth)
			threshold, f1 := head.BestF1(tt.scores, truth)
			got := []float64{head.AUROC(tt.scores, truth), head.AveragePrecision(tt.scores, truth), threshold, f1}
			near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-6 })
			if diff := cmp.Diff([]float64{tt.auroc, tt.ap, tt.threshold, tt.f1}, got, near); diff != "" {
				t.Errorf("AUROC, AP, threshold, F1 (-want +got):\n%s", diff)
			}
			if tt.f1 > 0 {
				if c := head.Count(tt.scores, truth, threshold); math.Abs(c.F1()-f1) > 1e-9 {
					t.Errorf("F1 at the threshold is %v", c.F1())
				}
			}
		})
	}
}

func TestThin(t *testing.T) {
	var scores []float32
	for i := range 100 {
		scores = append(scores, float32(i))
	}
	points := head.Curve(scores, make([]bool, 100))
	var got []float64
	for _, p := range head.Thin(points, 4) {
		got = append(got, p.Threshold)
	}
	if diff := cmp.Diff([]float64{99, 66, 33, 0}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := head.Thin(points, 100); len(got) != 100 {
		t.Errorf("%d points of 100", len(got))
	}
}

func TestConfusion(t *testing.T) {
	want := [][]int{{1, 1, 0}, {0, 2, 0}, {1, 0, 0}}
	if diff := cmp.Diff(want, head.Confusion([]int{0, 0, 1, 1, 2}, []int{0, 1, 1, 1, 0}, 3)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPlatt(t *testing.T) {
	// Scores that are too sure, in a set where positives are rare: balanced,
	// a score of 0.9 is right three times in four.
	var p []float32
	var y []bool
	add := func(score float32, positive bool, n int) {
		for range n {
			p, y = append(p, score), append(y, positive)
		}
	}
	add(.9, true, 75)
	add(.1, true, 25)
	add(.9, false, 250)
	add(.1, false, 750)
	c := head.FitPlatt(p, y)
	if got := c.At(.9); math.Abs(got-.75) > .02 {
		t.Errorf("0.9 becomes %v", got)
	}
	if got := c.Through(.3).At(.3); math.Abs(got-.5) > 1e-9 {
		t.Errorf("the threshold becomes %v", got)
	}
	// As they are, it is right three times in thirteen.
	if got := head.FitShare(p, y).At(.9); math.Abs(got-75./325) > .02 {
		t.Errorf("the share of 0.9 is %v", got)
	}
	if diff := cmp.Diff(head.Platt{A: 1}, head.FitShare(nil, nil)); diff != "" {
		t.Errorf("the share of nothing (-want +got):\n%s", diff)
	}
	for i := range y {
		y[i] = !y[i]
	}
	if c := head.FitPlatt(p, y); c.A <= 0 || c.At(.9) < c.At(.1) {
		t.Errorf("scores that are the wrong way round: %+v", c)
	}
	if diff := cmp.Diff(head.Platt{A: 1}, head.FitPlatt([]float32{.2, .3}, marks("++"))); diff != "" {
		t.Errorf("one class (-want +got):\n%s", diff)
	}
	// Separated: sure, not certain.
	if got := head.FitPlatt([]float32{.999999, .9999, .0001, 0}, marks("++--")).At(.999999); got < .6 || got > .99 {
		t.Errorf("two against two give %v", got)
	}
}

func TestFolds(t *testing.T) {
	var classes []int
	for k, n := range []int{31, 7, 3, 1} {
		for range n {
			classes = append(classes, k)
		}
	}
	y := head.OneHot(classes, 4)
	fold := head.Folds(y, 3, 9)
	count := matrix.New(3, 4)
	for i, f := range fold {
		count.Row(f)[classes[i]]++
	}
	for f := range 3 {
		row := count.Row(f)
		if row[0] < 10 || row[0] > 11 || row[1] < 2 || row[1] > 3 || row[2] != 1 || row[3] > 1 {
			t.Errorf("fold %d has %v", f, row)
		}
	}
	if diff := cmp.Diff(fold, head.Folds(y, 3, 9)); diff != "" {
		t.Error("the same seed gives other folds")
	}
	if cmp.Diff(fold, head.Folds(y, 3, 10)) == "" {
		t.Error("another seed gives the same folds")
	}
	test := head.Split(y, 0.2, 3)
	var in, out [4]int
	for i, isTest := range test {
		if isTest {
			out[classes[i]]++
		} else {
			in[classes[i]]++
		}
	}
	if out[0] < 6 || out[0] > 7 || out[1] < 1 || out[1] > 2 || out[2] != 1 || in[2] != 2 || in[3]+out[3] != 1 {
		t.Errorf("train %v, test %v", in, out)
	}
	for seed := range uint64(20) {
		two := head.Split(head.OneHot([]int{0, 0, 1, 1}, 2), 0.2, seed)
		if two[0] == two[1] || two[2] == two[3] {
			t.Errorf("seed %d: two of each class are split %v", seed, two)
		}
	}
}

func TestDetected(t *testing.T) {
	box := func(x, y, w, h float64) head.Box { return head.Box{Left: x, Top: y, Width: w, Height: h} }
	if got := box(0, 0, 2, 2).IoU(box(1, 0, 2, 2)); math.Abs(got-1./3) > 1e-9 {
		t.Errorf("IoU = %v", got)
	}
	if got := box(0, 0, 2, 2).IoU(box(2, 0, 2, 2)); got != 0 {
		t.Errorf("IoU of neighbours = %v", got)
	}
	d := head.NewDetected(2, 0.5)
	there := []head.Object{{Box: box(0, 0, 10, 10)}, {Box: box(20, 0, 10, 10)}, {Box: box(0, 20, 5, 5), Class: 1}}
	d.Add([]head.Object{
		{Box: box(0, 0, 10, 10), Score: .9},
		{Box: box(1, 0, 10, 10), Score: .8}, // the same once more
		{Box: box(20, 1, 10, 10), Score: .7},
		{Box: box(0, 20, 5, 5), Score: .6}, // of the wrong class
	}, there)
	// Precisions 1, 1/2, 2/3, 1/2 at recalls 1/2, 1/2, 1, 1.
	if got := d.AveragePrecision(0); math.Abs(got-(.5+.5*2./3)) > 1e-9 {
		t.Errorf("AP = %v", got)
	}
	if got := d.AveragePrecision(1); got != 0 {
		t.Errorf("AP of what was not found = %v", got)
	}
	if got := d.MeanAveragePrecision(); math.Abs(got-(.5+.5*2./3)/2) > 1e-9 {
		t.Errorf("mAP = %v", got)
	}
	if threshold, f1 := d.BestF1(0); math.Abs(threshold-.65) > 1e-6 || math.Abs(f1-.8) > 1e-9 {
		t.Errorf("best F1 %v at %v", f1, threshold)
	}
}
