package onnx

import (
	"context"
	"fmt"
	"slices"

	"fovea/internal/ml/kernel"
)

// A Layer is a value within a network that could be an output of it.
type Layer struct {
	Name     string `json:"name"`
	Operator string `json:"operator"`         // that makes it
	Channels int    `json:"channels"`         // of a cell, or numbers of a vector
	Stride   int    `json:"stride,omitempty"` // pixels from cell to cell; 0 of a vector
}

// Layers returns what a network computes on its way, in order, as far as it can
// be run: nodes of operators that are not supported, and all that need them, are
// passed over. Values that are neither maps, tokens nor vectors of one image are
// left out.
func Layers(ctx context.Context, file []byte) ([]Layer, error) {
	m, err := parse(file)
	if err == nil {
		err = m.complete()
	}
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	o, err := m.options(Options{})
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	b := &Backbone{model: m, o: o}
	h, w := m.shape[2], m.shape[3]
	if m.shape[1] != 3 || m.shape[0] > 1 || (h < 0) != (w < 0) || max(h, w) > maxSide {
		return nil, fmt.Errorf("onnx: the input %q has the shape %v", m.input, m.shape)
	}
	if h < 0 {
		h, w = usualSide, usualSide // which 32 and 14 divide
	}
	r := &run{Model: m, ctx: ctx, gemm: kernel.Gemm{}}
	values := map[string]*Tensor{m.input: b.fill(sampleImage(w, h), w, h)}
	for i := range m.nodes { // nothing is dropped
		for _, name := range m.nodes[i].out {
			m.last[name] = len(m.nodes)
		}
	}
	var found []Layer
	for i := range m.nodes {
		n := &m.nodes[i]
		if operators[n.op] == nil || slices.ContainsFunc(n.in, func(name string) bool { return name != "" && values[name] == nil && m.weights[name] == nil }) {
			continue
		}
		if err := r.step(i, values); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			continue
		}
		found = append(found, layersOf(n, values, w, h)...)
	}
	return found, nil
}

// layersOf returns what a node made.
func layersOf(n *node, values map[string]*Tensor, w, h int) (list []Layer) {
	for _, name := range n.out {
		var r result
		if values[name] == nil || r.add(values[name], w, h) != nil {
			continue
		}
		l := Layer{Name: name, Operator: n.op, Channels: len(r.vectors)}
		if len(r.maps) > 0 {
			l.Channels, l.Stride = r.maps[0].Channels, r.maps[0].Stride
		}
		list = append(list, l)
	}
	return list
}

// Last returns of each stride the last layer of maps, fine to coarse, and of the
// vectors the last.
func Last(layers []Layer) []Layer {
	var last []Layer
	for _, l := range layers {
		last = slices.DeleteFunc(last, func(other Layer) bool { return other.Stride == l.Stride })
		last = append(last, l)
	}
	slices.SortStableFunc(last, func(a, b Layer) int { return rank(a) - rank(b) })
	return last
}

// rank is the stride of a layer, that of vectors behind all others.
func rank(l Layer) int {
	if l.Stride == 0 {
		return maxSide + 1
	}
	return l.Stride
}

// A Description is what is known about a backbone.
type Description struct {
	Name    string     `json:"name"`
	Hash    string     `json:"sha256"`
	Width   int        `json:"width,omitempty"` // that the network takes; 0 for any
	Height  int        `json:"height,omitempty"`
	Side    int        `json:"side"` // pixels of the longer side that images have
	Mean    [3]float32 `json:"mean"`
	Std     [3]float32 `json:"std"`
	Nodes   int        `json:"nodes"`
	Weights int64      `json:"weights"`
	Outputs []Layer    `json:"outputs"`
	Numbers int        `json:"numbers"`         // of an image
	Cells   int        `json:"cells,omitempty"` // numbers of each cell; 0 without maps
	Work    int64      `json:"multiplications"` // of an image of the longest sides, about
}

// Describe returns what is known about the backbone. It runs the network once,
// on an image of the size that it is shown.
func (b *Backbone) Describe(ctx context.Context) (*Description, error) {
	m := b.model
	d := &Description{Name: b.o.Name, Hash: b.hash, Side: b.Side(), Mean: b.o.Mean, Std: b.o.Std, Nodes: len(m.nodes), Numbers: b.shape.numbers, Cells: b.shape.channels}
	w, h := (d.Side+b.o.Multiple-1)/b.o.Multiple*b.o.Multiple, (d.Side+b.o.Multiple-1)/b.o.Multiple*b.o.Multiple
	if m.shape[2] > 0 {
		w, h = m.shape[3], m.shape[2]
		d.Width, d.Height = w, h
	}
	for _, t := range m.weights {
		d.Weights += int64(t.len())
	}
	r := &run{Model: m, ctx: ctx}
	out, err := r.all(b.fill(sampleImage(w, h), w, h))
	if err != nil {
		return nil, err
	}
	d.Work = r.done
	for i, name := range m.outputs {
		d.Outputs = append(d.Outputs, layersOf(&node{out: []string{name}}, map[string]*Tensor{name: out[i]}, w, h)...)
	}
	return d, nil
}
