package feature

import (
	"math"

	"fovea/internal/ml/matrix"
)

// A Projection takes vectors to fewer dimensions.
type Projection struct {
	Mean []float32      // of the vectors
	Axes *matrix.Matrix // a row for each dimension of the result
}

// manyColumns is from how many on the axes are found by a method that is less
// exact and much faster.
const manyColumns = 448

// FitProjection returns the principal components of the rows of x, at most dims
// of them, after each column was made to have variance 1. The results have
// about variance 1 in each dimension: the variance that is divided out is that
// of the component plus 1 % of the mean of all, so that noise is not blown up.
func FitProjection(x *matrix.Matrix, dims int) *Projection {
	p := &Projection{Mean: x.Means()}
	scale := make([]float64, x.Cols)
	for j, v := range x.Variances(p.Mean) {
		if v > 1e-12 {
			scale[j] = 1 / math.Sqrt(float64(v))
		}
	}
	cov := matrix.Covariance(x, p.Mean)
	trace := 0.0
	for i, row := range cov {
		for j := range row {
			row[j] *= scale[i] * scale[j]
		}
		trace += row[i]
	}
	dims = min(dims, x.Cols)
	var values []float64
	var vectors [][]float64
	if x.Cols <= manyColumns {
		values, vectors = matrix.Eigen(cov)
	} else {
		values, vectors = matrix.Leading(cov, dims)
	}
	p.Axes = matrix.New(dims, x.Cols)
	ridge := math.Max(0.01*trace/float64(x.Cols), 1e-9)
	for d := range dims {
		whiten := 1 / math.Sqrt(math.Max(0, values[d])+ridge)
		for j, v := range vectors[d] {
			p.Axes.Row(d)[j] = float32(v * scale[j] * whiten)
		}
	}
	return p
}

// Apply returns the projections of the rows of x.
func (p *Projection) Apply(x *matrix.Matrix) *matrix.Matrix {
	centred := matrix.New(x.Rows, x.Cols)
	for i := range x.Rows {
		row := centred.Row(i)
		for j, v := range x.Row(i) {
			row[j] = v - p.Mean[j]
		}
	}
	return matrix.MulT(centred, p.Axes)
}
