package segmentation

import (
	"math/rand/v2"
	"testing"
)

// TestShare: images give as many pixels together as are wanted, exactly where
// there are few, about where there are more images than pixels.
func TestShare(t *testing.T) {
	for _, tt := range []struct{ pixels, images, from, to int }{
		{samples / 2, 1, samples / 2, samples / 2},
		{samples / 2, 300, samples / 2, samples / 2},
		{samples / 2, samples / 2, samples / 2, samples / 2},
		{samples / 2, samples/2 - 1, samples/2 - 1, samples/2 - 1},
		{samples / 2, samples, samples / 2 * 49 / 50, samples / 2 * 51 / 50},
		{samples / 2 / MaxTypes, 8000, 400, 540}, // of each of as many types as there can be
	} {
		sum := 0
		for i := range tt.images {
			sum += share(tt.pixels, tt.images, rand.New(rand.NewPCG(1, uint64(i))))
		}
		if sum < tt.from || sum > tt.to {
			t.Errorf("%d images give %d of %d pixels, want %d to %d", tt.images, sum, tt.pixels, tt.from, tt.to)
		}
	}
}
