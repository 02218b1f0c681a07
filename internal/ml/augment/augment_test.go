package augment

import (
	"math"
	"math/rand/v2"
	"testing"

	"fovea/internal/imaging"
	"fovea/internal/ml/kernel"
)

// ramp returns an image whose red is 4x, green 4y.
func ramp(w, h int) *imaging.Image {
	m := imaging.New(w, h)
	for y := range h {
		for x := range w {
			m.Set(x, y, uint8(4*x), uint8(4*y), 9)
		}
	}
	return m
}

// TestWarp wants the pixel in the middle of a sample to be the one asked for,
// and Find to undo At.
func TestWarp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	m := ramp(60, 50)
	for range 50 {
		w := Draw(rng, Ranges{Scale: 0.3, Angle: 15, Any: 0.5, Flip: true}, 30, 25, 1.5, 17)
		s := kernel.NewTensor(1, 17, 17, 3)
		w.Image(s, 0, m)
		mid := s.Pixel(0, 8, 8)
		if r, g := (mid[0]+2)*255/4, (mid[1]+2)*255/4; math.Abs(float64(r-4*29.5)) > 0.01 || math.Abs(float64(g-4*24.5)) > 0.01 {
			t.Fatalf("the middle shows %g, %g", r/4, g/4)
		}
		x, y := w.At(3, 11)
		if fx, fy := w.Find(x, y); math.Abs(fx-3) > 1e-9 || math.Abs(fy-11) > 1e-9 {
			t.Fatalf("Find(At(3, 11)) = %g, %g", fx, fy)
		}
	}
}

// TestWhole wants a warp that changes nothing to copy, and to mirror beyond the
// edge.
func TestWhole(t *testing.T) {
	m := ramp(5, 4)
	l := &imaging.LabelMap{W: 5, H: 4, Pix: make([]uint8, 20)}
	l.Pix[1*5+2], l.Pix[3*5+4], l.Pix[0] = 1, 2, 3
	same := Warp{A: 1, D: 1}
	s, k := kernel.NewTensor(1, 4, 7, 3), kernel.NewTensor(1, 4, 7, 2)
	same.Image(s, 0, m)
	same.Labels(k, 0, l)
	for y := range 4 {
		for x := range 7 {
			sx := imaging.Reflect(x, 5)
			if got, want := s.Pixel(0, y, x)[0], float32(4*sx)*4/255-2; math.Abs(float64(got-want)) > 1e-5 {
				t.Errorf("pixel %d,%d is %g, want %g", x, y, got, want)
			}
			for c, v := range k.Pixel(0, y, x) {
				if want := float32(map[bool]int{true: 1}[int(l.Pix[y*5+sx]) == c+1]); v != want {
					t.Errorf("label %d of pixel %d,%d is %g, want %g", c, x, y, v, want)
				}
			}
		}
	}
}

func TestTint(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		s := kernel.NewTensor(2, 1, 2, 3)
		copy(s.Row(1, 0), []float32{1, 1, 1, -1, -1, -1})
		Tint(rng, s, 1)
		for c := range 3 {
			a, b := s.Pixel(1, 0, 0)[c], s.Pixel(1, 0, 1)[c]
			if contrast, shift := (a-b)/2, (a+b)/2; contrast < 0.75 || contrast > 1.25 || shift < -0.41 || shift > 0.41 {
				t.Errorf("contrast %g, shift %g", contrast, shift)
			}
		}
		if s.Pixel(0, 0, 0)[0] != 0 {
			t.Error("the other map has changed")
		}
	}
}
