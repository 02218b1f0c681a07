package matrix

// Mul returns the product of a and b.
func Mul(a, b *Matrix) *Matrix {
	same("product", a.Cols, b.Rows)
	out := New(a.Rows, b.Cols)
	for i := range a.Rows {
		dst := out.Row(i)
		for k, v := range a.Row(i) {
			if v == 0 {
				continue
			}
			for j, w := range b.Row(k) {
				dst[j] += v * w
			}
		}
	}
	return out
}

// MulT returns the product of a and the transpose of b: the scalar products of
// their rows.
func MulT(a, b *Matrix) *Matrix {
	same("product", a.Cols, b.Cols)
	out := New(a.Rows, b.Rows)
	for i := range a.Rows {
		row, dst := a.Row(i), out.Row(i)
		for j := range dst {
			dst[j] = Dot(row, b.Row(j))
		}
	}
	return out
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
