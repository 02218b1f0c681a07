package lookout

import (
	"slices"

	"fovea"
	"fovea/internal/ml/classify"
)

// anomalyLabel is the label of the threshold from which on an image is
// anomalous; those of areas have fovea.AreaPrefix.
const anomalyLabel = "anomaly"

// usualAnomaly is that threshold as training makes it: scores are calibrated.
const usualAnomaly = 0.5

// thresholds returns those that the training chose.
func (p *predictor) thresholds() map[string]float64 {
	m := map[string]float64{anomalyLabel: usualAnomaly}
	for _, l := range p.Labels {
		m[fovea.AreaPrefix+l.Name] = float64(l.Threshold)
	}
	return m
}

// with returns the model with the thresholds that are set in place of those
// that its training chose.
func (p *predictor) with(m *fovea.Model) *predictor {
	if len(m.Thresholds) == 0 {
		return p
	}
	out := *p
	if t, ok := m.Thresholds[anomalyLabel]; ok {
		out.anomaly = &t
	}
	if p.segmenter == nil {
		return &out
	}
	out.Labels = slices.Clone(p.Labels)
	segmenter := *p.segmenter
	segmenter.Types = slices.Clone(segmenter.Types)
	for i := range out.Labels {
		l := &out.Labels[i]
		l.Threshold = float32(m.Threshold(fovea.AreaPrefix+l.Name, float64(l.Threshold)))
		segmenter.Types[i].Threshold = l.Threshold
	}
	out.segmenter = &segmenter
	return &out
}

// decide tells whether an image is anomalous, and how sure that is, from 0.5 to
// 1 (LV-7.37). With a threshold of one's own the scale is stretched so that it
// is in the middle.
func (p *predictor) decide(verdict classify.Prediction) (anomalous bool, confidence float32) {
	if p.anomaly == nil {
		return verdict.IsAnomalous()
	}
	s, t := float64(verdict.Scores[classify.Anomalous]), *p.anomaly
	switch {
	case s < t:
		return false, float32(1 - s/t/2)
	case t < 1:
		return true, float32(0.5 + (s-t)/(1-t)/2)
	}
	return true, 1
}
