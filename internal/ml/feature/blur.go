package feature

import (
	"math"

	"fovea/internal/imaging"
	"fovea/internal/ml/kernel"
)

// blur returns a plane of w x h pixels blurred by a Gaussian of that standard
// deviation, reflected at its edges, with a border of one reflected pixel.
func blur(plane []float32, w, h int, sigma float64) *framed {
	weights := Gaussian(sigma)
	kernels := kernel.Auto()
	r := len(weights) - 1
	rows := make([]float32, w*h) // blurred along x
	line := make([]float32, w+2*r)
	for y := range h {
		row := plane[y*w : (y+1)*w]
		copy(line[r:], row)
		for i := 1; i <= r; i++ {
			line[r-i] = row[imaging.Reflect(-i, w)]
			line[r+w-1+i] = row[imaging.Reflect(w-1+i, w)]
		}
		accumulate(kernels, rows[y*w:(y+1)*w], line, weights)
	}
	out := &framed{w: w, h: h, pix: make([]float32, (w+2)*(h+2))}
	for y := range h {
		to := out.row(y)[1 : w+1]
		for i, weight := range weights {
			a := rows[imaging.Reflect(y-i, h)*w:][:w]
			b := rows[imaging.Reflect(y+i, h)*w:][:w]
			if i == 0 {
				for x, v := range a {
					to[x] = weight * v
				}
				continue
			}
			kernels.Axpy(to, a, weight)
			kernels.Axpy(to, b, weight)
		}
	}
	out.frame()
	return out
}

// accumulate sets each number of to to the weighted sum of the numbers around
// the same place in line, which has a border.
func accumulate(kernels *kernel.Set, to, line []float32, weights []float32) {
	r := len(weights) - 1
	for x, v := range line[r : r+len(to)] {
		to[x] = weights[0] * v
	}
	for i := 1; i <= r; i++ {
		weight := weights[i]
		kernels.Axpy(to, line[r-i:][:len(to)], weight)
		kernels.Axpy(to, line[r+i:][:len(to)], weight)
	}
}

// frame fills the border.
func (f *framed) frame() {
	left, right := 1+imaging.Reflect(-1, f.w), 1+imaging.Reflect(f.w, f.w)
	for y := range f.h {
		row := f.row(y)
		row[0], row[f.w+1] = row[left], row[right]
	}
	copy(f.row(-1), f.row(imaging.Reflect(-1, f.h)))
	copy(f.row(f.h), f.row(imaging.Reflect(f.h, f.h)))
}

// Gaussian returns the weights of a Gaussian of that standard deviation from
// its centre outwards, up to three standard deviations. Laid out to both sides
// they sum to one.
func Gaussian(sigma float64) []float32 {
	r := int(math.Ceil(3 * sigma))
	exact := make([]float64, r+1)
	sum := 0.0
	for i := range exact {
		exact[i] = math.Exp(-float64(i*i) / (2 * sigma * sigma))
		sum += exact[i]
		if i > 0 {
			sum += exact[i]
		}
	}
	weights := make([]float32, r+1)
	for i, v := range exact {
		weights[i] = float32(v / sum)
	}
	return weights
}

// Blur returns a plane of w x h numbers blurred by a Gaussian of that standard
// deviation, reflected at its edges.
func Blur(plane []float32, w, h int, sigma float64) []float32 {
	f := blur(plane, w, h, sigma)
	out := make([]float32, w*h)
	for y := range h {
		copy(out[y*w:(y+1)*w], f.row(y)[1:])
	}
	return out
}
