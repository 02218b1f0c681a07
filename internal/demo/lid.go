package demo

import (
	"math"
	"math/rand/v2"
)

// iron is what lids are made of.
var iron = material{rgb{0.150, 0.152, 0.158}, 0.10}

// flaws are what can be wrong with a lid.
var flaws = []string{"crack", "scratch", "dent"}

// flawOf returns what is wrong with a lid: nothing with three of five.
func flawOf(i int) string {
	if i%5 < 3 {
		return ""
	}
	return flaws[(i/5*2+i%5-3)%len(flaws)]
}

// lid takes a picture of a cast lid with that flaw, or of a good one if the
// flaw is empty. Every lid is rough in its own way and lies a little elsewhere,
// in other light, and good ones have pores and oily fingers' smudges, too.
func (t *studio) lid(number uint64, flaw string) *picture {
	rng := rand.New(rand.NewPCG(number, 0xca571))
	s, l, shot := newSurface(), newLamp(rng), &picture{defect: flaw}
	turn := (rng.Float32() - 0.5) * 0.12
	p := plate{
		center: point{160 + (rng.Float32()-0.5)*14, 120 + (rng.Float32()-0.5)*12},
		half:   point{126, 92}, corner: 22, cos: cos(turn), sin: sin(turn), metal: iron,
	}
	p.metal.color = p.metal.color.scaled(0.85 + 0.3*rng.Float32())
	s.bench(t.noise, rng.IntN(textureWide))
	s.lid(p, t.skin, rng.IntN(textureWide), l)
	for range 6 + rng.IntN(14) {
		s.pore(p.spot(1.7*rng.Float32()-0.85, 1.7*rng.Float32()-0.85), 0.5+0.7*rng.Float32())
	}
	for range rng.IntN(3) {
		s.smudge(p.spot(1.4*rng.Float32()-0.7, 1.4*rng.Float32()-0.7), 14+16*rng.Float32(), 0.12+0.22*rng.Float32())
	}
	s.flaw(rng, p, flaw)
	for _, x := range []float32{-0.78, 0.78} {
		s.hole(p.spot(x, 0), 9, l)
	}
	shot.image = s.photograph(l, t.noise)
	return shot
}

// flaw spoils a lid.
func (s *surface) flaw(rng *rand.Rand, p plate, flaw string) {
	at := p.spot(rng.Float32()-0.5, rng.Float32()-0.5)
	angle := rng.Float32() * 2 * math.Pi
	switch flaw {
	case "crack":
		length := 40 + 55*rng.Float32()
		s.crack(rng, at.minus(polar(angle, length/2)), angle, length, 1+0.9*rng.Float32())
	case "scratch":
		length := 55 + 55*rng.Float32()
		s.scratch(rng, at.minus(polar(angle, length/2)), angle, length, 1.35+0.8*rng.Float32())
	case "dent":
		s.dent(rng, at, 17+11*rng.Float32())
	}
}

// lid lays a plate of rough cast metal on the bench.
func (s *surface) lid(p plate, skin *texture, shift int, l lamp) {
	s.around(p.center, p.half.length()+16, func(at int, d point) {
		out := p.distance(d)
		s.shadow(p, at, d, out, l)
		if out > 1 {
			return
		}
		inside := covered(out)
		x, y := int(d.x*over+textureWide)+shift, int(d.y*over+textureHigh)+2*shift
		m := p.metal
		m.color = m.color.scaled(1 + 0.10*skin.at(x, y))
		s.put(at, m, inside)
		s.light[at] += (1 - s.light[at]) * inside
		// A rim stands around a flat middle.
		s.height[at] += 2.6*smooth(0, 4, -out) - 1.6*smooth(9, 13, -out) + 0.5*skin.at(y, x)*inside
	})
}

// pore leaves a little hole where there was a bubble of gas.
func (s *surface) pore(p point, radius float32) {
	s.around(p, radius+1, func(at int, d point) {
		in := smooth(radius+0.6, radius-0.4, d.length())
		s.height[at] -= 0.8 * in
		s.put(at, material{depth.color, 0.02}, 0.55*in)
	})
}

// smudge leaves a soft film of oil, which is darker and mirrors more.
func (s *surface) smudge(p point, radius, strength float32) {
	s.around(p, radius, func(at int, d point) {
		film := strength * smooth(1, 0.2, d.dot(d)/(radius*radius))
		s.stuff[at].color = s.stuff[at].color.scaled(1 - film)
		s.stuff[at].gloss *= 1 + film
	})
}

// crack breaks the surface open along a jagged line with a branch: dark, wider
// in its middle, with an edge that catches the light.
func (s *surface) crack(rng *rand.Rand, from point, angle, length, width float32) {
	s.split(rng, from, angle, length, width)
	side := 0.5 + 0.5*rng.Float32()
	if rng.IntN(2) == 0 {
		side = -side
	}
	s.split(rng, from.plus(polar(angle, length*(0.4+0.2*rng.Float32()))), angle+side, length*0.4, width*0.7)
}

// split is one line of a crack, about straight on the whole.
func (s *surface) split(rng *rand.Rand, from point, angle, length, width float32) {
	steps := int(length / 5)
	at := from
	for k := range steps {
		next := at.plus(polar(angle+(rng.Float32()-0.5)*1.5, length/float32(steps)))
		t := (float32(k) + 0.5) / float32(steps)
		s.gap(at, next, width*(0.4+0.8*sin(t*math.Pi)))
		at = next
	}
}

// gap is one straight piece of a crack.
func (s *surface) gap(a, b point, width float32) {
	line := b.minus(a)
	square := line.dot(line)
	s.around(a.plus(b).scaled(0.5), line.length()/2+2*width+1, func(at int, d point) {
		d = d.plus(line.scaled(0.5)) // from a
		t := clamp(d.dot(line) / square)
		off := d.minus(line.scaled(t)).length()
		in := smooth(width, width*0.4, off)
		s.height[at] -= 1.6 * in
		s.put(at, depth, 0.92*in)
	})
}
