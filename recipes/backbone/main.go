// Backbone makes the weights of package internal/ml/backbone: it draws pictures
// by formulas, a thousand kinds of them, and trains the network to tell which
// formula drew which. Nothing else goes in: no photograph, no weight of others.
//
//	go run ./recipes/backbone -seconds 600 -out procnet.safetensors
//
// What comes out depends on -seed, -width, -classes, -pool, -steps and -kernels;
// not on -workers. With -seconds, it
// makes a few steps to see how many fit into that time, and says how many it
// makes, so that -steps can repeat it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime"
	"time"

	"fovea/internal/ml/kernel"
	"fovea/internal/ml/safetensors"
)

func main() {
	log.SetFlags(log.Ltime)
	c := config{log: log.Printf}
	flag.Uint64Var(&c.seed, "seed", 1, "seed of all that is random")
	flag.IntVar(&c.width, "width", 16, "channels of the first layer")
	flag.IntVar(&c.classes, "classes", 1000, "formulas to tell apart")
	flag.IntVar(&c.pool, "pool", 20_000, "pictures kept at a time; 12 kB each")
	flag.IntVar(&c.steps, "steps", 14_000, "steps of 64 pictures")
	flag.IntVar(&c.workers, "workers", runtime.GOMAXPROCS(0), "processor cores")
	flag.StringVar(&c.kernels, "kernels", kernel.Auto().Name(), "how to compute: avx512, avx2, neon or go, as the processor can")
	seconds := flag.Float64("seconds", 0, "instead of -steps: how long to train")
	out := flag.String("out", "procnet.safetensors", "file to write")
	sheet := flag.String("sheet", "", "instead of training: write a PNG with pictures of the first formulas")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *sheet != "" {
		err = writeSheet(*sheet)
	} else {
		err = c.make(ctx, time.Duration(*seconds*float64(time.Second)), *out)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// make trains, for a time if it is not 0, and writes the weights.
func (c config) make(ctx context.Context, limit time.Duration, name string) error {
	if limit > 0 {
		if err := c.measure(ctx, limit); err != nil {
			return err
		}
	}
	t, err := newTrainer(c)
	if err != nil {
		return err
	}
	if err := t.fillPool(ctx); err != nil {
		return err
	}
	if err := t.train(ctx); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := safetensors.Write(f, &safetensors.File{Tensors: t.weights(), Metadata: map[string]string{
		"recipe": fmt.Sprintf("recipes/backbone -seed %d -width %d -classes %d -pool %d -steps %d -kernels %s", c.seed, c.width, c.classes, c.pool, c.steps, c.kernels),
	}}); err != nil {
		return err
	}
	return f.Close()
}

// measure sets the steps to as many as fit into a time, by a few of them.
func (c *config) measure(ctx context.Context, limit time.Duration) error {
	const tries = 20
	trial := *c
	trial.steps, trial.pool, trial.log = tries, batch, func(string, ...any) {}
	t, err := newTrainer(trial)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := t.fillPool(ctx); err != nil {
		return err
	}
	drawing := time.Since(start) / time.Duration(trial.pool) * time.Duration(c.pool)
	start = time.Now()
	if err := t.train(ctx); err != nil {
		return err
	}
	step := time.Since(start) / tries
	c.steps = max(1, int((limit-drawing)/step))
	c.log("drawing takes about %v, a step %v: -steps %d", drawing.Round(time.Second), step.Round(time.Millisecond), c.steps)
	return nil
}
