package imaging_test

import (
	"context"
	"errors"
	"image"
	"strings"
	"testing"

	"fovea/internal/imaging"
)

// A fragile file can be read until what decodes it has read so many bytes, and
// then brings it down.
type fragile struct {
	data []byte
	left int
	at   int
}

func (f *fragile) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, f.data[off:])
	if f.left -= n; f.left < 0 {
		panic("index out of range [7]")
	}
	return n, nil
}

func (f *fragile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, int64(f.at))
	f.at += n
	return n, err
}

// TestContain (T05): a panic of a decoder is what is wrong with the file, and
// ends nothing.
func TestContain(t *testing.T) {
	data := pngOf(t, image.NewNRGBA(image.Rect(0, 0, 300, 200)))
	ctx := context.Background()
	for _, tt := range []struct {
		name string
		do   func(f *fragile) error
	}{
		{"Probe", func(f *fragile) error { _, err := imaging.Probe(f, int64(len(data))); return err }},
		{"Decode", func(f *fragile) error {
			m, err := imaging.Decode(ctx, f, int64(len(data)), imaging.Decoding{})
			if m != nil {
				t.Error("Decode returns an image with its error")
			}
			return err
		}},
		{"ReadMask", func(f *fragile) error { _, err := imaging.ReadMask(ctx, f, nil); return err }},
		{"DecodeMask", func(f *fragile) error { _, err := imaging.DecodeMask(ctx, f, nil); return err }},
	} {
		for _, left := range []int{0, len(data)} {
			err := tt.do(&fragile{data: data, left: left})
			var bad *imaging.Error
			if left == 0 && (!errors.As(err, &bad) || bad.Reason != imaging.Malformed || !strings.Contains(bad.Text, "index out of range [7]")) {
				t.Errorf("%s: %v", tt.name, err)
			}
			if left > 0 && tt.name != "Decode" && err != nil { // it reads the file more than once
				t.Errorf("%s of a sound file: %v", tt.name, err)
			}
		}
	}
}
