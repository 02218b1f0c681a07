package detect

import (
	"context"
	"math/rand/v2"

	"fovea/internal/ml/backbone"
	"fovea/internal/ml/head"
	"fovea/internal/ml/kernel"
	"fovea/internal/ml/nn"
)

// The recipe of vision.md §2.7.
const (
	batch        = 8
	learningRate = 2e-3
	decay        = 1e-3
	encoderRate  = 0.5 // of the learning rate
	warmup       = 30
	clip         = 10
	boxWeight    = 2
)

// For how many steps a model learns if nobody says: that of rare classes few
// images need many (docs/design/detectors.md).
const (
	leastSteps = 500
	mostSteps  = 1500
	stepsEach  = 25 // picture
)

// A Report is what there is to say about a training.
type Report struct {
	Images      []int // that were used: their places in the set
	Steps, Side int
	Loss        float64 // mean of the last tenth of the steps

	// Folds is in how many parts the images were searched by models that had not
	// seen them: 0 where there are too few images for that.
	Folds int

	// Found are the objects of each image of the set by such a model, in its
	// pixels, with the scores of the model that was trained; nil for an image
	// that was not used. At most MaxFound of an image.
	Found [][]head.Object
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
		o.Steps = min(mostSteps, max(leastSteps, stepsEach*len(s.pictures)))
	}
	r := &Report{Steps: o.Steps, Side: o.Side, Found: make([][]head.Object, len(set.Objects))}
	for _, p := range s.pictures {
		r.Images = append(r.Images, p.index)
	}
	v := newValidation(s, &o)
	net, loss, err := s.fit(ctx, o, o.Steps, func(done float64) { v.progress(0, done) })
	if err != nil {
		return nil, nil, err
	}
	r.Loss, r.Folds = loss, v.folds
	m := newModel(net, o.Classes, o.Side)
	return m, r, v.run(ctx, m, r)
}

// fit returns a network that has learned from the pictures, and the mean loss
// of the last tenth of its steps.
func (s *sampler) fit(ctx context.Context, o Options, steps int, progress func(done float64)) (*nn.Net, float64, error) {
	t, err := newTrainer(o, s.crop)
	if err != nil {
		return nil, 0, err
	}
	loss, err := nn.Learn(ctx, nn.Course{Steps: steps, Warmup: warmup, Progress: progress}, func(part float64) float64 {
		s.fill(t.rng, t.session.Input(), t.want)
		return t.step(part)
	})
	return t.net, loss, err
}

// A trainer holds what steps need.
type trainer struct {
	net     *nn.Net
	session *nn.Session
	want    targets
	opt     nn.AdamW
	rng     *rand.Rand
}

func newTrainer(o Options, crop int) (*trainer, error) {
	t := &trainer{net: build(len(o.Classes)), rng: rand.New(rand.NewPCG(o.Seed, 0x646574))}
	t.net.Init(o.Seed)
	if !o.Scratch {
		if err := backbone.Load(t.net, encoderRate); err != nil {
			return nil, err
		}
	}
	var err error
	t.session, err = t.net.NewSession(nn.Options{Batch: batch, Height: crop, Width: crop, Train: true, Workers: o.Workers, Seed: o.Seed})
	if err != nil {
		return nil, err
	}
	t.want.centres = kernel.NewTensor(batch, crop/stride, crop/stride, len(o.Classes))
	t.want.sides = kernel.NewTensor(batch, crop/stride, crop/stride, 5)
	t.opt = nn.AdamW{Rate: learningRate, Decay: decay}
	return t, nil
}

// step learns from the batch that the input and the targets hold, and returns
// the loss.
func (t *trainer) step(part float64) float64 {
	t.session.Forward()
	centres, sides := t.net.Outputs()[0], t.net.Outputs()[1]
	clear(t.session.Grad(centres).Data)
	clear(t.session.Grad(sides).Data)
	loss := nn.FocalLoss(t.session.Value(centres), t.session.Grad(centres), t.want.centres, 1)
	loss += nn.BoxLoss(t.session.Value(sides), t.session.Grad(sides), 0, t.want.sides, boxWeight)
	t.session.Backward()
	nn.ClipGrad(t.net.Params(), clip)
	t.opt.Step(t.net.Params(), part)
	return loss
}
