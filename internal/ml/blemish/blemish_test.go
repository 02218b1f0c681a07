package blemish_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/blemish"
)

// striped returns an image of stripes.
func striped(w, h, period int) *imaging.Image {
	m := imaging.New(w, h)
	for i := range m.Pix {
		m.Pix[i] = uint8(60 + 120*(i/3%w/period%2) + i%3*10)
	}
	return m
}

// TestDraw: what is marked is what changed, and it is a part of the image.
func TestDraw(t *testing.T) {
	for _, size := range [][2]int{{256, 192}, {64, 64}, {3, 200}, {1, 1}} {
		m, texture := striped(size[0], size[1], 7), striped(100, 50, 3)
		before := append([]uint8(nil), m.Pix...)
		seen := 0
		for seed := range uint64(200) {
			got, mask := blemish.Draw(m, texture, rand.New(rand.NewPCG(seed, 1)))
			if got.W != m.W || got.H != m.H || mask.W != m.W || mask.H != m.H {
				t.Fatalf("%v becomes %dx%d, with a mask of %dx%d", size, got.W, got.H, mask.W, mask.H)
			}
			marked := 0
			for i, l := range mask.Pix {
				change := 0
				for c := range 3 {
					d := int(got.Pix[3*i+c]) - int(m.Pix[3*i+c])
					change += max(d, -d)
				}
				if l == 0 && change > 60 {
					t.Fatalf("%v, seed %d: a change of %d is not marked", size, seed, change)
				}
				marked += int(l)
			}
			if marked > 0 && (size[0] < 64 || marked < m.W*m.H/2) {
				seen++
			}
		}
		if size[0] >= 64 && seen < 170 {
			t.Errorf("%v: %d of 200 show a part of the image", size, seen)
		}
		if diff := cmp.Diff(before, m.Pix); diff != "" {
			t.Errorf("%v: the image itself changed", size)
		}
	}
	m := striped(90, 90, 7)
	a, maskA := blemish.Draw(m, m, rand.New(rand.NewPCG(3, 3)))
	b, maskB := blemish.Draw(m, m, rand.New(rand.NewPCG(3, 3)))
	if cmp.Diff(a, b) != "" || cmp.Diff(maskA, maskB) != "" {
		t.Error("the same seed draws something else")
	}
}
