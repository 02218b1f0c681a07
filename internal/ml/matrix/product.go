package matrix

import (
	"sync"

	"fovea/internal/ml/kernel"
)

// products keeps the scratch memory of products that are done.
var products = sync.Pool{New: func() any { return new(kernel.Gemm) }}

// multiply sets c to the product of a and b.
func multiply(a, b kernel.Matrix, c *Matrix) *Matrix {
	g := products.Get().(*kernel.Gemm)
	g.Mul(1, a, b, 0, c.view())
	products.Put(g)
	return c
}

func (m *Matrix) view() kernel.Matrix { return kernel.Dense(m.Rows, m.Cols, m.Data) }

// Mul returns the product of a and b.
func Mul(a, b *Matrix) *Matrix {
	same("product", a.Cols, b.Rows)
	return multiply(a.view(), b.view(), New(a.Rows, b.Cols))
}

// MulT returns the product of a and the transpose of b: the scalar products of
// their rows.
func MulT(a, b *Matrix) *Matrix {
	same("product", a.Cols, b.Cols)
	return multiply(a.view(), b.view().T(), New(a.Rows, b.Rows))
}

// TMul returns the product of the transpose of a and b.
func TMul(a, b *Matrix) *Matrix {
	same("product", a.Rows, b.Rows)
	return multiply(a.view().T(), b.view(), New(a.Cols, b.Cols))
}

// Dot returns the scalar product of two vectors of the same length.
func Dot(a, b []float32) float32 {
	var s [4]float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s[0] += a[i] * b[i]
		s[1] += a[i+1] * b[i+1]
		s[2] += a[i+2] * b[i+2]
		s[3] += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s[0] += a[i] * b[i]
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}
