package imaging

import (
	"image"
	"image/color"
	"math/rand/v2"
	"testing"
)

// TestFromJPEG compares the colours of every subsampling with those of the
// standard library.
func TestFromJPEG(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		for _, w := range []int{1, 2, 3, 5, 8, 31} {
			m := image.NewYCbCr(image.Rect(0, 0, w, 7), ratio)
			for _, plane := range [][]uint8{m.Y, m.Cb, m.Cr} {
				for i := range plane {
					plane[i] = uint8(r.Uint32())
				}
			}
			got, err := fromJPEG(m)
			if err != nil {
				t.Fatal(err)
			}
			for i := range w * 7 {
				x, y := i%w, i/w
				l, c := m.YOffset(x, y), m.COffset(x, y)
				want := [3]uint8{}
				want[0], want[1], want[2] = color.YCbCrToRGB(m.Y[l], m.Cb[c], m.Cr[c])
				if [3]uint8(got.Pix[3*i:]) != want {
					t.Fatalf("%v, %d wide, at %d,%d: %v, want %v", ratio, w, x, y, got.Pix[3*i:][:3], want)
				}
			}
		}
	}
}
