package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"fovea/internal/imaging"
	"fovea/internal/ml/baseline"
	"fovea/internal/ml/head"
	"fovea/internal/ml/segmentation"
)

// The baselines of what finds areas.
const (
	pixels = "colours of pixels"
	forest = "forest alone"
)

// areas trains on 16 masks and 16 normal cookies and tests on the others that
// have a mask or are normal.
func (b *bench) areas(ctx context.Context) (*table, error) {
	photos, err := b.cookies(false)
	if err != nil {
		return nil, err
	}
	t := &table{
		title:     "Where the anomaly is",
		text:      fmt.Sprintf("Cookies: 16 with masks of the cracks and 16 normal ones to train, the other %d photographs to test.", len(photos)-32),
		baselines: []string{pixels, forest},
	}
	auroc, ap, iou := t.row("AUROC of pixels", "%.3f").over(0.98), t.row("average precision of pixels", "%.3f").over(0.84), t.row("IoU", "%.3f").over(0.58)
	held := t.row("IoU on held images, as the training tells it", "%.3f")
	training, prediction := t.costs(120), t.cost("prediction, ms", "%.0f")
	for seed := range b.seeds {
		train, test := split(photos, 16, 16, seed)
		m, report, took, err := b.segment(ctx, train, seed, false)
		if err != nil {
			return nil, err
		}
		training.add(took)
		held.add(report.Types[0].IoU)
		o, err := compare(ctx, m, test)
		if err != nil {
			return nil, err
		}
		auroc.add(head.AUROC(o.scores, o.truth))
		ap.add(head.AveragePrecision(o.scores, o.truth))
		iou.add(o.iou())
		prediction.add(float64(o.took.Milliseconds()) / float64(len(test)))
		log.Printf("seed %d: IoU %.3f, %v", seed, o.iou(), took.time.Round(time.Millisecond))
		if m, report, took, err = b.segment(ctx, train, seed, true); err != nil {
			return nil, err
		}
		training.beside(forest, took)
		held.beside(forest, report.Types[0].IoU)
		if o, err = compare(ctx, m, test); err != nil {
			return nil, err
		}
		auroc.beside(forest, head.AUROC(o.scores, o.truth))
		ap.beside(forest, head.AveragePrecision(o.scores, o.truth))
		iou.beside(forest, o.iou())
		prediction.beside(forest, float64(o.took.Milliseconds())/float64(len(test)))
		if o, err = byColour(ctx, train, test); err != nil {
			return nil, err
		}
		iou.beside(pixels, o.iou())
	}
	return t, nil
}

// segment trains on photographs.
func (b *bench) segment(ctx context.Context, train []photo, seed int, fast bool) (m *segmentation.Model, report *segmentation.Report, took cost, err error) {
	set := &segmentation.Set{
		N:     len(train),
		Image: func(ctx context.Context, i int) (*imaging.Image, error) { return train[i].image(ctx) },
		Mask:  func(ctx context.Context, i int) (*imaging.LabelMap, error) { return train[i].areas(ctx) },
	}
	took, err = costOf(func() (err error) {
		m, report, err = segmentation.Train(ctx, set, segmentation.Options{Types: []string{"cracked"}, Seed: uint64(seed), Workers: b.workers, Fast: fast})
		return err
	})
	return m, report, took, err
}

// An outcome compares what was found in photographs with their masks.
type outcome struct {
	both, either int // pixels
	scores       []float32
	truth        []bool // of the pixels of scores
	took         time.Duration
}

func (o *outcome) iou() float64 { return float64(o.both) / float64(max(1, o.either)) }

// add counts a pixel.
func (o *outcome) add(found, there bool) {
	if found && there {
		o.both++
	}
	if found || there {
		o.either++
	}
}

// compare tests a model: areas at the size of the photographs, probabilities at
// that at which the model looks.
func compare(ctx context.Context, m *segmentation.Model, test []photo) (*outcome, error) {
	var o outcome
	for _, p := range test {
		img, mask, err := p.both(ctx)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		r, err := m.Predict(img)
		if err != nil {
			return nil, err
		}
		o.took += time.Since(start)
		for i, l := range r.Labels.Pix {
			o.add(l == 1, mask.Pix[i] == 1)
		}
		planes, err := m.Probabilities(img)
		if err != nil {
			return nil, err
		}
		small := mask.Resize(planes.W, planes.H)
		o.scores = append(o.scores, planes.Data...)
		for _, l := range small.Pix {
			o.truth = append(o.truth, l == 1)
		}
	}
	return &o, nil
}

// both returns the photograph and its mask, an empty one if it has none.
func (p photo) both(ctx context.Context) (*imaging.Image, *imaging.LabelMap, error) {
	img, err := p.image(ctx)
	if err != nil {
		return nil, nil, err
	}
	mask, err := p.areas(ctx)
	if mask == nil {
		mask = &imaging.LabelMap{W: img.W, H: img.H, Pix: make([]uint8, img.W*img.H)}
	}
	return img, mask, err
}

// byColour is the baseline: a pixel is cracked if that is how enough of the
// pixels of training were that had its colour; enough is what fits these best.
func byColour(ctx context.Context, train, test []photo) (*outcome, error) {
	var there, all [baseline.Colours]int
	for _, p := range train {
		img, mask, err := p.both(ctx)
		if err != nil {
			return nil, err
		}
		for i, l := range mask.Pix {
			c := baseline.Colour(img.Pix[3*i:])
			all[c]++
			there[c] += int(l)
		}
	}
	enough := bestShare(there[:], all[:])
	var o outcome
	for _, p := range test {
		img, mask, err := p.both(ctx)
		if err != nil {
			return nil, err
		}
		for i, l := range mask.Pix {
			c := baseline.Colour(img.Pix[3*i:])
			o.add(all[c] > 0 && float64(there[c]) >= enough*float64(all[c]), l == 1)
		}
	}
	return &o, nil
}

// bestShare returns which share of cracked pixels of a colour is enough to take
// all of that colour for cracked, so that what is taken overlaps best with what
// is.
func bestShare(there, all []int) float64 {
	total := 0
	for _, n := range there {
		total += n
	}
	best, most := 1.0, 0.0
	for c := range all {
		if there[c] == 0 {
			continue
		}
		share := float64(there[c]) / float64(all[c])
		found, wrong := 0, 0
		for k := range all {
			if all[k] > 0 && float64(there[k]) >= share*float64(all[k]) {
				found, wrong = found+there[k], wrong+all[k]-there[k]
			}
		}
		if iou := float64(found) / float64(total+wrong); iou > most {
			best, most = share, iou
		}
	}
	return best
}
