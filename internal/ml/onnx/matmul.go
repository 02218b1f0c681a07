package onnx

import (
	"fmt"
	"math"
	"slices"

	"fovea/internal/ml/kernel"
)

// matmul multiplies matrices, the last two dimensions; those before are
// stretched to each other.
func matmul(r *run, _ *node, in []*Tensor) ([]*Tensor, error) {
	a, b := in[0], in[1]
	if len(a.Shape) < 2 || len(b.Shape) < 2 || a.isInts || b.isInts {
		return nil, fmt.Errorf("shapes %v and %v: matrices are needed", a.Shape, b.Shape)
	}
	la, lb := len(a.Shape)-2, len(b.Shape)-2
	m, k, n := a.Shape[la], a.Shape[la+1], b.Shape[lb+1]
	if b.Shape[lb] != k {
		return nil, fmt.Errorf("shapes %v and %v do not go together", a.Shape, b.Shape)
	}
	if lb == 0 && la > 0 && len(a.Floats) > 0 { // one matrix for all: one product
		rows := len(a.Floats) / k
		a, la, m = a.reshaped([]int{rows, k}), 0, rows
	}
	batch, err := broadcast(a.Shape[:la], b.Shape[:lb])
	if err != nil {
		return nil, err
	}
	count, err := size(batch)
	if err != nil {
		return nil, err
	}
	if err := r.spend(count, m, k, n); err != nil {
		return nil, err
	}
	out, err := r.make(append(slices.Clone(batch), m, n)...)
	if err != nil {
		return nil, err
	}
	visit(batch, stretched(a.Shape[:la], batch), stretched(b.Shape[:lb], batch), func(i, ia, ib int) {
		if r.ctx.Err() == nil {
			r.gemm.Mul(1, kernel.Dense(m, k, a.Floats[ia*m*k:][:m*k]), kernel.Dense(k, n, b.Floats[ib*k*n:][:k*n]), 0, kernel.Dense(m, n, out.Floats[i*m*n:][:m*n]))
		}
	})
	if la == 0 && len(in[0].Shape) > 2 && lb == 0 {
		out.Shape = append(slices.Clone(in[0].Shape[:len(in[0].Shape)-1]), n)
	}
	return []*Tensor{out}, r.ctx.Err()
}

// gemm is alpha*A*B + beta*C, with A and B transposed where asked.
func gemm(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	a, b, c := in[0], in[1], input(in, 2)
	if len(a.Shape) != 2 || len(b.Shape) != 2 || a.isInts || b.isInts {
		return nil, fmt.Errorf("shapes %v and %v: two matrices are needed", a.Shape, b.Shape)
	}
	x, y := kernel.Dense(a.Shape[0], a.Shape[1], a.Floats), kernel.Dense(b.Shape[0], b.Shape[1], b.Floats)
	if n.int("transA", 0) != 0 {
		x = x.T()
	}
	if n.int("transB", 0) != 0 {
		y = y.T()
	}
	if x.Cols != y.Rows {
		return nil, fmt.Errorf("shapes %v and %v do not go together", a.Shape, b.Shape)
	}
	if err := r.spend(x.Rows, x.Cols, y.Cols); err != nil {
		return nil, err
	}
	out, err := r.make(x.Rows, y.Cols)
	if err != nil {
		return nil, err
	}
	if c != nil {
		shape, err := broadcast(out.Shape, c.Shape)
		if err != nil || !slices.Equal(shape, out.Shape) || c.isInts {
			return nil, fmt.Errorf("the matrix C of shape %v is added to one of %v", c.Shape, out.Shape)
		}
		s := stretched(c.Shape, shape)
		visit(shape, s, s, func(i, k, _ int) { out.Floats[i] = c.Floats[k] })
	}
	r.gemm.Mul(n.float("alpha", 1), x, y, n.float("beta", 1), kernel.Dense(x.Rows, y.Cols, out.Floats))
	return []*Tensor{out}, nil
}

// rows calls fn with the numbers from an axis to the last, of a copy.
func (r *run) rows(t *Tensor, from int, fn func(row []float32)) ([]*Tensor, error) {
	out, err := r.make(t.Shape...)
	if err != nil {
		return nil, err
	}
	copy(out.Floats, t.floats())
	n := 1
	for _, d := range t.Shape[from:] {
		n *= d
	}
	for i := 0; n > 0 && i < len(out.Floats); i += n {
		fn(out.Floats[i:][:n])
	}
	return []*Tensor{out}, nil
}

// softmax is that along the last axis, or until version 13 of the operators,
// over all axes from one on.
func softmax(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	or := int64(-1)
	if r.opset < 13 {
		or = 1
	}
	a, err := axis(n.int("axis", or), len(in[0].Shape))
	if err != nil {
		return nil, err
	}
	if r.opset >= 13 && a != len(in[0].Shape)-1 {
		return nil, fmt.Errorf("softmax along axis %d of %d: only the last is supported", a, len(in[0].Shape))
	}
	return r.rows(in[0], a, func(row []float32) { kernel.Softmax(row, row) })
}

// layerNorm gives the numbers from an axis on mean 0 and variance 1, then scale
// and bias.
func layerNorm(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	a, err := axis(n.int("axis", -1), len(in[0].Shape))
	if err != nil {
		return nil, err
	}
	count, err := size(in[0].Shape[a:])
	if err != nil {
		return nil, err
	}
	scale, bias, epsilon := in[1].floats(), []float32(nil), float64(n.float("epsilon", 1e-5))
	if b := input(in, 2); b != nil {
		bias = b.floats()
	}
	if len(scale) != count || bias != nil && len(bias) != count {
		return nil, fmt.Errorf("a scale of %d and a bias of %d numbers for %d", len(scale), len(bias), count)
	}
	return r.rows(in[0], a, func(row []float32) {
		mean, square := 0.0, 0.0
		for _, v := range row {
			mean += float64(v)
		}
		mean /= float64(len(row))
		for _, v := range row {
			square += (float64(v) - mean) * (float64(v) - mean)
		}
		f := 1 / math.Sqrt(square/float64(len(row))+epsilon)
		for i, v := range row {
			row[i] = float32((float64(v)-mean)*f) * scale[i]
			if bias != nil {
				row[i] += bias[i]
			}
		}
	})
}

// batchNorm applies mean, variance, scale and bias that training found to each
// channel.
func batchNorm(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	if len(x.Shape) < 2 || x.isInts {
		return nil, fmt.Errorf("shape %v has no channels", x.Shape)
	}
	c := x.Shape[1]
	for _, t := range in[1:5] {
		if t.len() != c || t.isInts {
			return nil, fmt.Errorf("%d numbers for %d channels", t.len(), c)
		}
	}
	out, err := r.make(x.Shape...)
	if err != nil || len(out.Floats) == 0 {
		return []*Tensor{out}, err
	}
	area := len(x.Floats) / (x.Shape[0] * c)
	epsilon := n.float("epsilon", 1e-5)
	for at := 0; at < len(x.Floats); at += area {
		k := at / area % c
		f := in[1].Floats[k] / float32(math.Sqrt(float64(in[4].Floats[k]+epsilon)))
		mean, bias, to := in[3].Floats[k], in[2].Floats[k], out.Floats[at:at+area]
		for i, v := range x.Floats[at : at+area] {
			to[i] = (v-mean)*f + bias
		}
	}
	return []*Tensor{out}, nil
}

// reduceMean takes the mean along axes.
func reduceMean(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	list, err := n.numbers("axes", in, 1)
	if err != nil {
		return nil, err
	}
	drop := make([]bool, len(x.Shape))
	for _, a := range list {
		k, err := axis(a, len(x.Shape))
		if err != nil {
			return nil, err
		}
		drop[k] = true
	}
	kept, shape := slices.Clone(x.Shape), []int{}
	for i, d := range x.Shape {
		if list == nil || drop[i] {
			kept[i], d = 1, 1
			if n.int("keepdims", 1) == 0 {
				continue
			}
		}
		shape = append(shape, d)
	}
	count, err := size(kept)
	if err != nil {
		return nil, err
	}
	sums := make([]float64, count)
	s := stretched(kept, x.Shape)
	v := x.floats()
	visit(x.Shape, s, s, func(i, k, _ int) { sums[k] += float64(v[i]) })
	out, err := r.make(shape...)
	if err != nil {
		return nil, err
	}
	for i, sum := range sums {
		out.Floats[i] = float32(sum * float64(count) / float64(max(1, len(v))))
	}
	return []*Tensor{out}, nil
}
