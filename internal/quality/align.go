package quality

import "math"

// A plane is a thumbnail of which brightness and contrast have been taken out.
type plane [thumbSize]float32

const (
	around   = side / 8 // how far a neighbourhood reaches
	contrast = 4        // grey levels of contrast that count half
	soften   = 1        // how far the coarse plane is blurred
)

// A view is what a picture is compared by, lying in one way.
type view struct{ coarse, fine plane }

// viewOf returns the view of a thumbnail that is turned.
func viewOf(thumb *[thumbSize]byte, t Turn) *view {
	var p, squares plane
	for y := range side {
		for x := range side {
			p[y*side+x] = float32(thumb[t.at(x, y)])
		}
	}
	mean := blur(&p, around)
	for i := range p {
		p[i] -= mean[i]
		squares[i] = p[i] * p[i]
	}
	variance := blur(&squares, around)
	v := &view{}
	for i := range p {
		v.fine[i] = p[i] / (float32(math.Sqrt(float64(variance[i]))) + contrast)
	}
	v.coarse = *blur(&v.fine, soften)
	return v
}

// blur returns the mean of the square of pixels up to r away from each.
func blur(p *plane, r int) *plane {
	var across, out plane
	for y := range side {
		means(p[y*side:], across[y*side:], 1, r)
	}
	for x := range side {
		means(across[x:], out[x:], side, r)
	}
	return &out
}

// means writes the mean of the up to 2r+1 pixels around each of a row or
// column, whose pixels are step apart.
func means(in, out []float32, step, r int) {
	sum, n := float32(0), 0
	for i := range min(r, side) {
		sum += in[i*step]
		n++
	}
	for i := range side {
		if i+r < side {
			sum += in[(i+r)*step]
			n++
		}
		if i-r > 0 {
			sum -= in[(i-r-1)*step]
			n--
		}
		out[i*step] = sum / float32(n)
	}
}

// A fit is an affine map from one picture into another, in units of half their
// side from their middle: x' = f[0] + f[1] x + f[2] y, and y' likewise.
type fit [6]float32

// upright is the fit of a picture on itself.
var upright = fit{0, 1, 0, 0, 0, 1}

// The bounds of a fit: what more than that was done to is not found. A crop of
// 5 % at all sides scales by 1.11; a rotation by 3° shears a picture of 2:1 by
// 0.1.
const (
	maxShift = 0.2
	maxScale = 0.16
)

// isSmall tells whether a fit is within bounds.
func (f *fit) isSmall() bool {
	for i, v := range f {
		bound := float32(maxScale)
		if i == 0 || i == 3 {
			bound = maxShift
		}
		if !(abs(v-upright[i]) <= bound) {
			return false
		}
	}
	return true
}

func abs(v float32) float32 { return max(v, -v) }

const (
	half  = float32(side-1) / 2
	rim   = 3                                   // pixels that do not count: rotation fills them with another colour
	least = (side - 2*rim) * (side - 2*rim) / 2 // pixels that two pictures must share
)

// at returns the value between four pixels, and whether they are in the plane.
func (p *plane) at(x, y float32) (float32, bool) {
	if !(x >= 0 && y >= 0 && x < side-1 && y < side-1) {
		return 0, false
	}
	x0, y0 := int(x), int(y)
	fx, fy := x-float32(x0), y-float32(y0)
	a := p[y0*side+x0:][:side+2]
	return (a[0]*(1-fx)+a[1]*fx)*(1-fy) + (a[side]*(1-fx)+a[side+1]*fx)*fy, true
}

// correlation returns how alike a picture is to what lies on it, from -1 to 1,
// 0 if they share too little.
func correlation(a, b *plane, f *fit) float32 {
	var sa, sb, saa, sbb, sab, n float32
	for y := rim; y < side-rim; y++ {
		for x := rim; x < side-rim; x++ {
			X, Y := (float32(x)-half)/half, (float32(y)-half)/half
			v, ok := b.at(half+half*(f[0]+f[1]*X+f[2]*Y), half+half*(f[3]+f[4]*X+f[5]*Y))
			if !ok {
				continue
			}
			u := a[y*side+x]
			sa, sb, n = sa+u, sb+v, n+1
			saa, sbb, sab = saa+u*u, sbb+v*v, sab+u*v
		}
	}
	if n < least {
		return 0
	}
	return (sab - sa*sb/n) / float32(math.Sqrt(float64((saa-sa*sa/n)*(sbb-sb*sb/n))+1e-6))
}

// A target is a plane on which others are laid: the derivatives of its pixels by
// the six numbers of a fit, and the matrix that makes a step of their residues
// (Baker and Matthews, "Lucas-Kanade 20 Years On", 2004: the inverse
// compositional algorithm). All of it is computed once for many pictures.
type target struct {
	plane   *plane
	slopes  [thumbSize][6]float32
	inverse [6][6]float32
}

// targetOf prepares a plane.
func targetOf(p *plane) *target {
	t := &target{plane: p}
	var h [6][6]float32
	for y := 1; y < side-1; y++ {
		for x := 1; x < side-1; x++ {
			i := y*side + x
			X, Y := (float32(x)-half)/half, (float32(y)-half)/half
			gx, gy := (p[i+1]-p[i-1])/2*half, (p[i+side]-p[i-side])/2*half
			g := [6]float32{gx, gx * X, gx * Y, gy, gy * X, gy * Y}
			t.slopes[i] = g
			for k := range 6 {
				for m := range 6 {
					h[k][m] += g[k] * g[m]
				}
			}
		}
	}
	for k := range 6 {
		h[k][k] = h[k][k]*1.001 + 1e-3 // a plane may have no slope in a direction
	}
	t.inverse = invert(&h)
	return t
}

// improve moves b so that it lies better on t, and returns how far.
func (t *target) improve(b *plane, f *fit) (change float32) {
	var g [6]float32
	for y := 1; y < side-1; y++ {
		Y := (float32(y) - half) / half
		for x := 1; x < side-1; x++ {
			X := (float32(x) - half) / half
			v, ok := b.at(half+half*(f[0]+f[1]*X+f[2]*Y), half+half*(f[3]+f[4]*X+f[5]*Y))
			if !ok {
				continue
			}
			i := y*side + x
			residue, slope := min(max(v-t.plane[i], -outlier), outlier), &t.slopes[i]
			for k := range g {
				g[k] += slope[k] * residue
			}
		}
	}
	var step fit
	for k := range 6 {
		for m := range 6 {
			step[k] += t.inverse[k][m] * g[m]
		}
		change += abs(step[k])
	}
	f.undo(&step)
	return change
}

// undo composes the fit with the inverse of the small one that differs from
// upright by step.
func (f *fit) undo(step *fit) {
	a, b, c, d := 1+step[1], step[2], step[4], 1+step[5]
	det := a*d - b*c
	a, b, c, d = d/det, -b/det, -c/det, a/det
	x, y := -(a*step[0] + b*step[3]), -(c*step[0] + d*step[3])
	*f = fit{
		f[0] + f[1]*x + f[2]*y, f[1]*a + f[2]*c, f[1]*b + f[2]*d,
		f[3] + f[4]*x + f[5]*y, f[4]*a + f[5]*c, f[4]*b + f[5]*d,
	}
}

// invert returns the inverse of a matrix that is symmetric and positive.
func invert(h *[6][6]float32) (inverse [6][6]float32) {
	var m [6][12]float64
	for i := range 6 {
		for k := range 6 {
			m[i][k] = float64(h[i][k])
		}
		m[i][6+i] = 1
	}
	for i := range 6 {
		for c := 11; c >= i; c-- {
			m[i][c] /= m[i][i]
		}
		for k := range 6 {
			if factor := m[k][i]; k != i {
				for c := i; c < 12; c++ {
					m[k][c] -= factor * m[i][c]
				}
			}
		}
	}
	for i := range 6 {
		for k := range 6 {
			inverse[i][k] = float32(m[i][6+k])
		}
	}
	return inverse
}

const (
	firstSteps  = 3
	coarseSteps = 9
	fineSteps   = 10
	outlier     = 0.7  // difference of two pixels from which more does not count more
	settled     = 2e-3 // a change that is none any more
	strange     = 0.15 // correlation of the coarse planes, after the first steps, from which no more are worth it
	hopeless    = 0.35 // correlation of the coarse planes, after their steps, from which the fine ones do not recover
)

// A subject is a picture that is compared with many.
type subject struct{ coarse, fine *target }

// subjectOf prepares a thumbnail for comparisons.
func subjectOf(thumb *[thumbSize]byte) *subject {
	v := viewOf(thumb, 0)
	return &subject{targetOf(&v.coarse), targetOf(&v.fine)}
}

// similarity returns how alike a picture is to another that is laid over it as
// well as can be: about 1 for one picture twice.
func (s *subject) similarity(v *view) float32 {
	f := upright
	s.coarse.settle(&v.coarse, &f, firstSteps)
	if correlation(s.coarse.plane, &v.coarse, &f) < strange {
		return 0
	}
	s.coarse.settle(&v.coarse, &f, coarseSteps)
	if correlation(s.coarse.plane, &v.coarse, &f) < hopeless {
		return 0
	}
	s.fine.settle(&v.fine, &f, fineSteps)
	return correlation(s.fine.plane, &v.fine, &f)
}

// settle improves a fit until it is good, or would leave its bounds.
func (t *target) settle(b *plane, f *fit, steps int) {
	for range steps {
		next := *f
		change := t.improve(b, &next)
		if !next.isSmall() {
			return
		}
		*f = next
		if change < settled {
			return
		}
	}
}
