package kernel

import "math"

// Affine sets y to x*scale + shift, channel by channel, and with relu what is
// negative to 0. All slices hold whole pixels of len(scale) channels; y may be x.
func (s *Set) Affine(y, x, scale, shift []float32, relu bool) {
	c := len(scale)
	n := len(x) / c
	_, _ = y[:n*c], shift[:c]
	if n == 0 {
		return
	}
	f := s.affine
	if c%s.lanes != 0 {
		f = affineGo
	}
	f(&y[0], &x[0], &scale[0], &shift[0], n, c, floor(relu))
}

// Blend sets y to x*scale + z*zscale + shift, channel by channel, and with relu
// what is negative to 0. y may be x or z.
func (s *Set) Blend(y, x, scale, z, zscale, shift []float32, relu bool) {
	c := len(scale)
	n := len(x) / c
	_, _, _, _ = y[:n*c], z[:n*c], zscale[:c], shift[:c]
	if n == 0 {
		return
	}
	f := s.blend
	if c%s.lanes != 0 {
		f = blendGo
	}
	f(&y[0], &x[0], &scale[0], &z[0], &zscale[0], &shift[0], n, c, floor(relu))
}

// floor returns the least value that a pass leaves.
func floor(relu bool) float32 {
	if relu {
		return 0
	}
	return float32(math.Inf(-1))
}

// Moments adds to s1 the sum of g and to s2 that of g*x over all pixels, channel
// by channel.
func (s *Set) Moments(s1, s2, g, x []float32) {
	c := len(s1)
	n := len(g) / c
	_, _ = x[:n*c], s2[:c]
	if n == 0 {
		return
	}
	f := s.moments
	if c%s.lanes != 0 {
		f = momentsGo
	}
	f(&s1[0], &s2[0], &g[0], &x[0], n, c)
}

// ReLUGrad sets g to 0 where y is not positive.
func (s *Set) ReLUGrad(g, y []float32) {
	whole := len(g) / s.lanes * s.lanes
	_ = y[:len(g)]
	if whole > 0 {
		s.reluGrad(&g[0], &y[0], whole)
	}
	if whole < len(g) {
		reluGradGo(&g[whole], &y[whole], len(g)-whole)
	}
}

// Axpy adds a*x to y.
func (s *Set) Axpy(y, x []float32, a float32) {
	whole := len(x) / s.lanes * s.lanes
	_ = y[:len(x)]
	if whole > 0 {
		s.axpy(&y[0], &x[0], whole, a)
	}
	if whole < len(x) {
		axpyGo(&y[whole], &x[whole], len(x)-whole, a)
	}
}
