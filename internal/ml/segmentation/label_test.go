package segmentation

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
)

func TestLabel(t *testing.T) {
	m := &Model{Types: []Type{{Threshold: 0.5}, {Threshold: 0.25}}}
	p := &imaging.Planes{C: 2, H: 1, W: 3, Data: []float32{0, 0.9, 0.6, 0, 0.3, 0.6}}
	for _, tt := range []struct {
		w, h int
		want []uint8
	}{
		{3, 1, []uint8{0, 1, 2}},          // of two, the one that claims more
		{3, 2, []uint8{0, 1, 2, 0, 1, 2}}, // the rows between are the same
		{6, 1, []uint8{0, 0, 1, 1, 2, 2}}, // 0.225, 0.675; 0.825, 0.675 with 0.3, 0.375, 0.525
		{1, 1, []uint8{1}},
	} {
		if diff := cmp.Diff(tt.want, m.label(p, tt.w, tt.h).Pix); diff != "" {
			t.Errorf("%dx%d (-want +got):\n%s", tt.w, tt.h, diff)
		}
	}
}

// drawing returns a map of the digits of rows.
func drawing(rows ...string) *imaging.LabelMap {
	m := &imaging.LabelMap{W: len(rows[0]), H: len(rows)}
	for _, r := range rows {
		for _, c := range r {
			m.Pix = append(m.Pix, uint8(c-'0'))
		}
	}
	return m
}

func TestAreas(t *testing.T) {
	m := drawing(
		"1100002",
		"0010000",
		"0000110",
		"2220010")
	for label, want := range map[uint8][]int{1: {3, 3}, 2: {1, 3}, 3: nil} {
		var got []int
		areas(m, label, func(area []int32) { got = append(got, len(area)) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("label %d (-want +got):\n%s", label, diff)
		}
	}
}

func TestDropSmall(t *testing.T) {
	m := &Model{Types: []Type{{Threshold: 0.5, Area: 0.1}}}
	p := imaging.NewPlanes(1, 4, 7)
	for i, l := range drawing("1100001", "0010000", "0000000", "0000000").Pix {
		p.Data[i] = 0.4 + 0.5*float32(l)
	}
	m.dropSmall(p)
	if p.Data[6] != 0 || p.Data[0] != 0.9 || p.Data[9] != 0.9 || p.Data[5] != 0.4 {
		t.Errorf("probabilities %v", p.Data)
	}
}

func TestTally(t *testing.T) {
	var c tally
	c.add([]float32{0.9, 0.8, 0.75, 0.35, 0.3, 0.1}, []uint8{1, 1, 2, 1, 2, 0}, 1)
	// At 0.35 three of four; at 0.8 two of three.
	if threshold, iou := c.best(); iou != 0.75 || threshold < 0.3 || threshold > 0.35 {
		t.Errorf("IoU %v at %v", iou, threshold)
	}
	c = tally{}
	c.add([]float32{0.9, 0.2}, []uint8{1, 0}, 1)
	if threshold, iou := c.best(); iou != 1 || threshold < 0.5 || threshold > 0.6 {
		t.Errorf("IoU %v at %v, want the middle", iou, threshold)
	}
	c = tally{}
	c.add([]float32{0.9, 0.2}, []uint8{0, 0}, 1)
	if threshold, iou := c.best(); iou != 0 || threshold != usualThreshold {
		t.Errorf("of what is not there: IoU %v at %v", iou, threshold)
	}
	c.add([]float32{0}, []uint8{1}, 1)
	if threshold, iou := c.best(); iou != 0 || threshold != usualThreshold {
		t.Errorf("of what is not found: IoU %v at %v", iou, threshold)
	}
}

func TestOverlap(t *testing.T) {
	// Areas of 1 and 3 pixels; only the larger is there, with one pixel more.
	shared, either := make([]int64, len(areaShares)), make([]int64, len(areaShares))
	labels, truth := imaging.LabelMap{W: 100, H: 20, Pix: make([]uint8, 2000)}, imaging.LabelMap{W: 100, H: 20, Pix: make([]uint8, 2000)}
	labels.Pix[700] = 1
	for i := range 3 {
		labels.Pix[100+i] = 1
	}
	for i := range 4 {
		truth.Pix[100+i] = 1
	}
	overlap(&labels, &truth, 1, shared, either)
	if diff := cmp.Diff([]int64{3, 3, 3, 3, 3, 0, 0}, shared); diff != "" {
		t.Errorf("shared (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int64{5, 5, 5, 5, 4, 4, 4}, either); diff != "" {
		t.Errorf("either (-want +got):\n%s", diff)
	}
}
