package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/onnx/onnxtest"
	"fovea/internal/ml/safetensors"
)

// forward measures a pass of the backbone beside ONNX Runtime with the same
// network, compares what they say, and writes a row for each size.
func forward(text *strings.Builder, dir string, rounds, times int) error {
	if _, err := os.Stat(filepath.Join(here, "ort/node_modules/onnxruntime-node")); err != nil {
		return fmt.Errorf("install ONNX Runtime with .ci/install kernels: %w", err)
	}
	data, err := os.ReadFile("internal/ml/backbone/procnet16.safetensors")
	if err != nil {
		return err
	}
	f, err := safetensors.Read(data)
	if err != nil {
		return err
	}
	model := filepath.Join(dir, "procnet.onnx")
	if err := os.WriteFile(model, onnxtest.Procnet(f.Tensors, -1, -1), 0o644); err != nil {
		return err
	}
	ort, err := begin("ONNX Runtime", "node", filepath.Join(here, "ort/forward.mjs"), model)
	if err != nil {
		return err
	}
	net, err := backbone.Default()
	if err != nil {
		return err
	}
	text.WriteString("\n| backbone, pixels | fovea, ms | ONNX Runtime, ms | fovea's speed of it |\n|---|---|---|---|\n")
	for _, size := range [][2]int{{128, 128}, {256, 256}, {480, 640}} {
		h, w := size[0], size[1]
		img := imaging.New(w, h)
		for i := range img.Pix {
			img.Pix[i] = uint8(7 * i)
		}
		var own, theirs float64
		for range rounds {
			sum := 0.0
			for range times {
				start := time.Now()
				maps, err := net.Dense(context.Background(), img)
				keep(&own, time.Since(start).Seconds())
				if err != nil {
					return err
				}
				sum = 0
				for _, v := range maps[0].Data {
					sum += float64(v)
				}
			}
			var t, other float64
			if err := ort.ask(&t, &other, h, w, times); err != nil {
				return err
			}
			keep(&theirs, t)
			if math.Abs(sum-other) > 1e-3*math.Abs(sum) {
				return fmt.Errorf("the first map sums to %g, that of ONNX Runtime to %g", sum, other)
			}
		}
		fmt.Fprintf(text, "| %d x %d | %.2f | %.2f | %.2f |\n", w, h, 1000*own, 1000*theirs, theirs/own)
	}
	return nil
}
