package onnx

import (
	"fmt"
	"slices"
)

// Bounds of what is read and computed.
const (
	MaxFile    = 512 << 20 // bytes
	maxDims    = 8
	maxNumbers = 1 << 27 // of a tensor
	maxNodes   = 20_000
	maxWeights = 20_000
	maxNames   = 512     // inputs, outputs or settings of a node, outputs of the network
	maxMemory  = 2 << 30 // bytes of all values at a time, weights aside
	maxWork    = 1 << 42 // multiplications of a run
)

// A Tensor is numbers in row-major order: floats, or integers, which say shapes
// and places.
type Tensor struct {
	Shape  []int
	Floats []float32
	Ints   []int64 // where the tensor is of integers
	isInts bool
}

// size returns how many numbers a shape has, or an error if they are too many.
func size(shape []int) (int, error) {
	if len(shape) > maxDims {
		return 0, fmt.Errorf("a tensor of %d dimensions; %d are the most", len(shape), maxDims)
	}
	n := 1
	for _, d := range shape {
		if d < 0 || d > 0 && n > maxNumbers/d {
			return 0, fmt.Errorf("a tensor of shape %v; %d numbers are the most", shape, maxNumbers)
		}
		n *= d
	}
	return n, nil
}

// len returns how many numbers a tensor has.
func (t *Tensor) len() int {
	if t.isInts {
		return len(t.Ints)
	}
	return len(t.Floats)
}

// reshaped returns the same numbers in another shape of as many.
func (t *Tensor) reshaped(shape []int) *Tensor {
	return &Tensor{Shape: shape, Floats: t.Floats, Ints: t.Ints, isInts: t.isInts}
}

// floats returns the numbers as float32.
func (t *Tensor) floats() []float32 {
	if !t.isInts {
		return t.Floats
	}
	out := make([]float32, len(t.Ints))
	for i, v := range t.Ints {
		out[i] = float32(v)
	}
	return out
}

// integers returns a tensor of integers with one dimension.
func integers(v []int64) *Tensor { return &Tensor{Shape: []int{len(v)}, Ints: v, isInts: true} }

// strides returns how far apart neighbours along each dimension are.
func strides(shape []int) []int {
	out, n := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = n
		n *= shape[i]
	}
	return out
}

// axis returns which dimension of n a number means, negative ones being counted
// from the end.
func axis(a int64, n int) (int, error) {
	if a < 0 {
		a += int64(n)
	}
	if a < 0 || a >= int64(n) {
		return 0, fmt.Errorf("axis %d of %d dimensions", a, n)
	}
	return int(a), nil
}

// broadcast returns the shape that two shapes are stretched to.
func broadcast(a, b []int) ([]int, error) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i := range b {
		k := len(a) - len(b) + i
		switch {
		case a[k] == b[i] || b[i] == 1:
		case a[k] == 1:
			out[k] = b[i]
		default:
			return nil, fmt.Errorf("shapes %v and %v do not go together", a, b)
		}
	}
	return out, nil
}

// stretched returns the strides of a tensor that is stretched to a shape: 0
// where it has one number for all.
func stretched(from, to []int) []int {
	out, s := make([]int, len(to)), strides(from)
	for i := range from {
		if from[i] != 1 {
			out[len(to)-len(from)+i] = s[i]
		}
	}
	return out
}

// visit calls fn for each place of a shape, in order, with where two tensors of
// other strides have it.
func visit(shape, a, b []int, fn func(i, a, b int)) {
	n := 1
	for _, d := range shape {
		n *= d
	}
	at := make([]int, len(shape))
	ia, ib := 0, 0
	for i := range n {
		fn(i, ia, ib)
		for d := len(shape) - 1; d >= 0; d-- {
			at[d]++
			ia, ib = ia+a[d], ib+b[d]
			if at[d] < shape[d] {
				break
			}
			at[d] = 0
			ia, ib = ia-a[d]*shape[d], ib-b[d]*shape[d]
		}
	}
}
