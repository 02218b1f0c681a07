package onnx

import (
	"errors"
	"fmt"
	"slices"
)

// reshape gives the numbers another shape: 0 keeps a dimension, one -1 is what
// is left.
func reshape(_ *run, n *node, in []*Tensor) ([]*Tensor, error) {
	want, err := n.numbers("shape", in, 1)
	if err != nil {
		return nil, err
	}
	if len(want) > maxDims {
		return nil, fmt.Errorf("%d dimensions; %d are the most", len(want), maxDims)
	}
	x := in[0]
	shape, open, known := make([]int, len(want)), -1, 1
	for i, d := range want {
		switch {
		case d == 0 && n.int("allowzero", 0) == 0 && i < len(x.Shape):
			d = int64(x.Shape[i])
		case d == -1 && open < 0:
			open = i
			continue
		}
		if d < 0 || d > maxNumbers || d > 0 && known > maxNumbers/int(d) {
			return nil, fmt.Errorf("shape %v for one of shape %v", want, x.Shape)
		}
		shape[i] = int(d)
		known *= int(d)
	}
	if open >= 0 && known > 0 {
		shape[open] = x.len() / known
		known *= shape[open]
	}
	if known != x.len() {
		return nil, fmt.Errorf("shape %v for one of shape %v", want, x.Shape)
	}
	return []*Tensor{x.reshaped(shape)}, nil
}

// flatten makes a matrix: the dimensions before an axis, and those from it on.
func flatten(_ *run, n *node, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	a := n.int("axis", 1)
	if a < 0 {
		a += int64(len(x.Shape))
	}
	if a < 0 || a > int64(len(x.Shape)) {
		return nil, fmt.Errorf("axis %d of %d dimensions", a, len(x.Shape))
	}
	before, err := size(x.Shape[:a])
	if err != nil {
		return nil, err
	}
	after, err := size(x.Shape[a:])
	if err != nil {
		return nil, err
	}
	return []*Tensor{x.reshaped([]int{before, after})}, nil
}

// transpose changes the order of the dimensions.
func transpose(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	perm := n.attr["perm"].ints
	if perm == nil {
		for i := len(x.Shape) - 1; i >= 0; i-- {
			perm = append(perm, int64(i))
		}
	}
	if len(perm) != len(x.Shape) || x.isInts {
		return nil, fmt.Errorf("perm %v for shape %v", perm, x.Shape)
	}
	old, shape, from := strides(x.Shape), make([]int, len(perm)), make([]int, len(perm))
	seen := make([]bool, len(perm))
	for i, p := range perm {
		if p < 0 || p >= int64(len(perm)) || seen[p] {
			return nil, fmt.Errorf("perm %v for shape %v", perm, x.Shape)
		}
		seen[p] = true
		shape[i], from[i] = x.Shape[p], old[p]
	}
	out, err := r.make(shape...)
	if err != nil {
		return nil, err
	}
	visit(shape, from, from, func(i, k, _ int) { out.Floats[i] = x.Floats[k] })
	return []*Tensor{out}, nil
}

// concat puts tensors behind each other along an axis.
func concat(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	a, err := axis(n.int("axis", 0), len(in[0].Shape))
	if err != nil {
		return nil, err
	}
	shape, ints := slices.Clone(in[0].Shape), true
	shape[a] = 0
	for _, t := range in {
		if t == nil || len(t.Shape) != len(shape) {
			return nil, errors.New("the inputs have different dimensions")
		}
		for i, d := range t.Shape {
			if i != a && d != shape[i] {
				return nil, fmt.Errorf("shape %v beside %v", t.Shape, in[0].Shape)
			}
		}
		shape[a] += t.Shape[a]
		ints = ints && t.isInts
	}
	out, err := r.make(shape...)
	if err != nil {
		return nil, err
	}
	if ints {
		out.isInts, out.Ints, out.Floats = true, make([]int64, 0, len(out.Floats)), nil
	} else {
		out.Floats = out.Floats[:0]
	}
	outer, _ := size(shape[:a])
	for i := range outer {
		for _, t := range in {
			part := t.len() / outer
			if ints {
				out.Ints = append(out.Ints, t.Ints[i*part:][:part]...)
			} else {
				out.Floats = append(out.Floats, t.floats()[i*part:][:part]...)
			}
		}
	}
	return []*Tensor{out}, nil
}

// take returns the tensor whose dimension a has the given places of x.
func (r *run) take(x *Tensor, a int, places []int) (*Tensor, error) {
	shape := slices.Clone(x.Shape)
	shape[a] = len(places)
	out, err := r.make(shape...)
	if err != nil {
		return nil, err
	}
	inner, outer := 1, 1
	for i, d := range x.Shape {
		if i < a {
			outer *= d
		} else if i > a {
			inner *= d
		}
	}
	if x.isInts {
		out.isInts, out.Ints, out.Floats = true, make([]int64, len(out.Floats)), nil
	}
	for i := range outer {
		for k, p := range places {
			to, from := (i*len(places)+k)*inner, (i*x.Shape[a]+p)*inner
			if x.isInts {
				copy(out.Ints[to:][:inner], x.Ints[from:])
			} else {
				copy(out.Floats[to:][:inner], x.Floats[from:])
			}
		}
	}
	return out, nil
}

// slice takes every so-many-th place from one to another along axes.
func slice(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	starts, err1 := n.numbers("starts", in, 1)
	ends, err2 := n.numbers("ends", in, 2)
	axes, err3 := n.numbers("axes", in, 3)
	steps, err4 := n.numbers("steps", in, 4)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	if len(ends) != len(starts) || axes != nil && len(axes) != len(starts) || steps != nil && len(steps) != len(starts) || len(starts) > len(in[0].Shape) {
		return nil, fmt.Errorf("starts %v, ends %v, axes %v, steps %v", starts, ends, axes, steps)
	}
	x := in[0]
	for i := range starts {
		at, step := int64(i), int64(1)
		if axes != nil {
			at = axes[i]
		}
		if steps != nil {
			step = steps[i]
		}
		a, err := axis(at, len(x.Shape))
		if err != nil {
			return nil, err
		}
		if step < 1 {
			return nil, fmt.Errorf("step %d is not supported", step)
		}
		d := int64(x.Shape[a])
		clamp := func(v int64) int64 {
			if v < 0 {
				v += d
			}
			return max(0, min(d, v))
		}
		var places []int
		for p, end := clamp(starts[i]), clamp(ends[i]); p < end; p += min(step, d) {
			places = append(places, int(p))
		}
		if x, err = r.take(x, a, places); err != nil {
			return nil, err
		}
	}
	return []*Tensor{x}, nil
}

// gather takes the places that the second input says along an axis.
func gather(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	x, which := in[0], in[1]
	a, err := axis(n.int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	if !which.isInts {
		return nil, errors.New("the places have to be integers")
	}
	places := make([]int, len(which.Ints))
	for i, p := range which.Ints {
		if places[i], err = axis(p, x.Shape[a]); err != nil {
			return nil, err
		}
	}
	out, err := r.take(x, a, places)
	if err != nil {
		return nil, err
	}
	shape := slices.Concat(x.Shape[:a], which.Shape, x.Shape[a+1:])
	if _, err := size(shape); err != nil {
		return nil, err
	}
	return []*Tensor{out.reshaped(shape)}, nil
}

// split cuts a tensor into parts along an axis.
func split(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	a, err := axis(n.int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	parts, err := n.numbers("split", in, 1)
	if err != nil {
		return nil, err
	}
	if parts == nil && len(n.out) > 0 {
		each := (x.Shape[a] + len(n.out) - 1) / len(n.out)
		for i := range n.out {
			parts = append(parts, int64(max(0, min(each, x.Shape[a]-i*each))))
		}
	}
	var out []*Tensor
	at := 0
	for _, p := range parts {
		if p < 0 || p > int64(x.Shape[a]-at) {
			return nil, fmt.Errorf("parts %v of %d", parts, x.Shape[a])
		}
		places := make([]int, p)
		for i := range places {
			places[i] = at + i
		}
		t, err := r.take(x, a, places)
		if err != nil {
			return nil, err
		}
		out, at = append(out, t), at+int(p)
	}
	return out, nil
}

// squeeze drops dimensions of 1.
func squeeze(_ *run, n *node, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	axes, err := n.numbers("axes", in, 1)
	if err != nil {
		return nil, err
	}
	drop := make([]bool, len(x.Shape))
	for i, d := range x.Shape {
		drop[i] = axes == nil && d == 1
	}
	for _, v := range axes {
		a, err := axis(v, len(x.Shape))
		if err != nil {
			return nil, err
		}
		if x.Shape[a] != 1 {
			return nil, fmt.Errorf("dimension %d of %v is not 1", a, x.Shape)
		}
		drop[a] = true
	}
	shape := []int{}
	for i, d := range x.Shape {
		if !drop[i] {
			shape = append(shape, d)
		}
	}
	return []*Tensor{x.reshaped(shape)}, nil
}

// unsqueeze adds dimensions of 1.
func unsqueeze(_ *run, n *node, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	axes, err := n.numbers("axes", in, 1)
	if err != nil {
		return nil, err
	}
	rank := len(x.Shape) + len(axes)
	if rank > maxDims {
		return nil, fmt.Errorf("%d dimensions; %d are the most", rank, maxDims)
	}
	added := make([]bool, rank)
	for _, v := range axes {
		a, err := axis(v, rank)
		if err != nil || added[a] {
			return nil, fmt.Errorf("axes %v of %d dimensions", axes, rank)
		}
		added[a] = true
	}
	shape, k := make([]int, rank), 0
	for i := range shape {
		if shape[i] = 1; !added[i] {
			shape[i] = x.Shape[k]
			k++
		}
	}
	return []*Tensor{x.reshaped(shape)}, nil
}

// shapeOf is the shape of a tensor, as a tensor.
func shapeOf(_ *run, _ *node, in []*Tensor) ([]*Tensor, error) {
	out := []int64{}
	for _, d := range in[0].Shape {
		out = append(out, int64(d))
	}
	return []*Tensor{integers(out)}, nil
}

func constant(_ *run, n *node, _ []*Tensor) ([]*Tensor, error) {
	if t := n.attr["value"].tensor; t != nil {
		return []*Tensor{t}, nil
	}
	return nil, errors.New("a constant without numbers")
}

// dims returns a tensor of integers as a shape.
func dims(t *Tensor) ([]int, error) {
	if !t.isInts {
		return nil, errors.New("a shape has to be integers")
	}
	shape := []int{}
	for _, d := range t.Ints {
		shape = append(shape, int(d))
	}
	_, err := size(shape)
	return shape, err
}

// filled is a tensor of a shape that has one number everywhere.
func filled(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	shape, err := dims(in[0])
	if err != nil {
		return nil, err
	}
	out, err := r.make(shape...)
	if err != nil {
		return nil, err
	}
	v := n.attr["value"].tensor
	switch {
	case v == nil:
	case v.len() != 1:
		return nil, fmt.Errorf("%d numbers to fill with", v.len())
	case v.isInts:
		out.isInts, out.Ints, out.Floats = true, slices.Repeat(v.Ints, len(out.Floats)), nil
	default:
		for i := range out.Floats {
			out.Floats[i] = v.Floats[0]
		}
	}
	return []*Tensor{out}, nil
}

// expand stretches a tensor to a shape.
func expand(r *run, _ *node, in []*Tensor) ([]*Tensor, error) {
	shape, err := dims(in[1])
	if err != nil {
		return nil, err
	}
	if shape, err = broadcast(in[0].Shape, shape); err != nil {
		return nil, err
	}
	out, err := r.make(shape...)
	if err != nil {
		return nil, err
	}
	s := stretched(in[0].Shape, shape)
	if in[0].isInts {
		out.isInts, out.Ints, out.Floats = true, make([]int64, len(out.Floats)), nil
		visit(shape, s, s, func(i, k, _ int) { out.Ints[i] = in[0].Ints[k] })
		return []*Tensor{out}, nil
	}
	visit(shape, s, s, func(i, k, _ int) { out.Floats[i] = in[0].Floats[k] })
	return []*Tensor{out}, nil
}
