package imaging

import (
	"context"
	"io"
)

// decodePNG decodes a PNG as it is stored, 16 bits a sample to the upper 8.
func decodePNG(ctx context.Context, r io.Reader) (*Image, error) {
	p, err := readPNG(r)
	if err != nil {
		return nil, err
	}
	m := New(p.head.width, p.head.height)
	err = p.rows(func(row []byte, at run) error {
		out := m.Pix[3*(at.y*m.W+at.x):]
		for i := range at.n {
			px, to := p.pixel(row, i), out[3*at.dx*i:][:3]
			to[0], to[1], to[2] = px.overWhite()
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// A pngPixel is the colour of a pixel with alpha, 8 bits each.
type pngPixel struct{ r, g, b, a uint8 }

// overWhite returns the colour that the pixel has on a white ground.
func (p pngPixel) overWhite() (r, g, b uint8) {
	if p.a == 255 {
		return p.r, p.g, p.b
	}
	a := uint32(p.a)
	over := func(v uint8) uint8 { return uint8((uint32(v)*a + 255*(255-a) + 127) / 255) }
	return over(p.r), over(p.g), over(p.b)
}

// pixel returns the x-th pixel of a row.
func (p *pngReader) pixel(row []byte, x int) pngPixel {
	h := &p.head
	if h.depth < 8 || h.color == pngPalette {
		v := sample(row, x, h.depth)
		if h.color == pngPalette {
			c := p.palette[v]
			if int(v) >= p.colors {
				c[3] = 255 // black, as decoders have it
			}
			return pngPixel{c[0], c[1], c[2], c[3]}
		}
		gray, a := v*(255/(1<<h.depth-1)), uint8(255)
		if p.hasKey && uint16(v) == p.transparent[0] {
			a = 0
		}
		return pngPixel{gray, gray, gray, a}
	}
	wide, channels := h.depth/8, pngModels[h.color].channels
	s := row[x*channels*wide:]
	px := pngPixel{s[0], s[0], s[0], 255}
	if channels >= 3 {
		px.g, px.b = s[wide], s[2*wide]
	}
	switch {
	case h.color == pngGrayAlpha || h.color == pngRGBA:
		px.a = s[(channels-1)*wide]
	case p.isKey(s, wide):
		px.a = 0
	}
	return px
}

// isKey tells whether a pixel, of samples of wide bytes, is of the colour that
// stands for none.
func (p *pngReader) isKey(px []byte, wide int) bool {
	if !p.hasKey {
		return false
	}
	for i := range pngModels[p.head.color].channels {
		v := uint16(px[i*wide])
		if wide == 2 {
			v = v<<8 | uint16(px[i*wide+1])
		}
		if v != p.transparent[i] {
			return false
		}
	}
	return true
}
