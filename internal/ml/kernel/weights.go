package kernel

// maxParts is into how many parts a batch is cut for the gradient of the
// weights. It is fixed, so that sums do not depend on the number of workers.
const maxParts = 8

// blockNumbers is how many numbers of input and gradient together are gone over
// for all weights before the next: about what the second cache holds with ease.
const blockNumbers = 16 << 10

// WeightGrad adds to dw the gradient of the weights, x being the input and dy
// the gradient of the output.
func (c *Conv) WeightGrad(x, dy *Tensor, dw []float32) {
	dy.want("gradient of the output", x.N, c.Side(x.H), c.Side(x.W), c.Out)
	x.want("input", x.N, x.H, x.W, c.In)
	c.grow()
	n := c.Shape.Weights()
	parts := min(maxParts, x.N)
	if len(c.parts) < parts*n {
		c.parts = make([]float32, parts*n)
	}
	c.weights = weightsTask{c: c, x: x, dy: dy, parts: parts}
	c.pool.Run(parts, &c.weights)
	c.weights = weightsTask{}
	for i := range parts {
		c.set.Axpy(dw[:n], c.parts[i*n:][:n], 1)
	}
}

// A weightsTask is the task of computing the gradient of the weights: a piece is
// a part of the batch.
type weightsTask struct {
	c     *Conv
	x, dy *Tensor
	parts int
}

func (t *weightsTask) Do(piece, worker int) {
	n := t.c.Shape.Weights()
	dw := t.c.parts[piece*n:][:n]
	first, last := piece*t.x.N/t.parts, (piece+1)*t.x.N/t.parts
	size := len(t.x.Map(0)) + len(t.dy.Map(0))
	acc := 0
	if size <= blockNumbers {
		group := blockNumbers / size
		for m := first; m < last; m += group {
			t.block(&t.c.scratch[worker], dw, m, min(group, last-m), 0, t.dy.H, acc)
			acc = 1
		}
		return
	}
	rows := max(1, blockNumbers*t.dy.H/size)
	for m := first; m < last; m++ {
		for y := 0; y < t.dy.H; y += rows {
			t.block(&t.c.scratch[worker], dw, m, 1, y, min(rows, t.dy.H-y), acc)
			acc = 1
		}
	}
}

// block adds to the gradient what comes from some maps, and of these from rows y
// and on.
func (t *weightsTask) block(s *convScratch, dw []float32, m, maps, y, rows, acc int) {
	c, x, dy := t.c, t.x, t.dy
	from := 1 - c.Size/2
	run := c.Size * c.In
	g := &s.gemm
	*g = gemmTile{
		k: dy.W, lda: 4 * c.Stride * c.In, ldb: 4 * c.Out,
		rows: rows, arow: 4 * c.Stride * (x.W + 2) * c.In, brow: 4 * (dy.W + 2) * c.Out,
		n: maps, ablk: 4 * (x.H + 2) * (x.W + 2) * c.In, bblk: 4 * (dy.H + 2) * (dy.W + 2) * c.Out,
	}
	b := dy.offset(m, y, 0)
	for ky := range c.Size {
		a := ((m*(x.H+2)+y*c.Stride+ky+from)*(x.W+2) + from) * c.In
		for i := 0; i < run; i += tileRows {
			g.a = &x.Data[a+i]
			to := dw[(ky*run+i)*c.Out:]
			for j := 0; j < c.Out; j += tileCols {
				g.b = &dy.Data[b+j]
				h, w := min(tileRows, run-i), min(tileCols, c.Out-j)
				if h == tileRows && w == tileCols {
					g.c, g.ldc, g.acc = &to[j], 4*c.Out, acc
					c.set.gemm(g)
					continue
				}
				g.c, g.ldc, g.acc = &s.edge[0], 4*tileCols, 0
				c.set.gemm(g)
				putEdge(to[j:], c.Out, s.edge[:], h, w, acc)
			}
		}
	}
	*g = gemmTile{}
}
