package head

import (
	"context"
	"math"
)

// A pair is a step that was made and by how much it changed the gradient.
type pair struct {
	step, change []float64
	product      float64 // of the two
}

// memory is how many pairs L-BFGS remembers.
const memory = 10

// minimize returns the point at which a convex function is smallest, from a
// start which it overwrites, by L-BFGS with a backtracking line search (Nocedal
// and Wright, Numerical Optimization, algorithm 7.4). The function puts its
// gradient into g. It ends early, with its error, when the context does.
func minimize(ctx context.Context, value func(x, g []float64) float64, x []float64, steps int) ([]float64, error) {
	g := make([]float64, len(x))
	f := value(x, g)
	next, gradient := make([]float64, len(x)), make([]float64, len(x))
	var pairs []pair
	for range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if norm(g) <= 1e-5 {
			break
		}
		d := direction(g, pairs)
		slope := product(d, g)
		if slope >= 0 {
			pairs, d = nil, direction(g, nil)
			slope = product(d, g)
		}
		t, fNext := 1.0, 0.0
		for ; t > 1e-10; t /= 2 {
			for i := range x {
				next[i] = x[i] + t*d[i]
			}
			if fNext = value(next, gradient); fNext <= f+1e-4*t*slope {
				break
			}
		}
		if t <= 1e-10 || fNext > f-1e-9*math.Max(1, math.Abs(f)) {
			break // as small as rounding lets it become
		}
		pairs = remember(pairs, next, x, gradient, g)
		x, next = next, x
		g, gradient = gradient, g
		f = fNext
	}
	return x, nil
}

// direction returns minus the gradient times what is known of the inverse of
// the second derivatives.
func direction(g []float64, pairs []pair) []float64 {
	d := make([]float64, len(g))
	for i, v := range g {
		d[i] = -v
	}
	a := make([]float64, len(pairs))
	for i := len(pairs) - 1; i >= 0; i-- {
		p := pairs[i]
		a[i] = product(p.step, d) / p.product
		add(d, -a[i], p.change)
	}
	if n := len(pairs); n > 0 {
		scale := pairs[n-1].product / product(pairs[n-1].change, pairs[n-1].change)
		for i := range d {
			d[i] *= scale
		}
	} else if n := norm(g); n > 1 {
		for i := range d {
			d[i] /= n
		}
	}
	for i, p := range pairs {
		add(d, a[i]-product(p.change, d)/p.product, p.step)
	}
	return d
}

// remember adds the step from x to next, if the function curves up along it,
// and forgets the oldest.
func remember(pairs []pair, next, x, gNext, g []float64) []pair {
	p := pair{step: make([]float64, len(x)), change: make([]float64, len(x))}
	for i := range x {
		p.step[i], p.change[i] = next[i]-x[i], gNext[i]-g[i]
	}
	p.product = product(p.step, p.change)
	if p.product <= 1e-14*product(p.change, p.change) {
		return pairs
	}
	if len(pairs) == memory {
		pairs = append(pairs[:0], pairs[1:]...)
	}
	return append(pairs, p)
}

func product(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

func add(a []float64, t float64, b []float64) {
	for i, v := range b {
		a[i] += t * v
	}
}

func norm(a []float64) float64 { return math.Sqrt(product(a, a)) }
