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
	var g graph
	g.input(info("image", 1, 3, -1, -1))
	for name, w := range f.Tensors {
		g.weights(floatTensor(name, w.Shape, w.Data...))
	}
	layer := func(x, name, norm string, stride int) string {
		pad := f.Tensors[name+".weight"].Shape[2] / 2
		g.node("Conv", []string{x, name + ".weight"}, []string{name}, setting("strides", []int{stride, stride}), setting("pads", []int{pad, pad, pad, pad}))
		g.node("BatchNormalization", []string{name, norm + ".weight", norm + ".bias", norm + ".running_mean", norm + ".running_var"}, []string{norm})
		return norm
	}
	relu := func(x string) string {
		g.node("Relu", []string{x}, []string{x + "+"})
		return x + "+"
	}
	x := relu(layer("image", "stem.0", "stem.1", 2))
	for _, s := range []string{"s1", "s2", "s3"} {
		y := layer(relu(layer(x, s+".c1", s+".b1", 2)), s+".c2", s+".b2", 1)
		g.node("Add", []string{y, layer(x, s+".sc.0", s+".sc.1", 2)}, []string{s})
		x = relu(s)
		g.output(info(x))
	}
	return g.file()
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
	got, err := b.Dense(m)
	if err != nil {
		t.Fatal(err)
	}
	want, err := own.Dense(m)
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
	a, err := b.Global(m)
	if err != nil {
		t.Fatal(err)
	}
	c, err := own.Global(m)
	if err != nil {
		t.Fatal(err)
	}
	near("vector", a, c)
	if b.Name() != "p" || len(b.Hash()) != 64 {
		t.Errorf("name %q, hash %q", b.Name(), b.Hash())
	}
	// At a size that needs padding, the padding's cells are cut off.
	odd, err := b.Dense(m.Crop(imaging.Rect{W: 50, H: 33}))
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
	var g graph
	weights := func(name string, shape ...int) string {
		n, _ := size(shape)
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(rng.NormFloat64()) / 2
		}
		g.weights(floatTensor(name, shape, data...))
		return name
	}
	next := 0
	node := func(op string, in []string, settings ...message) string {
		next++
		out := op + string(rune('a'+next))
		g.node(op, in, []string{out}, settings...)
		return out
	}
	norm := func(x, name string) string {
		scale, bias := weights(name+".s", dim), weights(name+".b", dim)
		if whole {
			return node("LayerNormalization", []string{x, scale, bias}, setting("epsilon", 1e-6))
		}
		d := node("Sub", []string{x, node("ReduceMean", []string{x}, setting("axes", []int{-1}))})
		v := node("ReduceMean", []string{node("Pow", []string{d, "two"})}, setting("axes", []int{-1}))
		d = node("Div", []string{d, node("Sqrt", []string{node("Add", []string{v, "tiny"})})})
		return node("Add", []string{node("Mul", []string{d, scale}), bias})
	}
	g.input(info("image", 1, 3, 16, 24))
	g.weights(floatTensor("two", nil, 2))
	g.weights(floatTensor("tiny", nil, 1e-6))
	g.weights(floatTensor("half", nil, 0.5))
	g.weights(floatTensor("one", nil, 1))
	g.weights(floatTensor("root", nil, math.Sqrt2))
	g.weights(intTensor("patches", 1, dim, -1))
	g.weights(intTensor("heads", 1, tokens, 2, dim/2))
	g.weights(intTensor("joined", 1, tokens, dim))
	x := node("Conv", []string{"image", weights("patch", dim, 3, 4, 4)}, setting("strides", []int{4, 4}))
	x = node("Transpose", []string{node("Reshape", []string{x, "patches"})}, setting("perm", []int{0, 2, 1}))
	x = node("Concat", []string{weights("class", 1, 1, dim), x}, setting("axis", 1))
	x = node("Add", []string{x, weights("place", 1, tokens, dim)})
	y := norm(x, "n1")
	part := func(name string, perm ...int) string {
		p := node("MatMul", []string{y, weights(name, dim, dim)})
		return node("Transpose", []string{node("Reshape", []string{p, "heads"})}, setting("perm", perm))
	}
	q, k, v := part("q", 0, 2, 1, 3), part("k", 0, 2, 3, 1), part("v", 0, 2, 1, 3)
	a := node("MatMul", []string{node("Softmax", []string{node("MatMul", []string{q, k})}, setting("axis", -1)), v})
	a = node("Reshape", []string{node("Transpose", []string{a}, setting("perm", []int{0, 2, 1, 3})), "joined"})
	x = node("Add", []string{x, a})
	y = node("MatMul", []string{norm(x, "n2"), weights("up", dim, 3*dim)})
	if whole {
		y = node("Gelu", []string{y})
	} else {
		e := node("Add", []string{node("Erf", []string{node("Div", []string{y, "root"})}), "one"})
		y = node("Mul", []string{node("Mul", []string{y, e}), "half"})
	}
	x = node("Add", []string{x, node("MatMul", []string{y, weights("down", 3*dim, dim)})})
	g.output(info(x))
	return g.file()
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
		v, err := b.Global(m)
		if err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, v)
		maps, err := b.Dense(m)
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

// loadSmall loads a file within smaller bounds than usual: 16 MB of values, and
// half a billion multiplications.
func loadSmall(ctx context.Context, file []byte) error {
	m, err := Read(file)
	if err != nil {
		return err
	}
	m.memory, m.work = 1<<24, 1<<29
	b, err := m.load(ctx, file, Options{Multiple: 4})
	if err == nil {
		_, err = b.Global(imaging.New(9, 7))
	}
	return err
}

// TestT23MaliciousONNX wants files that ask for too much, or for what is not
// there, to be refused with a reason.
func TestT23MaliciousONNX(t *testing.T) {
	in, out := info("x", 1, 3, -1, -1), info("y", 1, 3, -1, -1)
	with := func(fn func(g *graph)) []byte {
		var g graph
		g.input(in)
		fn(&g)
		g.output(out)
		return g.file()
	}
	relu := func(g *graph) { g.node("Relu", []string{"x"}, []string{"y"}) }
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "no graph"},
		{"no protocol buffer", []byte("\x7fELF and so on"), "no ONNX file"},
		{"cut off", with(relu)[:40], "cut off"},
		{"weights in another file", with(func(g *graph) {
			g.weights(floatTensor("w", []int{1}).bytes(13, message{}.text(1, "location").text(2, "../../etc/passwd")))
			relu(g)
		}), "in another file"},
		{"weights elsewhere", with(func(g *graph) { g.weights(floatTensor("w", []int{1}, 1).number(14, 1)); relu(g) }), "in another file"},
		{"giant weights", with(func(g *graph) { g.weights(floatTensor("w", []int{1 << 30, 1 << 30}, 1)); relu(g) }), "are the most"},
		{"negative size", with(func(g *graph) { g.weights(floatTensor("w", []int{-1}, 1)); relu(g) }), "are the most"},
		{"weights shorter than their shape", with(func(g *graph) { g.weights(floatTensor("w", []int{5}, 1)); relu(g) }), "4 bytes for 5"},
		{"dimensions", with(func(g *graph) { g.weights(floatTensor("w", make([]int, 9))); relu(g) }), "dimensions"},
		{"strings", with(func(g *graph) { g.weights(message{}.number(2, 8).text(8, "w")); relu(g) }), "type 8"},
		{"loop", with(func(g *graph) {
			g.node("Loop", []string{"x"}, []string{"y"}, message{}.text(1, "body").bytes(6, message{}))
		}), "graph within the graph"},
		{"unknown operator", with(func(g *graph) { g.node("Exec", []string{"x"}, []string{"y"}) }), "Exec is not supported"},
		{"other domain", with(func(g *graph) {
			g.body = g.body.bytes(1, operation("Relu", []string{"x"}, []string{"y"}).text(7, "evil"))
		}), "evil"},
		{"cycle", with(func(g *graph) {
			g.node("Add", []string{"x", "b"}, []string{"a"})
			g.node("Add", []string{"x", "a"}, []string{"b"})
			relu(g)
		}), `nothing makes "b"`},
		{"made twice", with(func(g *graph) { relu(g); relu(g) }), "made twice"},
		{"output without a name", func() []byte {
			var g graph
			g.input(in)
			g.node("Relu", []string{"x"}, []string{""})
			g.output(info(""))
			return g.file()
		}(), "nothing makes the output"},
		{"no output", with(func(*graph) {}), "nothing makes the output"},
		{"two inputs", with(func(g *graph) { g.input(info("z", 1)); relu(g) }), "one is supported"},
		{"many inputs of a node", with(func(g *graph) { g.node("Max", make([]string, 600), []string{"y"}) }), "more than 512"},
		{"functions", message(with(relu)).bytes(25, nil), "functions"},
		{"two graphs", append(with(relu), with(relu)...), "two graphs"},
		{"too much memory", with(func(g *graph) {
			g.weights(intTensor("s", 1<<10, 1<<10))
			g.weights(floatTensor("o", []int{1, 1}, 1))
			var all []string
			for i := range 5 {
				all = append(all, strings.Repeat("a", i+1))
				g.node("Expand", []string{"o", "s"}, all[i:])
			}
			g.node("Concat", all, []string{"y"}, setting("axis", 0))
		}), "bytes of others"},
		{"too much work", with(func(g *graph) {
			g.weights(intTensor("s", 1<<10, 1<<10))
			g.node("ConstantOfShape", []string{"s"}, []string{"z"})
			g.node("MatMul", []string{"z", "z"}, []string{"y"})
		}), "multiplications"},
		{"not an image", func() []byte {
			var g graph
			g.input(info("x", 1, 4, -1, -1))
			relu(&g)
			g.output(out)
			return g.file()
		}(), "three channels"},
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
	var g graph
	g.input(info("x", 1, 3, -1, -1))
	g.weights(floatTensor("w", []int{2, 3, 2, 2}, make([]float32, 24)...))
	g.weights(intTensor("s", 1, -1))
	g.node("Conv", []string{"x", "w"}, []string{"c"}, setting("strides", []int{2, 2}))
	g.node("MaxPool", []string{"c"}, []string{"p"}, setting("kernel_shape", []int{2, 2}))
	g.node("Reshape", []string{"p", "s"}, []string{"r"})
	g.node("Split", []string{"r"}, []string{"a", "b"}, setting("axis", 1))
	g.node("Gather", []string{"r", "s"}, []string{"g"}, setting("axis", 1))
	g.node("Slice", []string{"r", "s", "s"}, []string{"l"})
	g.node("Gemm", []string{"a", "b"}, []string{"y"}, setting("transB", 1))
	g.output(info("y", 1, 2))
	f.Add(g.file())
	f.Fuzz(func(t *testing.T, file []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = loadSmall(ctx, file)
	})
}
