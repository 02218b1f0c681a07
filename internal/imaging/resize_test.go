package imaging_test

import (
	"bytes"
	"context"
	"image"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
)

// gray returns an image of one row of grey pixels.
func gray(values ...uint8) *imaging.Image {
	m := imaging.New(len(values), 1)
	for x, v := range values {
		m.Set(x, 0, v, v, v)
	}
	return m
}

func values(m *imaging.Image) []uint8 {
	var out []uint8
	for i := 0; i < len(m.Pix); i += 3 {
		out = append(out, m.Pix[i])
	}
	return out
}

func TestResize(t *testing.T) {
	for _, tt := range []struct {
		name string
		got  *imaging.Image
		want []uint8
	}{
		{"halved", gray(0, 100, 200, 50).Resize(2, 1), []uint8{50, 125}},
		{"three to two", gray(0, 90, 30).Resize(2, 1), []uint8{30, 50}},
		{"doubled", gray(0, 100).Resize(4, 1), []uint8{0, 25, 75, 100}},
		{"to one", gray(0, 100, 200, 100).Resize(1, 1), []uint8{100}},
		{"one to three", gray(7).Resize(3, 1), []uint8{7, 7, 7}},
		{"both ways", gray(0, 200).Resize(1, 3), []uint8{100, 100, 100}},
	} {
		if diff := cmp.Diff(tt.want, values(tt.got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	for _, tt := range []struct{ w, h, side, wantW, wantH int }{
		{768, 576, 256, 256, 192}, {576, 768, 256, 192, 256}, {64, 64, 256, 256, 256}, {4096, 205, 256, 256, 13}, {2000, 3, 100, 100, 1},
	} {
		if m := imaging.New(tt.w, tt.h).Fit(tt.side); m.W != tt.wantW || m.H != tt.wantH {
			t.Errorf("%dx%d fits %d as %dx%d", tt.w, tt.h, tt.side, m.W, m.H)
		}
	}
	white := imaging.New(333, 217)
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	for i, v := range white.Resize(100, 91).Pix {
		if v != 255 {
			t.Fatalf("white became %d at %d", v, i)
		}
	}
}

func TestPad(t *testing.T) {
	if diff := cmp.Diff([]uint8{1, 2, 3, 2, 1, 2, 3, 2}, values(gray(1, 2, 3).PadTo(8))[:8]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]uint8{3, 2, 1}, values(gray(1, 2, 3).Mirror())); diff != "" {
		t.Errorf("mirror (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]uint8{2, 3}, values(gray(1, 2, 3).Crop(imaging.Rect{X: 1, W: 2, H: 1}))); diff != "" {
		t.Errorf("crop (-want +got):\n%s", diff)
	}
}

func TestTiles(t *testing.T) {
	for _, tt := range []struct {
		w, h int
		want []imaging.Rect
	}{
		{192, 192, []imaging.Rect{{0, 0, 192, 192}}},
		{100, 200, []imaging.Rect{{0, 0, 100, 192}, {0, 8, 100, 192}}},
		{384, 192, []imaging.Rect{{0, 0, 192, 192}, {96, 0, 192, 192}, {192, 0, 192, 192}}},
	} {
		if diff := cmp.Diff(tt.want, imaging.Tiles(tt.w, tt.h, 192, 0.5)); diff != "" {
			t.Errorf("%dx%d (-want +got):\n%s", tt.w, tt.h, diff)
		}
	}
}

func TestLab(t *testing.T) {
	// Values of published tables for sRGB under D65.
	for _, tt := range []struct {
		rgb  [3]uint8
		want [3]float64
	}{
		{[3]uint8{255, 255, 255}, [3]float64{100, 0, 0}},
		{[3]uint8{0, 0, 0}, [3]float64{0, 0, 0}},
		{[3]uint8{255, 0, 0}, [3]float64{53.24, 80.09, 67.20}},
		{[3]uint8{0, 255, 0}, [3]float64{87.73, -86.18, 83.18}},
		{[3]uint8{0, 0, 255}, [3]float64{32.30, 79.19, -107.86}},
		{[3]uint8{128, 128, 128}, [3]float64{53.59, 0, 0}},
	} {
		m := imaging.New(1, 1)
		m.Set(0, 0, tt.rgb[0], tt.rgb[1], tt.rgb[2])
		p := m.Lab()
		for i, want := range tt.want {
			if got := float64(p.Data[i]); math.Abs(got-want) > 0.1 {
				t.Errorf("%v: channel %d is %.2f, want %.2f", tt.rgb, i, got, want)
			}
		}
	}
	p := gray(0, 255, 51).Planes(0.5, 4)
	if diff := cmp.Diff([]float32{-2, 2, -1.2}, p.Plane(2), cmp.Comparer(func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-5 })); diff != "" {
		t.Errorf("planes (-want +got):\n%s", diff)
	}
}

func TestDecodeMask(t *testing.T) {
	m := paint(9, 7, white, green, 5)
	m.SetNRGBA(8, 6, nothing)
	colors := []imaging.MapColor{dent, scratch, ground}
	for _, data := range [][]byte{pngOf(t, m), pngOf(t, func() image.Image { g := image.NewRGBA64(m.Bounds()); copyTo(g, m); return g }())} {
		labels, err := imaging.DecodeMask(context.Background(), bytes.NewReader(data), colors)
		if err != nil {
			t.Fatal(err)
		}
		counts, err := imaging.ReadMask(context.Background(), bytes.NewReader(data), colors)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]int64, 4)
		for _, l := range labels.Pix {
			got[l]++
		}
		if got[1] != counts.Labels[0] || got[2] != counts.Labels[1] || got[2] != 25 || got[0] != 63-25 {
			t.Errorf("labels %v, counts %+v", got, counts)
		}
		if half := labels.Resize(3, 7); half.Pix[0] != 2 || half.Pix[2] != 0 {
			t.Errorf("resized to %v", half.Pix)
		}
	}
	if _, err := imaging.DecodeMask(context.Background(), bytes.NewReader(nil), make([]imaging.MapColor, 256)); err == nil {
		t.Error("a map of 256 colours is taken")
	}
}

// copyTo copies the pixels of an image.
func copyTo(to *image.RGBA64, from image.Image) {
	for y := range from.Bounds().Dy() {
		for x := range from.Bounds().Dx() {
			to.Set(x, y, from.At(x, y))
		}
	}
}
