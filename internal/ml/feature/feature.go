// Package feature describes images by numbers: a classical descriptor of each
// small cell of an image, and what can be made of such maps, whether they are
// classical or come from a network: pooled statistics, Fisher vectors, and the
// distance of each cell to the nearest that a memory of good ones holds.
//
// The descriptor is the one that vision.md §2.2 chose by experiment. Nothing
// here knows of labels. What is learnt from images (PCA, mixtures, memories) is
// learnt in a fixed order from a seed, so it is the same on any number of
// cores.
package feature

import (
	"math"

	"fovea/internal/imaging"
	"fovea/internal/ml/matrix"
)

// A Map holds numbers for each cell of an image, row by row from the top left.
type Map struct {
	H, W, C int // cells, and numbers of a cell
	Data    []float32
}

// NewMap returns a map of zeros.
func NewMap(h, w, c int) *Map { return &Map{H: h, W: w, C: c, Data: make([]float32, h*w*c)} }

// Cells returns the cells as rows, which are not copied.
func (m *Map) Cells() *matrix.Matrix {
	return &matrix.Matrix{Rows: m.H * m.W, Cols: m.C, Data: m.Data}
}

// Cell returns the numbers of a cell, which are not copied.
func (m *Map) Cell(y, x int) []float32 {
	at := (y*m.W + x) * m.C
	return m.Data[at : at+m.C : at+m.C]
}

// Window returns a copy of a part of the map, which is within it; its unit is a
// cell.
func (m *Map) Window(r imaging.Rect) *Map {
	out := NewMap(r.H, r.W, m.C)
	for y := range r.H {
		copy(out.Data[y*r.W*m.C:(y+1)*r.W*m.C], m.Data[((r.Y+y)*m.W+r.X)*m.C:])
	}
	return out
}

// WithContext returns m with, for each cell, the mean over the cells around it
// added: 3 x 3 of them, fewer at the edge.
func (m *Map) WithContext() *Map {
	out := NewMap(m.H, m.W, 2*m.C)
	for y := range m.H {
		for x := range m.W {
			cell := out.Cell(y, x)
			copy(cell, m.Cell(y, x))
			mean, n := cell[m.C:], float32(0)
			for v := max(0, y-1); v <= min(m.H-1, y+1); v++ {
				for u := max(0, x-1); u <= min(m.W-1, x+1); u++ {
					for c, f := range m.Cell(v, u) {
						mean[c] += f
					}
					n++
				}
			}
			for c := range mean {
				mean[c] /= n
			}
		}
	}
	return out
}

// PoolSize returns how many numbers Pool makes of a map of c channels.
func PoolSize(c int) int { return 7 * c }

// Pool returns, one after another, the mean, the standard deviation and the
// maximum of each channel over the map, and its mean over each quarter (the
// "spm" of vision.md).
func (m *Map) Pool() []float32 {
	out := make([]float32, 0, PoolSize(m.C))
	cells := m.Cells()
	means := cells.Means()
	out = append(out, means...)
	for _, v := range cells.Variances(means) {
		out = append(out, float32(math.Sqrt(float64(v))))
	}
	top := append([]float32(nil), cells.Row(0)...)
	for i := range cells.Rows {
		for c, v := range cells.Row(i) {
			top[c] = max(top[c], v)
		}
	}
	out = append(out, top...)
	for _, q := range m.quarters() {
		out = append(out, m.mean(q)...)
	}
	return out
}

// quarters returns the four quarters, each as top, bottom, left, right. In a
// map of one row or column both halves are all of it.
func (m *Map) quarters() [4][4]int {
	top, left := (m.H+1)/2, (m.W+1)/2
	bottom, right := m.H/2, m.W/2
	return [4][4]int{{0, top, 0, left}, {0, top, right, m.W}, {bottom, m.H, 0, left}, {bottom, m.H, right, m.W}}
}

// mean returns the mean of each channel over a part of the map.
func (m *Map) mean(part [4]int) []float32 {
	sum := make([]float64, m.C)
	for y := part[0]; y < part[1]; y++ {
		for x := part[2]; x < part[3]; x++ {
			for c, v := range m.Cell(y, x) {
				sum[c] += float64(v)
			}
		}
	}
	n := float64((part[1] - part[0]) * (part[3] - part[2]))
	out := make([]float32, m.C)
	for c, s := range sum {
		out[c] = float32(s / n)
	}
	return out
}
