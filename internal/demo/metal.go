package demo

// What the parts are made of, and what they lie on.
var (
	mat      = material{rgb{0.040, 0.052, 0.066}, 0.02}
	steel    = material{rgb{0.44, 0.45, 0.47}, 0.16}
	aluminum = material{rgb{0.50, 0.51, 0.515}, 0.12}
	bolted   = material{rgb{0.17, 0.165, 0.16}, 0.46}
	washer   = material{rgb{0.36, 0.36, 0.35}, 0.34}
	depth    = material{rgb{0.012, 0.013, 0.016}, 0}
)

// bench makes the surface an empty workbench with a rubber mat.
func (s *surface) bench(noise *texture, shift int) {
	for j := range samplesHigh {
		for i := range samplesWide {
			at := j*samplesWide + i
			m := mat
			m.color = m.color.scaled(1 + 0.16*noise.at(i/2+shift, j/2) + 0.10*noise.at(i/5, j/5+shift))
			s.stuff[at], s.light[at], s.height[at] = m, 1, 0
		}
	}
}

// A plate is a rectangular part with round corners, lying a little askew.
type plate struct {
	center   point
	half     point // half its width and height
	corner   float32
	cos, sin float32 // of its turn
	metal    material
}

// distance returns how far a place, seen from the center, is outside the plate.
func (p plate) distance(d point) float32 {
	d = d.turned(p.cos, -p.sin)
	x, y := max(d.x, -d.x)-p.half.x+p.corner, max(d.y, -d.y)-p.half.y+p.corner
	return point{max(x, 0), max(y, 0)}.length() + min(max(x, y), 0) - p.corner
}

// spot returns where a place of the plate is in the image; x and y go from -1
// to 1 between its edges.
func (p plate) spot(x, y float32) point {
	return point{x * p.half.x, y * p.half.y}.turned(p.cos, p.sin).plus(p.center)
}

// shadow darkens the bench by the shadow that a plate throws there: at d from its
// center, which is out pixels outside of its edge.
func (s *surface) shadow(p plate, at int, d point, out float32, l lamp) {
	if out > -1 {
		s.light[at] *= 1 - 0.72*smooth(9, -5, p.distance(d.plus(l.from.scaled(11))))
	}
}

// plate lays a plate on the bench, brushed along its length.
func (s *surface) plate(p plate, brush *texture, shift int, l lamp) {
	reach := p.half.length() + 16
	s.around(p.center, reach, func(at int, d point) {
		out := p.distance(d)
		s.shadow(p, at, d, out, l)
		if out > 1 {
			return
		}
		inside := covered(out)
		along := d.turned(p.cos, -p.sin)
		streak := brush.at(int(along.x+textureWide)+shift, int(along.y*1.6+textureHigh)+shift)
		m := p.metal
		m.color = m.color.scaled(1 + 0.13*streak)
		m.gloss *= 1 + 0.5*streak
		s.put(at, m, inside)
		s.light[at] += (1 - s.light[at]) * inside
		s.height[at] += 2.2 * smooth(0, 3.2, -out)
	})
}

// A flange is a round part, turned on a lathe.
type flange struct {
	center point
	radius float32
	bore   float32 // radius of the hole in its middle
	metal  material
}

// flange lays a flange on the bench. Turning leaves rings, which mirror the
// lamp in two wedges.
func (s *surface) flange(f flange, brush *texture, shift int, l lamp) {
	hub := f.bore + 13
	side := l.from.scaled(1 / l.from.length())
	s.around(f.center, f.radius+18, func(at int, d point) {
		r := d.length()
		if r > f.radius-1 {
			s.light[at] *= 1 - 0.72*smooth(10, -5, d.plus(l.from.scaled(12)).length()-f.radius)
		}
		if r > f.radius+1 {
			return
		}
		inside := covered(r - f.radius)
		ring := brush.at(shift, int(r*1.5)+shift)
		wedge := d.dot(side) / max(r, 1)
		wedge *= wedge
		wedge *= wedge
		m := f.metal
		m.color = m.color.scaled(0.80 + 0.42*wedge + 0.15*ring*(0.4+wedge))
		m.gloss *= 0.7 + 1.2*wedge
		s.put(at, m, inside)
		s.light[at] += (1 - s.light[at]) * inside
		s.height[at] += 2.2*smooth(0, 3.4, f.radius-r) + 1.8*smooth(hub+1.6, hub-1.6, r)
		// A groove near the rim, for a seal.
		s.height[at] -= 0.9 * smooth(3, 0.4, abs(r-f.radius+11))
	})
	s.hole(f.center, f.bore, l)
}

// hole bores a hole with a chamfer. Some light falls on its far wall.
func (s *surface) hole(p point, radius float32, l lamp) {
	chamfer := 1.4 + radius*0.06
	s.around(p, radius+chamfer+2, func(at int, d point) {
		r := d.length()
		s.height[at] -= 1.9 * smooth(radius+chamfer, radius-0.5, r)
		in := covered(r - radius)
		if in == 0 {
			return
		}
		wall := smooth(radius*0.62, radius, r) * clamp(-d.dot(l.from)/radius)
		m := depth
		m.color = m.color.mix(rgb{0.16, 0.16, 0.165}, wall)
		s.put(at, m, in)
		s.light[at] *= 1 - 0.6*in
		s.height[at] += (-1.9 - s.height[at]) * in
	})
}

// bolt screws in a bolt with a hexagonal head of that radius, on a washer.
func (s *surface) bolt(p point, radius, turn float32, l lamp) {
	ring := radius * 1.28
	c, n := cos(turn), sin(turn)
	s.around(p, ring+8, func(at int, d point) {
		s.light[at] *= 1 - 0.55*smooth(3.2, -2, d.plus(l.from.scaled(4.5)).length()-ring)
	})
	s.around(p, ring+1, func(at int, d point) {
		r := d.length()
		in := covered(r - ring)
		s.put(at, washer, in)
		s.light[at] += (1 - s.light[at]) * in
		s.height[at] += 1.1 * smooth(0, 1.6, ring-r)
		shadow := hexagon(d.plus(l.from.scaled(2.6)).turned(c, -n), radius)
		s.light[at] *= 1 - 0.6*smooth(1.6, -1, shadow)*in
		head := hexagon(d.turned(c, -n), radius)
		if head > 1 {
			return
		}
		on := covered(head)
		s.put(at, bolted, on)
		s.light[at] += (1 - s.light[at]) * on
		// The top is flat, its corners are ground off round.
		s.height[at] += min(3.4*smooth(0, 2.2, -head), 3.4*smooth(radius*1.12, radius*0.72, r))
		s.height[at] -= 0.25 * smooth(1.1, 0, abs(r-radius*0.5))
	})
}

// hexagon returns how far a place is outside a hexagon around the origin whose
// corners are that far from it.
func hexagon(d point, radius float32) float32 {
	const c, n = 0.5, 0.8660254 // cosine and sine of 60 degrees
	x, y := abs(d.x), abs(d.y)
	return max(x*c+y*n, x) - radius*n
}
