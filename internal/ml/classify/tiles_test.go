package classify

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/feature"
)

func TestMarksOf(t *testing.T) {
	// 36 x 24 cells are two tiles, at 0 and 12, that share the cells between.
	m := feature.NewMap(24, 36, 1)
	for _, tt := range []struct {
		name string
		at   imaging.Rect // of the defect, in a mask of twice as many pixels as cells
		want []tileMark
	}{
		{"nothing", imaging.Rect{}, []tileMark{clean, clean}},
		{"left", imaging.Rect{X: 2, Y: 2, W: 6, H: 6}, []tileMark{shows, clean}},
		{"right", imaging.Rect{X: 60, Y: 20, W: 6, H: 6}, []tileMark{clean, shows}},
		{"in both", imaging.Rect{X: 30, Y: 2, W: 6, H: 6}, []tileMark{shows, shows}},
		{"hardly in the right one", imaging.Rect{X: 4, Y: 2, W: 22, H: 3}, []tileMark{shows, unclear}},
		{"small", imaging.Rect{X: 70, Y: 2, W: 1, H: 1}, []tileMark{clean, shows}},
	} {
		mask := &imaging.LabelMap{W: 72, H: 48, Pix: make([]uint8, 72*48)}
		for y := range tt.at.H {
			for x := range tt.at.W {
				mask.Pix[(tt.at.Y+y)*72+tt.at.X+x] = 3
			}
		}
		if diff := cmp.Diff(tt.want, marksOf(mask, m)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestFine(t *testing.T) {
	for _, tt := range []struct{ w, h, want int }{{512, 300, 0}, {300, 513, 513}, {4096, 100, 1024}} {
		s := &Set{Image: func(_ context.Context, _ int) (*imaging.Image, error) { return imaging.New(tt.w, tt.h), nil }}
		for i := range 10 {
			s.Labels = append(s.Labels, []int{i % 2})
		}
		tr := &training{Options: Options{Task: Anomaly}, set: s}
		if got, err := tr.fine(context.Background()); err != nil || got != tt.want {
			t.Errorf("%dx%d: %d pixels, want %d: %v", tt.w, tt.h, got, tt.want, err)
		}
		tr.Task = MultiLabel
		if got, _ := tr.fine(context.Background()); got != 0 {
			t.Errorf("labels: %d pixels", got)
		}
	}
}
