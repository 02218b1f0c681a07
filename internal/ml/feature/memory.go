package feature

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"fovea/internal/ml/matrix"
)

// A Memory holds cells of normal images. How far a cell is from the nearest of
// them tells how unusual it is.
type Memory struct {
	Mean, Scale []float32      // with which cells are made comparable
	Cells       *matrix.Matrix // comparable ones
	norms       []float32      // half the squared length of each
}

// Picked from the cells that are offered.
const (
	MemoryCells = 2000 // of a memory, at most
	offered     = 8000 // among which a coreset is looked for
	coarse      = 16   // dimensions in which it is looked for
)

// FitMemory returns a memory of at most MemoryCells of the cells that are the
// rows of x: ones that are far from each other, so that every cell is near one
// (the greedy coreset of Roth et al., Towards Total Recall in Industrial
// Anomaly Detection, 2022, looked for among some of the cells, on a few random
// axes). It ends early, with its error, when the context does.
func FitMemory(ctx context.Context, x *matrix.Matrix, r *rand.Rand) (*Memory, error) {
	m := &Memory{Mean: x.Means(), Scale: make([]float32, x.Cols)}
	for j, v := range x.Variances(m.Mean) {
		if v > 1e-12 {
			m.Scale[j] = float32(1 / math.Sqrt(float64(v)))
		}
	}
	if x.Rows > offered {
		x = x.Pick(Sample(x.Rows, offered, r))
	}
	z := m.comparable(x)
	picked, err := farApart(ctx, project(z, coarse, r), MemoryCells, r)
	if err != nil {
		return nil, err
	}
	m.Cells = z.Pick(picked)
	m.Ready()
	return m, nil
}

// Ready prepares a memory whose fields were read from a file.
func (m *Memory) Ready() {
	m.norms = make([]float32, m.Cells.Rows)
	for i := range m.norms {
		row := m.Cells.Row(i)
		m.norms[i] = matrix.Dot(row, row) / 2
	}
}

// comparable returns cells with each number made to have the mean 0 and the
// variance 1.
func (m *Memory) comparable(x *matrix.Matrix) *matrix.Matrix {
	z := matrix.New(x.Rows, x.Cols)
	for i := range x.Rows {
		row := z.Row(i)
		for j, v := range x.Row(i) {
			row[j] = (v - m.Mean[j]) * m.Scale[j]
		}
	}
	return z
}

// Distances returns for each cell of a map how far the nearest of the memory
// is, divided by the root of the numbers of a cell, blurred with a standard
// deviation of one cell.
func (m *Memory) Distances(cells *Map) []float32 {
	z := m.comparable(cells.Cells())
	out := make([]float32, z.Rows)
	const rows = 256 // at a time
	for from := 0; from < z.Rows; from += rows {
		part := z.Slice(from, min(from+rows, z.Rows))
		products := matrix.MulT(part, m.Cells)
		for i := range part.Rows {
			nearest := float32(math.Inf(1))
			for k, p := range products.Row(i) {
				nearest = min(nearest, m.norms[k]-p)
			}
			row := part.Row(i)
			square := float64(2*nearest + matrix.Dot(row, row))
			out[from+i] = float32(math.Sqrt(math.Max(0, square) / float64(z.Cols)))
		}
	}
	return Blur(out, cells.W, cells.H, 1)
}

// project returns the rows of x on random axes; x if it has no more columns.
func project(x *matrix.Matrix, dims int, r *rand.Rand) *matrix.Matrix {
	if x.Cols <= dims {
		return x
	}
	axes := matrix.New(dims, x.Cols)
	for i := range axes.Data {
		axes.Data[i] = float32(r.NormFloat64())
	}
	return matrix.MulT(x, axes)
}

// farApart returns n rows of x, all if there are fewer: each the one farthest
// from those before, the first at random.
func farApart(ctx context.Context, x *matrix.Matrix, n int, r *rand.Rand) ([]int, error) {
	if x.Rows <= n {
		all := make([]int, x.Rows)
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	q := newQueue(x, r.IntN(x.Rows))
	for len(q.picked) < n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		q.pick()
	}
	return q.picked, nil
}

// Sample returns n different numbers below total in rising order, drawn at
// random; all of them if there are not more.
func Sample(total, n int, r *rand.Rand) []int {
	picked := r.Perm(total)
	picked = picked[:min(n, total)]
	slices.Sort(picked)
	return picked
}

// ranks are the places in the order of distances that describe a map.
var ranks = [4]int{1, 5, 20, 100}

// ExtremesSize is how many numbers Extremes returns.
const ExtremesSize = len(ranks) + 1

// Extremes returns how a map of distances looks from above: its greatest, 5th,
// 20th and 100th greatest distance, and the median.
func Extremes(distances []float32) []float32 {
	sorted := slices.Clone(distances)
	slices.SortFunc(sorted, func(a, b float32) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	var out []float32
	for _, r := range ranks {
		out = append(out, sorted[min(r, len(sorted))-1])
	}
	return append(out, sorted[len(sorted)/2])
}

// Top returns the mean of the greatest share of distances, of at least one.
func Top(distances []float32, share float64) float32 {
	sorted := slices.Clone(distances)
	slices.Sort(sorted)
	n := max(1, int(share*float64(len(sorted))+0.5))
	sum := 0.0
	for _, d := range sorted[len(sorted)-n:] {
		sum += float64(d)
	}
	return float32(sum / float64(n))
}
