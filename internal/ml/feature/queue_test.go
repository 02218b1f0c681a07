package feature

import (
	"math/rand/v2"
	"testing"

	"fovea/internal/ml/matrix"
)

// TestQueue: what is picked is the farthest, as looking at all rows finds it.
func TestQueue(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	x := matrix.New(400, 5)
	for i := range x.Data {
		x.Data[i] = float32(r.NormFloat64())
	}
	q := newQueue(x, 17)
	nearest := make([]float64, x.Rows)
	for i := range nearest {
		nearest[i] = squaredDistance(x.Row(17), x.Row(i))
	}
	for range 200 {
		q.pick()
		got, far := q.picked[len(q.picked)-1], 0.0
		for _, d := range nearest {
			far = max(far, d)
		}
		if d := nearest[got]; d < far-1e-5 {
			t.Fatalf("pick %d is %v away, the farthest is %v", len(q.picked), d, far)
		}
		for i := range nearest {
			nearest[i] = min(nearest[i], squaredDistance(x.Row(got), x.Row(i)))
		}
	}
}
