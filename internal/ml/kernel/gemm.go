package kernel

import "fmt"

// How the matrix product is cut, in rows of A, steps, and columns of B: a panel
// of B with the tile's columns stays in the first cache, a block of A in the
// second, a block of B in the third.
const (
	blockM = 144
	blockK = 320
	blockN = 1024

	// directCols is up to how many columns of B it does not pay to pack A,
	// measured.
	directCols = 128
)

// A Matrix is a view of numbers: element i,j is Data[i*Row+j*Col].
type Matrix struct {
	Rows, Cols int
	Data       []float32
	Row, Col   int // strides, in numbers
}

// Dense returns the view of data as rows x cols numbers, row after row.
func Dense(rows, cols int, data []float32) Matrix {
	return Matrix{Rows: rows, Cols: cols, Data: data, Row: cols, Col: 1}
}

// T returns the transpose of m, a view of the same numbers.
func (m Matrix) T() Matrix {
	return Matrix{Rows: m.Cols, Cols: m.Rows, Data: m.Data, Row: m.Col, Col: m.Row}
}

// check panics if the view is not within its numbers.
func (m Matrix) check(name string) {
	if m.Rows < 0 || m.Cols < 0 || m.Row < 0 || m.Col < 0 {
		panic(fmt.Sprintf("kernel: matrix %s is %dx%d with strides %d, %d", name, m.Rows, m.Cols, m.Row, m.Col))
	}
	if m.Rows > 0 && m.Cols > 0 && (m.Rows-1)*m.Row+(m.Cols-1)*m.Col >= len(m.Data) {
		panic(fmt.Sprintf("kernel: matrix %s of %dx%d with strides %d, %d has only %d numbers", name, m.Rows, m.Cols, m.Row, m.Col, len(m.Data)))
	}
}

// A Gemm multiplies matrices. Its zero value is ready, and keeps scratch memory
// (about 1.4 MB and 0.4 MB a worker) from call to call. It is used by one
// goroutine at a time.
type Gemm struct {
	Set  *Set // nil: Auto
	Pool Pool

	alpha, beta float32
	a, b, c     Matrix
	j, nn       int // the block of columns at work
	p, kk       int // the block of steps
	panels      packB
	blocks      mulBlocks
	stripes     mulStripes
	direct      bool      // a is read where it is
	packed      []float32 // of b
	scratch     []gemmScratch
}

// gemmScratch is what a worker needs.
type gemmScratch struct {
	a    []float32 // packed block
	b    []float32 // packed stripe, where one is wanted
	tile gemmTile
	rows convTile // instead of tile, where a is read where it is
	edge [tileRows * tileCols]float32
}

// Mul sets c to alpha*a*b + beta*c. The rows of c lie in one piece (c.Col is
// 1), and c shares no memory with a and b; with beta 0, what c held does not
// matter. It panics if the shapes do not fit, which is a mistake of the program.
func (g *Gemm) Mul(alpha float32, a, b Matrix, beta float32, c Matrix) {
	a.check("A")
	b.check("B")
	c.check("C")
	if a.Rows != c.Rows || b.Cols != c.Cols || a.Cols != b.Rows || c.Col != 1 {
		panic(fmt.Sprintf("kernel: product of %dx%d and %dx%d into %dx%d with stride %d", a.Rows, a.Cols, b.Rows, b.Cols, c.Rows, c.Cols, c.Col))
	}
	if c.Rows == 0 || c.Cols == 0 {
		return
	}
	g.prepare(alpha, a, b, beta, c)
	if a.Cols == 0 {
		g.scale()
		return
	}
	if beta != 0 && beta != 1 {
		g.scale()
	}
	for g.j = 0; g.j < c.Cols; g.j += blockN {
		g.nn = min(blockN, c.Cols-g.j)
		even := split(a.Cols)
		for g.p = 0; g.p < a.Cols; g.p += even {
			g.kk = min(even, a.Cols-g.p)
			pieces := (g.nn + stripe - 1) / stripe
			if c.Rows <= blockM {
				if !g.direct {
					g.packA(g.scratch[0].a, 0, c.Rows)
				}
				g.Pool.Run(pieces, &g.stripes)
				continue
			}
			g.Pool.Run(pieces, &g.panels)
			g.Pool.Run((c.Rows+blockM-1)/blockM, &g.blocks)
		}
	}
	g.a, g.b, g.c = Matrix{}, Matrix{}, Matrix{}
}

// split returns into how many steps a sum of n is cut: equal parts, none longer
// than blockK, so that none is much shorter.
func split(n int) int {
	parts := (n + blockK - 1) / blockK
	return (n + parts - 1) / parts
}

// prepare notes the operands and makes scratch memory.
func (g *Gemm) prepare(alpha float32, a, b Matrix, beta float32, c Matrix) {
	if g.Set == nil {
		g.Set = Auto()
	}
	g.alpha, g.beta, g.a, g.b, g.c = alpha, beta, a, b, c
	g.panels.g, g.blocks.g, g.stripes.g = g, g, g
	g.direct = a.Col == 1 && alpha == 1 && c.Cols <= directCols
	if need := min(blockK, a.Cols) * (min(blockN, c.Cols) + tileCols); c.Rows > blockM && len(g.packed) < need {
		g.packed = make([]float32, need)
	}
	for len(g.scratch) < g.Pool.N() {
		g.scratch = append(g.scratch, gemmScratch{a: make([]float32, blockM*blockK+tileCols)})
	}
}

// scale multiplies c with beta.
func (g *Gemm) scale() {
	for i := range g.c.Rows {
		r := g.c.Data[i*g.c.Row:][:g.c.Cols]
		if g.beta == 0 {
			clear(r)
			continue
		}
		for j := range r {
			r[j] *= g.beta
		}
	}
}

// stripe is how many columns of b are packed at a time, so that what is read of
// a row of b is more than a line of the cache.
const stripe = 8 * tileCols

// packB is the task of packing the block of b; a piece is a stripe.
type packB struct{ g *Gemm }

func (t *packB) Do(piece, _ int) {
	first := piece * stripe
	t.g.packStripe(t.g.packed[first*t.g.kk:], first)
}

// packStripe packs the stripe of the block of b from column first on into panels
// of sixteen columns, each step after step.
func (g *Gemm) packStripe(dst []float32, first int) {
	n := min(stripe, g.nn-first)
	j := 0
	if g.b.Col == 1 {
		whole := n / tileCols * tileCols
		for q := range g.kk {
			src := g.b.Data[(g.p+q)*g.b.Row+g.j+first:][:n]
			for j := 0; j < whole; j += tileCols {
				*(*[tileCols]float32)(dst[j*g.kk+q*tileCols:]) = *(*[tileCols]float32)(src[j:])
			}
		}
		j = whole
	}
	for ; j < n; j += tileCols {
		w := min(tileCols, n-j)
		panel := dst[j*g.kk:][:tileCols*g.kk]
		src := g.b.Data[g.p*g.b.Row+(g.j+first+j)*g.b.Col:]
		if g.b.Row == 1 {
			packColumns(panel, tileCols, src, g.kk, w, g.b.Col, 1)
			continue
		}
		for q := range g.kk {
			d := panel[q*tileCols:][:tileCols]
			for x := range w {
				d[x] = src[q*g.b.Row+x*g.b.Col]
			}
			clear(d[w:])
		}
	}
}

// packColumns packs w columns of kk numbers each, which lie in one piece, col
// numbers apart, into rows of width numbers, and multiplies them with a factor.
func packColumns(dst []float32, width int, src []float32, kk, w, col int, factor float32) {
	for x := range width {
		if x >= w {
			for q := range kk {
				dst[q*width+x] = 0
			}
			continue
		}
		o := x
		for _, v := range src[x*col:][:kk] {
			dst[o] = factor * v
			o += width
		}
	}
}

// mulBlocks is the task of multiplying many rows: a piece is a block of rows of
// a, with all panels of b.
type mulBlocks struct{ g *Gemm }

func (t *mulBlocks) Do(piece, worker int) {
	g, s := t.g, &t.g.scratch[worker]
	i0 := piece * blockM
	rows := min(blockM, g.c.Rows-i0)
	if !g.direct {
		g.packA(s.a, i0, rows)
	}
	s.multiply(g, s.a, g.packed, i0, rows, 0, g.nn)
}

// mulStripes is the task of multiplying few rows, all in one block, which is
// packed: a piece is a stripe of b, which it packs.
type mulStripes struct{ g *Gemm }

func (t *mulStripes) Do(piece, worker int) {
	g, s := t.g, &t.g.scratch[worker]
	if s.b == nil {
		s.b = make([]float32, blockK*stripe)
	}
	first := piece * stripe
	g.packStripe(s.b, first)
	s.multiply(g, g.scratch[0].a, s.b, 0, g.c.Rows, first, min(stripe, g.nn-first))
}

// multiply multiplies rows of a, from i0 on, with columns of the block of b, from
// j0 on, both packed.
func (s *gemmScratch) multiply(g *Gemm, a, b []float32, i0, rows, j0, cols int) {
	acc := 1
	if g.p == 0 && g.beta == 0 {
		acc = 0
	}
	for j := 0; j < cols; j += tileCols {
		w := min(tileCols, cols-j)
		for i := 0; i < rows; i += tileRows {
			h := min(tileRows, rows-i)
			c := g.c.Data[(i0+i)*g.c.Row+g.j+j0+j:]
			if h == tileRows && w == tileCols {
				s.one(g, a, &b[j*g.kk], i0, i, &c[0], g.c.Row, acc)
				continue
			}
			s.one(g, a, &b[j*g.kk], i0, i, &s.edge[0], tileCols, 0)
			putEdge(c, g.c.Row, s.edge[:], h, w, acc)
		}
	}
	s.tile, s.rows = gemmTile{}, convTile{}
}

// one multiplies six rows, from row i of those from i0 on, with a panel, into c
// whose rows are stride numbers apart.
func (s *gemmScratch) one(g *Gemm, a []float32, panel *float32, i0, i int, c *float32, stride, acc int) {
	if !g.direct {
		s.tile = gemmTile{
			a: &a[i*g.kk], lda: 4 * tileRows, b: panel, ldb: 4 * tileCols, k: g.kk, rows: 1, n: 1,
			c: c, ldc: 4 * stride, acc: acc,
		}
		g.Set.gemm(&s.tile)
		return
	}
	t := &s.rows
	t.a, t.b, t.c, t.runs, t.run, t.acc = &g.a.Data[g.p], panel, c, 1, g.kk, acc
	for r := range tileRows {
		t.aoff[r], t.coff[r] = 4*g.a.Row*min(i0+i+r, g.c.Rows-1), 4*stride*r
	}
	g.Set.conv(t)
}

// putEdge stores h x w numbers of a tile, or adds them to what is there.
func putEdge(c []float32, stride int, tile []float32, h, w, acc int) {
	for r := range h {
		dst := c[r*stride:][:w]
		if acc == 0 {
			copy(dst, tile[r*tileCols:])
			continue
		}
		for x, v := range tile[r*tileCols:][:w] {
			dst[x] += v
		}
	}
}

// packA packs rows of the block of a, six at a time, step after step, and
// multiplies them with alpha.
func (g *Gemm) packA(dst []float32, i0, rows int) {
	for i := 0; i < rows; i += tileRows {
		h := min(tileRows, rows-i)
		src := g.a.Data[(i0+i)*g.a.Row+g.p*g.a.Col:]
		if g.a.Col == 1 {
			packColumns(dst[i*g.kk:], tileRows, src, g.kk, h, g.a.Row, g.alpha)
			continue
		}
		for q := range g.kk {
			d := dst[i*g.kk+q*tileRows:][:tileRows]
			for r := range h {
				d[r] = g.alpha * src[q*g.a.Col+r*g.a.Row]
			}
			clear(d[h:])
		}
	}
}
