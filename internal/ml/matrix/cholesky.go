package matrix

import "math"

// A Factor is the Cholesky factor of a positive semidefinite matrix G of n rows
// and rank r: L of n x r numbers with L Lᵀ = G.
type Factor struct {
	L     *Matrix
	pivot []int // the rows of G that are independent, r of them
	lower [][]float64
}

// Cholesky returns the factor of g, a Gram matrix, which it does not change.
// Rows that depend on others, up to rounding, are left out (diagonal pivoting:
// Higham, Accuracy and Stability of Numerical Algorithms, 10.3).
func Cholesky(g *Matrix) *Factor {
	n := g.Rows
	diagonal := make([]float64, n)
	largest := 0.0
	for i := range n {
		diagonal[i] = float64(g.Row(i)[i])
		largest = math.Max(largest, diagonal[i])
	}
	columns := make([][]float64, 0, n) // of L
	f := &Factor{}
	for range n {
		p := argmax(diagonal)
		if diagonal[p] <= 1e-6*largest {
			break
		}
		root := math.Sqrt(diagonal[p])
		column := make([]float64, n)
		for i := range n {
			column[i] = float64(g.Row(p)[i])
		}
		for _, c := range columns {
			if w := c[p]; w != 0 {
				for i, v := range c {
					column[i] -= w * v
				}
			}
		}
		for i := range n {
			column[i] /= root
			diagonal[i] -= column[i] * column[i]
		}
		column[p] = root
		for _, done := range f.pivot {
			column[done] = 0
		}
		diagonal[p] = math.Inf(-1)
		f.pivot = append(f.pivot, p)
		columns = append(columns, column)
	}
	f.L = New(n, len(columns))
	f.lower = square(len(columns))
	for j, c := range columns {
		for i, v := range c {
			f.L.Row(i)[j] = float32(v)
		}
		for i, p := range f.pivot {
			f.lower[i][j] = c[p]
		}
	}
	return f
}

func argmax(v []float64) int {
	best := 0
	for i, x := range v {
		if x > v[best] {
			best = i
		}
	}
	return best
}

// Combination returns weights of the rows of the matrix whose Gram matrix was
// factored, such that their sum has the same scalar products with all rows as
// v has with the rows of L: so a linear function learnt on L becomes one on
// what L stands for.
func (f *Factor) Combination(v []float32) []float32 {
	r := len(f.pivot)
	x := make([]float64, r)
	for i := r - 1; i >= 0; i-- {
		x[i] = float64(v[i])
		for k := i + 1; k < r; k++ {
			x[i] -= f.lower[k][i] * x[k]
		}
		x[i] /= f.lower[i][i]
	}
	out := make([]float32, f.L.Rows)
	for i, p := range f.pivot {
		out[p] = float32(x[i])
	}
	return out
}
