package unet

import (
	"context"
	"fmt"
	"math"
	"testing"

	"fovea/internal/imaging"
)

// TestUnusual: with images of a pixel, and with as many types as there can be,
// a training ends with finite numbers.
func TestUnusual(t *testing.T) {
	var names []string
	for i := range MaxTypes {
		names = append(names, fmt.Sprint(i))
	}
	image := func(w, h int) *Set {
		return &Set{
			Shows: [][]int{{MaxTypes - 1}, {MaxTypes - 2}},
			Image: func(context.Context, int) (*imaging.Image, error) { return imaging.New(w, h), nil },
			Mask: func(_ context.Context, i int) (*imaging.LabelMap, error) {
				l := &imaging.LabelMap{W: w, H: h, Pix: make([]uint8, w*h)}
				l.Pix[0] = uint8(MaxTypes - i)
				return l, nil
			},
		}
	}
	for name, s := range map[string]*Set{"pixels": image(1, 1), "lines": image(2000, 1), "columns": image(3, 500)} {
		t.Run(name, func(t *testing.T) {
			m, r, err := Train(t.Context(), s, Options{Types: names, Steps: 1})
			if err != nil {
				t.Fatal(err)
			}
			if !(math.Abs(r.Loss) < 1e6) {
				t.Errorf("loss %v", r.Loss)
			}
			img, _ := s.Image(t.Context(), 0)
			p, err := m.Predict(img)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range p.Data {
				if !(v >= 0 && v <= 1) {
					t.Fatalf("a probability of %v", v)
				}
			}
		})
	}
}
