package lookout

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/segmentation"
)

// TestDecide: with any threshold an image is anomalous from it on, and the
// confidence is from 0.5 to 1 (LV-7.37) and grows with the distance from it.
func TestDecide(t *testing.T) {
	for _, threshold := range []float64{0, 0.1, 0.5, 0.9, 1} {
		p := (&predictor{}).with(&fovea.Model{Thresholds: map[string]float64{anomalyLabel: threshold}})
		before := float32(-1)
		for i := range 101 {
			s := float32(i) / 100
			anomalous, confidence := p.decide(classify.Prediction{Scores: []float32{1 - s, s}})
			if anomalous != (float64(s) >= threshold) || !(confidence >= 0.5 && confidence <= 1) {
				t.Errorf("with the threshold %v a score of %v is %t, %v", threshold, s, anomalous, confidence)
			}
			signed := confidence
			if !anomalous {
				signed = 1 - confidence
			}
			if signed < before {
				t.Errorf("with the threshold %v the score %v counts %v, less than the one below it", threshold, s, signed)
			}
			before = signed
		}
	}
	for _, s := range []float32{0, 0.3, 0.5, 0.8, 1} {
		out := classify.Prediction{Scores: []float32{1 - s, s}}
		a, x := (&predictor{}).decide(out)
		half := usualAnomaly
		b, y := (&predictor{anomaly: &half}).decide(out)
		if a != b || x-y > 1e-6 || y-x > 1e-6 {
			t.Errorf("a score of %v is %t, %v; with the usual threshold %t, %v", s, a, x, b, y)
		}
	}
}

func TestWithThresholds(t *testing.T) {
	p := &predictor{
		Labels:    []areaLabel{{Name: "crack", Threshold: 0.25}, {Name: "anomaly", Threshold: 0.75}},
		segmenter: &segmentation.Model{Types: []segmentation.Type{{Name: "crack", Threshold: 0.25}, {Name: "anomaly", Threshold: 0.75}}},
	}
	if diff := cmp.Diff(map[string]float64{"anomaly": 0.5, "mask:crack": 0.25, "mask:anomaly": 0.75}, p.thresholds()); diff != "" {
		t.Errorf("thresholds (-want +got):\n%s", diff)
	}
	if q := p.with(&fovea.Model{}); q != p {
		t.Error("with none set it is another model")
	}
	q := p.with(&fovea.Model{Thresholds: map[string]float64{"mask:anomaly": 0.5}})
	if q.anomaly != nil || q.segmenter.Types[0].Threshold != 0.25 || q.segmenter.Types[1].Threshold != 0.5 || q.Labels[1].Threshold != 0.5 {
		t.Errorf("%+v %+v", q, q.segmenter.Types)
	}
	if p.segmenter.Types[1].Threshold != 0.75 || p.Labels[1].Threshold != 0.75 {
		t.Error("the model that others use has changed")
	}
}
