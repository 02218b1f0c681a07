package imaging

// An Image is a decoded picture in 8-bit sRGB without alpha.
type Image struct {
	W, H int     // pixels, both at least 1
	Pix  []uint8 // 3 bytes a pixel, row by row from the top left; 3*W*H bytes
}

// New returns a black image of w x h pixels.
func New(w, h int) *Image { return &Image{W: w, H: h, Pix: make([]uint8, 3*w*h)} }

// At returns the colour of a pixel.
func (m *Image) At(x, y int) (r, g, b uint8) {
	p := m.Pix[3*(y*m.W+x):]
	return p[0], p[1], p[2]
}

// Set changes the colour of a pixel.
func (m *Image) Set(x, y int, r, g, b uint8) {
	p := m.Pix[3*(y*m.W+x):]
	p[0], p[1], p[2] = r, g, b
}

// Crop returns a copy of the part of m in the rectangle, which is within m.
func (m *Image) Crop(r Rect) *Image {
	out := New(r.W, r.H)
	for y := range r.H {
		from := 3 * ((r.Y+y)*m.W + r.X)
		copy(out.Pix[3*y*r.W:3*(y+1)*r.W], m.Pix[from:])
	}
	return out
}

// Mirror returns m with left and right changed.
func (m *Image) Mirror() *Image {
	out := New(m.W, m.H)
	for y := range m.H {
		for x := range m.W {
			copy(out.Pix[3*(y*m.W+x):][:3], m.Pix[3*(y*m.W+m.W-1-x):])
		}
	}
	return out
}

// PadTo returns m made larger, to the right and below, until both sides are
// multiples of n, by reflecting its pixels at the edge without repeating that
// edge; m itself if they are. What is in the image keeps its place.
func (m *Image) PadTo(n int) *Image {
	w, h := (m.W+n-1)/n*n, (m.H+n-1)/n*n
	if w == m.W && h == m.H {
		return m
	}
	out := New(w, h)
	for y := range h {
		sy := Reflect(y, m.H)
		for x := range w {
			copy(out.Pix[3*(y*w+x):][:3], m.Pix[3*(sy*m.W+Reflect(x, m.W)):])
		}
	}
	return out
}

// Reflect returns the index within 0..n-1 that i falls on, if the indices are
// mirrored at both ends without repeating the end: ... 2 1 0 1 2 ...
func Reflect(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i %= period
	if i < 0 {
		i += period
	}
	if i >= n {
		i = period - i
	}
	return i
}

// A Rect is a part of an image, in pixels from its top left.
type Rect struct{ X, Y, W, H int }

// Tiles returns squares of a side that cover an image of w x h pixels, row by
// row, evenly spread so that neighbours overlap by at least overlap of their
// side (0 to less than 1). Where a side of the image is shorter than the
// square, the tile has that side instead.
func Tiles(w, h, side int, overlap float64) []Rect {
	var tiles []Rect
	tw, th := min(side, w), min(side, h)
	for _, y := range offsets(h, th, overlap) {
		for _, x := range offsets(w, tw, overlap) {
			tiles = append(tiles, Rect{x, y, tw, th})
		}
	}
	return tiles
}

// offsets returns where pieces of a length begin that cover n.
func offsets(n, length int, overlap float64) []int {
	if n == length {
		return []int{0}
	}
	step := max(1, int(float64(length)*(1-overlap)))
	pieces := (n-length+step-1)/step + 1
	at := make([]int, pieces)
	for i := range at {
		at[i] = i * (n - length) / (pieces - 1)
	}
	return at
}
