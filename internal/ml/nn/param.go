package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"fovea/internal/ml/safetensors"
)

// A Param is an array of numbers that a network has learned.
type Param struct {
	Name  string
	Shape []int     // as PyTorch has it: of weights, [out][in][size][size]
	Data  []float32 // of weights, in the order of kernel.Shape
	Grad  []float32 // nil for statistics
	Decay bool      // weight decay applies: to weights, not to biases and norms
	Rate  float32   // multiplies the learning rate; 0 keeps it as it is
	init  float32   // what Init sets it to; for weights, the deviation
}

// Stat reports whether the numbers are statistics of the data, which no
// gradient changes.
func (p *Param) Stat() bool { return p.Grad == nil }

// newParam adds a parameter.
func (n *Net) newParam(name string, shape []int, init float32, stat, decay bool) *Param {
	for _, p := range n.params {
		if p.Name == name {
			panic(fmt.Sprintf("nn: two parameters are called %q", name))
		}
	}
	size := 1
	for _, d := range shape {
		size *= d
	}
	p := &Param{Name: name, Shape: shape, Data: make([]float32, size), Decay: decay, Rate: 1, init: init}
	if !stat {
		p.Grad = make([]float32, size)
	}
	n.params = append(n.params, p)
	return p
}

// Params returns all parameters, in the order of their layers.
func (n *Net) Params() []*Param { return n.params }

// Param returns the parameter of that name, or nil.
func (n *Net) Param(name string) *Param {
	for _, p := range n.params {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Init sets all parameters as training begins: weights drawn from a normal
// distribution (He et al. 2015), norms to do nothing, biases to theirs.
func (n *Net) Init(seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0x6e6e))
	for _, p := range n.params {
		for i := range p.Data {
			p.Data[i] = p.init
			if p.Decay {
				p.Data[i] *= float32(rng.NormFloat64())
			}
		}
	}
}

// ClearGrad sets all gradients to 0.
func (n *Net) ClearGrad() {
	for _, p := range n.params {
		clear(p.Grad)
	}
}

// Tensors returns copies of all parameters for a file.
func (n *Net) Tensors() map[string]safetensors.Tensor {
	out := map[string]safetensors.Tensor{}
	for _, p := range n.params {
		data := make([]float32, len(p.Data))
		p.exchange(func(ours, theirs int) { data[theirs] = p.Data[ours] })
		out[p.Name] = safetensors.Tensor{Shape: p.Shape, Data: data}
	}
	return out
}

// LoadAll sets all parameters from a file that has nothing else.
func (n *Net) LoadAll(tensors map[string]safetensors.Tensor) error {
	if len(tensors) != len(n.params) {
		return fmt.Errorf("nn: the file has %d parameters, want %d", len(tensors), len(n.params))
	}
	return n.Load(tensors, "")
}

// Load sets the parameters whose names begin with a prefix ("" for all) from
// those of a file. It fails, and has set some, if one is missing there, has
// another shape, or is not a number.
func (n *Net) Load(tensors map[string]safetensors.Tensor, prefix string) error {
	for _, p := range n.params {
		if len(p.Name) < len(prefix) || p.Name[:len(prefix)] != prefix {
			continue
		}
		if err := p.load(tensors); err != nil {
			return fmt.Errorf("nn: parameter %q: %w", p.Name, err)
		}
	}
	return nil
}

func (p *Param) load(tensors map[string]safetensors.Tensor) error {
	t, ok := tensors[p.Name]
	if !ok {
		return fmt.Errorf("the file has none")
	}
	if fmt.Sprint(t.Shape) != fmt.Sprint(p.Shape) || len(t.Data) != len(p.Data) {
		return fmt.Errorf("shape %v in the file, want %v", t.Shape, p.Shape)
	}
	for _, v := range t.Data {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("the file has %g in it", v)
		}
	}
	p.exchange(func(ours, theirs int) { p.Data[ours] = t.Data[theirs] })
	return nil
}

// exchange calls fn for every number with its place in Data, and in a file.
func (p *Param) exchange(fn func(ours, theirs int)) {
	if len(p.Shape) != 4 {
		for i := range p.Data {
			fn(i, i)
		}
		return
	}
	out, in, places := p.Shape[0], p.Shape[1], p.Shape[2]*p.Shape[3]
	for o := range out {
		for i := range in {
			for k := range places {
				fn((k*in+i)*out+o, (o*in+i)*places+k)
			}
		}
	}
}
