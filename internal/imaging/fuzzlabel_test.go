package imaging_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"testing"

	"fovea/internal/imaging"
)

// FuzzDecodeMask: whatever the bytes, DecodeMask ends with an *Error or a label
// of the colour map for each pixel, and reads what ReadMask reads.
func FuzzDecodeMask(f *testing.F) {
	f.Add(pngOf(f, paint(9, 7, white, green, 5)))
	f.Add(pngOf(f, image.NewPaletted(image.Rect(0, 0, 9, 7), []color.Color{white, nothing, green})))
	f.Add(join(header(9, 2, 4, 0, 1), chunk("tRNS", []byte{0, 3}), chunk("IDAT", compress(make([]byte, 40))), chunk("IEND", nil)))
	f.Add(header(16384, 16384, 8, 0, 0))
	colors := []imaging.MapColor{scratch, dent, ground}
	f.Fuzz(func(t *testing.T, data []byte) {
		if info, err := imaging.Probe(bytes.NewReader(data), int64(len(data))); err == nil && info.Width*info.Height > 1<<16 {
			return // would take long
		}
		m, err := imaging.DecodeMask(context.Background(), bytes.NewReader(data), colors)
		_, read := imaging.ReadMask(context.Background(), bytes.NewReader(data), colors)
		if (err == nil) != (read == nil) {
			t.Errorf("it is decoded with the error %v and read with %v", err, read)
		}
		if err != nil {
			wantError(t, err)
			return
		}
		if len(m.Pix) != m.W*m.H {
			t.Fatalf("%dx%d with %d labels", m.W, m.H, len(m.Pix))
		}
		for i, l := range m.Pix {
			if int(l) > len(colors) {
				t.Fatalf("pixel %d has label %d of %d", i, l, len(colors))
			}
		}
	})
}
