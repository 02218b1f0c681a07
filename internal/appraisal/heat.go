package appraisal

import (
	"bytes"
	"image"
	"image/png"

	"fovea/internal/imaging"
)

// A Heat tells where in an image something speaks for a label.
type Heat struct {
	Label string
	W, H  int            // cells; they cover the image evenly
	Data  []float32      // of each cell, row by row; 0 is neutral and 1 much
	Image *imaging.Image // that was looked at
}

// maxOverlay is what the longer side of an overlay has at most, in pixels.
const maxOverlay = 1600

// Overlay returns the image in grey with the heat over it in colour, as a PNG:
// nothing below 0, then yellow, orange and at 1 and above red.
func (h *Heat) Overlay() ([]byte, error) {
	src := h.Image
	if max(src.W, src.H) > maxOverlay {
		src = src.Fit(maxOverlay)
	}
	out := image.NewRGBA(image.Rect(0, 0, src.W, src.H))
	for y := range src.H {
		for x := range src.W {
			r, g, b := src.At(x, y)
			grey := (0.299*float32(r) + 0.587*float32(g) + 0.114*float32(b))
			v := min(max(h.at((float32(x)+0.5)/float32(src.W), (float32(y)+0.5)/float32(src.H)), 0), 1)
			red, green, blue := warm(v)
			share := 0.65 * v
			p := out.Pix[out.PixOffset(x, y):]
			p[0], p[1], p[2], p[3] = blend(grey, red, share), blend(grey, green, share), blend(grey, blue, share), 255
		}
	}
	var file bytes.Buffer
	err := png.Encode(&file, out)
	return file.Bytes(), err
}

// warm returns the colour of a heat from 0, yellow, to 1, red.
func warm(v float32) (r, g, b float32) { return 255, 255 * (1 - v), 40 * (1 - v) }

func blend(below, above, share float32) uint8 { return uint8(below*(1-share) + above*share + 0.5) }

// at returns the heat at a place, its coordinates from 0 to 1, linear between
// the middles of cells.
func (h *Heat) at(x, y float32) float32 {
	x0, x1, fx := between(x, h.W)
	y0, y1, fy := between(y, h.H)
	up := h.Data[y0*h.W+x0]*(1-fx) + h.Data[y0*h.W+x1]*fx
	down := h.Data[y1*h.W+x0]*(1-fx) + h.Data[y1*h.W+x1]*fx
	return up*(1-fy) + down*fy
}

// between returns which two of n cells a place is between, and how far.
func between(at float32, n int) (a, b int, f float32) {
	p := min(max(at*float32(n)-0.5, 0), float32(n-1))
	a = int(p)
	return a, min(a+1, n-1), p - float32(a)
}
