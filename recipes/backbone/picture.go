package main

import (
	"math"
	"math/rand/v2"
)

// side is how many pixels a picture has to a side.
const side = 64

// A canvas is a picture in the making: red, green and blue of each pixel, about
// 0 to 1.
type canvas [side * side][3]float64

// The families of formulas.
const (
	fractal = iota // points of an iterated function system before a background
	leaves         // many shapes, one over the other
	surface        // a texture, and nothing else
	objects        // one to three large shapes before a background
	families
)

// A program is a formula: what all pictures of a class have in common.
type program struct {
	family     int
	maps       [][6]float64 // of fractals: contractions,
	chances    []float64    // and the chance of each, summed up
	textures   [3]texture
	shapes     [2]shape
	count      int     // of objects
	size       float64 // of leaves
	spread     float64 // of their sizes, and how much else of them varies
	ownPalette bool    // colours belong to the class; else each picture draws its own
}

// newProgram returns the formula of a class.
func newProgram(class int) *program {
	r := rand.New(rand.NewPCG(uint64(class), 0x70726f67))
	p := &program{family: r.IntN(families)}
	total := 0.0
	for range 2 + r.IntN(5) {
		m := contraction(r)
		total += math.Abs(m[0]*m[3]-m[1]*m[2]) + 0.02
		p.maps, p.chances = append(p.maps, m), append(p.chances, total)
	}
	for i := range p.chances {
		p.chances[i] /= total
	}
	for i := range p.textures {
		p.textures[i] = newTexture(r)
	}
	for i := range p.shapes {
		p.shapes[i] = newShape(r)
	}
	p.count = 1 + r.IntN(3)
	p.size, p.spread = math.Exp(between(r, -2.2, -0.7)), r.Float64()
	p.ownPalette = r.IntN(2) == 0
	return p
}

// contraction draws an affine map that makes things smaller: turned, scaled by
// two factors, turned again, moved.
func contraction(r *rand.Rand) [6]float64 {
	sa, ca := math.Sincos(between(r, 0, 2*math.Pi))
	sb, cb := math.Sincos(between(r, 0, 2*math.Pi))
	long := between(r, 0.3, 0.85)
	short := between(r, 0.1, 1) * long * one(r)
	return [6]float64{
		ca*long*cb - sa*short*sb, -ca*long*sb - sa*short*cb,
		sa*long*cb + ca*short*sb, -sa*long*sb + ca*short*cb,
		between(r, -1, 1), between(r, -1, 1),
	}
}

// A view is how one picture shows its program.
type view struct {
	*program
	r            *rand.Rand
	palettes     [3]palette
	seed         uint32 // of noise
	angle, scale float64
	x, y, flip   float64
}

// draw returns a picture of a program, as bytes.
func (p *program) draw(seed, class uint64) []byte {
	r := rand.New(rand.NewPCG(seed, class))
	v := view{program: p, r: r, seed: r.Uint32()}
	for i := range v.palettes {
		v.palettes[i] = p.textures[i].colors
		if !p.ownPalette {
			v.palettes[i] = newPalette(r)
		}
	}
	v.angle = between(r, -0.5, 0.5)
	if r.IntN(4) == 0 {
		v.angle = between(r, -math.Pi, math.Pi)
	}
	v.scale, v.flip = math.Exp(between(r, -0.4, 0.4)), one(r)
	v.x, v.y = between(r, -0.3, 0.3), between(r, -0.3, 0.3)
	c := &canvas{}
	v.background(c)
	switch p.family {
	case fractal:
		v.fractal(c)
	case leaves, objects:
		v.shapes(c)
	}
	return v.finish(c)
}

// place returns the coordinates of a pixel, from -1 to 1.
func place(i int) (x, y float64) {
	return (float64(i%side)+0.5)*2/side - 1, (float64(i/side)+0.5)*2/side - 1
}

// background fills the canvas with the class's first texture, a gradient, or a
// texture of this picture alone; pure surfaces always with the first.
func (v *view) background(c *canvas) {
	what := v.r.IntN(3)
	if v.family == surface {
		what = 0
	}
	t := &v.textures[0]
	if what == 2 {
		own := newTexture(v.r)
		t = &own
	}
	gx, gy := between(v.r, -0.5, 0.5), between(v.r, -0.5, 0.5)
	sin, cos := math.Sincos(v.angle)
	for i := range c {
		x, y := place(i)
		if what == 1 {
			c[i] = v.palettes[0].at(gx*x + gy*y)
			continue
		}
		x *= v.flip
		tx, ty := v.scale*(cos*x-sin*y)+v.x, v.scale*(sin*x+cos*y)+v.y
		c[i] = v.palettes[0].at(t.at(tx, ty, v.seed))
	}
}

// fractal plays the chaos game with the class's contractions, each changed a
// little, and lays the density of its points over the canvas.
func (v *view) fractal(c *canvas) {
	const points, skipped = 12_000, 20
	maps := make([][6]float64, len(v.maps))
	for i, m := range v.maps {
		for k := range m {
			maps[i][k] = m[k] * (1 + between(v.r, -0.08, 0.08))
		}
	}
	var at [points][2]float64
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	x, y := 0.0, 0.0
	for i := -skipped; i < points; i++ {
		k, u := 0, v.r.Float64()
		for k < len(maps)-1 && u > v.chances[k] {
			k++
		}
		m := &maps[k]
		x, y = m[0]*x+m[1]*y+m[4], m[2]*x+m[3]*y+m[5]
		if i >= 0 {
			at[i] = [2]float64{x, y}
			low, high = [2]float64{min(low[0], x), min(low[1], y)}, [2]float64{max(high[0], x), max(high[1], y)}
		}
	}
	zoom := 1.8 / (max(high[0]-low[0], high[1]-low[1]) + 1e-6) / v.scale
	sin, cos := math.Sincos(v.angle)
	var hits [side * side]float64
	for _, p := range at {
		px, py := (p[0]-(low[0]+high[0])/2)*zoom*v.flip, (p[1]-(low[1]+high[1])/2)*zoom
		ix, iy := math.Floor((cos*px-sin*py+v.x+1)*side/2), math.Floor((sin*px+cos*py+v.y+1)*side/2)
		if ix >= 0 && ix < side && iy >= 0 && iy < side {
			hits[int(iy)*side+int(ix)]++
		}
	}
	for i, n := range hits {
		if n > 0 {
			c.cover(i, v.palettes[1].at(math.Tanh(0.5*math.Log(n)-0.7)), 1-math.Exp(-0.5*n))
		}
	}
}

// cover lays a colour over a pixel.
func (c *canvas) cover(i int, color [3]float64, opaque float64) {
	for k, v := range color {
		c[i][k] += opaque * (v - c[i][k])
	}
}

// shapes lays leaves or objects over the canvas.
func (v *view) shapes(c *canvas) {
	n := v.count
	if v.family == leaves {
		n = 12 + v.r.IntN(40)
	}
	for k := range n {
		v.shape(c, k)
	}
}

// shape lays shape k over the canvas.
func (v *view) shape(c *canvas, k int) {
	r := v.r
	many := v.family == leaves
	size, px, py := between(r, 0.35, 0.8), between(r, -0.5, 0.5), between(r, -0.5, 0.5)
	if many {
		size, px, py = v.size*math.Exp(between(r, -1, 1)*v.spread), 2*px, 2*py
	}
	angle := v.angle + between(r, -0.2, 0.2)
	if many && v.spread > 0.5 {
		angle = between(r, -math.Pi, math.Pi)
	}
	odd := k % 2
	outline, t, colors := &v.program.shapes[0], &v.textures[1+odd], &v.palettes[1+odd]
	if odd == 1 && v.spread > 0.3 {
		outline = &v.program.shapes[1]
	}
	light, seed, flat := between(r, -0.2, 0.2), r.Uint32(), many && r.IntN(2) == 0
	sin, cos := math.Sincos(angle)
	reach := 1.6 * size
	for iy := pixel(py - reach); iy <= pixel(py+reach); iy++ {
		for ix := pixel(px - reach); ix <= pixel(px+reach); ix++ {
			i := iy*side + ix
			dx, dy := place(i)
			dx, dy = (dx-px)/size, (dy-py)/size
			x, y := cos*dx-sin*dy, sin*dx+cos*dy
			cover := outline.inside(x*v.flip, y)*size*side/2 + 0.5
			if cover <= 0 {
				continue
			}
			value := 0.0
			if !flat {
				value = t.at(2*x*size, 2*y*size, seed)
			}
			color := colors.at(value)
			for j := range color {
				color[j] += light
			}
			c.cover(i, color, min(1, cover))
		}
	}
}

// pixel returns the column or row of a coordinate, or the nearest there is.
func pixel(x float64) int { return max(0, min(side-1, int((x+1)*side/2))) }

// finish blurs, lights and roughens the canvas at random, as a camera does.
func (v *view) finish(c *canvas) []byte {
	r := v.r
	bright, contrast := between(r, -0.15, 0.15), between(r, 0.6, 1.3)
	var tint [3]float64
	for k := range tint {
		tint[k] = bright + between(r, -0.06, 0.06)
	}
	grain := 0.0
	if r.IntN(3) == 0 {
		grain = between(r, 0, 0.08)
	}
	if r.IntN(4) == 0 {
		c = c.blurred()
	}
	out := make([]byte, 0, 3*len(c))
	for i := range c {
		for k, x := range c[i] {
			x = (x-0.5)*contrast + 0.5 + tint[k]
			if grain > 0 {
				x += grain * r.NormFloat64()
			}
			out = append(out, byte(255*max(0, min(1, x))+0.5))
		}
	}
	return out
}

// blurred returns the canvas with each pixel mixed with its four neighbours.
func (c *canvas) blurred() *canvas {
	out := &canvas{}
	for i := range c {
		x, y := i%side, i/side
		for k := range out[i] {
			sum := 2 * c[i][k]
			for _, n := range [4]int{y*side + max(0, x-1), y*side + min(side-1, x+1), max(0, y-1)*side + x, min(side-1, y+1)*side + x} {
				sum += c[n][k]
			}
			out[i][k] = sum / 6
		}
	}
	return out
}
