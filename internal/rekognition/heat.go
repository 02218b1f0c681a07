package rekognition

import (
	"context"
	"slices"

	"fovea"
	"fovea/internal/appraisal"
	"fovea/internal/hosting"
	"fovea/internal/model"
)

// with returns the model with the thresholds that are set in place of those
// that its training chose.
func (p *predictor) with(m *fovea.Model) *predictor {
	if len(m.Thresholds) == 0 {
		return p
	}
	out := *p
	out.Thresholds = slices.Clone(p.Thresholds)
	for k, name := range p.Labels {
		out.Thresholds[k] = m.Threshold(name, p.Thresholds[k])
	}
	return &out
}

// Heat calls fn, when it is the call's turn with the model, with where in an
// image something speaks for a label; "" is the label with the highest score.
// The model has to run, and the image is as for DetectCustomLabels.
func (s *Server) Heat(ctx context.Context, v *model.View, data []byte, label string, fn func(*appraisal.Heat) error) error {
	if len(data) > maxObject {
		return tooLarge("It has %d bytes, more than %d.", len(data), maxObject)
	}
	return s.Host.Use(ctx, v.Model, func(loaded hosting.Predictor) error {
		p := loaded.(*predictor)
		if p.classifier == nil {
			return fovea.Errorf(fovea.Invalid, "The model %s finds objects: its boxes say where they are, and it has no heat map.", v.Model.Name)
		}
		class := slices.Index(p.Labels, label)
		if label != "" && class < 0 {
			return fovea.Errorf(fovea.Invalid, "The model %s has no label %.100q.", v.Model.Name, label)
		}
		img, err := s.decode(ctx, data)
		if err != nil {
			return err
		}
		if class < 0 {
			out, err := p.classifier.Predict(img)
			if err != nil {
				return err
			}
			class = slices.Index(out.Scores, slices.Max(out.Scores))
		}
		h, err := heatOf(ctx, p.classifier, img, class)
		if err != nil {
			return err
		}
		return fn(h)
	})
}
