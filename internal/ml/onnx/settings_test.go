package onnx

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/onnx/onnxtest"
)

// classifier writes a network with two layers of maps and, behind them, a
// classifier of an operator that nobody knows.
func classifier() []byte {
	var g onnxtest.Graph
	g.Input(onnxtest.Info("x", -1, 3, -1, -1))
	fine, coarse := make([]float32, 4*3*2*2), make([]float32, 5*4*2*2)
	for i := range fine {
		fine[i] = float32(i%7) - 3
	}
	for i := range coarse {
		coarse[i] = float32(i%5) - 2
	}
	g.Weights(onnxtest.Floats("fine", []int{4, 3, 2, 2}, fine...))
	g.Weights(onnxtest.Floats("coarse", []int{5, 4, 2, 2}, coarse...))
	g.Weights(onnxtest.Floats("unused", []int{2}, 1, 2))
	g.Node("Conv", []string{"x", "fine"}, []string{"a"}, onnxtest.Setting("strides", []int{2, 2}))
	g.Node("Conv", []string{"a", "coarse"}, []string{"b"}, onnxtest.Setting("strides", []int{2, 2}))
	g.Node("Oracle", []string{"b", "unused"}, []string{"y"})
	g.Output(onnxtest.Info("y", 1, 1000))
	return g.File()
}

// TestSettings wants what a file says of itself to be heeded, and to be
// replaced, added and taken away without a change to the rest of the file.
func TestSettings(t *testing.T) {
	plain := withSettings(classifier(), "author", "me")
	if _, err := Set(plain, map[string]string{"mean": "0"}); err == nil {
		t.Error("an unknown operator is taken")
	}
	file, err := Set(plain, map[string]string{"outputs": "a, b", "mean": "0", "std": "0.5,0.25,1", "size": "100", "multiple": "4", "name": "two layers"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Load(t.Context(), file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := Options{Name: "two-layers", Std: [3]float32{0.5, 0.25, 1}, Side: 100, Multiple: 4}
	if diff := cmp.Diff(want, b.o); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	if b.Side() != 100 || b.shape != (form{numbers: 18, channels: 9}) {
		t.Errorf("side %d, form %+v", b.Side(), b.shape)
	}
	maps, err := b.Dense(t.Context(), imaging.New(16, 8))
	if err != nil || len(maps) != 2 || maps[0].Stride != 2 || maps[1].Stride != 4 || maps[1].Channels != 5 {
		t.Errorf("maps %+v, error %v", maps, err)
	}
	again, err := Set(file, map[string]string{"outputs": "b", "size": "64x32", "std": ""})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(again)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"outputs": "b", "mean": "0", "size": "64x32", "multiple": "4", "name": "two layers"}, m.meta); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if m.weights["unused"] != nil {
		t.Error("weights that no output needs are kept")
	}
	other, err := Load(t.Context(), again, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if other.Side() != 64 || other.Hash() == b.Hash() || other.o.Std != usualStd {
		t.Errorf("side %d, hash %s, deviation %v", other.Side(), other.Hash(), other.o.Std)
	}
	if !bytes.HasPrefix(again, plain) {
		t.Error("the rest of the file has changed")
	}
	none, err := Set(again, map[string]string{"outputs": "a", "size": "", "std": "", "mean": "", "multiple": "", "name": ""})
	if err != nil || !bytes.Equal(none, withSettings(plain, "fovea.outputs", "a")) {
		t.Errorf("without settings: %v", err)
	}
}

// TestSettingsOfInput wants images to reach the network as the settings say.
func TestSettingsOfInput(t *testing.T) {
	var g onnxtest.Graph
	g.Input(onnxtest.Info("x", 1, 3, -1, -1))
	g.Node("GlobalAveragePool", []string{"x"}, []string{"y"})
	g.Output(onnxtest.Info("y", 1, 3, 1, 1))
	grey := imaging.New(32, 32)
	for i := range grey.Pix {
		grey.Pix[i] = 51
	}
	for _, tt := range []struct {
		settings map[string]string
		want     []float32
	}{
		{nil, []float32{(0.2 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, (0.2 - 0.406) / 0.225}},
		{map[string]string{"mean": "0", "std": "1"}, []float32{0.2, 0.2, 0.2}},
		{map[string]string{"mean": "0.1,0.2,0.3", "std": "0.5"}, []float32{0.2, 0, -0.2}},
	} {
		file, err := Set(g.File(), tt.settings)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Load(t.Context(), file, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Global(t.Context(), grey)
		if err != nil || len(got) != 3 {
			t.Fatalf("%v, %v", got, err)
		}
		for i, v := range got {
			if math.Abs(float64(v-tt.want[i])) > 1e-5 {
				t.Errorf("%v: %v, want %v", tt.settings, got, tt.want)
			}
		}
	}
}
