package demo

import "math"

// A point is a place in the image, in pixels from its top left corner.
type point struct{ x, y float32 }

func (p point) minus(q point) point           { return point{p.x - q.x, p.y - q.y} }
func (p point) plus(q point) point            { return point{p.x + q.x, p.y + q.y} }
func (p point) scaled(f float32) point        { return point{p.x * f, p.y * f} }
func (p point) dot(q point) float32           { return p.x*q.x + p.y*q.y }
func (p point) length() float32               { return sqrt(p.dot(p)) }
func (p point) turned(cos, sin float32) point { return point{p.x*cos - p.y*sin, p.x*sin + p.y*cos} }

// polar returns the point at that angle and distance from the origin.
func polar(angle, distance float32) point {
	return point{distance * cos(angle), distance * sin(angle)}
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }
func abs(x float32) float32  { return max(x, -x) }
func cos(x float32) float32  { return float32(math.Cos(float64(x))) }
func sin(x float32) float32  { return float32(math.Sin(float64(x))) }

// clamp returns x, or the nearer of 0 and 1.
func clamp(x float32) float32 { // faster than min and max, which mind NaN
	if x <= 0 {
		return 0
	}
	if x >= 1 {
		return 1
	}
	return x
}

// smooth goes from 0 at a to 1 at b without a kink.
func smooth(a, b, x float32) float32 {
	t := clamp((x - a) / (b - a))
	return t * t * (3 - 2*t)
}
