package matrix

import (
	"math"
	"math/rand/v2"
)

// Subspace iteration takes more vectors than are wanted, because the last ones
// come out worst, and so many steps, which leave an error of
// (value beyond them / value)^steps.
const (
	spareVectors  = 24
	subspaceSteps = 24
)

// Leading returns the k largest eigenvalues of a positive semidefinite matrix,
// largest first, and the eigenvector of each as a row. It leaves a as it is. It
// is subspace iteration (Golub and Van Loan, Matrix Computations, 8.2.4) from
// vectors that are always the same: for matrices that are too large for Eigen,
// of which the first few vectors are wanted.
func Leading(a [][]float64, k int) (values []float64, vectors [][]float64) {
	n := len(a)
	k = min(k, n)
	m := min(n, k+spareVectors)
	r := rand.New(rand.NewPCG(uint64(n), uint64(m)))
	q := rows(m, n)
	for i := range q {
		for j := range q[i] {
			q[i][j] = r.NormFloat64()
		}
	}
	orthonormalize(q, r)
	next := rows(m, n)
	for range subspaceSteps {
		times(next, q, a)
		q, next = next, q
		orthonormalize(q, r)
	}
	times(next, q, a)
	small := square(m)
	for i := range m {
		for j := range i + 1 {
			small[i][j] = dot(q[i], next[j])
			small[j][i] = small[i][j]
		}
	}
	all, turns := Eigen(small)
	vectors = rows(k, n)
	for d := range k {
		for i, t := range turns[d] {
			axpy(vectors[d], t, q[i])
		}
	}
	return all[:k], vectors
}

// rows returns m rows of n zeros.
func rows(m, n int) [][]float64 {
	out, data := make([][]float64, m), make([]float64, m*n)
	for i := range out {
		out[i] = data[i*n : (i+1)*n]
	}
	return out
}

// times sets out to q times the symmetric matrix a, some rows of a at a time so
// that each is read once.
func times(out, q, a [][]float64) {
	for i := range out {
		clear(out[i])
	}
	for j, row := range a {
		for i := range q {
			axpy(out[i], q[i][j], row)
		}
	}
}

// orthonormalize makes rows orthogonal and of length one, twice over, because
// once is not exact (the modified Gram-Schmidt method). A row that the others
// make up becomes another.
func orthonormalize(q [][]float64, r *rand.Rand) {
	for i := range q {
		for {
			before := math.Sqrt(dot(q[i], q[i]))
			for range 2 {
				for j := range i {
					axpy(q[i], -dot(q[i], q[j]), q[j])
				}
			}
			length := math.Sqrt(dot(q[i], q[i]))
			if length > 1e-10*before && length > 0 {
				for k := range q[i] {
					q[i][k] /= length
				}
				break
			}
			for k := range q[i] {
				q[i][k] = r.NormFloat64()
			}
		}
	}
}

func dot(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// axpy adds f times x to y.
func axpy(y []float64, f float64, x []float64) {
	for i, v := range x {
		y[i] += f * v
	}
}
