package imaging

import (
	"cmp"
	"compress/flate"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"slices"
)

// A Mask is what the pixels of a mask are, by the colours of a colour map. The
// sum of its counts is Pixels.
type Mask struct {
	Info
	Pixels     int64
	Background int64
	Labels     []int64      // pixels of each colour of the map, in its order; 0 for a background
	Unmatched  int64        // pixels of no colour of the map
	Others     []ColorCount // the most frequent colours of the unmatched pixels, most first
}

// A ColorCount counts the pixels of one colour.
type ColorCount struct {
	Color  Color
	Pixels int64
}

const (
	maxOthers   = 8    // of a Mask's Others
	maxCounted  = 4096 // unmatched colours that are counted on their own
	cachedBits  = 12   // of the table of colours that were classified
	cachedSlots = 1 << cachedBits
)

// ReadMask decodes a mask, a PNG (LV-5.40), and counts its pixels by the
// colours of its colour map. It keeps two rows of pixels, whatever the size,
// and refuses more than MaxMaskSide in a direction before the first. What is
// wrong with the file is an *Error.
//
// Where a map has one colour twice, the first counts. A mask that is made to
// take long takes time in proportion to the colours of the map, so ReadMask
// ends with the context.
func ReadMask(ctx context.Context, r io.Reader, colors []MapColor) (mask *Mask, err error) {
	defer contain(&err)
	p, err := readPNG(r)
	if err != nil {
		return nil, err
	}
	c := counter{
		png:    p,
		colors: colors,
		mask: Mask{Info: p.head.info(), Pixels: int64(p.head.width) * int64(p.head.height),
			Labels: make([]int64, len(colors))},
		others: map[Color]int64{},
	}
	err = p.rows(func(row []byte, r run) error {
		c.row(row, r.n)
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	c.finish()
	return &c.mask, nil
}

func isFlate(err error) bool {
	corrupt := flate.CorruptInputError(0)
	return errors.As(err, &corrupt) || errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) || errors.Is(err, zlib.ErrDictionary)
}

// A counter counts the pixels of a mask.
type counter struct {
	png    *pngReader
	colors []MapColor
	mask   Mask
	others map[Color]int64

	indices [256]int64 // of a palette's entries
	cache   [cachedSlots]struct {
		color Color
		known bool
		class int32
	}
}

// row counts the pixels of a row.
func (c *counter) row(row []byte, n int) {
	h := &c.png.head
	if h.color == pngPalette {
		c.indexed(row, n)
		return
	}
	if h.depth < 8 {
		for x := range n {
			v := sample(row, x, h.depth)
			if c.png.hasKey && uint16(v) == c.png.transparent[0] {
				c.mask.Background++
				continue
			}
			gray := v * (255 / (1<<h.depth - 1))
			c.count(rgb(gray, gray, gray), 1)
		}
		return
	}
	wide := h.depth / 8
	channels := pngModels[h.color].channels
	for x := range n {
		px := row[x*channels*wide:]
		if c.isTransparent(px, wide) {
			c.mask.Background++
			continue
		}
		if channels < 3 {
			c.count(rgb(px[0], px[0], px[0]), 1)
		} else {
			c.count(rgb(px[0], px[wide], px[2*wide]), 1)
		}
	}
}

// isTransparent tells whether a pixel, of samples of wide bytes, is background
// by its alpha (LV-5.44), or the colour that stands for none.
func (c *counter) isTransparent(px []byte, wide int) bool {
	switch c.png.head.color {
	case pngGrayAlpha:
		return px[wide] < 128
	case pngRGBA:
		return px[3*wide] < 128
	}
	return c.png.isKey(px, wide)
}

// indexed counts the pixels of a row of a palette's indices.
func (c *counter) indexed(row []byte, n int) {
	if c.png.head.depth == 8 {
		for _, v := range row[:n] {
			c.indices[v]++
		}
		return
	}
	for x := range n {
		c.indices[sample(row, x, c.png.head.depth)]++
	}
}

// sample returns the x-th sample of a row of less than 8 bits each.
func sample(row []byte, x, depth int) byte {
	at := x * depth
	return row[at/8] >> (8 - depth - at%8) & (1<<depth - 1)
}

// count counts n pixels of a colour.
func (c *counter) count(color Color, n int64) {
	switch class := c.class(color); class {
	case background:
		c.mask.Background += n
	case unmatched:
		c.mask.Unmatched += n
		if _, ok := c.others[color]; ok || len(c.others) < maxCounted {
			c.others[color] += n
		}
	default:
		c.mask.Labels[class] += n
	}
}

// class returns the class of a colour, from the table if it is there.
func (c *counter) class(color Color) int {
	slot := &c.cache[uint32(color)*0x9e3779b1>>(32-cachedBits)]
	if !slot.known || slot.color != color {
		slot.color, slot.known, slot.class = color, true, int32(classify(c.colors, color))
	}
	return int(slot.class)
}

// finish counts what was collected.
func (c *counter) finish() {
	for i, n := range c.indices {
		if n == 0 {
			continue
		}
		// An index beyond the palette is black, as decoders have it.
		p := c.png.palette[i]
		if i < c.png.colors && p[3] < 128 {
			c.mask.Background += n
			continue
		}
		c.count(rgb(p[0], p[1], p[2]), n)
	}
	for color, n := range c.others {
		c.mask.Others = append(c.mask.Others, ColorCount{color, n})
	}
	slices.SortFunc(c.mask.Others, func(a, b ColorCount) int {
		return cmp.Or(cmp.Compare(b.Pixels, a.Pixels), cmp.Compare(a.Color, b.Color))
	})
	c.mask.Others = slices.Clip(c.mask.Others[:min(len(c.mask.Others), maxOthers)])
}
