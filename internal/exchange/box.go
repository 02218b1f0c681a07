package exchange

import (
	"fmt"
	"math"
)

// minSide is how wide and high a box must be, in pixels: greater than one
// (CL-6.41).
const minSide = 2

// An area is a rectangle between edges, in pixels from the upper left corner
// of the image, which is (0, 0). It holds Left but not Right.
type area struct {
	left, top, right, bottom int32
}

// round returns the area between edges, each at the nearest whole pixel, so
// that what has whole edges is not changed by a way through fractions. It
// reports edges that are no numbers or beyond any image.
func round(left, top, right, bottom float64) (area, error) {
	for _, edge := range []float64{left, top, right, bottom} {
		if math.IsNaN(edge) || math.Abs(edge) > math.MaxInt32/2 {
			return area{}, fmt.Errorf("the box has an edge at %v", edge)
		}
	}
	whole := func(f float64) int32 { return int32(math.Floor(f + 0.5)) }
	return area{whole(left), whole(top), whole(right), whole(bottom)}, nil
}

// fit returns the area as a box in an image of that size. What is beyond the
// image by one pixel is cut off: that comes of counting from 1 or from 0. What
// is further beyond, or too small, is an error (CL-6.41, CL-6.42).
func (a area) fit(width, height int) (Box, error) {
	w, h := int32(width), int32(height)
	if a.left < -1 || a.top < -1 || a.right > w+1 || a.bottom > h+1 {
		return Box{}, fmt.Errorf("the box from (%d, %d) to (%d, %d) leaves the image of %d x %d pixels", a.left, a.top, a.right, a.bottom, w, h)
	}
	a = area{max(a.left, 0), max(a.top, 0), min(a.right, w), min(a.bottom, h)}
	if a.right-a.left < minSide || a.bottom-a.top < minSide {
		return Box{}, fmt.Errorf("the box at (%d, %d) has %d x %d pixels; it must have more than 1 x 1", a.left, a.top, a.right-a.left, a.bottom-a.top)
	}
	return Box{Left: int(a.left), Top: int(a.top), Width: int(a.right - a.left), Height: int(a.bottom - a.top)}, nil
}
