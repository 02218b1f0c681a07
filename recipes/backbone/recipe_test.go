package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fovea/internal/ml/backbone"
	"fovea/internal/ml/kernel"
	"fovea/internal/ml/nn"
	"fovea/internal/ml/safetensors"
)

// TestDraw wants pictures of all formulas to be the same for the same seed, to
// differ otherwise, and rarely to be of one colour.
func TestDraw(t *testing.T) {
	seen := map[string]int{}
	plain := 0
	for class := range 300 {
		p := newProgram(class)
		a := p.draw(7, uint64(class))
		if len(a) != 3*side*side {
			t.Fatalf("class %d: %d bytes", class, len(a))
		}
		if !bytes.Equal(a, newProgram(class).draw(7, uint64(class))) {
			t.Errorf("class %d: drawn twice, pictures differ", class)
		}
		if bytes.Equal(a, p.draw(8, uint64(class))) {
			t.Errorf("class %d: two seeds give the same picture", class)
		}
		if other, ok := seen[string(a)]; ok {
			t.Errorf("classes %d and %d give the same picture", class, other)
		}
		seen[string(a)] = class
		if slices.Max(a)-slices.Min(a) < 10 {
			plain++
		}
	}
	if plain > 6 {
		t.Errorf("%d of 300 pictures show nothing", plain)
	}
}

// TestNoise wants noise to be smooth and between -1 and 1.
func TestNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		x, y := between(r, -20, 20), between(r, -20, 20)
		a, b := noise(x, y, 5), noise(x+1e-4, y-1e-4, 5)
		if a < -1 || a > 1 || a-b > 1e-3 || b-a > 1e-3 {
			t.Fatalf("noise at %g, %g: %g, beside it %g", x, y, a, b)
		}
	}
}

// TestMake wants training to learn, the same file from any number of workers,
// and one that the backbone's layers can load.
func TestMake(t *testing.T) {
	var lines []string
	c := config{seed: 1, width: 4, classes: 4, pool: 128, steps: 100, workers: 1, kernels: kernel.Auto().Name()}
	c.log = func(format string, args ...any) { lines = append(lines, format) }
	tr, err := newTrainer(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.fillPool(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tr.train(t.Context()); err != nil {
		t.Fatal(err)
	}
	tr.fill(rand.New(rand.NewPCG(9, 9)))
	tr.session.Forward()
	if n := tr.right(tr.session.Value(tr.logits)); n < batch/2 {
		t.Errorf("%d of %d pictures are told correctly", n, batch)
	}
	if len(lines) != 2 {
		t.Errorf("log lines %q", lines)
	}
	c.steps = 3
	var files [][]byte
	for c.workers = 1; c.workers <= 2; c.workers++ {
		name := filepath.Join(t.TempDir(), "w")
		if err := c.make(t.Context(), 0, name); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, b)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two workers give another file than one")
	}
	f, err := safetensors.Read(files[0])
	if err != nil {
		t.Fatal(err)
	}
	n := nn.New(3)
	backbone.Encode(n, c.width)
	if err := n.Load(f.Tensors, ""); err != nil {
		t.Error(err)
	}
	if len(f.Tensors) != len(n.Params()) || !strings.Contains(f.Metadata["recipe"], "-steps 3") {
		t.Errorf("%d tensors, metadata %v", len(f.Tensors), f.Metadata)
	}
}

func TestMeasure(t *testing.T) {
	c := config{seed: 1, width: 1, classes: 2, pool: batch, workers: 1, kernels: "go", log: t.Logf}
	if err := c.measure(t.Context(), time.Minute); err != nil || c.steps < 2 {
		t.Errorf("%d steps, %v", c.steps, err)
	}
	if _, err := newTrainer(config{}); err == nil {
		t.Error("no error for no classes")
	}
	c.kernels = "abacus"
	if _, err := newTrainer(c); err == nil {
		t.Error("no error for kernels that do not exist")
	}
}
