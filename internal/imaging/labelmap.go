package imaging

import (
	"context"
	"io"
)

// A LabelMap tells for each pixel of a mask which label it has.
type LabelMap struct {
	W, H int
	Pix  []uint8 // row by row: 0 for the background, i+1 for colour i of the map
}

// MaxLabels is how many colours a colour map can have to be decoded.
const MaxLabels = 255

// DecodeMask decodes a mask into the labels of its pixels by the colours of its
// colour map, as ReadMask counts them; a colour that is in no entry is
// background. A map has at most MaxLabels colours. What is wrong with the file
// is an *Error; it needs one byte a pixel.
func DecodeMask(ctx context.Context, r io.Reader, colors []MapColor) (labels *LabelMap, err error) {
	defer contain(&err)
	if len(colors) > MaxLabels {
		return nil, errorf(TooComplex, "Its colour map has %d colours, more than %d.", len(colors), MaxLabels)
	}
	p, err := readPNG(r)
	if err != nil {
		return nil, err
	}
	c := counter{png: p, colors: colors}
	m := &LabelMap{W: p.head.width, H: p.head.height, Pix: make([]uint8, p.head.width*p.head.height)}
	err = p.rows(func(row []byte, at run) error {
		for i := range at.n {
			if px := p.pixel(row, i); px.a >= 128 {
				m.Pix[at.y*m.W+at.x+at.dx*i] = uint8(max(0, c.class(rgb(px.r, px.g, px.b))+1))
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}
