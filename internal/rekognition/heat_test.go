package rekognition

import (
	"context"
	"errors"
	"testing"

	"fovea"
	"fovea/internal/imaging"
	"fovea/internal/ml/classify"
)

// dotted returns a noisy grey image, with a bright dot in one corner or without.
func dotted(seed int, dot bool) *imaging.Image {
	m := imaging.New(64, 64)
	for i := range m.Pix {
		m.Pix[i] = uint8(100 + (i*7919+seed*104729)%29)
	}
	if dot {
		for y := 40; y < 56; y++ {
			for x := 40; x < 56; x++ {
				m.Set(x, y, 250, 30, 30)
			}
		}
	}
	return m
}

// TestHeatOf: whichever features a classifier does with, its heat is where the
// label is.
func TestHeatOf(t *testing.T) {
	const n = 12
	set := &classify.Set{Image: func(_ context.Context, i int) (*imaging.Image, error) { return dotted(i, i%2 == 1), nil }}
	for i := range n {
		set.Labels = append(set.Labels, []int{i % 2})
	}
	m, _, err := classify.Train(t.Context(), set, classify.Options{Task: classify.SingleLabel, Classes: []string{"plain", "dotted"}})
	if err != nil {
		t.Fatal(err)
	}
	h, err := covered(t.Context(), m, dotted(99, true), 1)
	if err != nil {
		t.Fatal(err)
	}
	hottest := 0
	for i, v := range h.Data {
		if v > h.Data[hottest] {
			hottest = i
		}
	}
	x, y := (float64(hottest%h.W)+0.5)/float64(h.W), (float64(hottest/h.W)+0.5)/float64(h.H)
	if len(h.Data) != h.W*h.H || h.Label != "dotted" || h.Data[hottest] > 1 || x < 0.5 || x > 1 || y < 0.5 || y > 1 {
		t.Errorf("%d x %d of %s, the hottest %v at %.2f, %.2f", h.W, h.H, h.Label, h.Data[hottest], x, y)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := covered(ctx, m, dotted(99, true), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("when nobody waits: %v", err)
	}
	if h, err := heatOf(t.Context(), m, dotted(99, true), 1); err != nil || len(h.Data) != h.W*h.H {
		t.Errorf("%+v %v", h, err)
	}
}

func TestWithThresholds(t *testing.T) {
	p := &predictor{Labels: []string{"a", "b"}, Thresholds: []float64{0.5, 0.25}}
	if p.with(&fovea.Model{}) != p {
		t.Error("with none set it is another model")
	}
	q := p.with(&fovea.Model{Thresholds: map[string]float64{"b": 1}})
	if q.Thresholds[0] != 0.5 || q.Thresholds[1] != 1 || p.Thresholds[1] != 0.25 {
		t.Errorf("%v, and of the model that others use %v", q.Thresholds, p.Thresholds)
	}
}
