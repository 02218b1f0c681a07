package onnx

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/onnx/onnxtest"
	"fovea/internal/ml/safetensors"
)

// procnet writes the backbone that comes with the program as an ONNX file.
func procnet(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("../backbone/procnet16.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return onnxtest.Procnet(f.Tensors, -1, -1)
}

// TestBackbone wants the backbone that comes with the program to say the same
// when it is run from an ONNX file.
func TestBackbone(t *testing.T) {
	b, err := Load(t.Context(), procnet(t), Options{Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.25, 0.25, 0.25}, Multiple: 16, Name: "p"})
	if err != nil {
		t.Fatal(err)
	}
	own, err := backbone.Default()
	if err != nil {
		t.Fatal(err)
	}
	rng, m := rand.New(rand.NewPCG(1, 2)), imaging.New(64, 48)
	for i := range m.Pix {
		m.Pix[i] = uint8(rng.IntN(256))
	}
	got, err := b.Dense(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	want, err := own.Dense(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	near := func(what string, a, b []float32) {
		if len(a) != len(b) {
			t.Fatalf("%s: %d numbers, want %d", what, len(a), len(b))
		}
		for i, v := range a {
			if !(math.Abs(float64(v-b[i])) < 1e-3*(1+math.Abs(float64(v)))) {
				t.Fatalf("%s: number %d is %g, want %g", what, i, v, b[i])
			}
		}
	}
	for i := range want {
		if got[i].Stride != want[i].Stride || got[i].Width != want[i].Width || got[i].Channels != want[i].Channels {
			t.Fatalf("map %d has stride %d, width %d, %d channels", i, got[i].Stride, got[i].Width, got[i].Channels)
		}
		near("map", got[i].Data, want[i].Data)
	}
	a, err := b.Global(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	c, err := own.Global(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	near("vector", a, c)
	if b.Name() != "p" || len(b.Hash()) != 64 {
		t.Errorf("name %q, hash %q", b.Name(), b.Hash())
	}
	// At a size that needs padding, the padding's cells are cut off.
	odd, err := b.Dense(t.Context(), m.Crop(imaging.Rect{W: 50, H: 33}))
	if err != nil {
		t.Fatal(err)
	}
	if odd[0].Width != 13 || odd[0].Height != 9 || len(odd[0].Data) != 13*9*32 {
		t.Errorf("%dx%d cells, %d numbers", odd[0].Width, odd[0].Height, len(odd[0].Data))
	}
}

// transformer writes a vision transformer of one block for images of 16 x 24
// pixels; if whole, with the operators of today, else with those that older
// files make them of.
func transformer(whole bool) []byte {
	const dim, tokens = 8, 25
	rng := rand.New(rand.NewPCG(3, 4))
	var g onnxtest.Graph
	weights := func(name string, shape ...int) string {
		n, _ := size(shape)
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(rng.NormFloat64()) / 2
		}
		g.Weights(onnxtest.Floats(name, shape, data...))
		return name
	}
	next := 0
	node := func(op string, in []string, settings ...onnxtest.Message) string {
		next++
		out := op + string(rune('a'+next))
		g.Node(op, in, []string{out}, settings...)
		return out
	}
	norm := func(x, name string) string {
		scale, bias := weights(name+".s", dim), weights(name+".b", dim)
		if whole {
			return node("LayerNormalization", []string{x, scale, bias}, onnxtest.Setting("epsilon", 1e-6))
		}
		d := node("Sub", []string{x, node("ReduceMean", []string{x}, onnxtest.Setting("axes", []int{-1}))})
		v := node("ReduceMean", []string{node("Pow", []string{d, "two"})}, onnxtest.Setting("axes", []int{-1}))
		d = node("Div", []string{d, node("Sqrt", []string{node("Add", []string{v, "tiny"})})})
		return node("Add", []string{node("Mul", []string{d, scale}), bias})
	}
	g.Input(onnxtest.Info("image", 1, 3, 16, 24))
	g.Weights(onnxtest.Floats("two", nil, 2))
	g.Weights(onnxtest.Floats("tiny", nil, 1e-6))
	g.Weights(onnxtest.Floats("half", nil, 0.5))
	g.Weights(onnxtest.Floats("one", nil, 1))
	g.Weights(onnxtest.Floats("root", nil, math.Sqrt2))
	g.Weights(onnxtest.Ints("patches", 1, dim, -1))
	g.Weights(onnxtest.Ints("heads", 1, tokens, 2, dim/2))
	g.Weights(onnxtest.Ints("joined", 1, tokens, dim))
	x := node("Conv", []string{"image", weights("patch", dim, 3, 4, 4)}, onnxtest.Setting("strides", []int{4, 4}))
	x = node("Transpose", []string{node("Reshape", []string{x, "patches"})}, onnxtest.Setting("perm", []int{0, 2, 1}))
	x = node("Concat", []string{weights("class", 1, 1, dim), x}, onnxtest.Setting("axis", 1))
	x = node("Add", []string{x, weights("place", 1, tokens, dim)})
	y := norm(x, "n1")
	part := func(name string, perm ...int) string {
		p := node("MatMul", []string{y, weights(name, dim, dim)})
		return node("Transpose", []string{node("Reshape", []string{p, "heads"})}, onnxtest.Setting("perm", perm))
	}
	q, k, v := part("q", 0, 2, 1, 3), part("k", 0, 2, 3, 1), part("v", 0, 2, 1, 3)
	a := node("MatMul", []string{node("Softmax", []string{node("MatMul", []string{q, k})}, onnxtest.Setting("axis", -1)), v})
	a = node("Reshape", []string{node("Transpose", []string{a}, onnxtest.Setting("perm", []int{0, 2, 1, 3})), "joined"})
	x = node("Add", []string{x, a})
	y = node("MatMul", []string{norm(x, "n2"), weights("up", dim, 3*dim)})
	if whole {
		y = node("Gelu", []string{y})
	} else {
		e := node("Add", []string{node("Erf", []string{node("Div", []string{y, "root"})}), "one"})
		y = node("Mul", []string{node("Mul", []string{y, e}), "half"})
	}
	x = node("Add", []string{x, node("MatMul", []string{y, weights("down", 3*dim, dim)})})
	g.Output(onnxtest.Info(x))
	return g.File()
}

// TestTransformer wants a transformer to say the same by whole operators and by
// those they are made of, and its tokens to become a map and a vector.
func TestTransformer(t *testing.T) {
	rng, m := rand.New(rand.NewPCG(1, 2)), imaging.New(90, 60)
	for i := range m.Pix {
		m.Pix[i] = uint8(rng.IntN(256))
	}
	var vectors [][]float32
	for _, whole := range []bool{true, false} {
		b, err := Load(t.Context(), transformer(whole), Options{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := b.Global(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, v)
		maps, err := b.Dense(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if len(maps) != 1 || maps[0].Stride != 4 || maps[0].Width != 6 || maps[0].Height != 4 || maps[0].Channels != 8 || len(maps[0].Data) != 6*4*8 {
			t.Fatalf("maps %+v", maps)
		}
	}
	if len(vectors[0]) != 16 {
		t.Fatalf("a vector of %d numbers", len(vectors[0]))
	}
	for i, v := range vectors[0] {
		if !(math.Abs(float64(v-vectors[1][i])) < 1e-5*(1+math.Abs(float64(v)))) {
			t.Errorf("number %d is %g, and %g from smaller operators", i, v, vectors[1][i])
		}
	}
}

func TestRunEnds(t *testing.T) {
	m, err := Read(procnet(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.Run(ctx, &Tensor{Shape: []int{1, 3, 32, 32}, Floats: make([]float32, 3*32*32)}, 1)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for _, x := range []*Tensor{{Shape: []int{1, 1, 32, 32}, Floats: make([]float32, 1024)}, {Shape: []int{1, 3, 32, 32}}, {Shape: []int{3}}} {
		if _, err := m.Run(t.Context(), x, 1); err == nil {
			t.Errorf("no error for an input of shape %v", x.Shape)
		}
	}
}

// withSettings returns a file with properties, names and values in turn.
func withSettings(file []byte, text ...string) []byte {
	m := onnxtest.Message(file)
	for i := 0; i < len(text); i += 2 {
		m = m.Bytes(14, onnxtest.Message{}.Text(1, text[i]).Text(2, text[i+1]))
	}
	return m
}

// loadSmall loads a file within smaller bounds than usual: 16 MB of values, and
// half a billion multiplications.
func loadSmall(ctx context.Context, file []byte) error {
	m, err := Read(file)
	if err != nil {
		return err
	}
	m.memory, m.work = 1<<24, 1<<29
	b, err := m.load(ctx, file, Options{})
	if err == nil {
		_, err = b.Global(ctx, imaging.New(9, 7))
	}
	return err
}

// TestT23MaliciousONNX wants files that ask for too much, or for what is not
// there, to be refused with a reason.
func TestT23MaliciousONNX(t *testing.T) {
	in, out := onnxtest.Info("x", 1, 3, -1, -1), onnxtest.Info("y", 1, 3, -1, -1)
	with := func(fn func(g *onnxtest.Graph)) []byte {
		var g onnxtest.Graph
		g.Input(in)
		fn(&g)
		g.Output(out)
		return g.File()
	}
	relu := func(g *onnxtest.Graph) { g.Node("Relu", []string{"x"}, []string{"y"}) }
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "no graph"},
		{"no protocol buffer", []byte("\x7fELF and so on"), "no ONNX file"},
		{"cut off", with(relu)[:40], "cut off"},
		{"weights in another file", with(func(g *onnxtest.Graph) {
			g.Weights(onnxtest.Floats("w", []int{1}).Bytes(13, onnxtest.Message{}.Text(1, "location").Text(2, "../../etc/passwd")))
			relu(g)
		}), "in another file"},
		{"weights elsewhere", with(func(g *onnxtest.Graph) { g.Weights(onnxtest.Floats("w", []int{1}, 1).Number(14, 1)); relu(g) }), "in another file"},
		{"giant weights", with(func(g *onnxtest.Graph) { g.Weights(onnxtest.Floats("w", []int{1 << 30, 1 << 30}, 1)); relu(g) }), "are the most"},
		{"negative size", with(func(g *onnxtest.Graph) { g.Weights(onnxtest.Floats("w", []int{-1}, 1)); relu(g) }), "are the most"},
		{"weights shorter than their shape", with(func(g *onnxtest.Graph) { g.Weights(onnxtest.Floats("w", []int{5}, 1)); relu(g) }), "4 bytes for 5"},
		{"dimensions", with(func(g *onnxtest.Graph) { g.Weights(onnxtest.Floats("w", make([]int, 9))); relu(g) }), "dimensions"},
		{"strings", with(func(g *onnxtest.Graph) { g.Weights(onnxtest.Message{}.Number(2, 8).Text(8, "w")); relu(g) }), "type 8"},
		{"loop", with(func(g *onnxtest.Graph) {
			g.Node("Loop", []string{"x"}, []string{"y"}, onnxtest.Message{}.Text(1, "body").Bytes(6, onnxtest.Message{}))
		}), "graph within the graph"},
		{"unknown operator", with(func(g *onnxtest.Graph) { g.Node("Exec", []string{"x"}, []string{"y"}) }), `Exec (node "make y")`},
		{"operator that a terminal would obey", with(func(g *onnxtest.Graph) { g.Node("Ex\x1b[2J\nec", []string{"x"}, []string{"y"}) }), `Ex\x1b[2J\nec (node "make y")`},
		{"other domain", with(func(g *onnxtest.Graph) {
			g.Body = g.Body.Bytes(1, onnxtest.Operation("Relu", []string{"x"}, []string{"y"}).Text(7, "evil"))
		}), "evil"},
		{"cycle", with(func(g *onnxtest.Graph) {
			g.Node("Add", []string{"x", "b"}, []string{"a"})
			g.Node("Add", []string{"x", "a"}, []string{"b"})
			g.Node("Relu", []string{"b"}, []string{"y"})
		}), `nothing makes "b"`},
		{"made twice", with(func(g *onnxtest.Graph) { relu(g); relu(g) }), "made twice"},
		{"output without a name", func() []byte {
			var g onnxtest.Graph
			g.Input(in)
			g.Node("Relu", []string{"x"}, []string{""})
			g.Output(onnxtest.Info(""))
			return g.File()
		}(), "nothing makes the output"},
		{"no output", with(func(*onnxtest.Graph) {}), "nothing makes the output"},
		{"two inputs", with(func(g *onnxtest.Graph) { g.Input(onnxtest.Info("z", 1)); relu(g) }), "one is supported"},
		{"many inputs of a node", with(func(g *onnxtest.Graph) { g.Node("Max", make([]string, 600), []string{"y"}) }), "more than 512"},
		{"not finite", with(func(g *onnxtest.Graph) { g.Node("Log", []string{"x"}, []string{"y"}) }), "infinite"},
		{"unknown setting", withSettings(with(relu), "fovea.meen", "1"), "mean, std"},
		{"setting twice", withSettings(with(relu), "fovea.mean", "1", "fovea.mean", "2"), "twice"},
		{"mean", withSettings(with(relu), "fovea.mean", "1,2"), "one number or three"},
		{"deviation", withSettings(with(relu), "fovea.std", "1,0,1"), "one number or three"},
		{"deviation that is none", withSettings(with(relu), "fovea.std", "NaN"), "one number or three"},
		{"size", withSettings(with(relu), "fovea.size", "224x"), "a number of pixels"},
		{"giant size", withSettings(with(relu), "fovea.size", "99999"), "a number of pixels"},
		{"multiple", withSettings(with(relu), "fovea.multiple", "0"), "a number from 1"},
		{"no such output", withSettings(with(relu), "fovea.outputs", "y,z"), `nothing makes the output "z"`},
		{"too many numbers", with(func(g *onnxtest.Graph) {
			g.Weights(onnxtest.Ints("s", 1, 9000))
			g.Node("ConstantOfShape", []string{"s"}, []string{"y"})
		}), "8192"},
		{"numbers that depend on the size", with(func(g *onnxtest.Graph) {
			g.Node("MaxPool", []string{"x"}, []string{"p"}, onnxtest.Setting("kernel_shape", []int{14, 14}), onnxtest.Setting("strides", []int{14, 14}))
			g.Node("Flatten", []string{"p"}, []string{"y"})
		}), "images of other sizes"},
		{"too much memory for images of its size", withSettings(with(relu), "fovea.size", "2048"), "bytes of others"},
		{"too much work for images of its size", withSettings(with(func(g *onnxtest.Graph) {
			g.Weights(onnxtest.Floats("w", []int{2, 3, 9, 9}, make([]float32, 2*3*9*9)...))
			g.Node("Conv", []string{"x", "w"}, []string{"y"}, onnxtest.Setting("strides", []int{1, 1}), onnxtest.Setting("pads", []int{4, 4, 4, 4}))
		}), "fovea.size", "1152"), "multiplications"},
		{"a size that no multiple reaches", withSettings(with(relu), "fovea.size", "4090", "fovea.multiple", "100"), "4096 to a side"},
		{"functions", onnxtest.Message(with(relu)).Bytes(25, nil), "functions"},
		{"two graphs", append(with(relu), with(relu)...), "two graphs"},
		{"too much memory", with(func(g *onnxtest.Graph) {
			g.Weights(onnxtest.Ints("s", 1<<10, 1<<10))
			g.Weights(onnxtest.Floats("o", []int{1, 1}, 1))
			var all []string
			for i := range 5 {
				all = append(all, strings.Repeat("a", i+1))
				g.Node("Expand", []string{"o", "s"}, all[i:])
			}
			g.Node("Concat", all, []string{"y"}, onnxtest.Setting("axis", 0))
		}), "bytes of others"},
		{"too much work", with(func(g *onnxtest.Graph) {
			g.Weights(onnxtest.Ints("s", 1<<10, 1<<10))
			g.Node("ConstantOfShape", []string{"s"}, []string{"z"})
			g.Node("MatMul", []string{"z", "z"}, []string{"y"})
		}), "multiplications"},
		{"not an image", func() []byte {
			var g onnxtest.Graph
			g.Input(onnxtest.Info("x", 1, 4, -1, -1))
			relu(&g)
			g.Output(out)
			return g.File()
		}(), "channels first and three"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := loadSmall(t.Context(), tt.file)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestCutOff wants every beginning of a file to be refused.
func TestCutOff(t *testing.T) {
	file := transformer(true)
	for n := range len(file) {
		if _, err := Read(file[:n]); err == nil {
			t.Fatalf("%d of %d bytes are a network", n, len(file))
		}
	}
}

func TestHalf(t *testing.T) {
	for h, want := range map[uint16]float32{0: 0, 0x3c00: 1, 0xc000: -2, 1: 1. / (1 << 24), 0x7bff: 65504, 0x7c00: float32(math.Inf(1))} {
		if got := half(h); got != want {
			t.Errorf("half(%#x) = %g, want %g", h, got, want)
		}
	}
	if diff := cmp.Diff(true, math.IsNaN(float64(half(0x7e00)))); diff != "" {
		t.Error("0x7e00 is no NaN")
	}
}

func FuzzLoad(f *testing.F) {
	var g onnxtest.Graph
	g.Input(onnxtest.Info("x", 1, 3, -1, -1))
	g.Weights(onnxtest.Floats("w", []int{2, 3, 2, 2}, make([]float32, 24)...))
	g.Weights(onnxtest.Ints("s", 1, -1))
	g.Node("Conv", []string{"x", "w"}, []string{"c"}, onnxtest.Setting("strides", []int{2, 2}))
	g.Node("MaxPool", []string{"c"}, []string{"p"}, onnxtest.Setting("kernel_shape", []int{2, 2}))
	g.Node("Reshape", []string{"p", "s"}, []string{"r"})
	g.Node("Split", []string{"r"}, []string{"a", "b"}, onnxtest.Setting("axis", 1))
	g.Node("Gather", []string{"r", "s"}, []string{"g"}, onnxtest.Setting("axis", 1))
	g.Node("Slice", []string{"r", "s", "s"}, []string{"l"})
	g.Node("Gemm", []string{"a", "b"}, []string{"y"}, onnxtest.Setting("transB", 1))
	g.Output(onnxtest.Info("y", 1, 2))
	f.Add(g.File())
	f.Add(withSettings(g.File(), "fovea.size", "64x64", "fovea.outputs", "p, a", "fovea.mean", "0.5", "producer", "x"))
	f.Fuzz(func(t *testing.T, file []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = loadSmall(ctx, file)
		if set, err := Set(file, map[string]string{"mean": "0.5"}); err == nil {
			if m, err := Read(set); err != nil || m.meta["mean"] != "0.5" {
				t.Errorf("a setting was not written: %v", err)
			}
		}
	})
}
