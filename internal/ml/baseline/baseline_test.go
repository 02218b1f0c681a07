package baseline_test

import (
	"context"
	"testing"

	"fovea/internal/imaging"
	"fovea/internal/ml/baseline"
	"fovea/internal/ml/head"
)

// plain returns an image of one colour, with a square of another where side is
// not 0.
func plain(r, g, b uint8, side int) *imaging.Image {
	m := imaging.New(64, 64)
	for y := range 64 {
		for x := range 64 {
			m.Set(x, y, r, g, b)
			if x >= 20 && x < 20+side && y >= 20 && y < 20+side {
				m.Set(x, y, 255-r, g, b)
			}
		}
	}
	return m
}

func TestHistograms(t *testing.T) {
	var train, test []*imaging.Image
	var classes []int
	for i := range 12 {
		train = append(train, plain(uint8(200*(i%2)), uint8(i), 0, 0))
		test = append(test, plain(uint8(200*(i%2)), uint8(i+12), 0, 0))
		classes = append(classes, i%2)
	}
	p, thresholds, err := baseline.Histograms(context.Background(), head.OneOf, train, head.OneHot(classes, 2), test)
	if err != nil {
		t.Fatal(err)
	}
	for i := range test {
		if (float64(p.Row(i)[1]) >= thresholds[1]) != (i%2 == 1) {
			t.Errorf("image %d: %v, thresholds %v", i, p.Row(i), thresholds)
		}
	}
}

func TestPatches(t *testing.T) {
	normal := []*imaging.Image{plain(10, 20, 30, 0), plain(12, 20, 30, 0), plain(14, 22, 30, 0)}
	scores, err := baseline.Patches(context.Background(), normal, []*imaging.Image{plain(11, 21, 30, 0), plain(11, 21, 30, 6)})
	if err != nil {
		t.Fatal(err)
	}
	if scores[1] < 2*scores[0] {
		t.Errorf("scores %v", scores)
	}
}
