package imaging

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
)

// maxScans is how many scans of a JPEG are decoded. Progressive ones have about
// ten, optimizers make up to a few dozen; each costs a walk over all pixels
// however few bytes it has.
const maxScans = 100

// decodeJPEG decodes a JPEG as it is stored. It is given one whose end was
// found, so where the end marker is missing, behind pixels that are complete,
// it is supplied.
func decodeJPEG(ctx context.Context, r io.Reader) (*Image, error) {
	s := &scanCounter{ctx: ctx, r: io.MultiReader(r, bytes.NewReader([]byte{0xff, markerEOI}))}
	m, err := jpeg.Decode(s)
	if err != nil {
		return nil, s.translate(err)
	}
	return fromJPEG(m)
}

// A scanCounter passes a JPEG through to its decoder, counts its scans on the
// way and ends with the context.
type scanCounter struct {
	ctx   context.Context
	r     io.Reader
	err   error // why it ended early
	eof   bool  // all was read
	scans int
	state scanState
	skip  int // bytes that are left of a segment
}

// A scanState is what the next byte of a JPEG is.
type scanState uint8

const (
	inBetween  scanState = iota // pixels, or what is between segments
	afterFF                     // perhaps a marker
	lengthHigh                  // the length of a segment
	lengthLow
	inSegment
)

// Read implements io.Reader.
func (s *scanCounter) Read(p []byte) (int, error) {
	if s.err = s.ctx.Err(); s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	for i := 0; i < n; i++ {
		switch s.state {
		case inBetween:
			k := bytes.IndexByte(p[i:n], 0xff)
			if k < 0 {
				i = n
				continue
			}
			i += k
		case inSegment:
			k := min(s.skip, n-i)
			s.skip -= k
			i += k - 1
			if s.skip == 0 {
				s.state = inBetween
			}
			continue
		}
		s.step(p[i])
	}
	s.eof = errors.Is(err, io.EOF)
	if s.scans > maxScans {
		s.err = errorf(TooComplex, "It is a JPEG of more than %d scans.", maxScans)
		return 0, s.err
	}
	if err != nil && !s.eof {
		s.err = err
	}
	return n, err
}

// step notes a byte that is not within a segment.
func (s *scanCounter) step(b byte) {
	switch s.state {
	case inBetween:
		if b == 0xff {
			s.state = afterFF
		}
	case afterFF:
		switch {
		case b == 0xff:
		case b == 0, b == 0x01, b >= markerRST0 && b <= markerEOI:
			s.state = inBetween
		default:
			if b == markerSOS {
				s.scans++
			}
			s.state = lengthHigh
		}
	case lengthHigh:
		s.skip, s.state = int(b)<<8, lengthLow
	case lengthLow:
		s.skip, s.state = s.skip+int(b)-2, inSegment
		if s.skip <= 0 {
			s.state = inBetween
		}
	}
}

// translate returns the error for what the decoder says.
func (s *scanCounter) translate(err error) error {
	if s.err != nil {
		return s.err
	}
	var unsupported jpeg.UnsupportedError
	switch {
	case errors.As(err, &unsupported):
		return errorf(Unsupported, "It is a JPEG of a kind that is not decoded: %s.", string(unsupported))
	case isEnd(err), s.eof:
		return truncated(JPEG)
	}
	return malformed(JPEG, "%s", err)
}

// fromJPEG returns what the decoder returned as an Image.
func fromJPEG(m image.Image) (*Image, error) {
	b := m.Bounds()
	out := New(b.Dx(), b.Dy())
	for y := range out.H {
		row := out.Pix[3*y*out.W : 3*(y+1)*out.W]
		switch m := m.(type) {
		case *image.Gray:
			for x, v := range m.Pix[y*m.Stride:][:out.W] {
				row[3*x], row[3*x+1], row[3*x+2] = v, v, v
			}
		case *image.YCbCr:
			l, c := m.YOffset(b.Min.X, b.Min.Y+y), m.COffset(b.Min.X, b.Min.Y+y)
			fromYCbCr(row, m.Y[l:][:out.W], m.Cb[c:], m.Cr[c:], shared(m.SubsampleRatio))
		case *image.RGBA:
			for x := range out.W {
				copy(row[3*x:][:3], m.Pix[y*m.Stride+4*x:])
			}
		case *image.CMYK:
			for x := range out.W {
				p := m.Pix[y*m.Stride+4*x:]
				row[3*x], row[3*x+1], row[3*x+2] = color.CMYKToRGB(p[0], p[1], p[2], p[3])
			}
		default:
			return nil, fmt.Errorf("the JPEG decoder returned %T", m)
		}
	}
	return out, nil
}

// shared returns how many pixels of a row have the same chroma.
func shared(r image.YCbCrSubsampleRatio) int {
	switch r {
	case image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420:
		return 2
	case image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410:
		return 4
	}
	return 1
}

// fromYCbCr writes the colours of a row, as color.YCbCrToRGB has them (JFIF 1.02),
// and looks at a chroma once for all pixels that share it.
func fromYCbCr(row, luma, blue, red []uint8, shared int) {
	for c := 0; len(luma) > 0; c++ {
		n := min(shared, len(luma))
		cb, cr := int32(blue[c])-128, int32(red[c])-128
		r, g, b := 91881*cr, -22554*cb-46802*cr, 116130*cb
		for _, v := range luma[:n] {
			y := int32(v) * 0x10101
			row[0], row[1], row[2] = clamp(y+r), clamp(y+g), clamp(y+b)
			row = row[3:]
		}
		luma = luma[n:]
	}
}

// clamped holds the byte nearest to each number from -256 to 767.
var clamped = func() (t [1024]uint8) {
	for i := range t {
		t[i] = uint8(min(max(i-256, 0), 255))
	}
	return t
}()

// clamp returns v/65536 as a byte, of v from -2^24 to less than 3 * 2^24.
func clamp(v int32) uint8 { return clamped[uint32(v>>16+256)&1023] }
