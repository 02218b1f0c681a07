package segmentation_test

import (
	"context"
	"fmt"
	"testing"

	"fovea/internal/imaging"
	"fovea/internal/ml/segmentation"
)

// A plot is an image of one grey, or of many, and where its mask has which label.
type plot struct {
	w, h  int
	grey  bool
	label func(x, y int) uint8 // nil: no mask
}

// set returns a set of plots.
func set(plots []plot) *segmentation.Set {
	return &segmentation.Set{
		N: len(plots),
		Image: func(_ context.Context, i int) (*imaging.Image, error) {
			m := imaging.New(plots[i].w, plots[i].h)
			for k := range m.Pix {
				m.Pix[k] = 90
				if !plots[i].grey {
					m.Pix[k] = uint8(k * (31 + i))
				}
			}
			return m, nil
		},
		Mask: func(_ context.Context, i int) (*imaging.LabelMap, error) {
			p := plots[i]
			if p.label == nil {
				return nil, nil
			}
			l := &imaging.LabelMap{W: p.w, H: p.h, Pix: make([]uint8, p.w*p.h)}
			for k := range l.Pix {
				l.Pix[k] = p.label(k%p.w, k/p.w)
			}
			return l, nil
		},
	}
}

// TestUnusual: whatever images and masks are, a training ends, and its model
// labels every pixel of any image with a type or none.
func TestUnusual(t *testing.T) {
	all := func(label uint8) func(x, y int) uint8 { return func(int, int) uint8 { return label } }
	pixel := func(label uint8) func(x, y int) uint8 {
		return func(x, y int) uint8 {
			if x == 0 && y == 0 {
				return label
			}
			return 0
		}
	}
	many := []plot{{64, 1, false, func(x, _ int) uint8 { return uint8(x + 1) }}, {64, 1, true, pixel(64)}}
	lone := []plot{{40, 30, false, pixel(2)}}
	for range 4 {
		lone = append(lone, plot{40, 30, false, all(1)})
	}
	for _, tt := range []struct {
		name  string
		types int
		plots []plot
		steps int // of the network; 0: without
	}{
		{"single pixels", 1, []plot{{1, 1, true, all(1)}, {1, 1, true, nil}, {1, 1, false, all(1)}}, 0},
		{"single pixels, with a network", 1, []plot{{1, 1, true, all(1)}, {1, 1, true, nil}, {1, 1, false, all(1)}}, 1},
		{"all of every image", 1, []plot{{30, 20, false, all(1)}, {20, 30, true, all(1)}}, 0},
		{"a pixel of one of them", 1, []plot{{60, 50, false, pixel(1)}, {60, 50, false, nil}, {60, 50, false, nil}, {60, 50, true, nil}}, 0},
		{"a mask without a label", 1, []plot{{30, 20, false, all(0)}, {20, 30, true, pixel(1)}}, 0},
		{"a pixel of a type among much of another", 2, lone, 0},
		{"64 types", 64, many, 0},
		{"thin and huge", 1, []plot{{3000, 2, false, pixel(1)}, {2, 3000, false, nil}, {2400, 1800, true, pixel(1)}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var types []string
			for i := range tt.types {
				types = append(types, fmt.Sprint("type ", i))
			}
			s := set(tt.plots)
			m, report, err := segmentation.Train(t.Context(), s, segmentation.Options{Types: types, Workers: 2, Fast: tt.steps == 0, Steps: tt.steps})
			if err != nil {
				t.Fatal(err)
			}
			for k, r := range report.Types {
				if !(r.IoU >= 0 && r.IoU <= 1) || !(m.Types[k].Threshold > 0 && m.Types[k].Threshold <= 1) {
					t.Errorf("type %d: IoU %v, threshold %v", k, r.IoU, m.Types[k].Threshold)
				}
			}
			for i := range s.N {
				img, _ := s.Image(t.Context(), i)
				r, err := m.Predict(img)
				if err != nil {
					t.Fatal(err)
				}
				if r.Labels.W != img.W || r.Labels.H != img.H {
					t.Errorf("image %d: labels of %dx%d", i, r.Labels.W, r.Labels.H)
				}
				for _, l := range r.Labels.Pix {
					if int(l) > tt.types {
						t.Fatalf("image %d: label %d", i, l)
					}
				}
				for _, p := range r.Peaks {
					if !(p >= 0 && p <= 1) {
						t.Fatalf("image %d: peaks %v", i, r.Peaks)
					}
				}
			}
		})
	}
}
