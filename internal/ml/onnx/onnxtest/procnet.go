package onnxtest

import (
	"maps"
	"slices"

	"fovea/internal/ml/safetensors"
)

// Procnet writes the network of package backbone with these weights, for images
// of a height and width, -1 for any. Its outputs are the three maps.
func Procnet(tensors map[string]safetensors.Tensor, height, width int) []byte {
	var g Graph
	g.Input(Info("image", 1, 3, height, width))
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		g.Weights(Floats(name, tensors[name].Shape, tensors[name].Data...))
	}
	layer := func(x, name, norm string, stride int) string {
		pad := tensors[name+".weight"].Shape[2] / 2
		g.Node("Conv", []string{x, name + ".weight"}, []string{name}, Setting("strides", []int{stride, stride}), Setting("pads", []int{pad, pad, pad, pad}))
		g.Node("BatchNormalization", []string{name, norm + ".weight", norm + ".bias", norm + ".running_mean", norm + ".running_var"}, []string{norm})
		return norm
	}
	relu := func(x string) string {
		g.Node("Relu", []string{x}, []string{x + "+"})
		return x + "+"
	}
	x := relu(layer("image", "stem.0", "stem.1", 2))
	for _, s := range []string{"s1", "s2", "s3"} {
		y := layer(relu(layer(x, s+".c1", s+".b1", 2)), s+".c2", s+".b2", 1)
		g.Node("Add", []string{y, layer(x, s+".sc.0", s+".sc.1", 2)}, []string{s})
		x = relu(s)
		g.Output(Info(x, 1, tensors[s+".c2.weight"].Shape[0], -1, -1))
	}
	return g.File()
}
