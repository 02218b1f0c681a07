package nn

import (
	"fmt"

	"fovea/internal/ml/kernel"
)

// Options say how a session runs.
type Options struct {
	Batch, Height, Width int // of the input; Resize changes them

	Train   bool        // keep what Backward needs, and use the batch's statistics
	Workers int         // processor cores; 0 is 1
	Set     *kernel.Set // nil: kernel.Auto
	Seed    uint64      // of what is random in training
}

// A Session runs a network. It is used by one goroutine at a time. A session
// that does not train takes the parameters as they are when it is made, and
// shares memory between values that are not needed at the same time.
type Session struct {
	net    *Net
	train  bool
	seed   uint64
	set    *kernel.Set
	pool   kernel.Pool
	ones   []float32
	steps  []step
	values []*kernel.Tensor // by node
	grads  []*kernel.Tensor // of training
	sets   []bool           // whether the gradient's first term is still to come
	slots  []int            // where a value lies, by node
	memory [][]float32      // by slot
	sized  []func()         // called when sizes have changed
}

// NewSession returns a session of a network.
func (n *Net) NewSession(o Options) (*Session, error) {
	s := &Session{net: n, train: o.Train, seed: o.Seed, set: o.Set}
	s.pool.Workers = o.Workers
	if s.set == nil {
		s.set = kernel.Auto()
	}
	most := 0
	for _, d := range n.nodes {
		most = max(most, d.channels)
		s.values = append(s.values, &kernel.Tensor{C: d.channels})
		if s.train {
			s.grads = append(s.grads, &kernel.Tensor{C: d.channels})
		}
	}
	s.ones = make([]float32, most)
	for i := range s.ones {
		s.ones[i] = 1
	}
	s.place()
	for i, d := range n.nodes {
		s.steps = append(s.steps, d.op.bind(s, d, Value(i+1)))
	}
	return s, s.Resize(o.Batch, o.Height, o.Width)
}

// place decides where values lie: in training each has its own memory; else a
// value takes the memory of one that no later layer reads.
func (s *Session) place() {
	last := make([]int, len(s.values)) // the last node that reads a value
	for i, d := range s.net.nodes {
		last[i] = i
		for _, v := range d.in {
			last[v-1] = i
		}
	}
	for _, v := range s.net.outputs {
		last[v-1] = len(s.values)
	}
	var free []int
	s.slots = make([]int, len(s.values))
	for i, d := range s.net.nodes {
		if len(free) > 0 {
			s.slots[i], free = free[len(free)-1], free[:len(free)-1]
		} else {
			s.slots[i] = len(s.memory)
			s.memory = append(s.memory, nil)
		}
		if s.train {
			continue
		}
		for j, v := range append([]Value{Value(i + 1)}, d.in...) {
			repeated := j > 1 && d.in[0] == v
			if last[v-1] == i && !repeated {
				free = append(free, s.slots[v-1])
			}
		}
	}
}

// Resize changes the size of the input. Memory that is large enough is kept.
func (s *Session) Resize(batch, height, width int) error {
	if batch < 1 || height < 1 || width < 1 {
		return fmt.Errorf("nn: a batch of %d images of %dx%d pixels", batch, width, height)
	}
	in := s.values[0]
	if in.N == batch && in.H == height && in.W == width {
		return nil
	}
	need := make([]int, len(s.memory))
	for i, d := range s.net.nodes {
		v := s.values[i]
		v.N, v.H, v.W = batch, height, width
		if i > 0 {
			v.H, v.W = d.op.size(s.inputs(d))
		}
		need[s.slots[i]] = max(need[s.slots[i]], kernel.TensorLen(v.N, v.H, v.W, v.C))
		if s.train {
			like(s.grads[i], v)
		}
	}
	for i, n := range need {
		s.memory[i] = grow(s.memory[i], n)
	}
	for i, v := range s.values {
		v.Data = s.memory[s.slots[i]]
	}
	for _, fn := range s.sized {
		fn()
	}
	return nil
}

// inputs returns the values that a layer reads.
func (s *Session) inputs(d node) []*kernel.Tensor {
	in := make([]*kernel.Tensor, len(d.in))
	for i, v := range d.in {
		in[i] = s.values[v-1]
	}
	return in
}

// grow returns n zeros, in memory that is large enough, or new.
func grow(b []float32, n int) []float32 {
	if cap(b) < n {
		return make([]float32, n)
	}
	b = b[:n]
	clear(b)
	return b
}

// like gives a tensor the shape of another, and zeros.
func like(t, u *kernel.Tensor) {
	t.N, t.H, t.W, t.C = u.N, u.H, u.W, u.C
	t.Data = grow(t.Data, kernel.TensorLen(t.N, t.H, t.W, t.C))
}

// Input returns the tensor that holds the network's input. What a caller writes
// there stays until it writes again, or until Resize; a session that does not
// train may use its memory for other values once Forward has read it.
func (s *Session) Input() *kernel.Tensor { return s.values[0] }

// Value returns a value of the last Forward. A session that does not train
// still has only those that the network notes as outputs.
func (s *Session) Value(v Value) *kernel.Tensor { return s.values[v-1] }

// Grad returns the gradient of a value: of an output, for a loss to write; of
// the others, what Backward found.
func (s *Session) Grad(v Value) *kernel.Tensor { return s.grads[v-1] }

// Forward computes all values.
func (s *Session) Forward() {
	for i, st := range s.steps {
		if !s.train {
			clearBorder(s.values[i])
		}
		st.forward()
	}
}

// Backward adds to the parameters' gradients those of the last Forward, given
// the gradients of all outputs.
func (s *Session) Backward() {
	s.sets = s.sets[:0]
	for range s.values {
		s.sets = append(s.sets, true)
	}
	for _, v := range s.net.outputs {
		s.sets[v-1] = false
	}
	for i := len(s.steps) - 1; i >= 0; i-- {
		if s.sets[i] { // nobody reads the value
			clear(s.grads[i].Data)
		}
		s.steps[i].backward()
	}
}

// adds reports whether a step adds to the gradient of a value, or is the first
// to set it.
func (s *Session) adds(v Value) bool {
	first := s.sets[v-1]
	s.sets[v-1] = false
	return !first
}

// clearBorder sets the border of each map to 0: its memory may have held
// another value.
func clearBorder(t *kernel.Tensor) {
	row := (t.W + 2) * t.C
	for n := range t.N {
		m := t.Map(n)
		clear(m[:row])
		clear(m[len(m)-row:])
		for y := 1; y <= t.H; y++ {
			clear(m[y*row:][:t.C])
			clear(m[(y+1)*row-t.C:][:t.C])
		}
	}
}
