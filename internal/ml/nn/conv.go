package nn

import (
	"fmt"
	"math"

	"fovea/internal/ml/kernel"
)

// A ConvSpec describes a convolution and what follows it.
type ConvSpec struct {
	Name   string  // of the weights, Name + ".weight"
	Norm   string  // of the batch norm, with .weight, .bias, .running_mean, .running_var; "" for none
	Out    int     // channels
	Size   int     // 3, or 1; 0 is 3
	Stride int     // 1 or 2; 0 is 1
	Bias   bool    // add Name + ".bias", where there is no norm
	Init   float32 // what training starts the bias with
	Add    Value   // added before ReLU, where it is not 0
	ReLU   bool    // negative values become 0
}

// Conv adds a convolution, with a border of zeros around 3x3 weights, then its
// batch norm or bias, sum and ReLU.
func (n *Net) Conv(x Value, spec ConvSpec) Value {
	shape := kernel.Shape{In: n.Channels(x), Out: spec.Out, Size: orIf0(spec.Size, 3), Stride: orIf0(spec.Stride, 1)}
	if err := shape.Check(); err != nil {
		panic(fmt.Sprintf("nn: %s: %v", spec.Name, err))
	}
	c := &conv{shape: shape, relu: spec.ReLU, add: spec.Add}
	fan := shape.In * shape.Size * shape.Size
	c.w = n.newParam(spec.Name+".weight", []int{shape.Out, shape.In, shape.Size, shape.Size}, float32(math.Sqrt(2/float64(fan))), false, true)
	channels := []int{shape.Out}
	switch {
	case spec.Norm != "":
		c.gamma = n.newParam(spec.Norm+".weight", channels, 1, false, false)
		c.beta = n.newParam(spec.Norm+".bias", channels, 0, false, false)
		c.mean = n.newParam(spec.Norm+".running_mean", channels, 0, true, false)
		c.variance = n.newParam(spec.Norm+".running_var", channels, 1, true, false)
	case spec.Bias:
		c.beta = n.newParam(spec.Name+".bias", channels, spec.Init, false, false)
	}
	in := []Value{x}
	if spec.Add != 0 {
		if n.Channels(spec.Add) != shape.Out {
			panic(fmt.Sprintf("nn: %s: %d channels are added to %d", spec.Name, n.Channels(spec.Add), shape.Out))
		}
		in = append(in, spec.Add)
	}
	return n.add(c, shape.Out, in...)
}

func orIf0(n, or int) int {
	if n == 0 {
		return or
	}
	return n
}

// conv is the layer.
type conv struct {
	shape kernel.Shape
	relu  bool
	add   Value // 0: none

	w, gamma, beta, mean, variance *Param // gamma, mean, variance: nil without norm
}

func (c *conv) size(in []*kernel.Tensor) (h, w int) {
	return c.shape.Side(in[0].H), c.shape.Side(in[0].W)
}

func (c *conv) bind(s *Session, n node, out Value) step {
	t := &convStep{conv: c, s: s, x: n.in[0], out: out, engine: kernel.NewConv(c.shape, s.set, &s.pool)}
	t.scale, t.shift = make([]float32, c.shape.Out), make([]float32, c.shape.Out)
	if s.train {
		if c.gamma != nil {
			t.norm = newNorm(t)
		}
		t.undo.t = t
		return t
	}
	t.engine.Pack(c.w.Data)
	t.fold()
	return t
}

// convStep runs the layer in a session.
type convStep struct {
	*conv
	s            *Session
	x, out       Value
	engine       *kernel.Conv
	scale, shift []float32 // what the convolution's result is multiplied with, and what is added
	norm         *norm     // in training, where there is one
	undo         undoTask
}

// fold sets scale and shift so that they do what the norm does with its running
// statistics, or the bias.
func (t *convStep) fold() {
	copy(t.scale, t.s.ones)
	switch {
	case t.gamma != nil:
		for i := range t.scale {
			t.scale[i] = t.gamma.Data[i] / float32(math.Sqrt(float64(t.variance.Data[i])+epsilon))
			t.shift[i] = t.beta.Data[i] - t.mean.Data[i]*t.scale[i]
		}
	case t.beta != nil:
		copy(t.shift, t.beta.Data)
	}
}

func (t *convStep) forward() {
	x, y := t.s.Value(t.x), t.s.Value(t.out)
	if t.s.train {
		t.engine.Pack(t.w.Data)
		if t.norm != nil {
			t.engine.Forward(x, &t.norm.raw, kernel.After{})
			t.norm.forward()
			return
		}
		t.fold()
	}
	after := kernel.After{Scale: t.scale, Shift: t.shift, ReLU: t.relu, Ones: t.s.ones[:t.shape.Out]}
	if t.add != 0 {
		after.Add = t.s.Value(t.add)
	}
	t.engine.Forward(x, y, after)
}

func (t *convStep) backward() {
	g := t.s.Grad(t.out)
	t.undo.adds = t.add != 0 && t.s.adds(t.add)
	t.s.pool.Run(g.N, &t.undo)
	switch {
	case t.norm != nil:
		t.norm.backward()
	case t.beta != nil:
		t.biasGrad(g)
	}
	t.engine.WeightGrad(t.s.Value(t.x), g, t.w.Grad)
	if t.x != t.s.net.Input() {
		add := t.s.adds(t.x)
		t.engine.PackBack(t.w.Data)
		t.engine.Input(g, t.s.Grad(t.x), add)
	}
}

// biasGrad adds to the bias's gradient the sum of the output's.
func (t *convStep) biasGrad(g *kernel.Tensor) {
	sum, square := t.scale, t.shift // made anew by the next forward pass
	for n := range g.N {
		clear(sum)
		m := g.Map(n)
		t.s.set.Moments(sum, square, m, m)
		t.s.set.Axpy(t.beta.Grad, sum, 1)
	}
}

// undoTask takes ReLU and sum back: the gradient becomes that of the norm's or
// bias's result. A piece is a map.
type undoTask struct {
	t    *convStep
	adds bool
}

func (u *undoTask) Do(n, _ int) {
	t := u.t
	g := t.s.Grad(t.out).Map(n)
	if t.relu {
		t.s.set.ReLUGrad(g, t.s.Value(t.out).Map(n))
	}
	if t.add == 0 {
		return
	}
	to := t.s.Grad(t.add).Map(n)
	if u.adds {
		t.s.set.Axpy(to, g, 1)
	} else {
		copy(to, g)
	}
}
