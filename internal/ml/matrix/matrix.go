// Package matrix holds matrices of float32 and the little linear algebra that
// features and heads need: products, the eigenvectors of a covariance, the
// Cholesky factor of a Gram matrix.
//
// Sums over many rows are made in a fixed order, so a result depends on the
// numbers alone and never on how many cores there were.
package matrix

import "fmt"

// A Matrix is Rows x Cols numbers, row by row.
type Matrix struct {
	Rows, Cols int
	Data       []float32
}

// New returns a matrix of zeros.
func New(rows, cols int) *Matrix {
	return &Matrix{Rows: rows, Cols: cols, Data: make([]float32, rows*cols)}
}

// Of returns a matrix whose rows are copies of rows, which are equally long.
func Of(rows ...[]float32) *Matrix {
	if len(rows) == 0 {
		return New(0, 0)
	}
	m := New(len(rows), len(rows[0]))
	for i, r := range rows {
		copy(m.Row(i), r)
	}
	return m
}

// Row returns row i, which is not copied.
func (m *Matrix) Row(i int) []float32 { return m.Data[i*m.Cols : (i+1)*m.Cols : (i+1)*m.Cols] }

// Slice returns rows from to to-1, which are not copied.
func (m *Matrix) Slice(from, to int) *Matrix {
	return &Matrix{Rows: to - from, Cols: m.Cols, Data: m.Data[from*m.Cols : to*m.Cols]}
}

// Pick returns a copy of the rows with these indices.
func (m *Matrix) Pick(rows []int) *Matrix {
	out := New(len(rows), m.Cols)
	for i, r := range rows {
		copy(out.Row(i), m.Row(r))
	}
	return out
}

// T returns m with rows and columns changed.
func (m *Matrix) T() *Matrix {
	out := New(m.Cols, m.Rows)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			out.Data[j*m.Rows+i] = v
		}
	}
	return out
}

// Means returns the mean of each column.
func (m *Matrix) Means() []float32 {
	sum := make([]float64, m.Cols)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			sum[j] += float64(v)
		}
	}
	out := make([]float32, m.Cols)
	for j, s := range sum {
		out[j] = float32(s / float64(max(1, m.Rows)))
	}
	return out
}

// Variances returns the variance of each column about these means.
func (m *Matrix) Variances(means []float32) []float32 {
	sum := make([]float64, m.Cols)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			d := float64(v) - float64(means[j])
			sum[j] += d * d
		}
	}
	out := make([]float32, m.Cols)
	for j, s := range sum {
		out[j] = float32(s / float64(max(1, m.Rows)))
	}
	return out
}

// same panics if the sizes of a product do not fit: our own mistake.
func same(what string, a, b int) {
	if a != b {
		panic(fmt.Sprintf("matrix: %s of %d and %d", what, a, b))
	}
}
