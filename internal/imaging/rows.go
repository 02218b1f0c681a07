package imaging

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"io"
)

// MaxMaskSide is how wide and how high a mask can be, in pixels: as an image
// (LV-9.3).
const MaxMaskSide = 4096

// A pngReader decodes a PNG row by row. It keeps two rows.
type pngReader struct {
	r    *bufio.Reader
	head pngHead

	palette     [256][4]uint8 // with alpha
	colors      int           // of the palette
	transparent [3]uint16     // the sample values that mean no colour
	hasKey      bool          // there is such a value

	// The chunk that is being read.
	kind string
	left int64
	crc  hash.Hash32
}

// readPNG reads up to the first pixels.
func readPNG(r io.Reader) (*pngReader, error) {
	p := &pngReader{r: bufio.NewReaderSize(r, 32<<10), crc: crc32.NewIEEE()}
	var start [len(pngSignature) + pngHeadSize]byte
	n, err := io.ReadFull(p.r, start[:])
	if f := formatOf(start[:n]); f != PNG {
		switch {
		case err != nil && !isEnd(err):
			return nil, err
		case n == 0:
			return nil, errorf(Empty, "It is empty.")
		case f == JPEG:
			return nil, errorf(OtherFormat, "It is a JPEG.")
		}
		more, _ := p.r.Peek(sniffed - len(start))
		return nil, sniff(append(start[:n:n], more...))
	}
	if err != nil {
		return nil, p.broken(err)
	}
	if p.head, err = parsePNGHead(start[len(pngSignature):]); err != nil {
		return nil, err
	}
	if h := &p.head; h.width > MaxMaskSide || h.height > MaxMaskSide {
		return nil, errorf(TooManyPixels, "It has %dx%d pixels, more than %d in a direction.", h.width, h.height, MaxMaskSide)
	}
	return p, p.toPixels()
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// broken returns the error for a read that did not give what it should.
func (p *pngReader) broken(err error) error {
	if isEnd(err) {
		return truncated(PNG)
	}
	return err
}

// next begins the next chunk, after the rest of the current one.
func (p *pngReader) next() error {
	var b [8]byte
	if _, err := io.ReadFull(p.r, b[:]); err != nil {
		return p.broken(err)
	}
	p.left, p.kind = int64(binary.BigEndian.Uint32(b[:])), string(b[4:])
	if p.left > 1<<31-1 {
		return malformed(PNG, "a chunk has the length %d", p.left)
	}
	p.crc.Reset()
	p.crc.Write(b[4:])
	return nil
}

// finish reads what is left of the chunk, and checks all of it.
func (p *pngReader) finish() error {
	n, err := io.CopyN(p.crc, p.r, p.left)
	p.left -= n
	if err != nil {
		return p.broken(err)
	}
	var sum [4]byte
	if _, err := io.ReadFull(p.r, sum[:]); err != nil {
		return p.broken(err)
	}
	if binary.BigEndian.Uint32(sum[:]) != p.crc.Sum32() {
		return malformed(PNG, "the checksum of %q is wrong", p.kind)
	}
	return nil
}

// toPixels reads the chunks before the pixels.
func (p *pngReader) toPixels() error {
	for {
		if err := p.next(); err != nil {
			return err
		}
		var err error
		switch p.kind {
		case "PLTE":
			err = p.readPalette()
		case "tRNS":
			err = p.readTransparency()
		case "IDAT":
			if p.head.color == pngPalette && p.colors == 0 {
				return malformed(PNG, "it has no palette")
			}
			return nil
		case "IEND":
			return malformed(PNG, "it has no pixels")
		}
		if err == nil {
			err = p.finish()
		}
		if err != nil {
			return err
		}
	}
}

// data returns the whole data of the chunk, of at most the length of b.
func (p *pngReader) data(b []byte) ([]byte, error) {
	if p.left > int64(len(b)) {
		return nil, malformed(PNG, "its %s is too long", p.kind)
	}
	b = b[:p.left]
	if _, err := io.ReadFull(p.r, b); err != nil {
		return nil, p.broken(err)
	}
	p.left = 0
	p.crc.Write(b)
	return b, nil
}

func (p *pngReader) readPalette() error {
	var buf [768]byte
	b, err := p.data(buf[:])
	if err != nil || p.head.color != pngPalette {
		return err // elsewhere it is only a suggestion
	}
	if len(b) == 0 || len(b)%3 != 0 || p.colors > 0 {
		return malformed(PNG, "its palette has %d bytes, or there are two", len(b))
	}
	p.colors = len(b) / 3
	for i := range p.colors {
		p.palette[i] = [4]uint8{b[3*i], b[3*i+1], b[3*i+2], 255}
	}
	return nil
}

func (p *pngReader) readTransparency() error {
	var buf [256]byte
	b, err := p.data(buf[:])
	if err != nil {
		return err
	}
	want := 0
	switch p.head.color {
	case pngPalette:
		for i, a := range b {
			p.palette[i][3] = a
		}
		p.colors = max(p.colors, len(b)) // as the standard library has it; libpng warns
		return nil
	case pngGray:
		want = 1
	case pngRGB:
		want = 3
	}
	if want == 0 || len(b) != 2*want {
		return malformed(PNG, "its transparency has %d bytes", len(b))
	}
	p.hasKey = true
	for i := range want {
		p.transparent[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return nil
}

// Read implements io.Reader: it reads the data of the IDAT chunks.
func (p *pngReader) Read(b []byte) (int, error) {
	for p.left == 0 {
		if p.kind != "IDAT" {
			return 0, io.EOF
		}
		if err := p.finish(); err != nil {
			return 0, err
		}
		if err := p.next(); err != nil {
			return 0, err
		}
	}
	if p.kind != "IDAT" {
		return 0, io.EOF
	}
	n, err := p.r.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	p.crc.Write(b[:n])
	if err != nil && n == 0 {
		return 0, p.broken(err)
	}
	return n, nil
}

// A pass is a part of the pixels of an image: where they begin and how far apart
// they are.
type pass struct{ x, y, dx, dy int }

// passes are the seven passes of an interlaced PNG.
var passes = [7]pass{
	{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
}

// A run says where the n pixels of a row are: the first at x, y and the others
// to the right of it, dx apart.
type run struct{ x, y, dx, n int }

// rows calls fn with the samples of each row of pixels. An interlaced PNG has a
// row for each row of each pass.
func (p *pngReader) rows(fn func(row []byte, r run) error) error {
	z, err := zlib.NewReader(p)
	if err != nil {
		return p.inflating(err)
	}
	if !p.head.interlaced {
		err = p.pass(z, pass{dx: 1, dy: 1}, fn)
	} else {
		for _, a := range passes {
			if err == nil {
				err = p.pass(z, a, fn)
			}
		}
	}
	if err != nil {
		return err
	}
	var one [1]byte
	if _, err := io.ReadFull(z, one[:]); err != nil && err != io.EOF {
		return p.inflating(err)
	}
	return p.toEnd()
}

// inflating returns the error for pixels that cannot be inflated.
func (p *pngReader) inflating(err error) error {
	e := (*Error)(nil)
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return malformed(PNG, "it has too few pixels")
	case isFlate(err):
		return malformed(PNG, "its pixels cannot be decompressed")
	}
	return err
}

// pass reads the rows of a pass.
func (p *pngReader) pass(z io.Reader, a pass, fn func([]byte, run) error) error {
	w, h := (p.head.width-a.x+a.dx-1)/a.dx, (p.head.height-a.y+a.dy-1)/a.dy
	if w <= 0 || h <= 0 {
		return nil
	}
	bits := p.head.depth * pngModels[p.head.color].channels
	width := (bits*w + 7) / 8
	row, above := make([]byte, 1+width), make([]byte, 1+width)
	for i := range h {
		if _, err := io.ReadFull(z, row); err != nil {
			return p.inflating(err)
		}
		if !unfilter(row[0], row[1:], above[1:], max(1, bits/8)) {
			return malformed(PNG, "a row has the filter %d", row[0])
		}
		if err := fn(row[1:], run{a.x, a.y + i*a.dy, a.dx, w}); err != nil {
			return err
		}
		row, above = above, row
	}
	return nil
}

// toEnd reads the chunks after the pixels.
func (p *pngReader) toEnd() error {
	for {
		if err := p.finish(); err != nil {
			return err
		}
		if p.kind == "IEND" {
			return nil
		}
		if err := p.next(); err != nil {
			return err
		}
	}
}

// unfilter undoes the filter of a row, given the row above and the bytes of a
// pixel. It returns false if there is no such filter.
func unfilter(filter byte, row, above []byte, step int) bool {
	switch filter {
	case 0:
	case 1:
		for i := step; i < len(row); i++ {
			row[i] += row[i-step]
		}
	case 2:
		for i := range row {
			row[i] += above[i]
		}
	case 3:
		for i := range row {
			left := 0
			if i >= step {
				left = int(row[i-step])
			}
			row[i] += byte((left + int(above[i])) / 2)
		}
	case 4:
		for i := range row {
			left, corner := 0, 0
			if i >= step {
				left, corner = int(row[i-step]), int(above[i-step])
			}
			row[i] += paeth(left, int(above[i]), corner)
		}
	default:
		return false
	}
	return true
}

// paeth returns the one of left, above and corner that is nearest to left +
// above - corner.
func paeth(left, above, corner int) byte {
	a, b, c := abs(above-corner), abs(left-corner), abs(left+above-2*corner)
	switch {
	case a <= b && a <= c:
		return byte(left)
	case b <= c:
		return byte(above)
	}
	return byte(corner)
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
