package feature

import (
	"math"

	"fovea/internal/imaging"
)

// How the classical descriptor is laid out.
const (
	bins         = 8                 // of the orientation of gradients
	scaleLength  = bins + 2          // numbers of a cell for each scale
	Channels     = 6 + 2*scaleLength // numbers of a cell of Classical
	laplaceAbove = bins              // place of the positive part
	laplaceBelow = bins + 1          // and of the negative one
)

// sigmas are the scales, in pixels, on which edges are looked at.
var sigmas = [2]float64{0.7, 2}

// Classical returns the classical descriptor of m, for each cell of cell x cell
// pixels (vision.md §2.2): mean and standard deviation of the Lab colours; and
// on two scales the edges by their direction, and the dark and bright spots,
// all from lightness. An image that is no multiple of a cell is continued by
// reflection.
func Classical(m *imaging.Image, cell int) *Map {
	m = m.PadTo(cell)
	lab := m.Lab()
	for c, unit := range [3]float32{50, 30, 30} {
		p := lab.Plane(c)
		for i := range p {
			p[i] /= unit
		}
	}
	out := NewMap(m.H/cell, m.W/cell, Channels)
	for c := range 3 {
		colour(out, lab.Plane(c), m.W, cell, c)
	}
	for i, sigma := range sigmas {
		edges(out, blur(lab.Plane(0), m.W, m.H, sigma), cell, 6+i*scaleLength)
	}
	return out
}

// colour puts the mean of a plane w pixels wide into channel c, and its
// standard deviation into channel 3+c.
func colour(out *Map, plane []float32, w, cell, c int) {
	n := float64(cell * cell)
	for y := range out.H {
		for x := range out.W {
			sum, squares := 0.0, 0.0
			for v := range cell {
				for _, p := range plane[(y*cell+v)*w+x*cell:][:cell] {
					sum += float64(p)
					squares += float64(p) * float64(p)
				}
			}
			f := out.Cell(y, x)
			f[c] = float32(sum / n)
			f[3+c] = float32(math.Sqrt(math.Max(0, squares/n-sum/n*sum/n)))
		}
	}
}

// A framed is a plane with a border of one pixel.
type framed struct {
	w, h int // without the border
	pix  []float32
}

func (f *framed) row(y int) []float32 { return f.pix[(y+1)*(f.w+2) : (y+2)*(f.w+2)] }

// edges adds, from channel first on, the gradients of each cell by direction
// and the parts of the Laplacian, and takes the root of their means.
func edges(out *Map, p *framed, cell, first int) {
	for y := range p.h {
		above, here, below := p.row(y-1), p.row(y), p.row(y+1)
		for x := range p.w {
			l0, l1, l2 := above[x], here[x], below[x]
			r0, r1, r2 := above[x+2], here[x+2], below[x+2]
			gx := (r0 - l0 + 2*(r1-l1) + r2 - l2) / 4
			gy := (l2 - l0 + 2*(below[x+1]-above[x+1]) + r2 - r0) / 4
			f := out.Cell(y/cell, x/cell)[first : first+scaleLength]
			if g := gx*gx + gy*gy; g > 0 {
				magnitude := float32(math.Sqrt(float64(g)))
				at := direction(gx, gy)
				b := int(at)
				part := at - float32(b)
				f[b%bins] += magnitude * (1 - part)
				f[(b+1)%bins] += magnitude * part
			}
			if d := above[x+1] + below[x+1] + l1 + r1 - 4*here[x+1]; d > 0 {
				f[laplaceAbove] += d
			} else {
				f[laplaceBelow] -= d
			}
		}
	}
	n := float32(cell * cell)
	for i := 0; i < len(out.Data); i += out.C {
		for c := first; c < first+scaleLength; c++ {
			out.Data[i+c] = float32(math.Sqrt(float64(out.Data[i+c] / n)))
		}
	}
}

// direction returns the direction of a gradient, which is the same for its
// opposite, from 0 to bins.
func direction(x, y float32) float32 {
	if y < 0 {
		x, y = -x, -y
	}
	ax := x
	if ax < 0 {
		ax = -ax
	}
	var a float32 // angle from the x axis, of the first quadrant
	if y <= ax {
		a = arctan(y / ax)
	} else {
		a = math.Pi/2 - arctan(ax/y)
	}
	if x < 0 {
		a = math.Pi - a
	}
	return a * (bins / math.Pi)
}

// arctan returns the arcus tangent of t from 0 to 1, off by at most 1e-5
// (Abramowitz and Stegun, 4.4.49).
func arctan(t float32) float32 {
	q := t * t
	return t * (0.9998660 + q*(-0.3302995+q*(0.1801410+q*(-0.0851330+q*0.0208351))))
}
