package matrix_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/ml/matrix"
)

func random(rows, cols int) *matrix.Matrix {
	r := rand.New(rand.NewPCG(1, uint64(rows*1000+cols)))
	m := matrix.New(rows, cols)
	for i := range m.Data {
		m.Data[i] = float32(r.NormFloat64())
	}
	return m
}

var near = cmp.Comparer(func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-3 })

func TestProducts(t *testing.T) {
	a := matrix.Of([]float32{1, 2, 3}, []float32{0, -1, 1})
	b := matrix.Of([]float32{1, 0}, []float32{2, 1}, []float32{0, 4})
	want := matrix.Of([]float32{5, 14}, []float32{-2, 3})
	if diff := cmp.Diff(want, matrix.Mul(a, b)); diff != "" {
		t.Errorf("product (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, matrix.MulT(a, b.T())); diff != "" {
		t.Errorf("product with the transpose (-want +got):\n%s", diff)
	}
	for _, size := range [][3]int{{1, 1, 1}, {7, 19, 3}, {33, 5, 65}, {64, 52, 130}} {
		x, y := random(size[0], size[1]), random(size[2], size[1])
		got, sum, turned := matrix.MulT(x, y), matrix.Mul(x, y.T()), matrix.TMul(x.T(), y.T())
		for i := range size[0] {
			for j := range size[2] {
				want := 0.0
				for k := range size[1] {
					want += float64(x.Row(i)[k]) * float64(y.Row(j)[k])
				}
				if math.Abs(float64(got.Row(i)[j])-want) > 1e-4 || math.Abs(float64(sum.Row(i)[j])-want) > 1e-4 || math.Abs(float64(turned.Row(i)[j])-want) > 1e-4 {
					t.Fatalf("%v: %v, %v and %v at %d, %d, want %v", size, got.Row(i)[j], sum.Row(i)[j], turned.Row(i)[j], i, j, want)
				}
			}
		}
	}
}

func TestMoments(t *testing.T) {
	m := matrix.Of([]float32{1, 10}, []float32{3, 10}, []float32{5, 13})
	means := m.Means()
	if diff := cmp.Diff([]float32{3, 11}, means); diff != "" {
		t.Errorf("means (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float32{8. / 3, 2}, m.Variances(means), near); diff != "" {
		t.Errorf("variances (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]float64{{8. / 3, 2}, {2, 2}}, matrix.Covariance(m, means), cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })); diff != "" {
		t.Errorf("covariance (-want +got):\n%s", diff)
	}
}

func TestEigen(t *testing.T) {
	for _, n := range []int{1, 2, 5, 40} {
		m := random(3*n, n)
		a := matrix.Covariance(m, make([]float32, n))
		values, vectors := matrix.Eigen(matrix.Covariance(m, make([]float32, n)))
		for i, v := range vectors {
			if i > 0 && values[i] > values[i-1] {
				t.Errorf("eigenvalue %d is %v after %v", i, values[i], values[i-1])
			}
			length := 0.0
			for r := range n {
				product := 0.0
				for c := range n {
					product += a[r][c] * v[c]
				}
				if math.Abs(product-values[i]*v[r]) > 1e-9 {
					t.Fatalf("n %d: A v is %v, want %v", n, product, values[i]*v[r])
				}
				length += v[r] * v[r]
			}
			if math.Abs(length-1) > 1e-9 {
				t.Errorf("an eigenvector has length %v", length)
			}
		}
	}
}

func TestCholesky(t *testing.T) {
	// Six rows of which four are independent.
	x := matrix.New(6, 9)
	copy(x.Data, random(4, 9).Data)
	for j := range 9 {
		x.Row(4)[j] = x.Row(0)[j] - 2*x.Row(3)[j]
		x.Row(5)[j] = x.Row(1)[j]
	}
	g := matrix.MulT(x, x)
	f := matrix.Cholesky(g)
	if f.L.Cols != 4 {
		t.Errorf("rank %d, want 4", f.L.Cols)
	}
	if diff := cmp.Diff(g.Data, matrix.MulT(f.L, f.L).Data, near); diff != "" {
		t.Errorf("L Lᵀ (-want +got):\n%s", diff)
	}
	v := []float32{1, -2, 0.5, 3}
	w := matrix.Mul(matrix.Of(f.Combination(v)), x)
	if diff := cmp.Diff(matrix.MulT(matrix.Of(v), f.L).Data, matrix.MulT(w, x).Data, near); diff != "" {
		t.Errorf("as a function of the rows (-want +got):\n%s", diff)
	}
	if f := matrix.Cholesky(matrix.New(3, 3)); f.L.Cols != 0 {
		t.Errorf("zeros have rank %d", f.L.Cols)
	}
}
