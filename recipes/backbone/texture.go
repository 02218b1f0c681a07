package main

import (
	"math"
	"math/rand/v2"
)

// between returns a random number between a and b.
func between(r *rand.Rand, a, b float64) float64 { return a + (b-a)*r.Float64() }

// one returns 1 or -1.
func one(r *rand.Rand) float64 { return float64(2*r.IntN(2) - 1) }

// A palette gives a colour to every number from -1 to 1: base + slope*t + bend*t².
type palette [3]struct{ base, slope, bend float64 }

// newPalette draws a palette, a grey one in three.
func newPalette(r *rand.Rand) (p palette) {
	for i := range p {
		p[i].base, p[i].slope, p[i].bend = between(r, 0.15, 0.85), between(r, -0.5, 0.5), between(r, -0.3, 0.3)
	}
	if r.IntN(3) == 0 {
		p[0].bend = 0
		p[1], p[2] = p[0], p[0]
	}
	return p
}

// at returns the colour of a number.
func (p *palette) at(t float64) (c [3]float64) {
	for i, k := range p {
		c[i] = k.base + k.slope*t + k.bend*t*t
	}
	return c
}

// lattice returns a number from -1 to 1 that belongs to a point of whole
// coordinates.
func lattice(x, y int, seed uint32) float64 {
	h := uint32(x)*0x9e3779b1 ^ uint32(y)*0x85ebca77 ^ seed*0xc2b2ae3d
	h = (h ^ h>>15) * 0x2c1b3c6d
	h = (h ^ h>>12) * 0x297a2d39
	return float64(h>>15&0xffff)/0x8000 - 1
}

// noise returns smooth noise from -1 to 1: the lattice, and cubic blends between
// its points.
func noise(x, y float64, seed uint32) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	fx, fy = x-fx, y-fy
	fx, fy = fx*fx*(3-2*fx), fy*fy*(3-2*fy)
	a, b := lattice(ix, iy, seed), lattice(ix+1, iy, seed)
	c, d := lattice(ix, iy+1, seed), lattice(ix+1, iy+1, seed)
	up, down := a+(b-a)*fx, c+(d-c)*fx
	return up + (down-up)*fy
}

// The kinds of textures.
const (
	waves = iota
	clouds
	checker
	dots
	cells
	stripes
	textureKinds
)

// A texture is a formula that gives a number from -1 to 1 to every place.
type texture struct {
	kind    int
	base    float64 // how many times it repeats in a picture, about
	warp    float64 // how far places are moved by noise first
	gain    float64 // how hard its edges are
	phase   float64
	duty    float64 // how much of it is bright
	stretch float64
	fade    float64 // of each octave of clouds
	octaves int
	wave    [3]struct{ x, y, weight float64 }
	colors  palette
}

// newTexture draws a texture.
func newTexture(r *rand.Rand) (t texture) {
	t.kind = r.IntN(textureKinds)
	t.base = math.Exp(between(r, 0.7, 2.8))
	if r.IntN(2) == 0 {
		t.warp = between(r, 0, 1.5)
	}
	t.gain = math.Exp(between(r, -0.5, 2))
	t.phase, t.duty = r.Float64(), between(r, 0.2, 0.5)
	t.stretch = math.Exp(between(r, 0, 1.3))
	t.fade, t.octaves = between(r, 0.35, 0.9), 1+r.IntN(4)
	for i := range t.wave {
		angle, speed := between(r, 0, 2*math.Pi), math.Pi*math.Exp(between(r, -1.2, 1.2))
		t.wave[i].x, t.wave[i].y = speed*math.Cos(angle), speed*math.Sin(angle)
		t.wave[i].weight = between(r, 0.3, 1)
	}
	t.colors = newPalette(r)
	return t
}

// at returns the number of a place, the picture being from -1 to 1.
func (t *texture) at(x, y float64, seed uint32) float64 {
	x, y = x*t.base, y*t.base
	if t.warp > 0 {
		dx, dy := noise(0.7*x, 0.7*y, seed+7), noise(0.7*x, 0.7*y, seed+9)
		x, y = x+t.warp*dx, y+t.warp*dy
	}
	switch t.kind {
	case waves:
		v := 0.0
		for _, w := range t.wave {
			v += w.weight * math.Sin(w.x*x+w.y*y)
		}
		return math.Tanh(v * t.gain)
	case clouds:
		return t.clouds(x, y, seed)
	case checker:
		return sign(math.Sin(math.Pi*x)*math.Sin(math.Pi*y) - t.phase + 0.5)
	case dots:
		dx, dy := x-math.Floor(x)-0.5, y-math.Floor(y)-0.5
		return math.Tanh((t.duty - math.Sqrt(dx*dx*t.stretch+dy*dy)) * 8 * t.gain)
	case cells:
		return t.cells(x, y, seed)
	}
	return t.stripes(x, y)
}

func sign(v float64) float64 { return math.Copysign(1, v) }

// clouds is noise of several sizes.
func (t *texture) clouds(x, y float64, seed uint32) float64 {
	sum, all, weight := 0.0, 0.0, 1.0
	x *= t.stretch
	for i := range t.octaves {
		sum += weight * noise(x, y, seed+uint32(i))
		all += weight
		weight, x, y = weight*t.fade, 2*x, 2*y
	}
	return math.Tanh(1.5 * t.gain * sum / all)
}

// cells are the areas nearest to scattered points (Voronoi), or their borders.
func (t *texture) cells(x, y float64, seed uint32) float64 {
	ix, iy := int(math.Floor(x)), int(math.Floor(y))
	near, next := math.Inf(1), math.Inf(1)
	for i := range 9 {
		cx, cy := ix+i%3-1, iy+i/3-1
		dx := float64(cx) + 0.5 + 0.5*lattice(cx, cy, seed) - x
		dy := float64(cy) + 0.5 + 0.5*lattice(cx, cy, seed+3) - y
		if d := dx*dx + dy*dy; d < near {
			near, next = d, near
		} else {
			next = min(next, d)
		}
	}
	near, next = math.Sqrt(near), math.Sqrt(next)
	if t.phase < 0.5 {
		return max(-1, 1-2*near)
	}
	return math.Tanh(6*(next-near)*t.gain) - 0.5
}

// stripes are straight lines in one direction, or in two.
func (t *texture) stripes(x, y float64) float64 {
	cos, sin := t.wave[0].x, t.wave[0].y
	length := math.Hypot(cos, sin)
	cos, sin = cos/length, sin/length
	along, across := x*cos+y*sin, y*cos-x*sin
	if along-math.Floor(along) < t.duty || t.phase > 0.6 && across-math.Floor(across) < t.duty {
		return 1
	}
	return -1
}
