package onnx

import (
	"context"
	"fmt"

	"fovea/internal/ml/kernel"
)

// A run is one pass through a network.
type run struct {
	*Model
	ctx   context.Context
	gemm  kernel.Gemm
	bytes int64 // of all values that are kept
	done  int64 // multiplications so far
}

// Run returns the outputs for an input, in their order, computed by that many
// workers; 0 is one. It fails where shapes do not go together or bounds are
// exceeded, and ends early when the context does.
func (m *Model) Run(ctx context.Context, input *Tensor, workers int) ([]*Tensor, error) {
	if len(input.Shape) != len(m.shape) || input.isInts {
		return nil, fmt.Errorf("onnx: an input of shape %v, want %v", input.Shape, m.shape)
	}
	for i, d := range m.shape {
		if d >= 0 && input.Shape[i] != d {
			return nil, fmt.Errorf("onnx: an input of shape %v, want %v", input.Shape, m.shape)
		}
	}
	if n, err := size(input.Shape); err != nil || n != len(input.Floats) {
		return nil, fmt.Errorf("onnx: %d numbers for an input of shape %v", len(input.Floats), input.Shape)
	}
	r := &run{Model: m, ctx: ctx}
	r.gemm.Pool.Workers = workers
	return r.all(input)
}

// all runs all nodes and returns the outputs.
func (r *run) all(input *Tensor) ([]*Tensor, error) {
	values := map[string]*Tensor{r.input: input}
	for i := range r.nodes {
		if err := r.step(i, values); err != nil {
			n := &r.nodes[i]
			return nil, fmt.Errorf("onnx: node %d, %s %q: %w", i, n.op, n.name, err)
		}
	}
	var out []*Tensor
	for _, name := range r.outputs {
		t := values[name]
		if t == nil {
			t = r.weights[name]
		}
		out = append(out, t)
	}
	return out, nil
}

// step runs node i and drops the values that no other node reads.
func (r *run) step(i int, values map[string]*Tensor) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	n := &r.nodes[i]
	in := make([]*Tensor, len(n.in))
	for k, name := range n.in {
		if in[k] = values[name]; in[k] == nil {
			in[k] = r.weights[name]
		}
	}
	op := operators[n.op]
	if len(in) < op.least {
		return fmt.Errorf("%d inputs, and %d are needed", len(in), op.least)
	}
	for k := range op.least {
		if in[k] == nil {
			return fmt.Errorf("input %d is missing", k)
		}
	}
	out, err := op.run(r, n, in)
	if err != nil {
		return err
	}
	for k, name := range n.out {
		if name == "" {
			continue
		}
		if k >= len(out) {
			return fmt.Errorf("output %d is not supported", k)
		}
		if r.last[name] > i { // somebody reads it
			values[name] = out[k]
			r.bytes += bytesOf(out[k])
		}
	}
	for _, name := range n.in {
		if t := values[name]; t != nil && r.last[name] == i && name != r.input {
			r.bytes -= bytesOf(t)
			delete(values, name)
		}
	}
	return nil
}

func bytesOf(t *Tensor) int64 { return 4*int64(len(t.Floats)) + 8*int64(len(t.Ints)) }

// make returns a tensor of zeros, if there is memory for it.
func (r *run) make(shape ...int) (*Tensor, error) {
	n, err := size(shape)
	if err != nil {
		return nil, err
	}
	if r.bytes+4*int64(n) > r.memory {
		return nil, fmt.Errorf("a tensor of shape %v, and there are %d bytes of others: %d are the most", shape, r.bytes, r.memory)
	}
	if err := r.spend(n); err != nil {
		return nil, err
	}
	return &Tensor{Shape: shape, Floats: make([]float32, n)}, nil
}

// spend notes multiplications, the product of its factors, if there may be so
// many.
func (r *run) spend(factors ...int) error {
	n := int64(1)
	for _, f := range factors {
		if f > 0 && n > r.work/int64(f) {
			n = r.work
		} else {
			n *= int64(f)
		}
	}
	if r.done += n; r.done >= r.work {
		return fmt.Errorf("the network takes more than %d multiplications", r.work)
	}
	return nil
}

// An operator is a kind of node.
type operator struct {
	least int // inputs
	run   func(r *run, n *node, in []*Tensor) ([]*Tensor, error)
}

// int returns an attribute, or what it is if it is not there.
func (n *node) int(name string, or int64) int64 {
	if a, ok := n.attr[name]; ok {
		return a.i
	}
	return or
}

func (n *node) float(name string, or float32) float32 {
	if a, ok := n.attr[name]; ok {
		return a.f
	}
	return or
}

// numbers returns integers that are an attribute, or input k since a later
// version; nil if there are none.
func (n *node) numbers(name string, in []*Tensor, k int) ([]int64, error) {
	if a, ok := n.attr[name]; ok {
		return a.ints, nil
	}
	if k >= len(in) || in[k] == nil {
		return nil, nil
	}
	if !in[k].isInts {
		return nil, fmt.Errorf("input %d has to be integers", k)
	}
	return in[k].Ints, nil
}

// input returns input k, or nil.
func input(in []*Tensor, k int) *Tensor {
	if k < len(in) {
		return in[k]
	}
	return nil
}

// single returns the only number of input k, or what it is if it is not there.
func single(in []*Tensor, k int, or float32) (float32, error) {
	t := input(in, k)
	if t == nil {
		return or, nil
	}
	if t.len() != 1 {
		return 0, fmt.Errorf("input %d has %d numbers, not one", k, t.len())
	}
	return t.floats()[0], nil
}
