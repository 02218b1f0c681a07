package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"fovea/internal/ml/backbone"
	"fovea/internal/ml/kernel"
	"fovea/internal/ml/nn"
	"fovea/internal/ml/safetensors"
)

// The recipe of vision.md §3.
const (
	batch     = 64
	rate      = 0.1
	momentum  = 0.9
	decay     = 1e-4
	smoothing = 0.05
	warmup    = 200
	fresh     = 16 // pictures that are drawn anew at each step
)

// A config is what the weights depend on, and how many cores make them.
type config struct {
	seed           uint64
	width, classes int
	pool, steps    int
	workers        int
	kernels        string // name of a kernel.Set
	log            func(format string, args ...any)
}

// check reports settings that make no sense.
func (c *config) check() error {
	if c.width < 1 || c.classes < 2 || c.pool < batch || c.steps < 1 {
		return fmt.Errorf("width %d, classes %d, pool %d, steps %d: at least 1, 2, %d, 1 are needed", c.width, c.classes, c.pool, c.steps, batch)
	}
	return nil
}

// A trainer trains the network with a classifier on top.
type trainer struct {
	config
	programs []*program
	pictures [][]byte
	drawn    int // pictures so far; picture i is of class i % classes
	net      *nn.Net
	logits   nn.Value
	session  *nn.Session
	labels   []int
	cores    kernel.Pool
	draws    drawTask
}

func newTrainer(c config) (*trainer, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	sets := kernel.Sets()
	set := slices.IndexFunc(sets, func(s *kernel.Set) bool { return s.Name() == c.kernels })
	if set < 0 {
		return nil, fmt.Errorf("this processor cannot compute with the kernels %q", c.kernels)
	}
	t := &trainer{config: c, net: nn.New(3), labels: make([]int, batch), pictures: make([][]byte, c.pool)}
	t.cores.Workers, t.draws.t = c.workers, t
	for i := range c.classes {
		t.programs = append(t.programs, newProgram(i))
	}
	e := backbone.Encode(t.net, c.width)
	t.logits = t.net.Conv(t.net.Mean(e.S3, false), nn.ConvSpec{Name: "classes", Out: c.classes, Size: 1, Bias: true})
	t.net.Output(t.logits)
	t.net.Init(c.seed)
	var err error
	t.session, err = t.net.NewSession(nn.Options{Batch: batch, Height: side, Width: side, Train: true, Workers: c.workers, Set: sets[set]})
	return t, err
}

// part returns what part of the learning rate applies at a step: a cosine for
// three quarters of the steps, then from a half straight to 0.
func (c *config) part(step int) float64 {
	turn := c.steps * 3 / 4
	if step < turn {
		return nn.Cosine(step, min(warmup, turn/2), turn)
	}
	return 0.5 * float64(c.steps-step) / float64(c.steps-turn)
}

// fillPool draws the first pictures.
func (t *trainer) fillPool(ctx context.Context) error {
	for n := t.pool; n > 0; n -= batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.draw(min(n, batch))
	}
	t.log("%d pictures are drawn", t.pool)
	return nil
}

// train makes all steps, with pictures in the pool.
func (t *trainer) train(ctx context.Context) error {
	r := rand.New(rand.NewPCG(t.seed, 0x747261))
	opt := nn.SGD{Rate: rate, Momentum: momentum, Decay: decay}
	const report = 100
	loss, right, since := 0.0, 0, time.Now()
	for i := range t.steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.draw(fresh)
		t.fill(r)
		t.session.Forward()
		x, g := t.session.Value(t.logits), t.session.Grad(t.logits)
		clear(g.Data)
		loss += nn.SoftmaxLoss(x, g, t.labels, smoothing, 1)
		right += t.right(x)
		t.session.Backward()
		opt.Step(t.net.Params(), t.part(i))
		if (i+1)%report == 0 {
			t.log("step %d of %d: loss %.3f, accuracy %.3f, %.0f pictures/s", i+1, t.steps, loss/report, float64(right)/(report*batch), report*batch/time.Since(since).Seconds())
			loss, right, since = 0, 0, time.Now()
		}
	}
	return nil
}

// draw draws pictures in place of the oldest.
func (t *trainer) draw(n int) {
	t.cores.Run(n, &t.draws)
	t.drawn += n
}

// drawTask draws a picture.
type drawTask struct{ t *trainer }

func (d *drawTask) Do(piece, _ int) {
	i := d.t.drawn + piece
	class := i % d.t.classes
	d.t.pictures[i%d.t.pool] = d.t.programs[class].draw(d.t.seed<<32+uint64(i), uint64(class))
}

// fill makes a batch: pictures drawn from the pool, mirrored, rolled by up to
// six pixels, changed in contrast and brightness, one in five with its channels
// swapped.
func (t *trainer) fill(r *rand.Rand) {
	x := t.session.Input()
	for n := range batch {
		k := r.IntN(t.pool)
		// Slot k holds the latest picture whose number is k in the pool's turn.
		i := (t.drawn-1-k)/t.pool*t.pool + k
		t.labels[n] = i % t.classes
		dx, dy := r.IntN(13)-6+side, r.IntN(13)-6+side
		mirror := r.IntN(2) == 0
		order := [3]int{0, 1, 2}
		if r.IntN(5) == 0 {
			r.Shuffle(3, func(a, b int) { order[a], order[b] = order[b], order[a] })
		}
		contrast := float32(between(r, 0.7, 1.3))
		var shift [3]float32
		for k := range shift {
			shift[k] = float32(between(r, -0.1, 0.1))
		}
		for y := range side {
			row := x.Row(n, y)
			for px := range side {
				from := (px + dx) % side
				if mirror {
					from = side - 1 - from
				}
				p := t.pictures[k][3*((y+dy)%side*side+from):]
				for c := range 3 {
					row[3*px+c] = 4 * ((float32(p[order[c]])/255-0.5)*contrast + shift[c])
				}
			}
		}
	}
}

// right counts the pictures that were told correctly.
func (t *trainer) right(x *kernel.Tensor) (n int) {
	for i, label := range t.labels {
		p, top := x.Pixel(i, 0, 0), 0
		for c, v := range p {
			if v > p[top] {
				top = c
			}
		}
		if top == label {
			n++
		}
	}
	return n
}

// weights returns the parameters of the network without the classifier.
func (t *trainer) weights() map[string]safetensors.Tensor {
	w := t.net.Tensors()
	for name := range w {
		if strings.HasPrefix(name, "classes.") {
			delete(w, name)
		}
	}
	return w
}

// writeSheet writes eight pictures of each of sixteen classes.
func writeSheet(name string) (err error) {
	m := image.NewRGBA(image.Rect(0, 0, 8*side, 16*side))
	for class := range 16 {
		p := newProgram(class)
		for k := range 8 {
			for i, b := 0, p.draw(uint64(k), uint64(class)); i < side*side; i++ {
				m.Set(k*side+i%side, class*side+i/side, color.RGBA{b[3*i], b[3*i+1], b[3*i+2], 255})
			}
		}
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return png.Encode(f, m)
}
