// Package augment draws training samples from images: a square around a place,
// turned, scaled, mirrored and changed in colour at random.
package augment

import (
	"math"
	"math/rand/v2"

	"fovea/internal/imaging"
	"fovea/internal/ml/kernel"
)

// A Warp says where in an image the pixels of a sample come from: pixel x, y of
// the sample is at (A*x + B*y + X, C*x + D*y + Y), pixel centres at halves.
type Warp struct{ A, B, X, C, D, Y float64 }

// Ranges are what a warp is drawn from.
type Ranges struct {
	Scale float64 // the sample shows the image e^-Scale to e^Scale times as large
	Angle float64 // degrees to either side
	Any   float64 // the chance of any angle instead
	Flip  bool    // mirror half of the samples
}

// Draw returns a warp of the ranges whose sample of side pixels has x, y of the
// image in its middle, and which enlarges by zoom besides.
func Draw(rng *rand.Rand, r Ranges, x, y, zoom float64, side int) Warp {
	angle := (2*rng.Float64() - 1) * r.Angle * math.Pi / 180
	if rng.Float64() < r.Any {
		angle = (2*rng.Float64() - 1) * math.Pi
	}
	scale := math.Exp((2*rng.Float64()-1)*r.Scale) * zoom
	cos, sin := math.Cos(angle)/scale, math.Sin(angle)/scale
	w := Warp{A: cos, B: -sin, C: sin, D: cos}
	if r.Flip && rng.IntN(2) == 0 {
		w.A, w.C = -w.A, -w.C
	}
	half := float64(side) / 2
	w.X, w.Y = x-(w.A+w.B)*half, y-(w.C+w.D)*half
	return w
}

// At returns where in the image a place of the sample is.
func (w Warp) At(x, y float64) (float64, float64) {
	return w.A*x + w.B*y + w.X, w.C*x + w.D*y + w.Y
}

// Find returns where in the sample a place of the image is.
func (w Warp) Find(x, y float64) (float64, float64) {
	det := w.A*w.D - w.B*w.C
	x, y = x-w.X, y-w.Y
	return (w.D*x - w.B*y) / det, (w.A*y - w.C*x) / det
}

// Image writes the sample of m into map n of a tensor of three channels, as
// backbone.Fill scales them: linear between pixels, mirrored beyond the edge.
func (w Warp) Image(t *kernel.Tensor, n int, m *imaging.Image) {
	for y := range t.H {
		row := t.Row(n, y)
		sx, sy := w.At(0.5, float64(y)+0.5)
		for x := range t.W {
			sample(row[3*x:3*x+3], m, sx-0.5, sy-0.5)
			sx, sy = sx+w.A, sy+w.C
		}
	}
}

// sample sets p to the colour of m at a place.
func sample(p []float32, m *imaging.Image, x, y float64) {
	x0, y0 := math.Floor(x), math.Floor(y)
	fx, fy := float32(x-x0), float32(y-y0)
	ix, iy := int(x0), int(y0)
	jx, jy := ix+1, iy+1
	if ix < 0 || jx >= m.W || iy < 0 || jy >= m.H {
		ix, jx = imaging.Reflect(ix, m.W), imaging.Reflect(jx, m.W)
		iy, jy = imaging.Reflect(iy, m.H), imaging.Reflect(jy, m.H)
	}
	a, b := m.Pix[3*(iy*m.W+ix):][:3], m.Pix[3*(iy*m.W+jx):][:3]
	c, d := m.Pix[3*(jy*m.W+ix):][:3], m.Pix[3*(jy*m.W+jx):][:3]
	for k := range p {
		up := float32(a[k]) + fx*(float32(b[k])-float32(a[k]))
		down := float32(c[k]) + fx*(float32(d[k])-float32(c[k]))
		p[k] = (up+fy*(down-up))*(4./255) - 2
	}
}

// Labels writes into t, map n, 1 into the channel of each pixel's label, and 0
// into all others: a pixel has the label nearest to it, beyond the edge what
// the mirrored image has.
func (w Warp) Labels(t *kernel.Tensor, n int, m *imaging.LabelMap) {
	for y := range t.H {
		row := t.Row(n, y)
		clear(row)
		sx, sy := w.At(0.5, float64(y)+0.5)
		for x := range t.W {
			ix, iy := imaging.Reflect(int(math.Floor(sx)), m.W), imaging.Reflect(int(math.Floor(sy)), m.H)
			if l := int(m.Pix[iy*m.W+ix]); l > 0 && l <= t.C {
				row[x*t.C+l-1] = 1
			}
			sx, sy = sx+w.A, sy+w.C
		}
	}
}

// Tint changes the colours of map n: contrast by 0.75 to 1.25, brightness by up
// to 0.3, and each channel by up to 0.1, in units of the input.
func Tint(rng *rand.Rand, t *kernel.Tensor, n int) {
	contrast := 0.75 + 0.5*rng.Float32()
	bright := 0.3 * (2*rng.Float32() - 1)
	var shift [3]float32
	for k := range shift {
		shift[k] = bright + 0.1*(2*rng.Float32()-1)
	}
	for y := range t.H {
		row := t.Row(n, y)
		for i := 0; i+2 < len(row); i += 3 {
			row[i] = row[i]*contrast + shift[0]
			row[i+1] = row[i+1]*contrast + shift[1]
			row[i+2] = row[i+2]*contrast + shift[2]
		}
	}
}
