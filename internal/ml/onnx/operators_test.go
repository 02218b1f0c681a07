package onnx

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/ml/onnx/onnxtest"
)

// evaluate runs one operator; without weights of its own, x is its only input.
func evaluate(t *testing.T, op string, x *Tensor, weights []onnxtest.Message, settings ...onnxtest.Message) ([]*Tensor, error) {
	t.Helper()
	var g onnxtest.Graph
	in := []string{"x"}
	for i, w := range weights {
		name := fmt.Sprint("w", i)
		g.Weights(w.Text(8, name)) // the last name counts
		in = append(in, name)
	}
	g.Node(op, in, []string{"y"}, settings...)
	shape := make([]int, 4)
	for i := range shape {
		shape[i] = -1
	}
	// The input of a file has four dimensions; what the operator gets is a
	// reshaped one.
	if len(x.Shape) != 4 {
		g = onnxtest.Graph{}
		want := []int64{}
		for _, d := range x.Shape {
			want = append(want, int64(d))
		}
		g.Weights(onnxtest.Ints("shape", want...))
		for i, w := range weights {
			g.Weights(w.Text(8, fmt.Sprint("w", i)))
		}
		g.Node("Reshape", []string{"x4", "shape"}, []string{"x"})
		g.Node(op, in, []string{"y"}, settings...)
		g.Input(onnxtest.Info("x4", shape...))
		x = x.reshaped([]int{1, 1, 1, x.len()})
	} else {
		g.Input(onnxtest.Info("x", shape...))
	}
	g.Output(onnxtest.Info("y"))
	m, err := Read(g.File())
	if err != nil {
		return nil, err
	}
	return m.Run(t.Context(), x, 1)
}

// counted is a tensor of 0, 1, 2 and so on.
func counted(shape ...int) *Tensor {
	n, _ := size(shape)
	t := &Tensor{Shape: shape}
	for i := range n {
		t.Floats = append(t.Floats, float32(i))
	}
	return t
}

func TestOperators(t *testing.T) {
	floats := func(shape []int, v ...float32) *Tensor { return &Tensor{Shape: shape, Floats: v} }
	ln2 := float32(math.Ln2)
	for _, tt := range []struct {
		op       string
		x        *Tensor
		weights  []onnxtest.Message
		settings []onnxtest.Message
		want     *Tensor
	}{
		{"Relu", floats([]int{3}, -1, 0, 2), nil, nil, floats([]int{3}, 0, 0, 2)},
		{"LeakyRelu", floats([]int{2}, -1, 2), nil, []onnxtest.Message{onnxtest.Setting("alpha", 0.5)}, floats([]int{2}, -0.5, 2)},
		{"Clip", floats([]int{3}, -1, 3, 9), []onnxtest.Message{onnxtest.Floats("", nil, 0), onnxtest.Floats("", nil, 6)}, nil, floats([]int{3}, 0, 3, 6)},
		{"Clip", floats([]int{2}, -1, 3), nil, []onnxtest.Message{onnxtest.Setting("min", 0.5)}, floats([]int{2}, 0.5, 3)},
		{"Sigmoid", floats([]int{1}, 0), nil, nil, floats([]int{1}, 0.5)},
		{"HardSigmoid", floats([]int{3}, 0, 9, -9), nil, nil, floats([]int{3}, 0.5, 1, 0)},
		{"HardSwish", floats([]int{3}, 3, -3, 1), nil, nil, floats([]int{3}, 3, 0, 2./3)},
		{"Gelu", floats([]int{2}, 0, 1), nil, nil, floats([]int{2}, 0, 0.8413447)},
		{"Gelu", floats([]int{1}, 1), nil, []onnxtest.Message{onnxtest.Setting("approximate", "tanh")}, floats([]int{1}, 0.841192)},
		{"Tanh", floats([]int{1}, ln2), nil, nil, floats([]int{1}, 0.6)},
		{"Erf", floats([]int{1}, 0.5), nil, nil, floats([]int{1}, 0.5204999)},
		{"Exp", floats([]int{1}, ln2), nil, nil, floats([]int{1}, 2)},
		{"Sqrt", floats([]int{1}, 9), nil, nil, floats([]int{1}, 3)},
		{"Neg", floats([]int{1}, 9), nil, nil, floats([]int{1}, -9)},
		{"Add", counted(2, 3), []onnxtest.Message{onnxtest.Floats("", []int{3}, 10, 20, 30)}, nil, floats([]int{2, 3}, 10, 21, 32, 13, 24, 35)},
		{"Sub", counted(2, 1), []onnxtest.Message{onnxtest.Floats("", []int{1, 2}, 1, 5)}, nil, floats([]int{2, 2}, -1, -5, 0, -4)},
		{"Mul", counted(2, 2), []onnxtest.Message{onnxtest.Floats("", nil, 3)}, nil, floats([]int{2, 2}, 0, 3, 6, 9)},
		{"Div", counted(3), []onnxtest.Message{onnxtest.Floats("", []int{3}, 1, 2, 4)}, nil, floats([]int{3}, 0, 0.5, 0.5)},
		{"Pow", counted(3), []onnxtest.Message{onnxtest.Floats("", []int{1}, 2)}, nil, floats([]int{3}, 0, 1, 4)},
		{"Max", counted(3), []onnxtest.Message{onnxtest.Floats("", []int{1}, 1)}, nil, floats([]int{3}, 1, 1, 2)},
		{"Reshape", counted(2, 6), []onnxtest.Message{onnxtest.Ints("", 3, -1, 2)}, nil, counted(3, 2, 2)},
		{"Reshape", counted(2, 6), []onnxtest.Message{onnxtest.Ints("", 0, 3, 2)}, nil, counted(2, 3, 2)},
		{"Flatten", counted(2, 3, 2), nil, []onnxtest.Message{onnxtest.Setting("axis", 2)}, counted(6, 2)},
		{"Transpose", counted(2, 3), nil, nil, floats([]int{3, 2}, 0, 3, 1, 4, 2, 5)},
		{"Transpose", counted(1, 2, 3), nil, []onnxtest.Message{onnxtest.Setting("perm", []int{1, 0, 2})}, counted(2, 1, 3)},
		{"Concat", counted(2, 1), []onnxtest.Message{onnxtest.Floats("", []int{2, 2}, 7, 8, 9, 10)}, []onnxtest.Message{onnxtest.Setting("axis", -1)}, floats([]int{2, 3}, 0, 7, 8, 1, 9, 10)},
		{"Slice", counted(2, 4), []onnxtest.Message{onnxtest.Ints("", 1), onnxtest.Ints("", 99), onnxtest.Ints("", 1), onnxtest.Ints("", 2)}, nil, floats([]int{2, 2}, 1, 3, 5, 7)},
		{"Slice", counted(4), []onnxtest.Message{onnxtest.Ints("", -3), onnxtest.Ints("", -1)}, nil, floats([]int{2}, 1, 2)},
		{"Gather", counted(3, 2), []onnxtest.Message{onnxtest.Ints("", 2, 0)}, nil, floats([]int{2, 2}, 4, 5, 0, 1)},
		{"Squeeze", counted(1, 2, 1), []onnxtest.Message{onnxtest.Ints("", 0)}, nil, counted(2, 1)},
		{"Unsqueeze", counted(2), []onnxtest.Message{onnxtest.Ints("", 0, 2)}, nil, counted(1, 2, 1)},
		{"Expand", counted(2, 1), []onnxtest.Message{onnxtest.Ints("", 2, 2)}, nil, floats([]int{2, 2}, 0, 0, 1, 1)},
		{"Softmax", floats([]int{2, 2}, 0, 0, ln2, 0), nil, nil, floats([]int{2, 2}, 0.5, 0.5, 2./3, 1./3)},
		{"LayerNormalization", floats([]int{1, 2}, 1, 3), []onnxtest.Message{onnxtest.Floats("", []int{2}, 2, 2), onnxtest.Floats("", []int{2}, 5, 5)}, []onnxtest.Message{onnxtest.Setting("epsilon", 0.0)}, floats([]int{1, 2}, 3, 7)},
		{"ReduceMean", counted(2, 3), nil, []onnxtest.Message{onnxtest.Setting("axes", []int{-1})}, floats([]int{2, 1}, 1, 4)},
		{"ReduceMean", counted(2, 3), nil, []onnxtest.Message{onnxtest.Setting("keepdims", 0)}, floats([]int{}, 2.5)},
		{"GlobalAveragePool", counted(1, 2, 2, 2), nil, nil, floats([]int{1, 2, 1, 1}, 1.5, 5.5)},
		{"MaxPool", counted(1, 1, 3, 3), nil, []onnxtest.Message{onnxtest.Setting("kernel_shape", []int{2, 2}), onnxtest.Setting("pads", []int{1, 1, 0, 0}), onnxtest.Setting("strides", []int{2, 2})}, floats([]int{1, 1, 2, 2}, 0, 2, 6, 8)},
		{"AveragePool", counted(1, 1, 2, 2), nil, []onnxtest.Message{onnxtest.Setting("kernel_shape", []int{2, 2}), onnxtest.Setting("pads", []int{1, 1, 0, 0})}, floats([]int{1, 1, 2, 2}, 0, 0.5, 1, 1.5)},
		{"AveragePool", counted(1, 1, 2, 2), nil, []onnxtest.Message{onnxtest.Setting("kernel_shape", []int{2, 2}), onnxtest.Setting("pads", []int{1, 1, 0, 0}), onnxtest.Setting("count_include_pad", 1)}, floats([]int{1, 1, 2, 2}, 0, 0.25, 0.5, 1.5)},
		{"MaxPool", counted(1, 1, 3, 3), nil, []onnxtest.Message{onnxtest.Setting("kernel_shape", []int{2, 2}), onnxtest.Setting("strides", []int{2, 2}), onnxtest.Setting("ceil_mode", 1)}, floats([]int{1, 1, 2, 2}, 4, 5, 7, 8)},
		{"Gemm", counted(2, 2), []onnxtest.Message{onnxtest.Floats("", []int{1, 2}, 1, 10), onnxtest.Floats("", []int{1}, 1)}, []onnxtest.Message{onnxtest.Setting("transB", 1), onnxtest.Setting("alpha", 2.0), onnxtest.Setting("beta", 3.0)}, floats([]int{2, 1}, 23, 67)},
		{"BatchNormalization", counted(1, 2, 1, 2), []onnxtest.Message{onnxtest.Floats("", []int{2}, 1, 2), onnxtest.Floats("", []int{2}, 0, 1), onnxtest.Floats("", []int{2}, 1, 2), onnxtest.Floats("", []int{2}, 4, 1)}, []onnxtest.Message{onnxtest.Setting("epsilon", 0.0)}, floats([]int{1, 2, 1, 2}, -0.5, 0, 1, 3)},
		{"Cast", floats([]int{2}, 1.7, -1.7), nil, []onnxtest.Message{onnxtest.Setting("to", typeInt64)}, &Tensor{Shape: []int{2}, Ints: []int64{1, -1}, isInts: true}},
		{"Shape", counted(2, 3), nil, nil, &Tensor{Shape: []int{2}, Ints: []int64{2, 3}, isInts: true}},
		{"Equal", counted(2), []onnxtest.Message{onnxtest.Floats("", []int{1}, 1)}, nil, &Tensor{Shape: []int{2}, Ints: []int64{0, 1}, isInts: true}},
		{"Where", counted(2), []onnxtest.Message{onnxtest.Floats("", []int{2}, 7, 7), onnxtest.Floats("", []int{1}, 8)}, nil, floats([]int{2}, 8, 7)},
		{"MatMul", counted(2, 1, 2), []onnxtest.Message{onnxtest.Floats("", []int{2, 1}, 1, 10)}, nil, floats([]int{2, 1, 1}, 10, 32)},
		{"MatMul", counted(2, 1, 2), []onnxtest.Message{onnxtest.Floats("", []int{2, 2, 1}, 1, 0, 0, 1)}, nil, floats([]int{2, 1, 1}, 0, 3)},
	} {
		t.Run(fmt.Sprint(tt.op, tt.x.Shape), func(t *testing.T) {
			out, err := evaluate(t, tt.op, tt.x, tt.weights, tt.settings...)
			if err != nil {
				t.Fatal(err)
			}
			got := out[0]
			if diff := cmp.Diff(tt.want.Shape, got.Shape); diff != "" || got.isInts != tt.want.isInts {
				t.Fatalf("shape (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want.Ints, got.Ints); got.isInts && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for i, v := range got.Floats {
				if !(math.Abs(float64(v-tt.want.Floats[i])) <= 2e-6*(1+math.Abs(float64(v)))) {
					t.Errorf("number %d is %g, want %g", i, v, tt.want.Floats[i])
				}
			}
		})
	}
}

// TestConv compares convolutions with their definition.
func TestConv(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return x
	}
	for _, tt := range []struct {
		name                 string
		n, c, h, w, out      int
		kh, kw, groups       int
		stride, dilate, pads []int
		auto                 string
	}{
		{name: "point", n: 1, c: 3, h: 4, w: 5, out: 2, kh: 1, kw: 1, groups: 1},
		{name: "padded", n: 2, c: 3, h: 6, w: 5, out: 4, kh: 3, kw: 3, groups: 1, pads: []int{1, 1, 1, 1}},
		{name: "uneven", n: 1, c: 2, h: 9, w: 7, out: 3, kh: 2, kw: 5, groups: 1, stride: []int{3, 2}, pads: []int{0, 1, 2, 3}},
		{name: "dilated", n: 1, c: 2, h: 9, w: 9, out: 3, kh: 3, kw: 3, groups: 1, dilate: []int{2, 3}, pads: []int{2, 3, 2, 3}},
		{name: "by channel", n: 1, c: 6, h: 5, w: 5, out: 6, kh: 3, kw: 3, groups: 6, stride: []int{2, 2}, pads: []int{1, 1, 1, 1}},
		{name: "grouped", n: 1, c: 4, h: 5, w: 5, out: 6, kh: 3, kw: 3, groups: 2},
		{name: "patches", n: 1, c: 3, h: 28, w: 14, out: 8, kh: 14, kw: 14, groups: 1, stride: []int{14, 14}},
		{name: "same", n: 1, c: 2, h: 7, w: 8, out: 2, kh: 3, kw: 3, groups: 1, stride: []int{2, 2}, auto: "SAME_UPPER"},
		{name: "large", n: 1, c: 40, h: 90, w: 90, out: 3, kh: 3, kw: 3, groups: 1, pads: []int{1, 1, 1, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each := tt.c / tt.groups
			x := &Tensor{Shape: []int{tt.n, tt.c, tt.h, tt.w}, Floats: random(tt.n * tt.c * tt.h * tt.w)}
			w, b := random(tt.out*each*tt.kh*tt.kw), random(tt.out)
			settings := []onnxtest.Message{onnxtest.Setting("group", tt.groups)}
			sh, sw, dh, dw, top, left := 1, 1, 1, 1, 0, 0
			if tt.stride != nil {
				settings = append(settings, onnxtest.Setting("strides", tt.stride))
				sh, sw = tt.stride[0], tt.stride[1]
			}
			if tt.dilate != nil {
				settings = append(settings, onnxtest.Setting("dilations", tt.dilate))
				dh, dw = tt.dilate[0], tt.dilate[1]
			}
			if tt.pads != nil {
				settings = append(settings, onnxtest.Setting("pads", tt.pads))
				top, left = tt.pads[0], tt.pads[1]
			}
			if tt.auto != "" {
				settings = append(settings, onnxtest.Setting("auto_pad", tt.auto))
				top, left = 1, 0 // of 7 and 8 pixels by 3 at stride 2
			}
			out, err := evaluate(t, "Conv", x, []onnxtest.Message{onnxtest.Floats("", []int{tt.out, each, tt.kh, tt.kw}, w...), onnxtest.Floats("", []int{tt.out}, b...)}, settings...)
			if err != nil {
				t.Fatal(err)
			}
			y := out[0]
			for i, got := range y.Floats {
				ox, oy, o, n := i%y.Shape[3], i/y.Shape[3]%y.Shape[2], i/(y.Shape[2]*y.Shape[3])%tt.out, i/(y.Shape[2]*y.Shape[3]*tt.out)
				want := float64(b[o])
				for k := range each * tt.kh * tt.kw {
					c := o/(tt.out/tt.groups)*each + k/(tt.kh*tt.kw)
					iy, ix := oy*sh+k/tt.kw%tt.kh*dh-top, ox*sw+k%tt.kw*dw-left
					if iy >= 0 && ix >= 0 && iy < tt.h && ix < tt.w {
						want += float64(x.Floats[((n*tt.c+c)*tt.h+iy)*tt.w+ix]) * float64(w[o*each*tt.kh*tt.kw+k])
					}
				}
				if !(math.Abs(float64(got)-want) <= 1e-4*(1+math.Abs(want))) {
					t.Fatalf("number %d of %v is %g, want %g", i, y.Shape, got, want)
				}
			}
		})
	}
}

// TestDocs wants docs/backbone.md to name the operators.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../../docs/backbone.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(page), "- Operators: ")
	list, _, _ = strings.Cut(list, ".")
	written := strings.Fields(strings.ReplaceAll(list, ",", ""))
	if diff := cmp.Diff(slices.Sorted(maps.Keys(operators)), written); diff != "" {
		t.Errorf("docs/backbone.md: operators (-program +page):\n%s", diff)
	}
}

func TestOperatorErrors(t *testing.T) {
	for _, tt := range []struct {
		op       string
		x        *Tensor
		weights  []onnxtest.Message
		settings []onnxtest.Message
		want     string
	}{
		{"Conv", counted(1, 3, 4, 4), []onnxtest.Message{onnxtest.Floats("", []int{1, 2, 1, 1}, 0, 0)}, nil, "3 channels"},
		{"Conv", counted(1, 1, 4, 4), []onnxtest.Message{onnxtest.Floats("", []int{1, 1, 1, 1}, 0)}, []onnxtest.Message{onnxtest.Setting("group", -1)}, "groups"},
		{"Conv", counted(1, 1, 4, 4), []onnxtest.Message{onnxtest.Floats("", []int{1, 1, 5, 5}, make([]float32, 25)...)}, nil, "does not fit"},
		{"Conv", counted(1, 1, 4, 4), []onnxtest.Message{onnxtest.Floats("", []int{1, 1, 1, 1}, 0)}, []onnxtest.Message{onnxtest.Setting("strides", []int{0, 1})}, "strides"},
		{"Conv", counted(1, 1, 4, 4), []onnxtest.Message{onnxtest.Floats("", []int{1, 1, 1, 1}, 0)}, []onnxtest.Message{onnxtest.Setting("pads", []int{1, 1, 1})}, "pads"},
		{"Conv", counted(1, 1, 4, 4), []onnxtest.Message{onnxtest.Floats("", []int{1, 1, 1, 1}, 0)}, []onnxtest.Message{onnxtest.Setting("pads", []int{1 << 40, 1, 1, 1})}, "pads"},
		{"Conv", counted(1, 1, 4, 4), nil, nil, "2 are needed"},
		{"MaxPool", counted(1, 1, 4, 4), nil, nil, "kernel_shape"},
		{"MatMul", counted(2, 3), []onnxtest.Message{onnxtest.Floats("", []int{2, 3}, make([]float32, 6)...)}, nil, "do not go together"},
		{"Gemm", counted(2, 3), []onnxtest.Message{onnxtest.Floats("", []int{2, 3}, make([]float32, 6)...)}, nil, "do not go together"},
		{"Gemm", counted(2, 1), []onnxtest.Message{onnxtest.Floats("", []int{1, 1}, 1), onnxtest.Floats("", []int{3}, 1, 1, 1)}, nil, "is added"},
		{"Add", counted(2, 3), []onnxtest.Message{onnxtest.Floats("", []int{2}, 1, 2)}, nil, "do not go together"},
		{"Reshape", counted(2, 3), []onnxtest.Message{onnxtest.Ints("", 4, -1)}, nil, "shape"},
		{"Reshape", counted(2, 3), []onnxtest.Message{onnxtest.Ints("", 1<<40, 1<<40)}, nil, "shape"},
		{"Reshape", counted(2, 3), []onnxtest.Message{onnxtest.Floats("", []int{1}, 6)}, nil, "integers"},
		{"Transpose", counted(2, 3), nil, []onnxtest.Message{onnxtest.Setting("perm", []int{0, 0})}, "perm"},
		{"Concat", counted(2, 3), []onnxtest.Message{onnxtest.Floats("", []int{1, 2}, 1, 2)}, []onnxtest.Message{onnxtest.Setting("axis", 0)}, "beside"},
		{"Concat", counted(2, 3), nil, []onnxtest.Message{onnxtest.Setting("axis", 7)}, "axis"},
		{"Gather", counted(2, 3), []onnxtest.Message{onnxtest.Ints("", 2)}, nil, "axis"},
		{"Expand", counted(1), []onnxtest.Message{onnxtest.Ints("", 1<<20, 1<<20)}, nil, "are the most"},
		{"ConstantOfShape", counted(1), nil, nil, "integers"},
		{"Squeeze", counted(2, 1), []onnxtest.Message{onnxtest.Ints("", 0)}, nil, "is not 1"},
		{"Unsqueeze", counted(2, 1), []onnxtest.Message{onnxtest.Ints("", 0, 0)}, nil, "axes"},
		{"Split", counted(4), []onnxtest.Message{onnxtest.Ints("", 3, 3)}, nil, "parts"},
		{"LayerNormalization", counted(2, 3), []onnxtest.Message{onnxtest.Floats("", []int{2}, 1, 1)}, nil, "a scale of 2"},
		{"BatchNormalization", counted(2, 3), []onnxtest.Message{onnxtest.Floats("", []int{1}, 1), onnxtest.Floats("", []int{1}, 1), onnxtest.Floats("", []int{1}, 1), onnxtest.Floats("", []int{1}, 1)}, nil, "3 channels"},
	} {
		t.Run(tt.op, func(t *testing.T) {
			_, err := evaluate(t, tt.op, tt.x, tt.weights, tt.settings...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
