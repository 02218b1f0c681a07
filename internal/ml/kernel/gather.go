package kernel

// A gather computes pixels of one tensor from those around a place in another:
// a convolution, or a part of the gradient of its input. Pixels oy + i*to, ox +
// j*to of the target come from the pixels that begin at y + i*step, x + j*step
// in the source, counted with its border, through the weights ky x kx.
type gather struct {
	oy, ox, to  int
	y, x, step  int
	ky, kx      []int
	packed      []float32 // panels of sixteen target channels
	in, out     int
	rows, width int // of panels: weights for a channel
}

// pack packs the weights in the order in which they are used. The strides say
// where the weight of a place (ky*size+kx), a source and a target channel is.
func (g *gather) pack(w []float32, size, in, out, place, from, to int) {
	g.in, g.out = in, out
	g.width = len(g.kx) * in
	g.rows = len(g.ky) * g.width
	panels := (out + tileCols - 1) / tileCols
	if need := panels * g.rows * tileCols; len(g.packed) != need {
		g.packed = make([]float32, need)
	}
	dst := g.packed
	for j := 0; j < out; j += tileCols {
		cols := min(tileCols, out-j)
		for _, ky := range g.ky {
			for _, kx := range g.kx {
				for i := range in {
					src := w[(ky*size+kx)*place+i*from+j*to:]
					if to == 1 {
						copy(dst[:cols], src)
					} else {
						for o := range cols {
							dst[o] = src[o*to]
						}
					}
					dst = dst[tileCols:]
				}
			}
		}
	}
}

// side returns how many of n target pixels from first on are computed.
func (g *gather) side(n, first int) int { return (n - first + g.to - 1) / g.to }

// blocks returns how many pieces the work is.
func (g *gather) blocks(t *Tensor) int {
	return (t.N*g.side(t.H, g.oy)*g.side(t.W, g.ox) + blockPixels - 1) / blockPixels
}

// A gatherTask is the task of computing all pixels of a tensor.
type gatherTask struct {
	c        *Conv
	from, to *Tensor
	gathers  []gather
	add      bool
	after    After
}

func (t *gatherTask) Do(piece, worker int) {
	for i := range t.gathers {
		g := &t.gathers[i]
		n := g.blocks(t.to)
		if piece < n {
			t.block(g, piece*blockPixels, &t.c.scratch[worker])
			return
		}
		piece -= n
	}
}

// block computes the pixels from first on.
func (t *gatherTask) block(g *gather, first int, s *convScratch) {
	h, w := g.side(t.to.H, g.oy), g.side(t.to.W, g.ox)
	count := min(blockPixels, t.to.N*h*w-first)
	n, y, x := first/(h*w), first/w%h, first%w
	for i := range count {
		s.a[i] = ((n*(t.from.H+2)+g.y+y*g.step)*(t.from.W+2) + g.x + x*g.step) * g.in
		s.c[i] = t.to.offset(n, g.oy+y*g.to, g.ox+x*g.to)
		if x++; x == w {
			x = 0
			if y++; y == h {
				y, n = 0, n+1
			}
		}
	}
	t.tiles(g, s, count)
	if t.after.Scale != nil {
		t.finish(s, count)
	}
}

// tiles computes the pixels of a block, panel by panel.
func (t *gatherTask) tiles(g *gather, s *convScratch, count int) {
	tile, acc := &s.tile, 0
	if t.add {
		acc = 1
	}
	tile.a, tile.runs, tile.run = &t.from.Data[0], len(g.ky), g.width
	tile.step = 4 * (t.from.W + 2) * g.in
	for j := 0; j < g.out; j += tileCols {
		cols := min(tileCols, g.out-j)
		tile.b = &g.packed[j*g.rows]
		for i := 0; i < count; i += tileRows {
			rows := min(tileRows, count-i)
			for r := range tileRows {
				p := i + min(r, rows-1)
				tile.aoff[r], tile.coff[r] = 4*s.a[p], 4*s.c[p]
			}
			if rows == tileRows && cols == tileCols {
				tile.c, tile.acc = &t.to.Data[j], acc
				t.c.set.conv(tile)
				continue
			}
			for r := range tileRows {
				tile.coff[r] = 4 * tileCols * r
			}
			tile.c, tile.acc = &s.edge[0], 0
			t.c.set.conv(tile)
			for r := range rows {
				putEdge(t.to.Data[s.c[i+r]+j:], 0, s.edge[r*tileCols:], 1, cols, acc)
			}
		}
	}
	*tile = convTile{}
}

// finish does what comes after, for the pixels of a block, those that lie side
// by side at once.
func (t *gatherTask) finish(s *convScratch, count int) {
	a, c := &t.after, t.to.C
	for i := 0; i < count; {
		n := 1
		for i+n < count && s.c[i+n] == s.c[i]+n*c {
			n++
		}
		y := t.to.Data[s.c[i]:][:n*c]
		if a.Add == nil {
			t.c.set.Affine(y, y, a.Scale, a.Shift, a.ReLU)
		} else {
			t.c.set.Blend(y, y, a.Scale, a.Add.Data[s.c[i]:][:n*c], a.Ones, a.Shift, a.ReLU)
		}
		i += n
	}
}
