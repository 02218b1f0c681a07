package nn

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/ml/kernel"
	"fovea/internal/ml/safetensors"
)

// small is a network with every kind of layer.
func small() *Net {
	n := New(3)
	a := n.Conv(n.Input(), ConvSpec{Name: "a", Norm: "an", Out: 16, Stride: 2, ReLU: true})
	short := n.Conv(a, ConvSpec{Name: "s", Norm: "sn", Out: 24, Size: 1, Stride: 2})
	b := n.Conv(a, ConvSpec{Name: "b", Norm: "bn", Out: 24, Stride: 2, ReLU: true})
	b = n.Conv(b, ConvSpec{Name: "c", Norm: "cn", Out: 24, Add: short, ReLU: true})
	context := n.Conv(n.Mean(b, true), ConvSpec{Name: "d", Size: 1, Out: 24, Bias: true})
	b = n.Spread(b, context)
	n.Output(n.Conv(n.UpConcat(b, a), ConvSpec{Name: "e", Out: 5, Bias: true, Init: -1}))
	n.Output(n.Conv(n.Dropout(n.Mean(b, false), 0.3), ConvSpec{Name: "fc", Size: 1, Out: 3, Bias: true}))
	return n
}

// train makes some steps and returns the losses.
func train(t *testing.T, n *Net, o Options, steps int) (losses []float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 6))
	s, err := n.NewSession(o)
	if err != nil {
		t.Fatal(err)
	}
	fill(rng, s.Input())
	labels, targets := make([]int, o.Batch), kernel.NewTensor(o.Batch, (o.Height+1)/2, (o.Width+1)/2, 5)
	for i := range labels {
		labels[i] = i % 3
		copy(targets.Pixel(i, 1, 1), []float32{1, 0, 0, 1, 0})
	}
	opt := AdamW{Rate: 3e-3, Decay: 1e-3}
	masks, classes := n.Outputs()[0], n.Outputs()[1]
	for i := range steps {
		s.Forward()
		clear(s.Grad(masks).Data)
		clear(s.Grad(classes).Data)
		loss := SoftmaxLoss(s.Value(classes), s.Grad(classes), labels, 0.05, 1)
		loss += BCELoss(s.Value(masks), s.Grad(masks), targets, 4, 1)
		loss += DiceLoss(s.Value(masks), s.Grad(masks), targets, 1)
		s.Backward()
		ClipGrad(n.Params(), 10)
		opt.Step(n.Params(), Cosine(i, 3, steps))
		losses = append(losses, loss)
	}
	return losses
}

// TestTrain wants training to fit a batch, and to the same bits whatever the
// number of workers.
func TestTrain(t *testing.T) {
	var first map[string]safetensors.Tensor
	for workers := 1; workers <= 3; workers++ {
		n := small()
		n.Init(1)
		losses := train(t, n, Options{Batch: 9, Height: 15, Width: 18, Train: true, Workers: workers, Seed: 4}, 40)
		if a, b := losses[0], losses[len(losses)-1]; !(b < a/3) {
			t.Errorf("%d workers: the loss went from %g to %g", workers, a, b)
		}
		if first == nil {
			first = n.Tensors()
		} else if diff := cmp.Diff(first, n.Tensors()); diff != "" {
			t.Fatalf("%d workers give other bits than one", workers)
		}
	}
}

// TestSGD wants the other optimizer to fit the batch, too.
func TestSGD(t *testing.T) {
	n := New(3)
	n.Output(n.Conv(n.Mean(n.Conv(n.Input(), ConvSpec{Name: "a", Norm: "an", Out: 8, ReLU: true}), false), ConvSpec{Name: "fc", Size: 1, Out: 2, Bias: true}))
	n.Init(1)
	s, err := n.NewSession(Options{Batch: 4, Height: 8, Width: 8, Train: true})
	if err != nil {
		t.Fatal(err)
	}
	fill(rand.New(rand.NewPCG(1, 2)), s.Input())
	opt, out := SGD{Rate: 0.1, Momentum: 0.9, Decay: 1e-4}, n.Outputs()[0]
	var loss, start float64
	for i := range 60 {
		s.Forward()
		clear(s.Grad(out).Data)
		loss = SoftmaxLoss(s.Value(out), s.Grad(out), []int{0, 1, 0, 1}, 0, 1)
		if i == 0 {
			start = loss
		}
		s.Backward()
		opt.Step(n.Params(), 1)
	}
	if !(loss < start/5) {
		t.Errorf("the loss went from %g to %g", start, loss)
	}
}

// TestInfer compares a session that does not train, with memory that values
// share, at several sizes, with one that trains on statistics that are those of
// its batch.
func TestInfer(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	n := small()
	n.Init(3)
	for _, p := range n.Params() {
		for i := range p.Data {
			p.Data[i] += 0.2 * rng.Float32()
		}
	}
	infer, err := n.NewSession(Options{Batch: 1, Height: 4, Width: 4, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range [][3]int{{2, 16, 16}, {1, 21, 33}, {3, 8, 4}, {2, 16, 16}} {
		if err := infer.Resize(size[0], size[1], size[2]); err != nil {
			t.Fatal(err)
		}
		other := small()
		if err := other.Load(n.Tensors(), ""); err != nil {
			t.Fatal(err)
		}
		// Memory of its own for each value, and the convolutions in Go.
		for v := range other.nodes {
			other.Output(Value(v + 1))
		}
		plain, err := other.NewSession(Options{Batch: size[0], Height: size[1], Width: size[2], Set: kernel.Sets()[len(kernel.Sets())-1]})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time, memory is not fresh
			fill(rng, plain.Input())
			for i := range size[0] {
				for y := range size[1] {
					copy(infer.Input().Row(i, y), plain.Input().Row(i, y))
				}
			}
			infer.Forward()
			plain.Forward()
			for _, v := range n.Outputs() {
				got, want := infer.Value(v), plain.Value(v)
				for i := range got.N {
					for k, x := range got.Map(i) {
						if d := math.Abs(float64(x - want.Map(i)[k])); !(d < 1e-4*(1+math.Abs(float64(x)))) {
							t.Fatalf("size %v: value %d differs by %g", size, v, d)
						}
					}
				}
			}
		}
	}
	if shared := len(infer.memory); shared >= len(n.nodes) {
		t.Errorf("%d values have %d pieces of memory", len(n.nodes), shared)
	}
}

// TestRunningStatistics wants inference to give what training gave, once the
// running statistics have seen the batch often.
func TestRunningStatistics(t *testing.T) {
	n := New(3)
	n.Output(n.Conv(n.Input(), ConvSpec{Name: "a", Norm: "an", Out: 8}))
	n.Init(3)
	s, _ := n.NewSession(Options{Batch: 8, Height: 20, Width: 20, Train: true})
	fill(rand.New(rand.NewPCG(1, 1)), s.Input())
	for range 200 {
		s.Forward()
	}
	infer, _ := n.NewSession(Options{Batch: 8, Height: 20, Width: 20})
	copy(infer.Input().Data, s.Input().Data)
	infer.Forward()
	a, b := s.Value(n.Outputs()[0]), infer.Value(n.Outputs()[0])
	for i := range a.N {
		for k, v := range a.Map(i) {
			if d := math.Abs(float64(v - b.Map(i)[k])); !(d < 2e-3) {
				t.Fatalf("differs by %g", d)
			}
		}
	}
}

func TestSave(t *testing.T) {
	n := small()
	n.Init(9)
	var file bytes.Buffer
	if err := safetensors.Write(&file, &safetensors.File{Tensors: n.Tensors()}); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Read(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	m := small()
	if err := m.Load(f.Tensors, ""); err != nil {
		t.Fatal(err)
	}
	for i, p := range n.Params() {
		if !slices.Equal(p.Data, m.Params()[i].Data) {
			t.Errorf("%s has changed", p.Name)
		}
	}
	for name, change := range map[string]func(map[string]safetensors.Tensor){
		"missing": func(m map[string]safetensors.Tensor) { delete(m, "a.weight") },
		"other shape": func(m map[string]safetensors.Tensor) {
			m["a.weight"] = safetensors.Tensor{Shape: []int{1}, Data: []float32{1}}
		},
		"not a number": func(m map[string]safetensors.Tensor) { m["e.bias"].Data[0] = float32(math.NaN()) },
	} {
		tensors := n.Tensors()
		change(tensors)
		if err := m.Load(tensors, ""); err == nil {
			t.Errorf("%s: no error", name)
		}
		if name == "missing" {
			if err := m.Load(tensors, "fc"); err != nil {
				t.Errorf("with a prefix: %v", err)
			}
		}
	}
}

// TestSteady wants no allocation once a session runs.
func TestSteady(t *testing.T) {
	n := small()
	n.Init(1)
	infer, _ := n.NewSession(Options{Batch: 1, Height: 32, Width: 32})
	if a := testing.AllocsPerRun(5, infer.Forward); a > 0 {
		t.Errorf("inference allocates %g times", a)
	}
	s, _ := n.NewSession(Options{Batch: 2, Height: 32, Width: 32, Train: true})
	step := func() {
		s.Forward()
		s.Backward()
	}
	step()
	if a := testing.AllocsPerRun(5, step); a > 0 {
		t.Errorf("a step of training allocates %g times", a)
	}
}

func TestResizeErrors(t *testing.T) {
	if _, err := small().NewSession(Options{Batch: 1, Height: 0, Width: 3}); err == nil {
		t.Error("no error")
	}
}

func TestCosine(t *testing.T) {
	for _, tt := range []struct {
		step int
		want float64
	}{{0, 0.1}, {9, 1}, {10, 1}, {60, 0.5}, {110, 0}, {500, 0}} {
		if got := Cosine(tt.step, 10, 110); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("step %d: %g, want %g", tt.step, got, tt.want)
		}
	}
}
