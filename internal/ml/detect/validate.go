package detect

import (
	"context"
	"fmt"

	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
)

// How scores become probabilities (vision.md §2.7).
const (
	usualThreshold = 0.5
	mostFoldSteps  = 500  // of the model of a fold, which has half of the steps
	leastPictures  = 10   // with objects, below which nothing is validated
	leastOutcomes  = 20   // right and wrong ones of a class, below which all classes are calibrated together
	mostCounted    = 1000 // objects that are found in a picture: memory does not grow with the classes
	foundIoU       = 0.5
)

// MaxFound is how many objects a report names of an image.
const MaxFound = 100

// A validation has pictures searched by models that have not seen them.
type validation struct {
	sampler *sampler
	options *Options
	folds   int   // 0: nothing is validated
	fold    []int // of each picture
}

// newValidation deals the pictures to two folds, so that each has its share of
// every class; to none where a fold would have too few to learn from.
func newValidation(s *sampler, o *Options) *validation {
	v := &validation{sampler: s, options: o}
	if o.Scratch {
		return v
	}
	shows := matrix.New(len(s.pictures), len(o.Classes))
	for k, p := range s.pictures {
		for _, b := range p.objects {
			shows.Row(k)[b.Class] = 1
		}
	}
	fold := head.Folds(shows, 2, o.Seed)
	with := [2]int{}
	for k, p := range s.pictures {
		if len(p.objects) > 0 {
			with[fold[k]]++
		}
	}
	if min(with[0], with[1]) > 0 && with[0]+with[1] >= leastPictures {
		v.folds, v.fold = len(with), fold
	}
	return v
}

// steps returns for how many steps the model of a fold learns. With half of
// them its scores are like enough to those of the model itself; with a quarter
// (docs/design/detectors.md) those become surer than they should be.
func (v *validation) steps() int { return min(mostFoldSteps, (v.options.Steps+1)/2) }

// progress tells how much of a training is done when so much of a stage is: the
// stage 0 is the model itself, the others those of the folds.
func (v *validation) progress(stage int, done float64) {
	if v.options.Progress == nil {
		return
	}
	own := float64(v.options.Steps)
	share := own / (own + float64(v.folds*v.steps())) // of the model itself
	if stage > 0 {
		done = share + (1-share)*(float64(stage-1)+done)/float64(v.folds)
	} else {
		done *= share
	}
	v.options.Progress(done)
}

// run trains a model for each fold on the pictures of the others and has it
// search those of the fold, calibrates m by what came of it, and notes it.
func (v *validation) run(ctx context.Context, m *Model, r *Report) error {
	if v.folds == 0 {
		return nil
	}
	all := head.NewDetected(len(m.Names), foundIoU)
	for fold := range v.folds {
		var seen []picture
		for k, p := range v.sampler.pictures {
			if v.fold[k] != fold {
				seen = append(seen, p)
			}
		}
		s := newSampler(seen, v.options)
		net, _, err := s.fit(ctx, *v.options, v.steps(), func(done float64) { v.progress(fold+1, done) })
		if err != nil {
			return err
		}
		other := newModel(net, m.Names, m.Longer)
		for k, p := range v.sampler.pictures {
			if v.fold[k] != fold {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			found, err := other.Detect(p.image)
			if err != nil {
				return fmt.Errorf("detect: image %d: %w", p.index, err)
			}
			found = found[:min(len(found), mostCounted)]
			all.Add(found, p.objects)
			for i := range found {
				found[i].Box = scaled(found[i].Box, p.fx, p.fy)
			}
			r.Found[p.index] = append([]head.Object{}, found...) // of a picture where nothing was found, not nil
		}
	}
	m.calibrate(all)
	for _, found := range r.Found {
		for i, o := range found {
			found[i].Score = float32(m.Calibration[o.Class].At(float64(o.Score)))
		}
		sortByScore(found)
	}
	for i, found := range r.Found {
		r.Found[i] = found[:min(len(found), MaxFound)]
	}
	return nil
}

// calibrate makes the scores of each class what share of its objects with that
// score was there, of those that were found in pictures that models had not
// seen, and sets the thresholds. A class of which too few were found is
// calibrated as all are together.
func (m *Model) calibrate(all *head.Detected) {
	var scores []float32
	var hits []bool
	for c := range m.Names {
		scores, hits = append(scores, all.Scores[c]...), append(hits, all.Hits[c]...)
	}
	together := head.FitShare(scores, hits)
	for c := range m.Names {
		m.Calibration[c] = together
		if right := count(all.Hits[c]); min(right, len(all.Hits[c])-right) >= leastOutcomes {
			m.Calibration[c] = head.FitShare(all.Scores[c], all.Hits[c])
		}
		for i, s := range all.Scores[c] {
			all.Scores[c][i] = float32(m.Calibration[c].At(float64(s)))
		}
		if all.There[c] > 0 {
			m.Cuts[c], _ = all.BestF1(c)
		}
	}
}

func count(list []bool) (n int) {
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}
