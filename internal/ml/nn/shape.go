package nn

import (
	"fmt"
	"math/rand/v2"

	"fovea/internal/ml/kernel"
)

// UpConcat adds a layer that makes x twice as large, each pixel four times, and
// puts the channels of skip, which has that size, behind its own. Where skip is
// of odd size, the last row or column of x is used once.
func (n *Net) UpConcat(x, skip Value) Value {
	return n.add(&upConcat{}, n.Channels(x)+n.Channels(skip), x, skip)
}

type upConcat struct{}

func (*upConcat) size(in []*kernel.Tensor) (h, w int) {
	if in[1].H < 2*in[0].H-1 || in[1].H > 2*in[0].H || in[1].W < 2*in[0].W-1 || in[1].W > 2*in[0].W {
		panic(fmt.Sprintf("nn: twice %v has not the size of %v", in[0], in[1]))
	}
	return in[1].H, in[1].W
}

func (*upConcat) bind(s *Session, n node, out Value) step {
	t := &upConcatStep{s: s, x: n.in[0], skip: n.in[1], out: out}
	t.fwd.t, t.back.t = t, t
	return t
}

type upConcatStep struct {
	s            *Session
	x, skip, out Value
	fwd          upTask
	back         downTask
}

func (t *upConcatStep) forward() { t.s.pool.Run(t.s.Value(t.out).N, &t.fwd) }

func (t *upConcatStep) backward() {
	t.back.addX = t.s.adds(t.x)
	t.back.addSkip = t.s.adds(t.skip)
	t.s.pool.Run(t.s.Value(t.out).N, &t.back)
}

// upTask makes a map.
type upTask struct{ t *upConcatStep }

func (u *upTask) Do(n, _ int) {
	x, skip, y := u.t.s.Value(u.t.x), u.t.s.Value(u.t.skip), u.t.s.Value(u.t.out)
	for r := range y.H {
		from, side, to := x.Row(n, r/2), skip.Row(n, r), y.Row(n, r)
		for c := range y.W {
			p := to[c*y.C:][:y.C]
			copy(p, from[c/2*x.C:][:x.C])
			copy(p[x.C:], side[c*skip.C:][:skip.C])
		}
	}
}

// downTask makes a map of both gradients.
type downTask struct {
	t             *upConcatStep
	addX, addSkip bool
}

func (u *downTask) Do(n, _ int) {
	s := u.t.s
	dx, dskip, dy := s.Grad(u.t.x), s.Grad(u.t.skip), s.Grad(u.t.out)
	if !u.addX {
		clear(dx.Map(n))
	}
	if !u.addSkip {
		clear(dskip.Map(n))
	}
	for r := range dy.H {
		to, side, from := dx.Row(n, r/2), dskip.Row(n, r), dy.Row(n, r)
		for c := range dy.W {
			p := from[c*dy.C:][:dy.C]
			s.set.Axpy(to[c/2*dx.C:][:dx.C], p[:dx.C], 1)
			s.set.Axpy(side[c*dskip.C:][:dskip.C], p[dx.C:], 1)
		}
	}
}

// Mean adds a layer that makes one pixel of each map: the mean of every channel,
// and with top, behind them, the greatest value of every channel.
func (n *Net) Mean(x Value, top bool) Value {
	c := n.Channels(x)
	if top {
		return n.add(&mean{top: true}, 2*c, x)
	}
	return n.add(&mean{}, c, x)
}

type mean struct{ top bool }

func (*mean) size([]*kernel.Tensor) (h, w int) { return 1, 1 }

func (m *mean) bind(s *Session, n node, out Value) step {
	t := &meanStep{s: s, x: n.in[0], out: out, top: m.top}
	s.sized = append(s.sized, func() { t.at = make([]int, s.Value(t.out).N*s.Value(t.x).C) })
	return t
}

type meanStep struct {
	s      *Session
	x, out Value
	top    bool
	at     []int // where in its map the greatest value of each channel is
}

func (t *meanStep) forward() {
	x, y := t.s.Value(t.x), t.s.Value(t.out)
	f := 1 / float32(x.H*x.W)
	for n := range x.N {
		p := y.Pixel(n, 0, 0)
		clear(p)
		for r := range x.H {
			row := x.Row(n, r)
			for c := 0; c < len(row); c += x.C {
				t.s.set.Axpy(p[:x.C], row[c:c+x.C], f)
			}
		}
		if t.top {
			t.findTop(x, n, p[x.C:])
		}
	}
}

// findTop sets top to the greatest values of map n and notes where they are.
func (t *meanStep) findTop(x *kernel.Tensor, n int, top []float32) {
	at := t.at[n*x.C:][:x.C]
	copy(top, x.Pixel(n, 0, 0))
	clear(at)
	for i := range x.H * x.W {
		for c, v := range x.Pixel(n, i/x.W, i%x.W) {
			if v > top[c] {
				top[c], at[c] = v, i
			}
		}
	}
}

func (t *meanStep) backward() {
	dx, dy := t.s.Grad(t.x), t.s.Grad(t.out)
	add := t.s.adds(t.x)
	f := 1 / float32(dx.H*dx.W)
	for n := range dx.N {
		if !add {
			clear(dx.Map(n))
		}
		g := dy.Pixel(n, 0, 0)
		for r := range dx.H {
			row := dx.Row(n, r)
			for c := 0; c < len(row); c += dx.C {
				t.s.set.Axpy(row[c:c+dx.C], g[:dx.C], f)
			}
		}
		if t.top {
			for c, i := range t.at[n*dx.C:][:dx.C] {
				dx.Pixel(n, i/dx.W, i%dx.W)[c] += g[dx.C+c]
			}
		}
	}
}

// Spread adds a layer that adds y, a single pixel, to every pixel of x, and
// makes negative values 0.
func (n *Net) Spread(x, y Value) Value {
	if n.Channels(x) != n.Channels(y) {
		panic(fmt.Sprintf("nn: %d channels are added to %d", n.Channels(y), n.Channels(x)))
	}
	return n.add(&spread{}, n.Channels(x), x, y)
}

type spread struct{}

func (*spread) size(in []*kernel.Tensor) (h, w int) {
	if in[1].H != 1 || in[1].W != 1 {
		panic(fmt.Sprintf("nn: %v is not a single pixel", in[1]))
	}
	return in[0].H, in[0].W
}

func (*spread) bind(s *Session, n node, out Value) step {
	return &spreadStep{s: s, x: n.in[0], y: n.in[1], out: out}
}

type spreadStep struct {
	s         *Session
	x, y, out Value
}

func (t *spreadStep) forward() {
	x, y, z := t.s.Value(t.x), t.s.Value(t.y), t.s.Value(t.out)
	for n := range x.N {
		for r := range x.H {
			t.s.set.Affine(z.Row(n, r), x.Row(n, r), t.s.ones[:x.C], y.Pixel(n, 0, 0), true)
		}
	}
}

func (t *spreadStep) backward() {
	dx, dy, g := t.s.Grad(t.x), t.s.Grad(t.y), t.s.Grad(t.out)
	addX, addY := t.s.adds(t.x), t.s.adds(t.y)
	for n := range g.N {
		m := g.Map(n)
		t.s.set.ReLUGrad(m, t.s.Value(t.out).Map(n))
		if addX {
			t.s.set.Axpy(dx.Map(n), m, 1)
		} else {
			copy(dx.Map(n), m)
		}
		to := dy.Pixel(n, 0, 0)
		if !addY {
			clear(to)
		}
		for c := 0; c < len(m); c += g.C {
			t.s.set.Axpy(to, m[c:c+g.C], 1)
		}
	}
}

// Dropout adds a layer that in training sets each channel of a pixel to 0 with
// that chance, and multiplies the others so that their mean stays. Otherwise
// it changes nothing.
func (n *Net) Dropout(x Value, chance float32) Value {
	return n.add(&dropout{chance}, n.Channels(x), x)
}

type dropout struct{ chance float32 }

func (*dropout) size(in []*kernel.Tensor) (h, w int) { return in[0].H, in[0].W }

func (d *dropout) bind(s *Session, n node, out Value) step {
	return &dropoutStep{s: s, x: n.in[0], out: out, chance: d.chance, rng: rand.New(rand.NewPCG(s.seed, uint64(out)))}
}

type dropoutStep struct {
	s      *Session
	x, out Value
	chance float32
	rng    *rand.Rand
	keep   []float32 // what each number was multiplied with
}

func (t *dropoutStep) forward() {
	x, y := t.s.Value(t.x), t.s.Value(t.out)
	t.keep = t.keep[:0]
	for n := range x.N {
		for r := range x.H {
			to := y.Row(n, r)
			copy(to, x.Row(n, r))
			for i := range to {
				if !t.s.train {
					break
				}
				f := 1 / (1 - t.chance)
				if t.rng.Float32() < t.chance {
					f = 0
				}
				t.keep = append(t.keep, f)
				to[i] *= f
			}
		}
	}
}

func (t *dropoutStep) backward() {
	dx, dy := t.s.Grad(t.x), t.s.Grad(t.out)
	add, k := t.s.adds(t.x), 0
	for n := range dx.N {
		for r := range dx.H {
			to := dx.Row(n, r)
			if !add {
				clear(to)
			}
			for i, v := range dy.Row(n, r) {
				to[i] += v * t.keep[k]
				k++
			}
		}
	}
}
