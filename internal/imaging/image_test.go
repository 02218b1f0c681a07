package imaging_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

// picture returns an image with some detail.
func picture(w, h int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7)
	}
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	return m
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// chunk returns a chunk of a PNG.
func chunk(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// header returns the signature and IHDR of a PNG.
func header(w, h uint32, depth, color, interlace byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, w)
	b = binary.BigEndian.AppendUint32(b, h)
	return append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(b, depth, color, 0, 0, interlace))...)
}

// segment returns a segment of a JPEG.
func segment(marker byte, data ...byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(data)))
	return append(b, data...)
}

// frame returns the frame header of a JPEG with n components.
func frame(marker, depth byte, w, h uint16, n byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{depth}, h)
	b = append(binary.BigEndian.AppendUint16(b, w), n)
	for i := range n {
		b = append(b, i+1, 0x11, 0)
	}
	return segment(marker, b...)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

var soi = []byte{0xff, 0xd8}

// exif returns the EXIF segment of a JPEG with an orientation.
func exif(orientation byte) []byte {
	return segment(0xe1, join([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x02"),
		[]byte{1, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0}, []byte{1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0}, make([]byte, 4))...)
}

// paint returns a mask of one colour with a square of another.
func paint(w, h int, ground, area color.NRGBA, side int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := ground
			if x < side && y < side {
				c = area
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}
