package unet

import (
	"context"
	"math/rand/v2"

	"fovea/internal/ml/backbone"
	"fovea/internal/ml/kernel"
	"fovea/internal/ml/nn"
)

// The recipe of vision.md §2.5.
const (
	learningRate = 2e-3
	decay        = 1e-3
	encoderRate  = 0.5 // of the learning rate
	warmup       = 20
	imageWeight  = 0.2
	typeWeight   = 4 // of defects, where there are several types
)

// A Report is what there is to say about a training.
type Report struct {
	Images, Steps, Side int
	Loss                float64 // mean of the last tenth of the steps
}

// Train learns from images. It ends early, with the context's error, when that
// ends.
func Train(ctx context.Context, set *Set, o Options) (*Model, *Report, error) {
	if err := o.check(set); err != nil {
		return nil, nil, err
	}
	s, err := read(ctx, set, &o)
	if err != nil {
		return nil, nil, err
	}
	if o.Steps == 0 {
		o.Steps = min(500, max(200, 12*(len(s.pictures)-len(s.normal))))
	}
	t, err := newTrainer(o)
	if err != nil {
		return nil, nil, err
	}
	r := &Report{Images: len(s.pictures), Steps: o.Steps, Side: o.Side}
	r.Loss, err = nn.Learn(ctx, nn.Course{Steps: o.Steps, Warmup: warmup, Progress: o.Progress}, func(part float64) float64 {
		s.fill(t.rng, t.session.Input(), t.masks)
		return t.step(part)
	})
	if err != nil {
		return nil, nil, err
	}
	return &Model{types: o.Types, side: o.Side, runner: nn.NewRunner(t.net)}, r, nil
}

// A trainer holds what steps need.
type trainer struct {
	net     *nn.Net
	session *nn.Session
	masks   *kernel.Tensor // 1 where a type is
	present *kernel.Tensor // 1 where a crop shows a type
	opt     nn.AdamW
	rng     *rand.Rand
}

func newTrainer(o Options) (*trainer, error) {
	t := &trainer{net: build(len(o.Types)), rng: rand.New(rand.NewPCG(o.Seed, 0x756e6574))}
	t.net.Init(o.Seed)
	if err := backbone.Load(t.net, encoderRate); err != nil {
		return nil, err
	}
	var err error
	t.session, err = t.net.NewSession(nn.Options{Batch: batch, Height: crop, Width: crop, Train: true, Workers: o.Workers, Seed: o.Seed})
	if err != nil {
		return nil, err
	}
	t.masks = kernel.NewTensor(batch, crop, crop, len(o.Types))
	t.present = kernel.NewTensor(batch, 1, 1, len(o.Types))
	t.opt = nn.AdamW{Rate: learningRate, Decay: decay}
	return t, nil
}

// step learns from the batch that the input and the masks hold, and returns the
// loss.
func (t *trainer) step(part float64) float64 {
	t.session.Forward()
	pixels, images := t.net.Outputs()[0], t.net.Outputs()[1]
	x, g := t.session.Value(pixels), t.session.Grad(pixels)
	clear(g.Data)
	positive := float32(1)
	if t.masks.C > 1 {
		positive = typeWeight
	}
	loss := nn.BCELoss(x, g, t.masks, positive, 1) + nn.DiceLoss(x, g, t.masks, 1)
	if t.masks.C > 1 {
		loss += nn.TopBCELoss(x, g, t.masks, 1)
	}
	t.look()
	clear(t.session.Grad(images).Data)
	loss += nn.BCELoss(t.session.Value(images), t.session.Grad(images), t.present, 1, imageWeight)
	t.session.Backward()
	t.opt.Step(t.net.Params(), part)
	return loss
}

// look sets which types the crops show.
func (t *trainer) look() {
	for n := range t.masks.N {
		p := t.present.Pixel(n, 0, 0)
		clear(p)
		for y := range t.masks.H {
			for i, v := range t.masks.Row(n, y) {
				if v > 0 {
					p[i%len(p)] = 1
				}
			}
		}
	}
}
