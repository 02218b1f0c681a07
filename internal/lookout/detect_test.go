package lookout

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"fovea"
	"fovea/internal/model"
)

func pngBytes(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegBytes(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// noisy returns an image whose file has some length.
func noisy(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = uint8(i*i>>3) | 1
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	return m
}

// bomb returns a PNG whose header tells of other sides than it has.
func bomb(t testing.TB, w, h uint32) []byte {
	b := pngBytes(t, noisy(96, 64))
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

// rotated puts an EXIF orientation into a JPEG.
func rotated(file []byte, orientation byte) []byte {
	exif := append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), orientation, 0, 0, 0, 0, 0, 0)
	segment := append([]byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	return append(append(append([]byte{}, file[:2]...), segment...), file[2:]...)
}

// TestDecodeImages (LV-7.21 to LV-7.23, LV-14.51, T05): images of every kind
// are decoded, as they are stored, if they have the size of the model; all
// others are the caller's fault, and cost nothing.
func TestDecodeImages(t *testing.T) {
	p := &predictor{Width: 96, Height: 64}
	good := noisy(96, 64)
	deep, gray, palette := image.NewNRGBA64(good.Rect), image.NewGray(good.Rect), image.NewPaletted(good.Rect, color.Palette{color.Black, color.White})
	for what, data := range map[string][]byte{
		"PNG": pngBytes(t, good), "JPEG": jpegBytes(t, good), "PNG of 16 bits": pngBytes(t, deep), "grey PNG": pngBytes(t, gray),
		"grey JPEG": jpegBytes(t, gray), "PNG with a palette": pngBytes(t, palette), "JPEG that is rotated": rotated(jpegBytes(t, good), 6),
	} {
		if img, err := decode(t.Context(), p, data); err != nil || img.W != 96 || img.H != 64 {
			t.Errorf("%s: %+v, %v", what, img, err)
		}
	}
	var gifBytes bytes.Buffer
	if err := gif.Encode(&gifBytes, palette, nil); err != nil {
		t.Fatal(err)
	}
	whole, other := jpegBytes(t, good), noisy(64, 96)
	for what, tt := range map[string]struct {
		data []byte
		says string
	}{
		"LV-7.22 other size":          {pngBytes(t, other), "64 x 96 pixels"},
		"LV-7.22 other size, rotated": {rotated(jpegBytes(t, other), 6), "64 x 96 pixels"},
		"LV-7.23 text":                {[]byte("<html>no image</html>"), "PNG or JPEG"},
		"LV-7.23 GIF":                 {gifBytes.Bytes(), "PNG or JPEG"},
		"LV-7.23 cut off":             {whole[:len(whole)/2], "PNG or JPEG"},
		"LV-7.23 cut off PNG":         {pngBytes(t, good)[:200], "PNG or JPEG"},
		"LV-7.23 header only":         {whole[:20], "PNG or JPEG"},
		"T05 bomb":                    {bomb(t, 65535, 65535), "65535 x 65535"},
		"T05 bomb beyond all":         {bomb(t, 1<<31-1, 1<<31-1), ""},
		"T05 more rows than it has":   {bomb(t, 96, 6400), "96 x 6400"},
	} {
		_, err := decode(t.Context(), p, tt.data)
		if err == nil || fovea.KindOf(err) != fovea.Invalid || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := decode(ctx, p, whole); err == nil || fovea.KindOf(err) != fovea.Internal {
		t.Errorf("for nobody: %v", err)
	}
}

// TestReadImage (LV-7.23, LV-7.24): no more of a body is read than may be.
func TestReadImage(t *testing.T) {
	profile := Profile(Limits())
	profile.Limits.Image.Bytes = 1000
	s := &Server{Models: &model.Ops{Profiles: map[fovea.Service]fovea.Profile{fovea.Lookout: profile}}}
	for n, ok := range map[int]bool{0: false, 1: true, 1000: true, 1001: false, 5000: false} {
		body := bytes.NewReader(make([]byte, n))
		data, err := s.readImage(body)
		if ok && (err != nil || len(data) != n) || !ok && (err == nil || fovea.KindOf(err) != fovea.Invalid) {
			t.Errorf("%d bytes: %d read, %v", n, len(data), err)
		}
		if read := n - body.Len(); read > 1001 {
			t.Errorf("%d bytes: %d were read", n, read)
		}
	}
	if _, err := s.readImage(iotest.ErrReader(io.ErrUnexpectedEOF)); err == nil || fovea.KindOf(err) != fovea.Invalid || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body that breaks off: %v", err)
	}
}

// TestContentTypes (LV-7.20, LV-7.21).
func TestContentTypes(t *testing.T) {
	for _, tt := range []struct {
		contentType string
		want        bool
	}{
		{"image/png", true}, {"image/jpeg", true}, {"Image/JPEG", true}, {"image/jpeg; charset=utf-8", true}, {"image/jpeg;", true}, {"image/png ; x", true},
		{"", false}, {"image/gif", false}, {"image/jpg", false}, {"application/octet-stream", false}, {"x; image/png", false},
	} {
		if got := isImage(tt.contentType); got != tt.want {
			t.Errorf("%q: %v", tt.contentType, got)
		}
	}
}
