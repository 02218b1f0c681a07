package demo

import (
	"image"
	"math"
	"math/rand/v2"
)

// A region holds the pixels that a defect covers.
type region struct {
	covers [frameWidth * frameHeight]bool
}

// add puts the pixel of a sample in the region.
func (g *region) add(at int) {
	g.covers[at/samplesWide/over*frameWidth+at%samplesWide/over] = true
}

// hide takes the pixels of a disc out of the region.
func (g *region) hide(p point, radius float32) {
	for i := range g.covers {
		if (point{float32(i%frameWidth) + 0.5, float32(i/frameWidth) + 0.5}).minus(p).length() < radius {
			g.covers[i] = false
		}
	}
}

// bounds returns the smallest rectangle that holds the region.
func (g *region) bounds() image.Rectangle {
	var r image.Rectangle
	for i, in := range g.covers {
		if in {
			x, y := i%frameWidth, i/frameWidth
			r = r.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return r
}

// scratch draws a tool's slip from a point: a bright groove with a burr beside
// it, bent a little, deepest in the middle. thick is how wide it is, 1 is usual.
func (s *surface) scratch(rng *rand.Rand, from point, angle, length, thick float32) *region {
	const steps = 14
	covers := new(region)
	bend := (rng.Float32() - 0.5) * 0.09
	width := thick * (0.9 + 0.6*rng.Float32())
	at := from
	for k := range steps {
		next := at.plus(polar(angle, length/steps))
		t := (float32(k) + 0.5) / steps
		s.groove(covers, at, next, width*(0.45+0.75*sin(t*math.Pi)), clamp(5*t)*clamp(5*(1-t)))
		at, angle = next, angle+bend+(rng.Float32()-0.5)*0.12
	}
	return covers
}

// groove cuts one straight piece of a scratch.
func (s *surface) groove(covers *region, a, b point, width, strength float32) {
	line := b.minus(a)
	square := line.dot(line)
	s.around(a.plus(b).scaled(0.5), line.length()/2+3*width+1, func(at int, d point) {
		d = d.plus(line.scaled(0.5)) // from a
		t := d.dot(line) / square
		if t < 0 || t >= 1 { // the next piece has it
			return
		}
		off := abs(d.x*line.y-d.y*line.x) / sqrt(square)
		in := smooth(width, 0, off)
		s.height[at] += strength * (0.35*smooth(width*2.4, width, off) - 1.5*in)
		s.put(at, material{rgb{0.80, 0.81, 0.83}, 0.6}, 0.75*in*strength)
		if off < width*1.3 {
			covers.add(at)
		}
	})
}

// dent presses a shallow hollow, longer than wide, into the surface.
func (s *surface) dent(rng *rand.Rand, p point, radius float32) *region {
	covers := new(region)
	angle, deep := rng.Float32()*math.Pi, radius*(0.36+0.12*rng.Float32())
	c, n := cos(angle), sin(angle)
	squeeze := 1.1 + 0.35*rng.Float32()
	s.around(p, radius*1.2, func(at int, d point) {
		d = d.turned(c, -n)
		d.y *= squeeze
		r := d.dot(d) / (radius * radius)
		if r >= 1 {
			return
		}
		bowl := (1 - r) * (1 - r)
		s.height[at] -= deep * bowl
		s.stuff[at].gloss *= 1 + bowl
		s.stuff[at].color = s.stuff[at].color.scaled(1 - 0.2*bowl)
		if r < 0.85 {
			covers.add(at)
		}
	})
	return covers
}

// stain spills something brown that dried with a dark rim.
func (s *surface) stain(rng *rand.Rand, p point, radius float32, noise *texture) *region {
	covers := new(region)
	var lobes [4]struct{ size, phase float32 }
	for i := range lobes {
		lobes[i].size = (rng.Float32() - 0.5) * 0.34 / float32(i+1)
		lobes[i].phase = rng.Float32() * 2 * math.Pi
	}
	shift := rng.IntN(textureWide)
	s.around(p, radius*1.6, func(at int, d point) {
		angle := float32(math.Atan2(float64(d.y), float64(d.x)))
		edge := float32(1)
		for i, l := range lobes {
			edge += l.size * cos(float32(i+1)*angle+l.phase)
		}
		r := d.length() / (radius * edge)
		if r >= 1 {
			return
		}
		mottled := 0.06 * noise.at(int(d.x+99)/3+shift, int(d.y+99)/3)
		share := (0.62 + 1.5*mottled + 0.26*smooth(0.70, 0.93, r)) * smooth(1, 0.93, r)
		brown := s.stuff[at].color
		brown = rgb{brown.r * 0.30, brown.g * 0.15, brown.b * 0.05}
		s.put(at, material{brown, s.stuff[at].gloss * 0.1}, share)
		if r < 0.97 {
			covers.add(at)
		}
	})
	return covers
}
