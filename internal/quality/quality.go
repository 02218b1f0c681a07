// Package quality tells which images of a data set are not worth training on,
// and which say the same twice. It sees one image at a time and keeps a Look of
// it, a kilobyte; from the looks it finds copies, near copies, whatever was
// done to them short of drawing on them, and images that are unlike all others.
//
// Two images are compared in two steps. A hash of 64 bits, the signs of the
// lowest frequencies, says which pairs are worth the second: it survives
// recompression and scaling nearly unchanged and costs a look-up. The second
// lays one picture over the other, as an affine map that is fitted, and
// correlates what is left of both when brightness and contrast are taken out of
// every neighbourhood. That tells two photographs of one table from one
// photograph that was cut. docs/quality.md has the measurements.
//
// The package knows pixels and numbers and nothing of manifests or services.
package quality

import (
	"encoding/binary"
	"errors"
	"math"
)

// side is the width and the height of a thumbnail.
const side = 32

// thumbSize is the number of pixels of a thumbnail.
const thumbSize = side * side

// A Look is what was seen of an image.
type Look struct {
	Sum        [16]byte // the first half of the SHA-256 of its file
	Width      int      // pixels, as stored
	Height     int
	Brightness float32 // mean luma, 0 to 255
	Sharpness  float32 // mean absolute second difference of the luma
	Flat       bool    // it has no structure to compare
	Hash       uint64  // see hashOf
	Thumb      [thumbSize]byte
}

// LookSize is how many bytes AppendTo appends.
const LookSize = 16 + 4 + 4 + 4 + 4 + 1 + 8 + thumbSize

// AppendTo appends the look in a form that ParseLook reads.
func (l *Look) AppendTo(b []byte) []byte {
	b = append(b, l.Sum[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(l.Width))
	b = binary.LittleEndian.AppendUint32(b, uint32(l.Height))
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(l.Brightness))
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(l.Sharpness))
	flat := byte(0)
	if l.Flat {
		flat = 1
	}
	b = append(b, flat)
	b = binary.LittleEndian.AppendUint64(b, l.Hash)
	return append(b, l.Thumb[:]...)
}

// ParseLook reads what AppendTo has appended. It fails if b has not LookSize
// bytes, or numbers that no look has.
func ParseLook(b []byte, l *Look) error {
	if len(b) != LookSize || b[32] > 1 {
		return errors.New("it is no look at an image")
	}
	copy(l.Sum[:], b)
	l.Width, l.Height = int(binary.LittleEndian.Uint32(b[16:])), int(binary.LittleEndian.Uint32(b[20:]))
	l.Brightness = math.Float32frombits(binary.LittleEndian.Uint32(b[24:]))
	l.Sharpness = math.Float32frombits(binary.LittleEndian.Uint32(b[28:]))
	l.Flat, l.Hash = b[32] == 1, binary.LittleEndian.Uint64(b[33:])
	copy(l.Thumb[:], b[41:])
	if !(l.Brightness >= 0 && l.Brightness <= 255 && l.Sharpness >= 0 && l.Sharpness <= 1024) {
		return errors.New("it is no look at an image: its numbers cannot be")
	}
	return nil
}
