package kernel

import "fmt"

// A Shape is that of a convolution: Size x Size weights (3, with a border of
// zeros around the input, or 1) for each of In x Out channels, at every
// Stride-th pixel (1 or 2). Weights are stored as [Size][Size][In][Out].
type Shape struct{ In, Out, Size, Stride int }

// Weights returns how many weights there are.
func (s Shape) Weights() int { return s.Size * s.Size * s.In * s.Out }

// Side returns how many pixels the output has along a side of n.
func (s Shape) Side(n int) int { return (n-1)/s.Stride + 1 }

// Check returns an error if the shape is none that Conv can do.
func (s Shape) Check() error {
	if s.In < 1 || s.Out < 1 || s.Size != 1 && s.Size != 3 || s.Stride != 1 && s.Stride != 2 {
		return fmt.Errorf("convolution of %d to %d channels with %dx%d weights at stride %d: weights must be 1x1 or 3x3, the stride 1 or 2", s.In, s.Out, s.Size, s.Size, s.Stride)
	}
	return nil
}

// A Conv convolves tensors and computes the gradients. It keeps packed weights
// and little scratch memory, and is used by one goroutine at a time.
type Conv struct {
	Shape
	set  *Set
	pool *Pool

	forward, back []gather
	task          gatherTask
	weights       weightsTask
	scratch       []convScratch
	parts         []float32 // of the gradient of the weights
}

// convScratch is what a worker needs.
type convScratch struct {
	tile convTile
	gemm gemmTile
	edge [tileRows * tileCols]float32
	a, c [blockPixels]int // where the pixels of the block are
}

// blockPixels is how many pixels are one piece of work: the weights are read
// once for them all.
const blockPixels = 16 * tileRows

// NewConv returns a convolution. It panics if the shape does not pass Check.
func NewConv(shape Shape, set *Set, pool *Pool) *Conv {
	if err := shape.Check(); err != nil {
		panic("kernel: " + err.Error())
	}
	c := &Conv{Shape: shape, set: set, pool: pool}
	from := 1 - shape.Size/2
	c.forward = []gather{{to: 1, step: shape.Stride, y: from, x: from, ky: ascending(shape.Size), kx: ascending(shape.Size)}}
	c.back = backward(shape)
	return c
}

// ascending returns 0, 1, ... n-1.
func ascending(n int) []int { return []int{0, 1, 2}[:n] }

// backward returns the gathers of the gradient of the input. Input pixel i gets
// gradient through weight k from output pixel (i + Size/2 - k) / Stride where
// that is whole: at stride 2, even and odd pixels use other weights.
func backward(s Shape) []gather {
	if s.Stride == 1 {
		from := 1 - s.Size/2
		k := []int{2, 1, 0}[3-s.Size:]
		return []gather{{to: 1, step: 1, y: from, x: from, ky: k, kx: k}}
	}
	even, odd := []int{s.Size / 2}, []int{2, 0}
	g := []gather{{to: 2, step: 1, y: 1, x: 1, ky: even, kx: even}}
	if s.Size == 3 {
		g = append(g,
			gather{oy: 0, ox: 1, to: 2, step: 1, y: 1, x: 1, ky: even, kx: odd},
			gather{oy: 1, ox: 0, to: 2, step: 1, y: 1, x: 1, ky: odd, kx: even},
			gather{oy: 1, ox: 1, to: 2, step: 1, y: 1, x: 1, ky: odd, kx: odd})
	}
	return g
}

// Pack takes weights for Forward.
func (c *Conv) Pack(w []float32) {
	for i := range c.forward {
		c.forward[i].pack(w, c.Size, c.In, c.Out, c.In*c.Out, c.Out, 1)
	}
}

// PackBack takes weights for Input.
func (c *Conv) PackBack(w []float32) {
	for i := range c.back {
		c.back[i].pack(w, c.Size, c.Out, c.In, c.In*c.Out, 1, c.Out)
	}
}

// An After is what happens to each output pixel, while it is in the cache:
// times Scale, plus Shift, plus Add where there is one, and negative values to
// 0 with ReLU. The zero value leaves it alone.
type After struct {
	Scale, Shift []float32
	Add          *Tensor
	Ones         []float32 // as many as channels, where Add is set
	ReLU         bool
}

// Forward sets y to the convolution of x with the weights last given to Pack.
func (c *Conv) Forward(x, y *Tensor, after After) {
	y.want("output", x.N, c.Side(x.H), c.Side(x.W), c.Out)
	x.want("input", x.N, x.H, x.W, c.In)
	c.run(gatherTask{from: x, to: y, gathers: c.forward, after: after})
}

// Input sets dx to the gradient of the input, dy being that of the output, with
// the weights last given to PackBack; or adds it to what dx holds.
func (c *Conv) Input(dy, dx *Tensor, add bool) {
	dy.want("gradient of the output", dx.N, c.Side(dx.H), c.Side(dx.W), c.Out)
	dx.want("gradient of the input", dx.N, dx.H, dx.W, c.In)
	if !add && c.Size < c.Stride {
		clear(dx.Data) // the pixels in between get none
	}
	c.run(gatherTask{from: dy, to: dx, gathers: c.back, add: add})
}

func (c *Conv) run(t gatherTask) {
	c.grow()
	t.c = c
	pieces := 0
	for i := range t.gathers {
		pieces += t.gathers[i].blocks(t.to)
	}
	c.task = t
	c.pool.Run(pieces, &c.task)
	c.task = gatherTask{}
}

func (c *Conv) grow() {
	for len(c.scratch) < c.pool.N() {
		c.scratch = append(c.scratch, convScratch{})
	}
}
