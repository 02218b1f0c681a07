// Package blemish draws synthetic anomalies on images of normal things, for
// networks that have to learn what is odd without having seen anything that is
// (vision.md §1): spots of another texture, patches that were moved, scratches,
// smudges. They look like no real defect; what is learned is to notice what
// does not belong.
package blemish

import (
	"math"
	"math/rand/v2"

	"fovea/internal/imaging"
)

// Draw returns a copy of an image with one or two anomalies, and where they
// are: label 1. Texture is another normal image, from which spots are taken.
func Draw(m, texture *imaging.Image, r *rand.Rand) (*imaging.Image, *imaging.LabelMap) {
	c := &canvas{
		Image: &imaging.Image{W: m.W, H: m.H, Pix: append([]uint8(nil), m.Pix...)},
		from:  texture,
		mask:  &imaging.LabelMap{W: m.W, H: m.H, Pix: make([]uint8, m.W*m.H)},
		r:     r,
	}
	for range 1 + r.IntN(2) {
		[]func(){c.spot, c.patch, c.scratch, c.smudge}[r.IntN(4)]()
	}
	return c.Image, c.mask
}

// A canvas is an image on which anomalies are drawn.
type canvas struct {
	*imaging.Image
	from *imaging.Image
	mask *imaging.LabelMap
	r    *rand.Rand
}

// visible is from which change of a pixel on, summed over its channels, it is
// marked.
const visible = 12

// blend mixes a colour into a pixel, and marks it if that can be seen.
func (c *canvas) blend(x, y int, colour [3]float64, part float64) {
	if x < 0 || y < 0 || x >= c.W || y >= c.H || part <= 0 {
		return
	}
	p := c.Pix[3*(y*c.W+x):][:3]
	change := 0.0
	for i, v := range p {
		next := math.Min(255, math.Max(0, float64(v)+part*(colour[i]-float64(v))))
		change += math.Abs(next - float64(v))
		p[i] = uint8(next + 0.5)
	}
	if change >= visible {
		c.mask.Pix[y*c.W+x] = 1
	}
}

// within returns a random number from low to high.
func (c *canvas) within(low, high float64) float64 { return low + c.r.Float64()*(high-low) }

// place returns a random place in the image.
func (c *canvas) place() (x, y float64) { return c.within(0, float64(c.W)), c.within(0, float64(c.H)) }

// colour returns a random colour.
func (c *canvas) colour() [3]float64 {
	return [3]float64{c.within(0, 255), c.within(0, 255), c.within(0, 255)}
}

// spot blends a part of the texture, brightened or darkened, into a spot whose
// rim is irregular.
func (c *canvas) spot() {
	cx, cy := c.place()
	radius := c.within(0.04, 0.16) * float64(min(c.W, c.H))
	noise, cells := c.noise(), radius/3+2
	dx, dy := c.r.IntN(c.from.W), c.r.IntN(c.from.H)
	part, shift, gain := c.within(0.3, 0.9), c.within(-50, 50), c.within(0.6, 1.4)
	for y := int(cy - 2*radius); y <= int(cy+2*radius); y++ {
		for x := int(cx - 2*radius); x <= int(cx+2*radius); x++ {
			d := math.Hypot(float64(x)-cx, float64(y)-cy) / radius
			inside := 1.2 - d + noise(float64(x)/cells, float64(y)/cells)
			r, g, b := c.from.At(imaging.Reflect(x+dx, c.from.W), imaging.Reflect(y+dy, c.from.H))
			change := func(v uint8) float64 { return (float64(v)-128)*gain + 128 + shift }
			c.blend(x, y, [3]float64{change(r), change(g), change(b)}, part*smooth(3*inside))
		}
	}
}

// noise returns a smooth function of the plane with values from -1 to 1 that
// changes over about one unit.
func (c *canvas) noise() func(x, y float64) float64 {
	const size = 16
	var grid [size * size]float64
	for i := range grid {
		grid[i] = c.within(-1, 1)
	}
	at := func(x, y int) float64 { return grid[(y&(size-1))*size+x&(size-1)] }
	return func(x, y float64) float64 {
		x0, y0 := math.Floor(x), math.Floor(y)
		fx, fy := smooth(x-x0), smooth(y-y0)
		i, j := int(x0), int(y0)
		up := at(i, j) + fx*(at(i+1, j)-at(i, j))
		down := at(i, j+1) + fx*(at(i+1, j+1)-at(i, j+1))
		return up + fy*(down-up)
	}
}

// smooth rises from 0 at 0 to 1 at 1 without a bend.
func smooth(t float64) float64 {
	t = math.Min(1, math.Max(0, t))
	return t * t * (3 - 2*t)
}

// patch copies a patch of 5 to 25 % of the image's sides to another place,
// mirrored or not.
func (c *canvas) patch() {
	w, h := max(2, int(c.within(0.05, 0.25)*float64(c.W))), max(2, int(c.within(0.05, 0.25)*float64(c.H)))
	w, h = min(w, c.W), min(h, c.H)
	part := c.Crop(imaging.Rect{X: c.r.IntN(c.W - w + 1), Y: c.r.IntN(c.H - h + 1), W: w, H: h})
	if c.r.IntN(2) == 0 {
		part = part.Mirror()
	}
	x0, y0 := c.r.IntN(c.W-w+1), c.r.IntN(c.H-h+1)
	for y := range h {
		for x := range w {
			r, g, b := part.At(x, y)
			c.blend(x0+x, y0+y, [3]float64{float64(r), float64(g), float64(b)}, 1)
		}
	}
}

// scratch draws a thin line with a few bends.
func (c *canvas) scratch() {
	x, y := c.place()
	angle, colour, part := c.within(0, 2*math.Pi), c.colour(), c.within(0.4, 0.95)
	width, length := c.within(0.6, 2.2), c.within(0.08, 0.4)*float64(min(c.W, c.H))
	for range 2 + c.r.IntN(4) {
		angle += c.within(-0.6, 0.6)
		for at := 0.0; at < length/2; at += 0.5 {
			x, y = x+0.5*math.Cos(angle), y+0.5*math.Sin(angle)
			c.dab(x, y, width, colour, part)
		}
	}
}

// dab draws a soft point of a scratch; several overlap, so each is faint.
func (c *canvas) dab(x, y, radius float64, colour [3]float64, part float64) {
	for v := int(y - radius - 1); v <= int(y+radius+1); v++ {
		for u := int(x - radius - 1); u <= int(x+radius+1); u++ {
			c.blend(u, v, colour, part*0.6*smooth(radius+0.5-math.Hypot(float64(u)-x, float64(v)-y)))
		}
	}
}

// smudge blends a colour into a blurred ellipse.
func (c *canvas) smudge() {
	cx, cy := c.place()
	a, b := c.within(0.02, 0.12)*float64(min(c.W, c.H)), c.within(0.02, 0.12)*float64(min(c.W, c.H))
	sin, cos := math.Sincos(c.within(0, math.Pi))
	colour, part, reach := c.colour(), c.within(0.25, 0.9), 1.5*math.Max(a, b)
	for y := int(cy - reach); y <= int(cy+reach); y++ {
		for x := int(cx - reach); x <= int(cx+reach); x++ {
			dx, dy := float64(x)-cx, float64(y)-cy
			d := math.Hypot((cos*dx+sin*dy)/a, (cos*dy-sin*dx)/b)
			c.blend(x, y, colour, part*smooth((1.4-d)/0.8))
		}
	}
}
