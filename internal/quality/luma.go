package quality

import (
	"math"

	"fovea/internal/imaging"
)

const (
	maxRows   = 160 // of an image that go into its thumbnail
	sharpRows = 48  // at which sharpness is measured
	flatness  = 2   // standard deviation of a thumbnail, in grey levels, up to which there is nothing to see
)

// LookAt returns what there is to see of a decoded picture: all but the sum of
// its file.
func LookAt(m *imaging.Image) *Look {
	l := &Look{Width: m.W, Height: m.H}
	rows := lumaRows(m)
	var thumb [thumbSize]float32
	shrink(rows, l.Width, l.Height, &thumb)
	l.Sharpness = sharpness(rows, l.Width, l.Height)
	var sum, squares float64
	for i, v := range thumb {
		l.Thumb[i] = byte(v + 0.5)
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	mean := sum / thumbSize
	l.Brightness = float32(mean)
	l.Flat = squares/thumbSize-mean*mean < flatness*flatness
	l.Hash = hashOf(&thumb)
	return l
}

// lumaRows returns a function that writes the luma of a row of a picture, in 256
// levels, over out.
func lumaRows(m *imaging.Image) func(y int, out []byte) []byte {
	return func(y int, out []byte) []byte {
		out = out[:0]
		for row := m.Pix[3*y*m.W : 3*(y+1)*m.W]; len(row) >= 3; row = row[3:] {
			out = append(out, byte((77*uint32(row[0])+150*uint32(row[1])+29*uint32(row[2])+128)>>8))
		}
		return out
	}
}

// A span is the part of a row, or column, that one pixel of a thumbnail stands
// for: whole pixels and shares of those at both ends.
type span struct {
	from, to    int // whole pixels
	first, last float32
	inverse     float32 // of its length
}

// spans cuts n pixels into side equal spans, which may cut pixels.
func spans(n int) (list [side]span) {
	width := float64(n) / side
	for i := range list {
		a, b := float64(i)*width, float64(i+1)*width
		s := &list[i]
		s.from, s.to = int(math.Ceil(a)), min(int(b), n)
		s.first, s.last = float32(float64(s.from)-a), float32(b-float64(s.to))
		if s.from > s.to { // within one pixel
			s.from, s.first, s.last = s.to, 0, float32(width)
		}
		s.inverse = float32(1 / width)
	}
	return list
}

// mean returns the mean of a row over a span.
func (s *span) mean(row []byte) float32 {
	whole := uint32(0)
	for _, v := range row[s.from:s.to] {
		whole += uint32(v)
	}
	sum := float32(whole)
	if s.from > 0 {
		sum += s.first * float32(row[s.from-1])
	}
	if s.to < len(row) {
		sum += s.last * float32(row[s.to])
	}
	return sum * s.inverse
}

// shrink scales a picture to a thumbnail by averaging. Of a high picture it
// takes some of the rows.
func shrink(rows func(int, []byte) []byte, width, height int, thumb *[thumbSize]float32) {
	columns := spans(width)
	step := (height + maxRows - 1) / maxRows
	var weights [side]float32
	var row []byte
	band := float64(height) / side
	for y := 0; y < height; y += step {
		row = rows(y, row)
		var means [side]float32
		for x := range columns {
			means[x] = columns[x].mean(row)
		}
		top, bottom := float64(y), min(float64(y+step), float64(height))
		for i := int(top / band); i < side && float64(i)*band < bottom; i++ {
			share := float32(min(bottom, float64(i+1)*band) - max(top, float64(i)*band))
			if share <= 0 {
				continue
			}
			weights[i] += share
			for x, v := range means {
				thumb[i*side+x] += share * v
			}
		}
	}
	for i, w := range weights {
		for x := range side {
			thumb[i*side+x] /= max(w, 1e-6)
		}
	}
}

// sharpness returns the mean absolute second difference along rows and columns,
// measured at some rows.
func sharpness(rows func(int, []byte) []byte, width, height int) float32 {
	if width < 3 || height < 3 {
		return 0
	}
	step := max(1, height/sharpRows)
	var sum, n int64
	var above, here, below []byte
	for y := 1; y < height-1; y += step {
		above, here, below = rows(y-1, above), rows(y, here), rows(y+1, below)
		sum += differences(above, here, below)
		n += int64(width - 2)
	}
	return float32(float64(sum) / float64(n))
}

// differences sums up the second differences at the pixels of a row.
func differences(above, here, below []byte) (sum int64) {
	above, below = above[:len(here)], below[:len(here)]
	for x := 1; x < len(here)-1; x++ {
		twice := 2 * int(here[x])
		across, down := int(here[x-1])+int(here[x+1])-twice, int(above[x])+int(below[x])-twice
		sum += int64(max(across, -across) + max(down, -down))
	}
	return sum
}
