package matrix

import (
	"cmp"
	"math"
	"slices"
)

// Covariance returns the covariance of the columns of m about these means.
func Covariance(m *Matrix, means []float32) [][]float64 {
	n := m.Cols
	out := square(n)
	d := make([]float64, n)
	for r := range m.Rows {
		for j, v := range m.Row(r) {
			d[j] = float64(v) - float64(means[j])
		}
		for i, a := range d {
			row := out[i][:i+1]
			for j := range row {
				row[j] += a * d[j]
			}
		}
	}
	for i := range n {
		for j := range i + 1 {
			out[i][j] /= float64(max(1, m.Rows))
			out[j][i] = out[i][j]
		}
	}
	return out
}

func square(n int) [][]float64 {
	out, data := make([][]float64, n), make([]float64, n*n)
	for i := range out {
		out[i] = data[i*n : (i+1)*n]
	}
	return out
}

// sweeps bounds the sweeps of Jacobi's method, which needs six to ten.
const sweeps = 60

// Eigen returns the eigenvalues of a symmetric matrix, largest first, and the
// eigenvector of each as a row. It destroys a. It is Jacobi's method with
// cyclic sweeps (Golub and Van Loan, Matrix Computations, 8.5), exact enough
// for a few hundred dimensions.
func Eigen(a [][]float64) (values []float64, vectors [][]float64) {
	n := len(a)
	v := square(n)
	total := 0.0
	for i := range n {
		v[i][i] = 1
		for _, x := range a[i] {
			total += x * x
		}
	}
	for range sweeps {
		off := 0.0
		for i := range n {
			for _, x := range a[i][:i] {
				off += 2 * x * x
			}
		}
		if off <= 1e-20*total {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				rotate(a, v, p, q)
			}
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(a[j][j], a[i][i]) })
	for _, i := range order {
		values = append(values, a[i][i])
		vectors = append(vectors, v[i])
	}
	return values, vectors
}

// rotate makes a[p][q] zero by a rotation, and turns the rows of v with it.
func rotate(a, v [][]float64, p, q int) {
	apq := a[p][q]
	if apq == 0 {
		return
	}
	theta := (a[q][q] - a[p][p]) / (2 * apq)
	t := 1 / (math.Abs(theta) + math.Sqrt(theta*theta+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(t*t+1)
	s := t * c
	app, aqq := a[p][p], a[q][q]
	rp, rq := a[p], a[q]
	for k := range rp {
		x, y := rp[k], rq[k]
		rp[k], rq[k] = c*x-s*y, s*x+c*y
	}
	for k := range a {
		a[k][p], a[k][q] = rp[k], rq[k]
	}
	a[p][p], a[q][q] = app-t*apq, aqq+t*apq
	a[p][q], a[q][p] = 0, 0
	vp, vq := v[p], v[q]
	for k := range vp {
		x, y := vp[k], vq[k]
		vp[k], vq[k] = c*x-s*y, s*x+c*y
	}
}
