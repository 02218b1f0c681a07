package imaging_test

import (
	"bytes"
	"image/png"
	"math/rand/v2"
	"testing"

	"fovea/internal/imaging"
)

// TestEncodeMask reads masks of every kind of row back: a first row, one that is
// like the one above, one that differs.
func TestEncodeMask(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	colors := []imaging.Color{imaging.White, 0x7ed321, 0x4dd8ff, 0x000000}
	for _, size := range [][2]int{{1, 1}, {1, 9}, {9, 1}, {64, 48}, {333, 20}} {
		m := &imaging.LabelMap{W: size[0], H: size[1], Pix: make([]uint8, size[0]*size[1])}
		for i := range m.Pix {
			if y := i / m.W; y%4 == 3 {
				m.Pix[i] = m.Pix[i-m.W]
			} else if y != 1 {
				m.Pix[i] = uint8(r.IntN(len(colors)))
			}
		}
		data, err := imaging.EncodeMask(m, colors)
		if err != nil {
			t.Fatal(err)
		}
		info, err := imaging.Probe(bytes.NewReader(data), int64(len(data)))
		if err != nil || info.Model != imaging.RGB || info.Depth != 8 || info.Progressive || info.Width != m.W || info.Height != m.H {
			t.Errorf("%v: %+v, %v", size, info, err)
		}
		read, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%v: %v", size, err)
		}
		for i, l := range m.Pix {
			red, green, blue, alpha := read.At(i%m.W, i/m.W).RGBA()
			if got := imaging.Color(red>>8<<16 | green>>8<<8 | blue>>8); got != colors[l] || alpha != 0xffff {
				t.Fatalf("%v: pixel %d is %v, want %v", size, i, got, colors[l])
			}
		}
	}
}

func BenchmarkEncodeMask(b *testing.B) {
	m := &imaging.LabelMap{W: 864, H: 1152, Pix: make([]uint8, 864*1152)}
	for i := range m.Pix {
		if x, y := i%m.W-400, i/m.W-500; x*x+3*y*y < 20000 {
			m.Pix[i] = 1
		}
	}
	for b.Loop() {
		if _, err := imaging.EncodeMask(m, []imaging.Color{imaging.White, 0x23a436}); err != nil {
			b.Fatal(err)
		}
	}
}
