package imaging

import "math"

// Planes are numbers for each pixel of an image, plane after plane.
type Planes struct {
	C, H, W int
	Data    []float32 // C*H*W numbers, each plane row by row
}

// NewPlanes returns c planes of zeros for an image of w x h pixels.
func NewPlanes(c, h, w int) *Planes {
	return &Planes{C: c, H: h, W: w, Data: make([]float32, c*h*w)}
}

// Plane returns plane c, which is not copied.
func (p *Planes) Plane(c int) []float32 { return p.Data[c*p.H*p.W : (c+1)*p.H*p.W] }

// Planes returns the red, green and blue of m, each as (v/255 - mean)*scale.
func (m *Image) Planes(mean, scale float32) *Planes {
	p := NewPlanes(3, m.H, m.W)
	var table [256]float32
	for i := range table {
		table[i] = (float32(i)/255 - mean) * scale
	}
	n := m.W * m.H
	for i := range n {
		p.Data[i], p.Data[n+i], p.Data[2*n+i] = table[m.Pix[3*i]], table[m.Pix[3*i+1]], table[m.Pix[3*i+2]]
	}
	return p
}

// Lab returns the colours of m as CIE L*, a* and b* under the white of sRGB
// (D65, 2 degrees): L* from 0 to 100, the others from about -100 to 100.
func (m *Image) Lab() *Planes {
	p := NewPlanes(3, m.H, m.W)
	n := m.W * m.H
	for i := range n {
		r, g, b := linear[m.Pix[3*i]], linear[m.Pix[3*i+1]], linear[m.Pix[3*i+2]]
		// The rows of the matrix of sRGB (IEC 61966-2-1), each divided by the
		// white's X, Y or Z.
		x := labCurve(0.433953*r + 0.376219*g + 0.189828*b)
		y := labCurve(0.212671*r + 0.715160*g + 0.072169*b)
		z := labCurve(0.017758*r + 0.109477*g + 0.872765*b)
		p.Data[i] = 116*y - 16
		p.Data[n+i] = 500 * (x - y)
		p.Data[2*n+i] = 200 * (y - z)
	}
	return p
}

// linear holds the light of each value of sRGB.
var linear = func() (t [256]float32) {
	for i := range t {
		v := float64(i) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		t[i] = float32(v)
	}
	return t
}()

const curveSteps = 4096

// curve holds f of Lab at equal steps from 0 to a little above 1.
var curve = func() (t [curveSteps + 2]float32) {
	for i := range t {
		t[i] = float32(exactCurve(float64(i) / curveSteps))
	}
	return t
}()

// exactCurve is the function f of CIE 15.
func exactCurve(t float64) float64 {
	const delta = 6.0 / 29
	if t > delta*delta*delta {
		return math.Cbrt(t)
	}
	return t/(3*delta*delta) + 4.0/29
}

// labCurve returns f of t from 0 to 1 by the table, off by at most 0.0003.
func labCurve(t float32) float32 {
	at := t * curveSteps
	i := int(at)
	return curve[i] + (at-float32(i))*(curve[i+1]-curve[i])
}
