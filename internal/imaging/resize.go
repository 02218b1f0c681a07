package imaging

import "math"

// Fit returns m scaled so that its longer side has side pixels, with its
// proportions kept; m itself if it has.
func (m *Image) Fit(side int) *Image {
	long := max(m.W, m.H)
	scale := func(n int) int { return max(1, (n*side+long/2)/long) }
	return m.Resize(scale(m.W), scale(m.H))
}

// Resize returns m scaled to w x h pixels; m itself if it has as many. In a
// direction in which it becomes smaller each pixel is the average of the area
// it covers, so that nothing small is passed over; in which it becomes larger,
// the linear interpolation of the two nearest.
func (m *Image) Resize(w, h int) *Image {
	if w == m.W && h == m.H {
		return m
	}
	out := New(w, h)
	r := resampler{m: m, across: taps(m.W, w), cached: [2]int{-1, -1}}
	sum := make([]float32, 3*w)
	for y, t := range taps(m.H, h) {
		clear(sum)
		for i, weight := range t.weights {
			for x, v := range r.row(t.first + i) {
				sum[x] += weight * v
			}
		}
		for x, v := range sum {
			out.Pix[3*y*w+x] = uint8(v + 0.5)
		}
	}
	return out
}

// A tap says which source pixels, from the first on, make a pixel, and how much
// each counts. The weights sum to one.
type tap struct {
	first   int
	weights []float32
}

// taps returns the taps that scale n pixels to size.
func taps(n, size int) []tap {
	out := make([]tap, size)
	ratio := float64(n) / float64(size)
	for i := range out {
		if ratio > 1 {
			out[i] = areaTap(float64(i)*ratio, float64(i+1)*ratio, n)
		} else {
			out[i] = linearTap((float64(i)+0.5)*ratio-0.5, n)
		}
	}
	return out
}

// areaTap averages the pixels of n that are between from and to.
func areaTap(from, to float64, n int) tap {
	first, last := int(from), min(int(math.Ceil(to)), n)
	t := tap{first: first, weights: make([]float32, last-first)}
	for i := range t.weights {
		left, right := math.Max(from, float64(first+i)), math.Min(to, float64(first+i+1))
		t.weights[i] = float32((right - left) / (to - from))
	}
	return t
}

// linearTap interpolates the pixels of n on both sides of at.
func linearTap(at float64, n int) tap {
	at = math.Min(math.Max(at, 0), float64(n-1))
	first := int(at)
	part := float32(at - float64(first))
	if part == 0 {
		return tap{first, []float32{1}}
	}
	return tap{first, []float32{1 - part, part}}
}

// A resampler scales rows, and keeps the two that it scaled last: neighbouring
// rows of the result share them.
type resampler struct {
	m      *Image
	across []tap
	rows   [2][]float32
	cached [2]int // which rows they are
}

// row returns row y scaled.
func (r *resampler) row(y int) []float32 {
	slot := y % 2
	if r.cached[slot] == y {
		return r.rows[slot]
	}
	if r.rows[slot] == nil {
		r.rows[slot] = make([]float32, 3*len(r.across))
	}
	out, in := r.rows[slot], r.m.Pix[3*y*r.m.W:3*(y+1)*r.m.W]
	for x, t := range r.across {
		var red, green, blue float32
		px := in[3*t.first:]
		for i, w := range t.weights {
			red += w * float32(px[3*i])
			green += w * float32(px[3*i+1])
			blue += w * float32(px[3*i+2])
		}
		out[3*x], out[3*x+1], out[3*x+2] = red, green, blue
	}
	r.cached[slot] = y
	return out
}

// Resize returns m scaled to w x h pixels, each the label of the nearest pixel;
// m itself if it has as many.
func (m *LabelMap) Resize(w, h int) *LabelMap {
	if w == m.W && h == m.H {
		return m
	}
	out := &LabelMap{W: w, H: h, Pix: make([]uint8, w*h)}
	for y := range h {
		row := m.Pix[(2*y+1)*m.H/(2*h)*m.W:]
		for x := range w {
			out.Pix[y*w+x] = row[(2*x+1)*m.W/(2*w)]
		}
	}
	return out
}
