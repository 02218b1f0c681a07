package lookout

import (
	"context"

	"fovea"
	"fovea/internal/appraisal"
	"fovea/internal/hosting"
	"fovea/internal/ml/classify"
	"fovea/internal/model"
)

// report returns what is known about the model besides its evaluation files,
// once it is tested.
func (e *evaluation) report(found *classify.Report, train []example) *appraisal.Report {
	c := e.predictor.classifier
	rule := appraisal.Rule{Labels: c.Classes, Thresholds: []float64{usualAnomaly, usualAnomaly}, Decide: c.Decide}
	r := &appraisal.Report{
		Form: appraisal.Form, Kind: e.result.Recipe, TrainImages: e.trained, TestImages: len(e.tested),
		Test: rule.Evaluate(e.tested), Hardest: rule.Hardest(e.tested),
	}
	r.OutOfFold(found, rule, func(i int) string { return train[i].image.String() }, func(i int) []int { return []int{classOf(train[i])} })
	for i, m := range e.classes {
		r.Areas = append(r.Areas, appraisal.Area{
			Name: m.ClassName, Threshold: float64(e.predictor.Labels[i].Threshold), Precision: m.Precision, Recall: m.Recall, F1: m.F1Score, IoU: m.AIOU,
		})
	}
	return r
}

// Heat calls fn, when it is the call's turn with the model, with how unusual
// each part of an image is. The model has to run, and the image is as for
// DetectAnomalies. Its only label is that of anomalies, which "" stands for.
func (s *Server) Heat(ctx context.Context, v *model.View, data []byte, label string, fn func(*appraisal.Heat) error) error {
	if label != "" && label != anomalyLabel {
		return fovea.Errorf(fovea.Invalid, "The heat map of a model of Lookout for Vision is of %q, not %.100q.", anomalyLabel, label)
	}
	if most := s.Models.Profiles[fovea.Lookout].Limits.Image.Bytes; most > 0 && int64(len(data)) > most {
		return fovea.Errorf(fovea.Invalid, "The image has more than %d bytes.", most)
	}
	return s.Host.Use(ctx, v.Model, func(loaded hosting.Predictor) error {
		p := loaded.(*predictor)
		img, err := decode(ctx, p, data)
		if err != nil {
			return err
		}
		h := p.classifier.Heat(img, classify.Anomalous)
		return fn(&appraisal.Heat{Label: anomalyLabel, W: h.W, H: h.H, Data: h.Data, Image: img})
	})
}
