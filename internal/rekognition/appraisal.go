package rekognition

import (
	"slices"

	"fovea/internal/appraisal"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/head"
)

// report returns what is known about the model besides its evaluation files.
func (e *evaluation) report() (*appraisal.Report, error) {
	r := &appraisal.Report{
		Form: appraisal.Form, Kind: e.result.Recipe, TrainImages: len(e.used()), TestImages: len(e.material.test), Doubtful: []appraisal.Image{},
	}
	if e.predictor.detector != nil {
		search := appraisal.NewSearch(e.predictor.Labels, e.predictor.Thresholds, matchIoU)
		err := e.eachFound(func(s *sample, list []found) error {
			search.Add(appraisal.Searched{SourceRef: s.image.String(), Found: inPixels(s, asObjects(list)), There: inPixels(s, s.objects(e.predictor.Labels))})
			return nil
		})
		r.Test, r.Hardest = search.Evaluation()
		e.searched(r)
		return r, err
	}
	rule := appraisal.Rule{Labels: e.predictor.Labels, Thresholds: e.predictor.Thresholds}
	if e.predictor.classifier.Task == classify.SingleLabel {
		rule.Decide = e.predictor.classifier.Decide
	}
	t := appraisal.Tested{Scores: make([]float32, len(rule.Labels))}
	var err error
	r.Test, r.Hardest, err = rule.EvaluateAll(len(e.material.test), func(fn func(*appraisal.Tested)) error {
		return e.eachFound(func(s *sample, found []found) error {
			t.SourceRef, t.Has = s.image.String(), e.known(s)
			for _, x := range found {
				t.Scores[x.Label] = x.Score
			}
			fn(&t)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	train := e.material.train
	r.OutOfFold(e.predictor.learnt, rule, func(i int) string { return train[i].image.String() }, func(i int) []int { return e.known(&train[i]) })
	return r, nil
}

// searched adds to the report what detectors found in training images that they
// had not seen.
func (e *evaluation) searched(r *appraisal.Report) {
	found := e.predictor.searched
	if found.Folds == 0 {
		return
	}
	r.Folds = found.Folds
	r.Trained, r.Doubtful = appraise(found.Found, e.material.train, e.predictor.Labels, e.predictor.usualThresholds())
}

// appraise compares what was found in training images, nil in one that was not
// used, with what is there, at these thresholds of the labels. The second result
// is the images that differ most.
func appraise(found [][]head.Object, train []sample, labels []string, thresholds []float64) (*appraisal.Evaluation, []appraisal.Image) {
	search := appraisal.NewSearch(labels, thresholds, matchIoU)
	for i, list := range found {
		if list == nil {
			continue
		}
		s := &train[i]
		search.Add(appraisal.Searched{SourceRef: s.image.String(), Found: inPixels(s, list), There: inPixels(s, s.objects(labels))})
	}
	return search.Evaluation()
}

// eachFound calls fn with the test images and what was found in them. The list
// is good until fn returns; an error of fn ends the call and is returned.
func (e *evaluation) eachFound(fn func(*sample, []found) error) error {
	return e.found.each(len(e.material.test), func(i int, list []found) error { return fn(&e.material.test[i], list) })
}

// known returns the labels of an image that the model knows.
func (e *evaluation) known(s *sample) (labels []int) {
	for _, name := range s.labels {
		if k, ok := slices.BinarySearch(e.predictor.Labels, name); ok {
			labels = append(labels, k)
		}
	}
	return labels
}

// inPixels returns objects in pixels of the image instead of those of what
// readImage makes of it.
func inPixels(s *sample, list []head.Object) []head.Object {
	scale := max(1, float64(max(s.width, s.height))/trainSide)
	out := slices.Clone(list)
	for i := range out {
		b := &out[i].Box
		b.Left, b.Top, b.Width, b.Height = b.Left*scale, b.Top*scale, b.Width*scale, b.Height*scale
	}
	return out
}

// thresholds returns the assumed thresholds by label.
func (p *predictor) thresholds() map[string]float64 {
	m := map[string]float64{}
	for k, name := range p.Labels {
		m[name] = p.Thresholds[k]
	}
	return m
}

// backbone returns the backbone that the model looks through, "" for none.
func (p *predictor) backbone() string {
	if p.classifier == nil {
		return ""
	}
	return classify.BackboneOf(p.classifier)
}
