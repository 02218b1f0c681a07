package feature

import (
	"context"
	"math"
	"math/rand/v2"

	"fovea/internal/ml/matrix"
)

// A Fisher makes Fisher vectors: how the cells of a map differ from a mixture
// that describes the cells of all (Perronnin, Sánchez and Mensink, Improving
// the Fisher Kernel for Large-Scale Image Classification, 2010).
type Fisher struct {
	*Projection
	*Mixture
}

// FisherSetting says how large Fisher vectors are.
type FisherSetting struct {
	Dims       int // of the projection; 0 is 40
	Components int // of the mixture; 0 is 24
}

// FitFisher learns from cells, the rows of x, drawn from all images. It ends
// early, with its error, when the context does.
func FitFisher(ctx context.Context, x *matrix.Matrix, s FisherSetting, r *rand.Rand) (*Fisher, error) {
	if s.Dims == 0 {
		s.Dims = 40
	}
	if s.Components == 0 {
		s.Components = 24
	}
	p := FitProjection(x, s.Dims)
	m, err := FitMixture(ctx, p.Apply(x), min(s.Components, x.Rows), r)
	return &Fisher{p, m}, err
}

// Size returns how long the vectors are.
func (f *Fisher) Size() int { return 2 * len(f.Weights) * f.Means.Cols }

// Encode returns the Fisher vector of a map: for each component and dimension
// the gradient by the mean, then those by the variance; the signed root of
// each; scaled to length one.
func (f *Fisher) Encode(m *Map) []float32 {
	v := f.gradient(f.sums(withSquares(f.Apply(m.Cells()))), float64(m.H*m.W))
	normalize(v)
	return v
}

// gradient returns the gradient for the moments of n cells.
func (f *Fisher) gradient(s moments, n float64) []float32 {
	d := f.Means.Cols
	v := make([]float32, f.Size())
	byMean, byVariance := v[:len(v)/2], v[len(v)/2:]
	for k, count := range s.count {
		w := math.Max(float64(f.Weights[k]), 1e-6)
		for j := range d {
			mean, variance := float64(f.Means.Row(k)[j]), float64(f.Variances.Row(k)[j])
			s1, s2 := float64(s.sums.Row(k)[j]), float64(s.sums.Row(k)[d+j])
			byMean[k*d+j] = float32((s1 - mean*count) / (math.Sqrt(variance*w) * n))
			byVariance[k*d+j] = float32((s2 - 2*mean*s1 + (mean*mean-variance)*count) / (variance * math.Sqrt(2*w) * n))
		}
	}
	return v
}

// normalize takes the signed root of each number and scales the vector to
// length one. Zeros stay.
func normalize(v []float32) {
	sum := 0.0
	for i, x := range v {
		sum += math.Abs(float64(x))
		v[i] = float32(math.Copysign(math.Sqrt(math.Abs(float64(x))), float64(x)))
	}
	if sum == 0 {
		return
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
}

// Explain returns, for each cell of a map, how much it adds to the scalar
// product of the map's Fisher vector with w. The parts sum to that product.
func (f *Fisher) Explain(m *Map, w []float32) []float32 {
	wide := withSquares(f.Apply(m.Cells()))
	p := f.posteriors(wide)
	v := f.gradient(f.sums(wide), float64(m.H*m.W))
	before := append([]float32(nil), v...)
	normalize(v)
	// What one unit of a gradient adds: weight times the slope of the root.
	for i := range v {
		if math.Abs(float64(before[i])) < 1e-12 { // where the slope has no bound
			v[i] = 0
			continue
		}
		v[i] *= w[i] / before[i]
	}
	out := make([]float32, wide.Rows)
	one := moments{count: make([]float64, len(f.Weights)), sums: matrix.New(len(f.Weights), wide.Cols)}
	for i := range out {
		for k, q := range p.Row(i) {
			one.count[k] = float64(q)
			for j, x := range wide.Row(i) {
				one.sums.Row(k)[j] = q * x
			}
		}
		out[i] = matrix.Dot(f.gradient(one, float64(m.H*m.W)), v)
	}
	return out
}
