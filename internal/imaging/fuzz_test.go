package imaging_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"fovea/internal/imaging"
)

// FuzzProbe: whatever the bytes, Probe reads a bounded part of them, ends and
// tells what is wrong; what the standard library takes for an image is one.
func FuzzProbe(f *testing.F) {
	f.Add(pngOf(f, picture(20, 10)))
	f.Add(jpegOf(f, picture(20, 10)))
	f.Add(join(soi, exif(6), frame(0xc2, 8, 640, 480, 3)))
	f.Add(join(soi, segment(0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x02")...), frame(0xc0, 8, 640, 480, 4)))
	f.Add(join(header(5, 6, 8, 4, 1), chunk("eXIf", []byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x08\x00\x00\x00")), chunk("IDAT", nil)))
	f.Add([]byte("GIF89a"))
	f.Add([]byte("<?xml version=\"1.0\"?><Error/>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &counting{r: bytes.NewReader(data)}
		info, err := imaging.Probe(r, int64(len(data)))
		if r.bytes > imaging.MaxHeader+1<<20 {
			t.Fatalf("read %d bytes", r.bytes)
		}
		if err == nil {
			if info.Width <= 0 || info.Height <= 0 || info.Channels < 1 || info.Channels > 4 || info.Orientation < 1 || info.Orientation > 8 {
				t.Errorf("info = %+v", info)
			}
			if err := imaging.CheckEnd(bytes.NewReader(data), int64(len(data)), info.Format); err != nil {
				wantError(t, err)
			}
			return
		}
		wantError(t, err)
		if config, err := jpeg.DecodeConfig(bytes.NewReader(data)); err == nil && config.Width > 0 && config.Height > 0 && bytes.HasPrefix(data, []byte("\xff\xd8\xff")) {
			t.Errorf("the standard library reads a JPEG %dx%d", config.Width, config.Height)
		}
	})
}

func wantError(t *testing.T, err error) {
	t.Helper()
	if e := (*imaging.Error)(nil); !errors.As(err, &e) || e.Text == "" {
		t.Errorf("err = %#v, want an *Error", err)
	}
}

// FuzzReadMask: whatever the bytes, ReadMask ends and tells what is wrong; what
// the standard library decodes it decodes too, to the same colours.
func FuzzReadMask(f *testing.F) {
	f.Add(pngOf(f, paint(9, 7, white, green, 5)))
	f.Add(pngOf(f, paint(9, 7, nothing, green, 5)))
	f.Add(pngOf(f, image.NewPaletted(image.Rect(0, 0, 9, 7), []color.Color{white, nothing, green})))
	f.Add(join(header(9, 2, 4, 0, 0), chunk("tRNS", []byte{0, 3}), chunk("IDAT", compress([]byte{3, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5})), chunk("IEND", nil)))
	f.Add(join(header(1, 1, 8, 2, 1), chunk("IDAT", compress([]byte{0, 1, 2, 3})), chunk("IEND", nil)))
	colors := []imaging.MapColor{scratch, dent, ground}
	f.Fuzz(func(t *testing.T, data []byte) {
		if info, err := imaging.Probe(bytes.NewReader(data), int64(len(data))); err == nil && info.Width*info.Height > 1<<16 {
			return // would take long
		}
		_, err := imaging.ReadMask(context.Background(), bytes.NewReader(data), colors)
		if err == nil {
			if _, err := png.Decode(bytes.NewReader(data)); err == nil {
				compare(t, data, colors)
			}
			return
		}
		wantError(t, err)
		if m, err2 := png.Decode(bytes.NewReader(data)); err2 == nil {
			t.Errorf("%v, but the standard library reads %v", err, m.Bounds())
		}
	})
}

// FuzzMaskPixels makes PNGs of all forms that are right but for their pixels,
// palette and transparency, and compares as FuzzReadMask does.
func FuzzMaskPixels(f *testing.F) {
	for _, depth := range []byte{1, 2, 4, 8, 16} {
		for _, color := range []byte{0, 2, 3, 4, 6} {
			f.Add(byte(9), byte(7), depth, color, depth > 4, []byte("\x23\xa4\x36\xff\xff\xff\x1f\x77\xb4"), []byte{0, 255}, bytes.Repeat([]byte("\x00\x01\x04\x03\x02pixels"), 90))
		}
	}
	colors := []imaging.MapColor{scratch, dent, ground}
	f.Fuzz(func(t *testing.T, w, h, depth, color byte, interlaced bool, palette, transparent, rows []byte) {
		interlace := byte(0)
		if interlaced {
			interlace = 1
		}
		data := header(uint32(w), uint32(h), depth, color, interlace)
		if len(palette) > 0 {
			data = append(data, chunk("PLTE", palette)...)
		}
		if len(transparent) > 0 {
			data = append(data, chunk("tRNS", transparent)...)
		}
		data = join(data, chunk("IDAT", compress(rows)), chunk("IEND", nil))
		_, err := imaging.ReadMask(context.Background(), bytes.NewReader(data), colors)
		m, err2 := png.Decode(bytes.NewReader(data))
		switch {
		case err == nil && err2 == nil:
			compare(t, data, colors)
		case err != nil && err2 == nil:
			t.Errorf("%v, but the standard library reads %v", err, m.Bounds())
		case err != nil:
			wantError(t, err)
		}
	})
}
