package backbone

import "fmt"

// Cells returns the maps of P as one at the stride of the middle one: the finer
// as the mean of its 2 x 2 cells, the coarser bilinear between its cells, one
// behind the other. It fails if the maps are not three, each half as large as
// the one before.
func Cells(maps []Map) (Map, error) {
	if len(maps) != 3 || !half(&maps[0], &maps[1]) || !half(&maps[1], &maps[2]) {
		return Map{}, fmt.Errorf("backbone: %d maps cannot be one: three are wanted, each half as large as the one before", len(maps))
	}
	fine, middle, coarse := &maps[0], &maps[1], &maps[2]
	out := Map{Width: middle.Width, Height: middle.Height, Stride: middle.Stride, Channels: fine.Channels + middle.Channels + coarse.Channels}
	out.Data = make([]float32, out.Width*out.Height*out.Channels)
	for y := range out.Height {
		for x := range out.Width {
			cell := out.At(x, y)
			for i := range 4 {
				add(cell, fine.At(2*x+i%2, 2*y+i/2), 0.25)
			}
			cell = cell[fine.Channels:]
			copy(cell, middle.At(x, y))
			between(cell[middle.Channels:], coarse, x, y)
		}
	}
	return out, nil
}

// half reports whether map b has half the size of a.
func half(a, b *Map) bool { return a.Width == 2*b.Width && a.Height == 2*b.Height }

// between adds to cell the coarse map at a cell of one twice as large: three
// quarters of the cell that covers it, one of the next, in both directions.
func between(cell []float32, m *Map, x, y int) {
	x0, y0 := x/2, y/2
	x1, y1 := max(0, min(m.Width-1, x0-1+2*(x%2))), max(0, min(m.Height-1, y0-1+2*(y%2)))
	add(cell, m.At(x0, y0), 9./16)
	add(cell, m.At(x1, y0), 3./16)
	add(cell, m.At(x0, y1), 3./16)
	add(cell, m.At(x1, y1), 1./16)
}

func add(to, from []float32, f float32) {
	for i, v := range from {
		to[i] += f * v
	}
}
