package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"fovea/internal/ml/kernel"
)

// unary returns the operator that applies a function to each number.
func unary(fn func(n *node) func(float32) float32) *operator {
	return &operator{1, func(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
		return r.apply(in[0], fn(n))
	}}
}

// plain is unary for a function without attributes.
func plain(fn func(float32) float32) *operator {
	return unary(func(*node) func(float32) float32 { return fn })
}

// wide is plain for a function of the standard library.
func wide(fn func(float64) float64) *operator {
	return plain(func(v float32) float32 { return float32(fn(float64(v))) })
}

// apply applies a function to each number.
func (r *run) apply(t *Tensor, fn func(float32) float32) ([]*Tensor, error) {
	out, err := r.make(t.Shape...)
	if err != nil {
		return nil, err
	}
	for i, v := range t.floats() {
		out.Floats[i] = fn(v)
	}
	return []*Tensor{out}, nil
}

func relu(v float32) float32 { return max(v, 0) }

func leaky(n *node) func(float32) float32 {
	slope := n.float("alpha", 0.01)
	return func(v float32) float32 {
		if v < 0 {
			return slope * v
		}
		return v
	}
}

func hardSigmoid(n *node) func(float32) float32 {
	a, b := n.float("alpha", 0.2), n.float("beta", 0.5)
	return func(v float32) float32 { return max(0, min(1, a*v+b)) }
}

func hardSwish(v float32) float32 { return v * max(0, min(1, v/6+0.5)) }

// gelu is the Gaussian error linear unit, exactly or by its approximation.
func gelu(n *node) func(float32) float32 {
	if n.attr["approximate"].s == "tanh" {
		return func(v float32) float32 {
			return v * kernel.Sigmoid(2*0.7978845608*(v+0.044715*v*v*v))
		}
	}
	return func(v float32) float32 {
		return float32(0.5 * float64(v) * (1 + math.Erf(float64(v)/math.Sqrt2)))
	}
}

func clip(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	low, err := single(in, 1, n.float("min", float32(math.Inf(-1))))
	if err != nil {
		return nil, err
	}
	high, err := single(in, 2, n.float("max", float32(math.Inf(1))))
	if err != nil {
		return nil, err
	}
	return r.apply(in[0], func(v float32) float32 { return min(high, max(low, v)) })
}

func identity(_ *run, _ *node, in []*Tensor) ([]*Tensor, error) { return in[:1], nil }

// cast makes floats of integers, or integers of floats.
func cast(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	t := in[0]
	switch n.int("to", 0) {
	case typeFloat, typeFloat16, typeDouble:
		return []*Tensor{{Shape: t.Shape, Floats: t.floats()}}, nil
	case typeInt32, typeInt64:
		if t.isInts {
			return in[:1], nil
		}
		out := &Tensor{Shape: t.Shape, Ints: make([]int64, len(t.Floats)), isInts: true}
		for i, v := range t.Floats {
			out.Ints[i] = int64(v)
		}
		return []*Tensor{out}, nil
	case typeBool:
		out := &Tensor{Shape: t.Shape, Ints: make([]int64, t.len()), isInts: true}
		for i, v := range t.floats() {
			if v != 0 {
				out.Ints[i] = 1
			}
		}
		return []*Tensor{out}, nil
	}
	return nil, fmt.Errorf("a cast to type %d is not supported", n.int("to", 0))
}

// pairwise returns the operator that combines two tensors number by number, one
// stretched to the other's shape.
func pairwise(floats func(a, b float32) float32, ints func(a, b int64) int64) *operator {
	return &operator{2, func(r *run, _ *node, in []*Tensor) ([]*Tensor, error) {
		out := in[0]
		for _, b := range in[1:] {
			var err error
			if b == nil {
				return nil, errors.New("an input is missing")
			}
			if out, err = r.combine(out, b, floats, ints); err != nil {
				return nil, err
			}
		}
		return []*Tensor{out}, nil
	}}
}

func (r *run) combine(a, b *Tensor, floats func(a, b float32) float32, ints func(a, b int64) int64) (*Tensor, error) {
	shape, err := broadcast(a.Shape, b.Shape)
	if err != nil {
		return nil, err
	}
	out, err := r.make(shape...)
	if err != nil {
		return nil, err
	}
	sa, sb := stretched(a.Shape, shape), stretched(b.Shape, shape)
	if a.isInts && b.isInts {
		out.isInts, out.Ints, out.Floats = true, make([]int64, len(out.Floats)), nil
		visit(shape, sa, sb, func(i, ia, ib int) { out.Ints[i] = ints(a.Ints[ia], b.Ints[ib]) })
		return out, nil
	}
	x, y := a.floats(), b.floats()
	switch {
	case slices.Equal(a.Shape, b.Shape):
		for i, v := range x {
			out.Floats[i] = floats(v, y[i])
		}
	case len(y) == 1 && len(out.Floats) == len(x):
		for i, v := range x {
			out.Floats[i] = floats(v, y[0])
		}
	default:
		visit(shape, sa, sb, func(i, ia, ib int) { out.Floats[i] = floats(x[ia], y[ib]) })
	}
	return out, nil
}

// divide divides integers as C does; by 0 it gives 0.
func divide(a, b int64) int64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func power(a, b float32) float32 {
	if b == 2 {
		return a * a
	}
	return float32(math.Pow(float64(a), float64(b)))
}

func intPower(a, b int64) int64 { return int64(math.Pow(float64(a), float64(b))) }

// compare returns the operator that tells where a comparison of two tensors
// holds, as 1 and 0.
func compare(holds func(a, b float32) bool) *operator {
	one := func(a, b float32) int64 {
		if holds(a, b) {
			return 1
		}
		return 0
	}
	return &operator{2, func(r *run, _ *node, in []*Tensor) ([]*Tensor, error) {
		t, err := r.combine(&Tensor{Shape: in[0].Shape, Floats: in[0].floats()}, &Tensor{Shape: in[1].Shape, Floats: in[1].floats()},
			func(a, b float32) float32 { return float32(one(a, b)) }, nil)
		if err != nil {
			return nil, err
		}
		out := &Tensor{Shape: t.Shape, Ints: make([]int64, len(t.Floats)), isInts: true}
		for i, v := range t.Floats {
			out.Ints[i] = int64(v)
		}
		return []*Tensor{out}, nil
	}}
}

// where takes numbers from the second input where the first is not 0, else from
// the third.
func where(r *run, _ *node, in []*Tensor) ([]*Tensor, error) {
	shape, err := broadcast(in[1].Shape, in[2].Shape)
	if err == nil {
		shape, err = broadcast(shape, in[0].Shape)
	}
	if err != nil {
		return nil, err
	}
	out, err := r.make(shape...)
	if err != nil {
		return nil, err
	}
	yes, no, which := in[1], in[2], in[0].floats()
	out.isInts = yes.isInts && no.isInts
	if out.isInts {
		out.Ints, out.Floats = make([]int64, len(out.Floats)), nil
	}
	x, y := yes.floats(), no.floats()
	from := make([]bool, out.len())
	sw := stretched(in[0].Shape, shape)
	visit(shape, sw, sw, func(i, iw, _ int) { from[i] = which[iw] != 0 })
	visit(shape, stretched(yes.Shape, shape), stretched(no.Shape, shape), func(i, a, b int) {
		switch {
		case out.isInts && from[i]:
			out.Ints[i] = yes.Ints[a]
		case out.isInts:
			out.Ints[i] = no.Ints[b]
		case from[i]:
			out.Floats[i] = x[a]
		default:
			out.Floats[i] = y[b]
		}
	})
	return []*Tensor{out}, nil
}
