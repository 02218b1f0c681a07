package forest

import (
	"math"
	"math/rand/v2"

	"fovea/internal/imaging"
	"fovea/internal/ml/feature"
	"fovea/internal/ml/matrix"
)

// scales are the standard deviations, in pixels, of what is seen around a pixel.
var scales = [4]float64{1, 2, 4, 8}

// Of the numbers of a pixel.
const (
	ofScale = 8
	Numbers = 3 + len(scales)*ofScale
)

// Pixels returns for each pixel of an image its colour in Lab; and on each scale
// the blurred colour, the strength of the edge, the two eigenvalues of the
// Hessian of lightness, and the roots of those of its structure tensor.
func Pixels(m *imaging.Image) *imaging.Planes {
	lab := m.Lab()
	out := imaging.NewPlanes(Numbers, m.H, m.W)
	copy(out.Data, lab.Data)
	for i, sigma := range scales {
		first := 3 + i*ofScale
		for c := range 3 {
			copy(out.Plane(first+c), feature.Blur(lab.Plane(c), m.W, m.H, sigma))
		}
		derive(out, first, sigma)
	}
	return out
}

// derive fills in the numbers of a scale that come from the blurred lightness
// in plane first.
func derive(out *imaging.Planes, first int, sigma float64) {
	w, h, l := out.W, out.H, out.Plane(first)
	edge, large, small := out.Plane(first+3), out.Plane(first+4), out.Plane(first+5)
	xx, xy, yy := make([]float32, w*h), make([]float32, w*h), make([]float32, w*h)
	// What is differentiated on a larger scale is smaller by it.
	unit := float32(sigma)
	for y := range h {
		above, below := l[imaging.Reflect(y-1, h)*w:][:w], l[imaging.Reflect(y+1, h)*w:][:w]
		here := l[y*w:][:w]
		for x := range w {
			left, right := imaging.Reflect(x-1, w), imaging.Reflect(x+1, w)
			i := y*w + x
			gx, gy := unit*(here[right]-here[left])/2, unit*(below[x]-above[x])/2
			edge[i] = root(gx*gx + gy*gy)
			xx[i], xy[i], yy[i] = gx*gx, gx*gy, gy*gy
			hxx := unit * unit * (here[right] + here[left] - 2*here[x])
			hyy := unit * unit * (below[x] + above[x] - 2*here[x])
			hxy := unit * unit * (below[right] - below[left] - above[right] + above[left]) / 4
			large[i], small[i] = eigenvalues(hxx, hxy, hyy)
		}
	}
	window := 1.5 * sigma
	xx, xy, yy = feature.Blur(xx, w, h, window), feature.Blur(xy, w, h, window), feature.Blur(yy, w, h, window)
	along, across := out.Plane(first+6), out.Plane(first+7)
	for i := range xx {
		a, b := eigenvalues(xx[i], xy[i], yy[i])
		along[i], across[i] = root(a), root(b)
	}
}

// eigenvalues returns those of a symmetric 2 x 2 matrix, the larger first.
func eigenvalues(a, b, c float32) (float32, float32) {
	mean, half := (a+c)/2, (a-c)/2
	d := root(half*half + b*b)
	return mean + d, mean - d
}

func root(v float32) float32 { return float32(math.Sqrt(math.Max(0, float64(v)))) }

// Draw draws samples from the pixels of an image: of each class as many as
// quota says, of the background first, or all there are. A nil mask is all
// background; else it has the size of the image.
func Draw(p *imaging.Planes, mask *imaging.LabelMap, quota []int, r *rand.Rand) Samples {
	at := make([][]int, len(quota))
	for i := range p.H * p.W {
		class := 0
		if mask != nil {
			class = int(mask.Pix[i])
		}
		at[class] = append(at[class], i)
	}
	s := Samples{X: matrix.New(0, p.C)}
	for class, pixels := range at {
		for _, k := range feature.Sample(len(pixels), quota[class], r) {
			s.X.Data = append(s.X.Data, numbers(p, pixels[k])...)
			s.X.Rows++
			s.Y = append(s.Y, uint8(class))
		}
	}
	return s
}

// numbers returns those of pixel i.
func numbers(p *imaging.Planes, i int) []float32 {
	out := make([]float32, p.C)
	for c := range out {
		out[c] = p.Data[c*p.H*p.W+i]
	}
	return out
}

// Join returns the samples of several images together.
func Join(parts ...Samples) Samples {
	all := Samples{X: matrix.New(0, Numbers)}
	for _, s := range parts {
		all.X.Data = append(all.X.Data, s.X.Data...)
		all.X.Rows += s.X.Rows
		all.Y = append(all.Y, s.Y...)
	}
	return all
}

// Predict returns how probable each type is at each of the pixels of an image,
// blurred with a standard deviation of one pixel.
func (f *Forest) Predict(p *imaging.Planes) *imaging.Planes {
	out := imaging.NewPlanes(f.types, p.H, p.W)
	n := p.H * p.W
	f.sum(out.Data, samples{n: n, of: p.Data, number: n, sample: 1}, n, 1)
	for i := range out.Data {
		out.Data[i] /= trees
	}
	for k := range f.types {
		copy(out.Plane(k), feature.Blur(out.Plane(k), p.W, p.H, 1))
	}
	return out
}
