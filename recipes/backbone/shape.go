package main

import (
	"math"
	"math/rand/v2"
)

// The kinds of shapes.
const (
	blob = iota
	polygon
	ring
	bar
	star
	shapeKinds
)

// A shape is a formula for an outline of about size 1.
type shape struct {
	kind    int
	corners float64
	aspect  float64
	inner   float64
	wave    [6]struct{ height, phase float64 }
}

// newShape draws a shape.
func newShape(r *rand.Rand) (s shape) {
	s.kind = r.IntN(shapeKinds)
	s.corners = float64(3 + r.IntN(5))
	s.aspect = math.Exp(between(r, -0.8, 0.8))
	s.inner = between(r, 0.35, 0.8)
	for i := range s.wave {
		s.wave[i].height = 0.6 * between(r, 0, 0.35) / (1 + 0.3*float64(i))
		s.wave[i].phase = between(r, 0, 2*math.Pi)
	}
	return s
}

// inside returns how far within the outline a place is, about; negative outside.
func (s *shape) inside(x, y float64) float64 {
	x, y = x*s.aspect, y/s.aspect
	d, angle := math.Hypot(x, y), math.Atan2(y, x)
	switch s.kind {
	case blob:
		edge := 0.75
		for i, w := range s.wave {
			edge += w.height * math.Cos(float64(i+1)*angle+w.phase)
		}
		return edge - d
	case polygon:
		side := 2 * math.Pi / s.corners
		return math.Cos(side/2) - d*math.Cos(angle-side*math.Floor(angle/side)-side/2)
	case ring:
		return min(1-d, d-s.inner)
	case bar:
		return min(1-math.Abs(x), 0.4*s.inner-math.Abs(y))
	}
	return (0.7+0.3*math.Cos(s.corners*angle))*(1-0.3*s.inner) - d
}
