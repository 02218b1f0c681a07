package nn

import "math"

// Cosine returns what part of the learning rate applies at a step: it rises
// from 0 over the warm-up, and falls to 0 as half a cosine until steps.
func Cosine(step, warmup, steps int) float64 {
	if step < warmup {
		return float64(step+1) / float64(warmup)
	}
	if step >= steps {
		return 0
	}
	return (1 + math.Cos(math.Pi*float64(step-warmup)/float64(max(1, steps-warmup)))) / 2
}

// ClipGrad scales all gradients so that together, as one vector, they are at
// most of that length, and returns the length they had.
func ClipGrad(params []*Param, most float64) float64 {
	sum := 0.0
	for _, p := range params {
		for _, g := range p.Grad {
			sum += float64(g) * float64(g)
		}
	}
	length := math.Sqrt(sum)
	if length > most {
		f := float32(most / length)
		for _, p := range params {
			for i := range p.Grad {
				p.Grad[i] *= f
			}
		}
	}
	return length
}

// An AdamW changes parameters by their gradients (Loshchilov and Hutter 2019).
// It keeps what it needs for the parameters of its first step.
type AdamW struct {
	Rate  float64 // of learning
	Decay float64 // of weights, at each step by Rate times it

	steps int
	m, v  [][]float32
}

// Step changes the parameters, at a part of the learning rate, and sets their
// gradients to 0.
func (a *AdamW) Step(params []*Param, part float64) {
	const beta1, beta2, tiny = 0.9, 0.999, 1e-8
	if a.m == nil {
		a.m, a.v = state(params), state(params)
	}
	a.steps++
	bias1, bias2 := 1-math.Pow(beta1, float64(a.steps)), 1-math.Pow(beta2, float64(a.steps))
	for k, p := range params {
		rate := a.Rate * part * float64(p.Rate)
		keep := float32(1)
		if p.Decay {
			keep = float32(1 - rate*a.Decay)
		}
		step, root := float32(rate/bias1), float32(1/math.Sqrt(bias2))
		m, v := a.m[k], a.v[k]
		for i, g := range p.Grad {
			m[i] = beta1*m[i] + (1-beta1)*g
			v[i] = beta2*v[i] + (1-beta2)*g*g
			p.Data[i] = keep*p.Data[i] - step*m[i]/(float32(math.Sqrt(float64(v[i])))*root+tiny)
		}
		clear(p.Grad)
	}
}

// An SGD changes parameters by their gradients, with Nesterov's momentum.
type SGD struct {
	Rate     float64 // of learning
	Momentum float64
	Decay    float64 // of weights, added to the gradient

	velocity [][]float32
}

// Step changes the parameters, at a part of the learning rate, and sets their
// gradients to 0.
func (s *SGD) Step(params []*Param, part float64) {
	if s.velocity == nil {
		s.velocity = state(params)
	}
	mu := float32(s.Momentum)
	for k, p := range params {
		rate, decay := float32(s.Rate*part*float64(p.Rate)), float32(0)
		if p.Decay {
			decay = float32(s.Decay)
		}
		for i, g := range p.Grad {
			g += decay * p.Data[i]
			v := mu*s.velocity[k][i] + g
			s.velocity[k][i] = v
			p.Data[i] -= rate * (g + mu*v)
		}
		clear(p.Grad)
	}
}

// state returns zeros for the numbers of all parameters that learn.
func state(params []*Param) [][]float32 {
	out := make([][]float32, len(params))
	for i, p := range params {
		out[i] = make([]float32, len(p.Grad))
	}
	return out
}
