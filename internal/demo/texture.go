package demo

import "math/rand/v2"

// A texture is noise between about -1 and 1 that repeats every textureWide
// columns and textureHigh rows.
type texture struct{ cells []float32 }

const (
	textureWide = 512 // powers of two
	textureHigh = 512
)

// at returns the noise of a cell. Any column and row has one.
func (t *texture) at(x, y int) float32 {
	return t.cells[(y&(textureHigh-1))*textureWide+x&(textureWide-1)]
}

// grain returns noise without any direction, as of a camera's sensor.
func grain(rng *rand.Rand) *texture {
	t := &texture{cells: make([]float32, textureWide*textureHigh)}
	for i := range t.cells {
		t.cells[i] = 2*rng.Float32() - 1
	}
	return t
}

// brushed returns noise in long streaks along the rows, as a brush leaves on
// metal: each row is the sum of noise averaged over short and long stretches.
func brushed(rng *rand.Rand) *texture {
	t := &texture{cells: make([]float32, textureWide*textureHigh)}
	raw := make([]float32, textureWide)
	for y := range textureHigh {
		for i := range raw {
			raw[i] = 2*rng.Float32() - 1
		}
		row := t.cells[y*textureWide:][:textureWide]
		for _, s := range []struct {
			length int
			weight float32
		}{{8, 0.5}, {48, 2}, {200, 3}} {
			average(row, raw, s.length, s.weight)
		}
	}
	return t
}

// average adds to row the weighted means of raw over that many columns, going
// round at the end.
func average(row, raw []float32, length int, weight float32) {
	var sum float32
	for _, v := range raw[:length] {
		sum += v
	}
	for i := range row {
		row[i] += sum / float32(length) * weight
		sum += raw[(i+length)%len(raw)] - raw[i]
	}
}

// rough returns noise in grains of several sizes, as sand leaves on cast metal.
func rough(rng *rand.Rand) *texture {
	t := &texture{cells: make([]float32, textureWide*textureHigh)}
	for _, s := range []struct {
		size   int
		weight float32
	}{{2, 0.5}, {4, 1.2}, {9, 1.6}} {
		t.add(grain(rng).averaged(s.size).turned().averaged(s.size).turned(), s.weight)
	}
	return t
}

// averaged returns the texture with each cell the mean of that many to its right.
func (t *texture) averaged(length int) *texture {
	out := &texture{cells: make([]float32, textureWide*textureHigh)}
	for y := range textureHigh {
		average(out.cells[y*textureWide:][:textureWide], t.cells[y*textureWide:][:textureWide], length, 1)
	}
	return out
}

// turned returns the texture with its rows as columns; it has as many of both.
func (t *texture) turned() *texture {
	out := &texture{cells: make([]float32, textureWide*textureHigh)}
	for y := range textureHigh {
		for x := range textureWide {
			out.cells[x*textureHigh+y] = t.cells[y*textureWide+x]
		}
	}
	return out
}

// add adds another texture, weighted.
func (t *texture) add(other *texture, weight float32) {
	for i, v := range other.cells {
		t.cells[i] += v * weight
	}
}
