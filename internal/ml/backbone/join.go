package backbone

import (
	"errors"
	"math"
)

// Join returns the maps of one image, fine to coarse, as one at the stride of
// the middle one, the channels one behind the other: those of finer maps as the
// mean of the cells that a cell covers, those of coarser ones bilinear between
// their cells. The three maps of P become what Cells makes of them. It fails if
// there are none.
func Join(maps []Map) (Map, error) {
	switch {
	case len(maps) == 0:
		return Map{}, errors.New("backbone: there are no maps")
	case len(maps) == 1:
		return maps[0], nil
	case len(maps) == 3 && half(&maps[0], &maps[1]) && half(&maps[1], &maps[2]):
		return Cells(maps)
	}
	middle := &maps[len(maps)/2]
	out := Map{Width: middle.Width, Height: middle.Height, Stride: middle.Stride}
	for i := range maps {
		out.Channels += maps[i].Channels
	}
	out.Data = make([]float32, out.Width*out.Height*out.Channels)
	for y := range out.Height {
		for x := range out.Width {
			cell := out.At(x, y)
			for i := range maps {
				m := &maps[i]
				m.sample(cell[:m.Channels], x, y, out.Stride)
				cell = cell[m.Channels:]
			}
		}
	}
	return out, nil
}

// sample adds to cell what the map has where cell x, y of a map of another
// stride is.
func (m *Map) sample(cell []float32, x, y, stride int) {
	if m.Stride >= stride {
		m.interpolate(cell, x, y, stride)
		return
	}
	x0, x1 := m.covered(x, stride, m.Width)
	y0, y1 := m.covered(y, stride, m.Height)
	for v := y0; v < y1; v++ {
		for u := x0; u < x1; u++ {
			add(cell, m.At(u, v), 1/float32((x1-x0)*(y1-y0)))
		}
	}
}

// covered returns which of n cells of the map have their middle in cell i of a
// greater stride, at least one.
func (m *Map) covered(i, stride, n int) (from, to int) {
	first := func(i int) int { return (2*i*stride + m.Stride - 1) / (2 * m.Stride) } // whose middle is at i*stride or behind
	from = min(first(i), n-1)
	return from, max(from+1, min(first(i+1), n))
}

// interpolate is sample for a map of the same or a greater stride.
func (m *Map) interpolate(cell []float32, x, y, stride int) {
	x0, x1, fx := m.around(x, stride, m.Width)
	y0, y1, fy := m.around(y, stride, m.Height)
	add(cell, m.At(x0, y0), (1-fx)*(1-fy))
	add(cell, m.At(x1, y0), fx*(1-fy))
	add(cell, m.At(x0, y1), (1-fx)*fy)
	add(cell, m.At(x1, y1), fx*fy)
}

// around returns the cells of the map before and behind the middle of cell i of
// another stride, and the share of the latter.
func (m *Map) around(i, stride, n int) (before, behind int, share float32) {
	at := (float64(i)+0.5)*float64(stride)/float64(m.Stride) - 0.5
	at = min(max(at, 0), float64(n-1))
	before = int(math.Floor(at))
	return before, min(before+1, n-1), float32(at - float64(before))
}
