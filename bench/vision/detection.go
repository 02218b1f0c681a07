package main

import (
	"context"
	"log"
	"math"
	"time"

	"fovea/internal/imaging"
	"fovea/internal/ml/detect"
	"fovea/internal/ml/head"
)

// The baselines of the detector.
const (
	scratch = "random weights"
	grid    = "boxes on a grid"
)

// steps is how many steps detectors learn for.
const steps = 450

// detection trains on 200 photographs of blood cells and tests on 80 others.
func (b *bench) detection(ctx context.Context) (*table, error) {
	t := &table{
		title:     "Where objects are",
		text:      "Blood cells: 200 photographs to train for 450 steps, 80 to test. Training includes the two networks that calibrate scores, but for random weights. On the grid are boxes of each kind's mean size, half of one apart.",
		baselines: []string{scratch, grid},
	}
	found := searching{whole: t.row("mAP50", "%.3f").over(0.70)}
	for _, name := range cells {
		found.each = append(found.each, t.row("AP50 of "+name, "%.3f"))
	}
	found.f1 = t.row("mean F1 at the thresholds that the training chose", "%.3f")
	found.off = t.cost("how far confidences are off (ECE)", "%.3f")
	found.shows = t.row("whether a photograph shows platelets: AUROC", "%.3f")
	training, prediction := t.costs(480), t.cost("prediction, ms", "%.0f")
	for seed := range b.seeds {
		train, test, err := b.smears(seed)
		if err != nil {
			return nil, err
		}
		for _, baseline := range []string{"", scratch} {
			m, took, err := b.detector(ctx, train, seed, baseline == scratch)
			if err != nil {
				return nil, err
			}
			s, err := search(ctx, test, m.Detect)
			if err != nil {
				return nil, err
			}
			log.Printf("seed %d: mAP50 %.3f, %v %s", seed, s.MeanAveragePrecision(), took.time.Round(time.Millisecond), baseline)
			if baseline == scratch {
				found.beside(scratch, s)
				training.beside(scratch, took)
				continue
			}
			found.add(s, m.Thresholds())
			training.add(took)
			prediction.add(float64(s.took.Milliseconds()) / float64(len(test)))
		}
		s, err := search(ctx, test, gridOf(train))
		if err != nil {
			return nil, err
		}
		found.beside(grid, s)
	}
	return t, nil
}

// detector trains on photographs.
func (b *bench) detector(ctx context.Context, train []smear, seed int, random bool) (m *detect.Model, took cost, err error) {
	set := &detect.Set{Image: func(ctx context.Context, i int) (*imaging.Image, error) { return train[i].image(ctx) }}
	for _, s := range train {
		set.Objects = append(set.Objects, s.objects)
	}
	took, err = costOf(func() (err error) {
		m, _, err = detect.Train(ctx, set, detect.Options{Classes: cells, Seed: uint64(seed), Workers: b.workers, Steps: steps, Scratch: random})
		return err
	})
	return m, took, err
}

// A searched is what was found in photographs.
type searched struct {
	*head.Detected
	most  []float32 // of each photograph, the highest score of platelets
	shows []bool    // it shows some
	took  time.Duration
}

// search has photographs searched.
func search(ctx context.Context, test []smear, find func(*imaging.Image) ([]head.Object, error)) (*searched, error) {
	out := &searched{Detected: head.NewDetected(len(cells), 0.5)}
	for _, s := range test {
		img, err := s.image(ctx)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		objects, err := find(img)
		if err != nil {
			return nil, err
		}
		out.took += time.Since(start)
		out.Add(objects, s.objects)
		most := float32(0)
		for _, o := range objects {
			if o.Class == platelets {
				most = max(most, o.Score)
			}
		}
		out.most, out.shows = append(out.most, most), append(out.shows, s.count(platelets) > 0)
	}
	return out, nil
}

// searching are the rows for what was found.
type searching struct {
	whole, f1, off, shows *row
	each                  []*row
}

// add adds what the model found.
func (r searching) add(s *searched, thresholds []float64) {
	r.whole.add(s.MeanAveragePrecision())
	f1 := 0.0
	for c, to := range r.each {
		to.add(s.AveragePrecision(c))
		n := head.Count(s.Scores[c], s.Hits[c], thresholds[c])
		n.FalseNegatives = s.There[c] - n.TruePositives
		f1 += n.F1() / float64(len(cells))
	}
	r.f1.add(f1)
	r.off.add(s.off())
	r.shows.add(head.AUROC(s.most, s.shows))
}

// beside adds what a baseline found, whose scores are no probabilities.
func (r searching) beside(baseline string, s *searched) {
	r.whole.beside(baseline, s.MeanAveragePrecision())
	for c, to := range r.each {
		to.beside(baseline, s.AveragePrecision(c))
	}
	r.shows.beside(baseline, head.AUROC(s.most, s.shows))
}

// off returns the expected calibration error: in ten steps of the scores, how
// far their mean is from the share that is right, weighted by how many there
// are.
func (s *searched) off() float64 {
	const levels = 10
	var surplus [levels]float64
	all := 0.0
	for c, scores := range s.Scores {
		for i, score := range scores {
			k := min(levels-1, int(score*levels))
			surplus[k] += float64(score)
			if s.Hits[c][i] {
				surplus[k]--
			}
			all++
		}
	}
	sum := 0.0
	for _, v := range surplus {
		sum += math.Abs(v)
	}
	return sum / max(1, all)
}

// gridOf returns what covers an image with boxes of each class's mean size, half
// of one apart.
func gridOf(train []smear) func(*imaging.Image) ([]head.Object, error) {
	sum, count := make([]head.Box, len(cells)), make([]float64, len(cells))
	for _, s := range train {
		for _, o := range s.objects {
			sum[o.Class].Width += o.Width
			sum[o.Class].Height += o.Height
			count[o.Class]++
		}
	}
	return func(m *imaging.Image) (all []head.Object, _ error) {
		for c := range cells {
			w, h := sum[c].Width/max(1, count[c]), sum[c].Height/max(1, count[c])
			for y := 0.0; w > 0 && y+h <= float64(m.H); y += h / 2 {
				for x := 0.0; x+w <= float64(m.W); x += w / 2 {
					all = append(all, head.Object{Class: c, Score: 0.5, Box: head.Box{Left: x, Top: y, Width: w, Height: h}})
				}
			}
		}
		return all, nil
	}
}
