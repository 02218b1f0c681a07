package quality

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSpread: what is unlike the others is an outlier, and nothing else, also
// where all the others are alike.
func TestSpread(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, noise := range []float64{0, 1} {
		var s Spread
		usual := func() *Look {
			return &Look{Width: 640, Height: 480, Brightness: float32(128 + 8*noise*r.NormFloat64()), Sharpness: float32(6 * math.Exp(0.1*noise*r.NormFloat64()))}
		}
		odd := []struct {
			look  Look
			what  Measure
			above bool
		}{
			{Look{Width: 64, Height: 64, Brightness: 128, Sharpness: 6}, Pixels, false},
			{Look{Width: 4000, Height: 3000, Brightness: 128, Sharpness: 6}, Pixels, true},
			{Look{Width: 640, Height: 480, Brightness: 10, Sharpness: 6}, Brightness, false},
			{Look{Width: 640, Height: 480, Brightness: 250, Sharpness: 6}, Brightness, true},
			{Look{Width: 640, Height: 480, Brightness: 128, Sharpness: 0}, Sharpness, false},
			{Look{Width: 640, Height: 480, Brightness: 128, Sharpness: 60}, Sharpness, true},
		}
		if got := s.Bounds()(&odd[0].look); got != nil {
			t.Errorf("of no image: %+v", got)
		}
		for i := range odd {
			s.Add(&odd[i].look)
		}
		for range 500 {
			s.Add(usual())
		}
		find := s.Bounds()
		for i := range odd {
			got := find(&odd[i].look)
			if len(got) != 1 || got[0].Measure != odd[i].what || got[0].Above != odd[i].above {
				t.Errorf("noise %v, %+v: %+v", noise, odd[i].look.Brightness, got)
			}
		}
		for range 500 {
			if got := find(usual()); got != nil {
				t.Errorf("noise %v: a usual image is an outlier: %+v", noise, got)
			}
		}
	}
}

func TestSpreadFew(t *testing.T) {
	var s Spread
	for range MinImages - 1 {
		s.Add(&Look{Width: 9, Height: 9})
	}
	if got := s.Bounds()(&Look{Width: 9000, Height: 9000}); got != nil {
		t.Errorf("of few images: %+v", got)
	}
}

func TestCoincident(t *testing.T) {
	boxes := []Box{{"a", 10, 10, 100, 100}, {"b", 12, 10, 100, 100}, {"a", 200, 10, 100, 100}, {"c", 10, 11, 100, 100}, {"d", 0, 0, 0, 0}, {"e", 0, 0, math.NaN(), 1}}
	got := Coincident(boxes)
	if len(got) != 2 || got[0].First != 0 || got[0].Second != 1 || got[1].First != 0 || got[1].Second != 3 || got[1].Overlap < 0.95 {
		t.Errorf("pairs = %+v", got)
	}
	if o := Overlap(boxes[0], boxes[2]); o != 0 {
		t.Errorf("overlap = %v", o)
	}
}

func TestPlainLabel(t *testing.T) {
	for name, want := range map[string]string{"Ink-Spot 2": "inkspot2", "ÄÖ": "äö", "--": "", " ": ""} {
		if got := PlainLabel(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
