package nn

import (
	"math"

	"fovea/internal/ml/kernel"
)

// The constants of batch norm, PyTorch's: what is added to a variance, and what
// part of the running statistics a batch replaces.
const (
	epsilon  = 1e-5
	momentum = 0.1
)

// A norm is the batch norm of a convolution in training (Ioffe and Szegedy
// 2015): every channel gets mean 0 and variance 1 over the batch, then gamma
// and beta.
type norm struct {
	t       *convStep
	raw     kernel.Tensor // the convolution's result
	s1, s2  []float32     // sums of each map
	mean    []float64
	inverse []float64 // of the deviation
	a, b, d []float32 // of the gradient of raw: a*gradient + b*raw + d

	sums  sumTask
	apply applyTask
	back  backTask
}

func newNorm(t *convStep) *norm {
	c := t.shape.Out
	n := &norm{t: t, raw: kernel.Tensor{C: c}, mean: make([]float64, c), inverse: make([]float64, c)}
	n.a, n.b, n.d = make([]float32, c), make([]float32, c), make([]float32, c)
	n.sums.n, n.apply.n, n.back.n = n, n, n
	t.s.sized = append(t.s.sized, func() {
		y := t.s.Value(t.out)
		like(&n.raw, y)
		n.s1, n.s2 = grow(n.s1, y.N*c), grow(n.s2, y.N*c)
	})
	return n
}

// forward computes the output from raw.
func (n *norm) forward() {
	t := n.t
	count := n.moments(&n.raw)
	for i := range n.mean {
		s1, s2 := n.total(i)
		mean := s1 / count
		variance := max(0, s2/count-mean*mean)
		n.mean[i], n.inverse[i] = mean, 1/math.Sqrt(variance+epsilon)
		t.scale[i] = float32(float64(t.gamma.Data[i]) * n.inverse[i])
		t.shift[i] = float32(float64(t.beta.Data[i]) - mean*float64(t.gamma.Data[i])*n.inverse[i])
		if count > 1 {
			variance *= count / (count - 1)
		}
		t.conv.mean.Data[i] += momentum * (float32(mean) - t.conv.mean.Data[i])
		t.variance.Data[i] += momentum * (float32(variance) - t.variance.Data[i])
	}
	t.s.pool.Run(n.raw.N, &n.apply)
}

// moments sums g and g*raw over each map, and returns how many pixels there are.
func (n *norm) moments(g *kernel.Tensor) float64 {
	clear(n.s1)
	clear(n.s2)
	n.sums.g = g
	n.t.s.pool.Run(g.N, &n.sums)
	return float64(g.N * g.H * g.W)
}

// total returns the sums of a channel over all maps.
func (n *norm) total(channel int) (s1, s2 float64) {
	for i := channel; i < len(n.s1); i += len(n.mean) {
		s1 += float64(n.s1[i])
		s2 += float64(n.s2[i])
	}
	return s1, s2
}

// backward turns the gradient of the output into that of raw.
func (n *norm) backward() {
	t := n.t
	g := t.s.Grad(t.out)
	count := n.moments(g)
	for i := range n.mean {
		s1, s2 := n.total(i)
		dgamma := (s2 - n.mean[i]*s1) * n.inverse[i]
		t.gamma.Grad[i] += float32(dgamma)
		t.beta.Grad[i] += float32(s1)
		a := float64(t.gamma.Data[i]) * n.inverse[i]
		b := -a * n.inverse[i] * dgamma / count
		n.a[i], n.b[i], n.d[i] = float32(a), float32(b), float32(-a*s1/count-b*n.mean[i])
	}
	t.s.pool.Run(g.N, &n.back)
}

// sumTask sums g and g*raw over a map.
type sumTask struct {
	n *norm
	g *kernel.Tensor
}

func (u *sumTask) Do(m, _ int) {
	c := len(u.n.mean)
	u.n.t.s.set.Moments(u.n.s1[m*c:][:c], u.n.s2[m*c:][:c], u.g.Map(m), u.n.raw.Map(m))
}

// applyTask makes a map of the output.
type applyTask struct{ n *norm }

func (u *applyTask) Do(m, _ int) {
	t := u.n.t
	y := t.s.Value(t.out)
	for row := range y.H {
		x := u.n.raw.Row(m, row)
		if t.add == 0 {
			t.s.set.Affine(y.Row(m, row), x, t.scale, t.shift, t.relu)
		} else {
			t.s.set.Blend(y.Row(m, row), x, t.scale, t.s.Value(t.add).Row(m, row), t.s.ones[:y.C], t.shift, t.relu)
		}
	}
}

// backTask makes a map of the gradient of raw.
type backTask struct{ n *norm }

func (u *backTask) Do(m, _ int) {
	n := u.n
	g := n.t.s.Grad(n.t.out)
	for row := range g.H {
		r := g.Row(m, row)
		n.t.s.set.Blend(r, r, n.a, n.raw.Row(m, row), n.b, n.d, false)
	}
}
