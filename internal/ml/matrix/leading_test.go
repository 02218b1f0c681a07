package matrix

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestLeading wants the first vectors of Eigen of a matrix like those that come
// from features: a few directions count most, the others less and less.
func TestLeading(t *testing.T) {
	const n, k = 120, 10
	r := rand.New(rand.NewPCG(5, 6))
	x := New(400, n)
	for i := range x.Rows {
		for j := range n {
			x.Row(i)[j] = float32(r.NormFloat64() * math.Pow(0.95, float64(j)) * 3)
		}
		for j := 1; j < n; j++ {
			x.Row(i)[j] += x.Row(i)[j-1] / 2
		}
	}
	cov := Covariance(x, x.Means())
	values, vectors := Leading(cov, k)
	again, _ := Leading(cov, k)
	want, axes := Eigen(cov)
	for d := range k {
		if math.Abs(values[d]-want[d]) > 1e-6*want[0] {
			t.Errorf("value %d is %g, want %g", d, values[d], want[d])
		}
		if c := math.Abs(dot(vectors[d], axes[d])); c < 1-1e-4 {
			t.Errorf("vector %d has the cosine %g with the one that is wanted", d, c)
		}
		if values[d] != again[d] {
			t.Errorf("value %d is %g, and then %g", d, values[d], again[d])
		}
	}
}

// TestLeadingDegenerate wants no endless loop and no numbers that are none where
// a matrix has fewer directions than are wanted.
func TestLeadingDegenerate(t *testing.T) {
	for _, rank := range []int{0, 1, 3} {
		a := square(40)
		for i := range rank {
			a[i][i] = float64(i + 1)
		}
		values, vectors := Leading(a, 8)
		for d := range values {
			want := float64(max(0, rank-d))
			if math.Abs(values[d]-want) > 1e-9 || math.Abs(dot(vectors[d], vectors[d])-1) > 1e-9 {
				t.Errorf("rank %d: value %d is %g, want %g; length %g", rank, d, values[d], want, dot(vectors[d], vectors[d]))
			}
		}
	}
}
