package kernel

import "fmt"

// slack is how many numbers behind its maps a tensor has, which the
// micro-kernels read, and whose products they drop.
const slack = 64

// A Tensor is a batch of N maps of H x W pixels with C channels. The channels of
// a pixel lie side by side, and each map has a border of one pixel that is
// always 0: so Data has N*(H+2)*(W+2)*C numbers, and some more.
type Tensor struct {
	N, H, W, C int
	Data       []float32
}

// TensorLen returns how many numbers a tensor of that shape has.
func TensorLen(n, h, w, c int) int { return n*(h+2)*(w+2)*c + slack }

// NewTensor returns a tensor of zeros.
func NewTensor(n, h, w, c int) *Tensor {
	return &Tensor{N: n, H: h, W: w, C: c, Data: make([]float32, TensorLen(n, h, w, c))}
}

// Row returns the W*C numbers of row y of map n, without the border.
func (t *Tensor) Row(n, y int) []float32 { return t.Data[t.offset(n, y, 0):][: t.W*t.C : t.W*t.C] }

// Pixel returns the channels of a pixel.
func (t *Tensor) Pixel(n, y, x int) []float32 { return t.Data[t.offset(n, y, x):][:t.C:t.C] }

// Map returns the numbers of map n with its border: (H+2)*(W+2)*C.
func (t *Tensor) Map(n int) []float32 {
	size := (t.H + 2) * (t.W + 2) * t.C
	return t.Data[n*size:][:size:size]
}

// offset returns where a pixel is in Data.
func (t *Tensor) offset(n, y, x int) int { return ((n*(t.H+2)+y+1)*(t.W+2) + x + 1) * t.C }

// Same reports whether another tensor has the same shape.
func (t *Tensor) Same(u *Tensor) bool { return t.N == u.N && t.H == u.H && t.W == u.W && t.C == u.C }

// String returns the shape.
func (t *Tensor) String() string { return fmt.Sprintf("%dx%dx%dx%d", t.N, t.H, t.W, t.C) }

// want panics if the tensor has another shape.
func (t *Tensor) want(what string, n, h, w, c int) {
	if t.N != n || t.H != h || t.W != w || t.C != c || len(t.Data) < TensorLen(n, h, w, c) {
		panic(fmt.Sprintf("kernel: %s is a tensor of %s with %d numbers, want %dx%dx%dx%d", what, t, len(t.Data), n, h, w, c))
	}
}
