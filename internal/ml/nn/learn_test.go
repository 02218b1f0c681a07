package nn

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
)

func TestLearn(t *testing.T) {
	var parts, told []float64
	loss, err := Learn(t.Context(), Course{Steps: 20, Warmup: 4, Progress: func(done float64) { told = append(told, done) }}, func(part float64) float64 {
		parts = append(parts, part)
		return float64(len(parts))
	})
	if err != nil || loss != 19 { // of the steps 18 to 20
		t.Errorf("loss %v, %v", loss, err)
	}
	if len(parts) != 20 || parts[0] != 0.25 || parts[4] != 1 || len(told) != 20 || told[19] != 1 {
		t.Errorf("parts %v, told %v", parts, told)
	}
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	_, err = Learn(ctx, Course{Steps: 20}, func(float64) float64 {
		if steps++; steps == 3 {
			cancel()
		}
		return 0
	})
	if !errors.Is(err, context.Canceled) || steps != 3 {
		t.Errorf("%d steps after it was cancelled at the third: %v", steps, err)
	}
}

// TestRunner: goroutines that infer side by side, with inputs of their own
// sizes, don't get into each other's way.
func TestRunner(t *testing.T) {
	n := New(1)
	n.Output(n.Mean(n.Input(), false))
	r := NewRunner(n)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 20 {
				side := 1 + (i+k)%5
				err := r.Run(side, side, func(s *Session) {
					for y := range side {
						row := s.Input().Row(0, y)
						for x := range row {
							row[x] = float32(i)
						}
					}
					s.Forward()
					if got := s.Value(n.Outputs()[0]).Pixel(0, 0, 0)[0]; math.Abs(float64(got)-float64(i)) > 1e-5 {
						t.Errorf("the mean of an input of %d is %v", i, got)
					}
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := r.Run(0, 1, func(*Session) { t.Error("an empty input is run") }); err == nil {
		t.Error("an empty input: no error")
	}
}

// TestLoadAll: a file is taken if it has the parameters and nothing else.
func TestLoadAll(t *testing.T) {
	n := New(3)
	n.Output(n.Conv(n.Input(), ConvSpec{Name: "a", Out: 2, Size: 1, Bias: true}))
	n.Init(1)
	file := n.Tensors()
	if err := n.LoadAll(file); err != nil {
		t.Error(err)
	}
	for name, tensor := range file {
		file["more"] = tensor
		delete(file, name)
		break
	}
	if err := n.LoadAll(file); err == nil {
		t.Error("a file with another parameter is taken")
	}
	file = n.Tensors()
	file["more"] = file["a.bias"]
	if err := n.LoadAll(file); err == nil {
		t.Error("a file with one parameter more is taken")
	}
}
