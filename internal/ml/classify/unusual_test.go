package classify_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"fovea/internal/imaging"
	"fovea/internal/ml/classify"
)

// classesOf returns n images, of each of which class returns the classes.
func classesOf(n int, class func(i int) []int) [][]int {
	var labels [][]int
	for i := range n {
		labels = append(labels, class(i))
	}
	return labels
}

// names returns n names of classes.
func names(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprint("class ", i))
	}
	return out
}

// TestUnusualLabels: however labels are dealt, a training ends, and all that it
// says is finite.
func TestUnusualLabels(t *testing.T) {
	for _, tt := range []struct {
		name   string
		task   classify.Task
		k      int // classes
		labels [][]int
	}{
		{"one image of each", classify.SingleLabel, 2, [][]int{{0}, {1}}},
		{"one image of each of many", classify.SingleLabel, 12, classesOf(12, func(i int) []int { return []int{i} })},
		{"all of one label", classify.SingleLabel, 2, classesOf(6, func(int) []int { return []int{0} })},
		{"all of the only label", classify.SingleLabel, 1, classesOf(3, func(int) []int { return []int{0} })},
		{"all have all", classify.MultiLabel, 2, classesOf(6, func(int) []int { return []int{0, 1} })},
		{"none has any", classify.MultiLabel, 2, classesOf(6, func(int) []int { return nil })},
		{"named twice", classify.MultiLabel, 2, classesOf(6, func(i int) []int { return []int{i % 2, i % 2} })},
		{"one against many", classify.SingleLabel, 2, classesOf(40, func(i int) []int { return []int{btoi(i == 30)} })},
		{"250 labels, images of a few", classify.SingleLabel, 250, classesOf(36, func(i int) []int { return []int{i * 14 % 250} })},
		{"250 labels, several of each", classify.MultiLabel, 250, classesOf(20, func(i int) []int { return []int{i, i + 60, i * i % 250} })},
		{"one normal image too few", classify.Anomaly, 2, classesOf(7, func(i int) []int { return []int{btoi(i > 1)} })},
		{"as few as can be", classify.Anomaly, 2, [][]int{{classify.Normal}, {classify.Normal}}},
		{"a few anomalies among many", classify.Anomaly, 2, classesOf(40, func(i int) []int { return []int{btoi(i%8 == 0)} })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set := setOf(tt.labels, nil)
			set.Image = func(_ context.Context, i int) (*imaging.Image, error) {
				return drawing{period: 4 + float64(i%9)}.draw(uint64(i)).Resize(24, 16), nil
			}
			m, report, err := classify.Train(t.Context(), set, classify.Options{Task: tt.task, Classes: names(tt.k), Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			if len(m.Thresholds) != tt.k || len(report.Scores) != len(tt.labels) {
				t.Errorf("%d thresholds, %d scores", len(m.Thresholds), len(report.Scores))
			}
			for k, threshold := range m.Thresholds {
				if !(threshold >= 0 && threshold <= 1) {
					t.Errorf("the threshold of class %d is %v", k, threshold)
				}
			}
			for _, s := range append(report.Scores, predict(t, m, 2, func(i int) drawing { return drawing{period: 7} })...) {
				sum := 0.0
				for _, v := range s {
					if !(v >= 0 && v <= 1) {
						t.Fatalf("scores %v", s)
					}
					sum += float64(v)
				}
				if tt.task != classify.MultiLabel && math.Abs(sum-1) > 1e-3 {
					t.Fatalf("scores %v sum to %v", s, sum)
				}
			}
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestHugeImages: what is kept of an image does not grow with it.
func TestHugeImages(t *testing.T) {
	set := setOf(classesOf(6, func(i int) []int { return []int{i % 2} }), nil)
	set.Image = func(_ context.Context, i int) (*imaging.Image, error) {
		size := [][2]int{{4096, 1024}, {16_384, 16}, {16, 16_384}}[i%3]
		m := imaging.New(size[0], size[1])
		for k := range m.Pix {
			m.Pix[k] = uint8(k*(1+i%2) ^ k>>9)
		}
		return m, nil
	}
	m, _, err := classify.Train(t.Context(), set, classify.Options{Task: classify.SingleLabel, Classes: names(2)})
	if err != nil {
		t.Fatal(err)
	}
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if len(file) > 4<<20 {
		t.Errorf("the model has %d bytes", len(file))
	}
}
