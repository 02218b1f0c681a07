package segmentation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"golang.org/x/sync/errgroup"

	"fovea/internal/imaging"
	"fovea/internal/ml/forest"
	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
	"fovea/internal/ml/unet"
)

// Of a training.
const (
	folds   = 3
	samples = 60_000 // pixels that a forest learns from, about
	held    = 0      // the fold on which thresholds are chosen beside a network
)

// The shares of a training that its stages take with a network, about.
const (
	untilNet   = 0.6  // the network
	untilOther = 0.85 // that of which thresholds are chosen
)

// A Report is what a training found out.
type Report struct {
	Types []TypeReport
	Steps int         // of the network
	Held  int         // images on which thresholds were chosen
	Peaks [][]float32 // of each image, of each type, by a forest that had not seen it
}

// A TypeReport tells how well a type is found in images that were not seen.
type TypeReport struct {
	Images int     // that show it
	IoU    float64 // pixels that truth and finding share, of those that either has
}

// Train trains a model on a set of images. It ends early, with the context's
// error, when the context does.
func Train(ctx context.Context, set *Set, o Options) (*Model, *Report, error) {
	if err := o.check(set); err != nil {
		return nil, nil, err
	}
	t := &training{Options: o, set: set, report: &Report{Types: make([]TypeReport, len(o.Types))}}
	m, err := t.run(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("train: %w", err)
	}
	return m, t.report, nil
}

// A training is a training at work.
type training struct {
	Options
	set     *Set
	shows   *head.Targets // which types each image shows; the last column: none
	fold    []int         // of each image
	side    int
	forests []*forest.Forest // of each fold, that has not seen it; the last one has seen all
	unseen  *unet.Model      // that has not seen the fold held
	report  *Report
}

// run makes the model.
func (t *training) run(ctx context.Context) (*Model, error) {
	if err := t.lookAtMasks(ctx); err != nil {
		return nil, err
	}
	m := &Model{side: usualSide}
	from := 0.0
	if !t.Fast {
		var err error
		if m.net, err = t.networks(ctx); err != nil {
			return nil, err
		}
		m.side = min(m.net.Side(), mostSide)
		from = untilOther
	}
	t.side = m.side
	middle := (from + 1) / 2
	if err := t.plant(ctx, t.stage(from, middle, "learning from pixels")); err != nil {
		return nil, err
	}
	m.forest = t.forests[folds]
	return m, t.choose(ctx, m, t.stage(middle, 1, "choosing thresholds"))
}

// stage returns a function that reports how many images are done.
func (t *training) stage(from, to float64, name string) func(int) {
	return func(n int) { t.Progress(from+(to-from)*float64(n)/float64(t.set.N), name) }
}

// lookAtMasks finds out which types each image shows, and makes folds that have
// their share of each.
func (t *training) lookAtMasks(ctx context.Context) error {
	none := len(t.Types)
	t.shows = matrix.New(t.set.N, none+1)
	for i := range t.set.N {
		if err := ctx.Err(); err != nil {
			return err
		}
		mask, err := t.set.Mask(ctx, i)
		if err != nil {
			return fmt.Errorf("mask of image %d: %w", i, err)
		}
		row := t.shows.Row(i)
		row[none] = 1
		if mask == nil {
			continue
		}
		for _, l := range mask.Pix {
			if int(l) > none {
				return fmt.Errorf("mask of image %d: label %d of %d", i, l, none)
			}
			if l > 0 {
				row[l-1], row[none] = 1, 0
			}
		}
	}
	any := false
	for i := range t.set.N {
		for k, shows := range t.shows.Row(i)[:none] {
			t.report.Types[k].Images += int(shows)
			any = any || shows > 0
		}
	}
	if !any {
		return errors.New("no mask shows a defect")
	}
	t.fold = head.Folds(t.shows, folds, t.Seed)
	return nil
}

// networks trains the network, and one that does not see the fold held.
func (t *training) networks(ctx context.Context) (*unet.Model, error) {
	fit := func(keep func(i int) bool, o unet.Options, from, to float64) (*unet.Model, *unet.Report, error) {
		var index []int
		var shows [][]int
		for i := range t.set.N {
			if keep(i) {
				index, shows = append(index, i), append(shows, t.typesOf(i))
			}
		}
		o.Types, o.Seed, o.Workers = t.Types, t.Seed, t.Workers
		o.Progress = func(done float64) { t.Progress(from+(to-from)*done, "training the network") }
		return unet.Train(ctx, &unet.Set{
			Shows: shows,
			Image: func(ctx context.Context, i int) (*imaging.Image, error) { return t.set.Image(ctx, index[i]) },
			Mask:  func(ctx context.Context, i int) (*imaging.LabelMap, error) { return t.set.Mask(ctx, index[i]) },
		}, o)
	}
	net, report, err := fit(func(int) bool { return true }, unet.Options{Steps: t.Steps}, 0, untilNet)
	if err != nil {
		return nil, err
	}
	t.report.Steps = report.Steps
	if t.separable() {
		t.unseen, _, err = fit(func(i int) bool { return t.fold[i] != held }, unet.Options{Side: report.Side, Steps: (report.Steps + 1) / 2}, untilNet, untilOther)
	}
	return net, err
}

// typesOf returns the types that an image shows.
func (t *training) typesOf(i int) (types []int) {
	for k, shows := range t.shows.Row(i)[:len(t.Types)] {
		if shows > 0 {
			types = append(types, k)
		}
	}
	return types
}

// separable tells whether defects are in images of the fold held and in others.
func (t *training) separable() bool {
	var with [2]bool
	for i, f := range t.fold {
		if t.shows.Row(i)[len(t.Types)] == 0 {
			with[min(f, 1)] = true
		}
	}
	return with[0] && with[1]
}

// plant grows the forests.
func (t *training) plant(ctx context.Context, done func(int)) error {
	parts := make([]forest.Samples, t.set.N)
	err := t.each(ctx, done, func(i int, p *imaging.Planes, mask *imaging.LabelMap) error {
		r := rand.New(rand.NewPCG(t.Seed, uint64(i)))
		parts[i] = forest.Draw(p, mask, t.quota(i, r), r)
		return nil
	})
	if err != nil {
		return err
	}
	for fold := range folds + 1 {
		var seen []forest.Samples
		for i, s := range parts {
			if t.fold[i] != fold {
				seen = append(seen, s)
			}
		}
		all := forest.Join(seen...)
		if all.X.Rows == 0 {
			all = forest.Join(parts...) // a fold that has everything has no others
		}
		f, err := forest.Fit(ctx, all, len(t.Types), t.Seed, t.Workers)
		if err != nil {
			return err
		}
		t.forests = append(t.forests, f)
	}
	return nil
}

// quota returns how many pixels of the background, and of each type, image i
// gives: half of all are of the background, the others divided among the types.
func (t *training) quota(i int, r *rand.Rand) []int {
	q := []int{share(samples/2, t.set.N, r)}
	for k, of := range t.report.Types {
		n := 0
		if t.shows.Row(i)[k] > 0 {
			n = share(samples/2/len(t.Types), of.Images, r)
		}
		q = append(q, n)
	}
	return q
}

// share returns what one of n images gives of so many pixels: where there are
// more images than pixels, some give one and the others none.
func share(pixels, n int, r *rand.Rand) int {
	if pixels < n && r.IntN(n) < pixels {
		return 1
	}
	return pixels / n
}

// each calls fn for every image with the numbers of its pixels and its mask, at
// the side of the forest, several at a time, and done with how many are done.
func (t *training) each(ctx context.Context, done func(int), fn func(i int, p *imaging.Planes, mask *imaging.LabelMap) error) error {
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(max(1, t.Workers))
	finished, mu := 0, sync.Mutex{}
	for i := range t.set.N {
		if inner.Err() != nil {
			break
		}
		g.Go(func() error {
			img, mask, err := t.open(inner, i)
			if err != nil {
				return err
			}
			if err := fn(i, forest.Pixels(img.Fit(t.side)), mask); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			finished++
			done(finished)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// open returns an image, and its mask at the side of the forest.
func (t *training) open(ctx context.Context, i int) (*imaging.Image, *imaging.LabelMap, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	img, err := t.set.Image(ctx, i)
	if err != nil {
		return nil, nil, fmt.Errorf("image %d: %w", i, err)
	}
	mask, err := t.set.Mask(ctx, i)
	if err != nil || mask == nil {
		return img, nil, err
	}
	if mask.W != img.W || mask.H != img.H {
		return nil, nil, fmt.Errorf("image %d has %dx%d pixels, its mask %dx%d", i, img.W, img.H, mask.W, mask.H)
	}
	small := img.Fit(t.side)
	return img, mask.Resize(small.W, small.H), nil
}
