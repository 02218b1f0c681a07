package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"fovea/internal/ml/kernel"
)

// fill sets the pixels of a tensor to random numbers.
func fill(rng *rand.Rand, t *kernel.Tensor) {
	for n := range t.N {
		for y := range t.H {
			for i := range t.Row(n, y) {
				t.Row(n, y)[i] = float32(rng.NormFloat64())
			}
		}
	}
}

// layers are networks that have one kind of layer behind a convolution, with
// parameters to see its gradient by, or more.
var layers = map[string]func(n *Net) Value{
	"convolution":   func(n *Net) Value { return n.Conv(first(n), ConvSpec{Name: "b", Out: 5, Bias: true}) },
	"point":         func(n *Net) Value { return n.Conv(first(n), ConvSpec{Name: "b", Out: 18, Size: 1}) },
	"strided":       func(n *Net) Value { return n.Conv(first(n), ConvSpec{Name: "b", Out: 16, Stride: 2, Bias: true}) },
	"strided point": func(n *Net) Value { return n.Conv(first(n), ConvSpec{Name: "b", Out: 7, Size: 1, Stride: 2}) },
	"ReLU":          func(n *Net) Value { return n.Conv(first(n), ConvSpec{Name: "b", Out: 9, Bias: true, ReLU: true}) },
	"norm":          func(n *Net) Value { return n.Conv(first(n), ConvSpec{Name: "b", Norm: "bn", Out: 8}) },
	"norm and ReLU": func(n *Net) Value { return n.Conv(first(n), ConvSpec{Name: "b", Norm: "bn", Out: 8, ReLU: true}) },
	"mean":          func(n *Net) Value { return n.Mean(first(n), false) },
	"mean and top":  func(n *Net) Value { return n.Mean(first(n), true) },
	"dropout":       func(n *Net) Value { return n.Dropout(first(n), 0.4) },
	"fully connected": func(n *Net) Value {
		return n.Conv(n.Mean(first(n), false), ConvSpec{Name: "fc", Size: 1, Out: 10, Bias: true})
	},
	"sum": func(n *Net) Value {
		x := first(n)
		y := n.Conv(x, ConvSpec{Name: "b", Norm: "bn", Size: 1, Out: 8})
		return n.Conv(x, ConvSpec{Name: "c", Norm: "cn", Out: 8, Add: y, ReLU: true})
	},
	"sum with itself": func(n *Net) Value {
		x := first(n)
		return n.Conv(x, ConvSpec{Name: "c", Out: 8, Add: x, Bias: true})
	},
	"up": func(n *Net) Value {
		x := first(n)
		y := n.Conv(x, ConvSpec{Name: "b", Out: 16, Stride: 2})
		return n.Conv(n.UpConcat(y, x), ConvSpec{Name: "c", Out: 4})
	},
	"spread": func(n *Net) Value {
		x := first(n)
		y := n.Conv(n.Mean(x, false), ConvSpec{Name: "b", Size: 1, Out: 8, Bias: true})
		return n.Conv(n.Spread(x, y), ConvSpec{Name: "c", Out: 4})
	},
}

// first adds a convolution to learn by.
func first(n *Net) Value {
	return n.Conv(n.Input(), ConvSpec{Name: "a", Out: 8, Bias: true, Init: 0.5})
}

// TestGradients compares the derivative of a random sum of the outputs, along a
// random direction of each parameter, with the difference of two forward
// passes.
func TestGradients(t *testing.T) {
	for name, build := range layers {
		for _, set := range kernel.Sets() {
			for _, size := range [][3]int{{3, 6, 8}, {2, 7, 5}} {
				t.Run(fmt.Sprintf("%s/%s/%v", name, set.Name(), size), func(t *testing.T) {
					n := New(3)
					n.Output(build(n))
					testGradients(t, n, Options{Batch: size[0], Height: size[1], Width: size[2], Train: true, Set: set})
				})
			}
		}
	}
}

func testGradients(t *testing.T, n *Net, o Options) {
	rng := rand.New(rand.NewPCG(1, 2))
	n.Init(7)
	for _, p := range n.Params() {
		for i := range p.Data {
			if !p.Stat() {
				p.Data[i] += 0.1 * float32(rng.NormFloat64())
			}
		}
	}
	out := n.Outputs()[0]
	var factors *kernel.Tensor
	input := kernel.NewTensor(o.Batch, o.Height, o.Width, 3)
	fill(rng, input)
	run := func(back bool) float64 {
		s, err := n.NewSession(o) // anew, so that what is random is drawn again
		if err != nil {
			t.Fatal(err)
		}
		copy(s.Input().Data, input.Data)
		s.Forward()
		y := s.Value(out)
		if factors == nil {
			factors = kernel.NewTensor(y.N, y.H, y.W, y.C)
			fill(rng, factors)
		}
		sum := 0.0
		for i, v := range y.Data[:len(factors.Data)] {
			sum += float64(v) * float64(factors.Data[i])
		}
		if back {
			copy(s.Grad(out).Data, factors.Data)
			s.Backward()
		}
		return sum
	}
	n.ClearGrad()
	run(true)
	for _, p := range n.Params() {
		if p.Stat() {
			continue
		}
		direction, want, length := make([]float32, len(p.Data)), 0.0, 0.0
		for i, g := range p.Grad {
			direction[i] = float32(rng.NormFloat64())/float32(math.Sqrt(float64(len(p.Data)))) + g
			want += float64(direction[i]) * float64(g)
			length += float64(direction[i]) * float64(direction[i])
		}
		step := 2e-3 / math.Sqrt(length)
		before := slices.Clone(p.Data)
		var at [2]float64
		for k, sign := range []float64{1, -1} {
			for i := range p.Data {
				p.Data[i] = before[i] + float32(sign*step)*direction[i]
			}
			at[k] = run(false)
		}
		copy(p.Data, before)
		got := (at[0] - at[1]) / (2 * step)
		if !(math.Abs(got-want) <= 0.01*math.Abs(want)+2e-3*math.Sqrt(length)) {
			t.Errorf("derivative of %s is %g, the difference says %g", p.Name, want, got)
		}
	}
}

// TestLossGradients compares the gradient of each loss with differences, number
// by number.
func TestLossGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	soft := kernel.NewTensor(2, 3, 4, 2) // between 0 and 1
	fill(rng, soft)
	hard := kernel.NewTensor(2, 3, 4, 2)
	boxes := kernel.NewTensor(2, 3, 4, 5)
	for n := range soft.N {
		for i := range 12 {
			for c, v := range soft.Pixel(n, i/4, i%4) {
				soft.Pixel(n, i/4, i%4)[c] = kernel.Sigmoid(v)
				hard.Pixel(n, i/4, i%4)[c] = float32(rng.IntN(2))
			}
			for c := range 5 {
				boxes.Pixel(n, i/4, i%4)[c] = max(0, float32(rng.Float64()*3)-0.2*float32(c))
			}
		}
	}
	soft.Pixel(0, 1, 1)[0], soft.Pixel(1, 2, 3)[0], soft.Pixel(1, 0, 0)[1] = 1, 1, 1
	for _, tt := range []struct {
		name       string
		n, h, w, c int
		loss       func(x, g *kernel.Tensor) float64
	}{
		{"softmax", 4, 1, 1, 5, func(x, g *kernel.Tensor) float64 { return SoftmaxLoss(x, g, []int{0, 4, 2, 2}, 0.1, 0.7) }},
		{"BCE", 2, 3, 4, 2, func(x, g *kernel.Tensor) float64 { return BCELoss(x, g, hard, 4, 0.5) }},
		{"BCE, soft targets", 2, 3, 4, 3, func(x, g *kernel.Tensor) float64 { return BCELoss(x, g, soft, 1, 2) }},
		{"BCE of the top", 2, 3, 4, 2, func(x, g *kernel.Tensor) float64 { return TopBCELoss(x, g, hard, 1.5) }},
		{"Dice", 2, 3, 4, 2, func(x, g *kernel.Tensor) float64 { return DiceLoss(x, g, hard, 1.5) }},
		{"focal", 2, 3, 4, 6, func(x, g *kernel.Tensor) float64 { return FocalLoss(x, g, soft, 3) }},
		{"boxes", 2, 3, 4, 6, func(x, g *kernel.Tensor) float64 { return BoxLoss(x, g, 2, boxes, 2) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x, g, other := kernel.NewTensor(tt.n, tt.h, tt.w, tt.c), kernel.NewTensor(tt.n, tt.h, tt.w, tt.c), kernel.NewTensor(tt.n, tt.h, tt.w, tt.c)
			fill(rng, x)
			tt.loss(x, g)
			const step = 2e-4
			for i, v := range x.Data {
				x.Data[i] = v + step
				up := tt.loss(x, other)
				x.Data[i] = v - step
				down := tt.loss(x, other)
				x.Data[i] = v
				want := (up - down) / float64((v+step)-(v-step))
				if got := float64(g.Data[i]); !(math.Abs(got-want) <= 3e-4+2e-3*math.Abs(want)) {
					t.Errorf("number %d: derivative %g, difference %g", i, got, want)
				}
			}
		})
	}
}

// TestLossValues pins losses that are easily computed by hand.
func TestLossValues(t *testing.T) {
	x, g := kernel.NewTensor(1, 1, 1, 4), kernel.NewTensor(1, 1, 1, 4)
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %g, want %g", what, got, want)
		}
	}
	near("cross-entropy of equal logits", SoftmaxLoss(x, g, []int{1}, 0.1, 1), math.Log(4))
	one := kernel.NewTensor(1, 1, 1, 1)
	one.Pixel(0, 0, 0)[0] = 1
	near("BCE of 0", BCELoss(x, g, one, 3, 1), 3*math.Log(2))
	near("Dice of one half", DiceLoss(x, g, one, 1), 1-2/2.5)
	near("focal loss at a centre", FocalLoss(x, g, one, 1), 0.25*math.Log(2))
	same := kernel.NewTensor(1, 1, 1, 5)
	copy(same.Pixel(0, 0, 0), []float32{float32(math.Ln2), float32(math.Ln2), float32(math.Ln2), float32(math.Ln2), 1})
	near("loss of the right box", BoxLoss(x, g, 0, same, 1), 0)
	near("loss without boxes", BoxLoss(x, g, 0, kernel.NewTensor(1, 1, 1, 5), 1), 0)
	near("softplus of 0", Softplus(0), math.Ln2)
}
