package classify

import (
	"context"
	"math"
	"slices"

	"fovea/internal/imaging"
	"fovea/internal/ml/feature"
	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
)

// A Model is a trained classifier. It is safe for use by several goroutines.
type Model struct {
	Task    Task
	Classes []string

	// Thresholds are the scores from which on each class is assumed, chosen
	// for the best F1 on out-of-fold predictions. For Anomaly that of
	// Anomalous is 0.5, because its score is calibrated.
	Thresholds []float64

	lens
	blocks []*block
	normal *normalScore // nil where there were anomalies to learn from
	odd    *oddity      // nil where no network learned from synthetic anomalies
	platt  head.Platt   // of Anomaly
	heat   heatScale    // of Anomaly
}

// A normalScore turns what is unusual in an image into a score from 0 to 1
// where there were no anomalies to learn from.
type normalScore struct {
	Distance spread  `json:"distance"`
	Deep     *spread `json:"deep,omitempty"` // of distances by a backbone's cells; nil without one
	Odd      *spread `json:"odd,omitempty"`  // of what networks find odd; nil without them
}

// A spread is the mean and the standard deviation of a score over normal images
// that were not seen.
type spread struct {
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"`
}

// spreadOf returns the spread of scores.
func spreadOf(v []float64) spread {
	s := spread{}
	s.Mean, s.Deviation = moments(v)
	s.Deviation = math.Max(s.Deviation, 1e-6*math.Abs(s.Mean)+1e-12)
	return s
}

// score returns the Sigmoid of how many standard deviations an image is above
// normal ones, the mean of all that have their say.
func (n *normalScore) score(distance, deep, odd float32) float64 {
	z, said := n.Distance.above(distance), 1.0
	if n.Deep != nil {
		z, said = z+n.Deep.above(deep), said+1
	}
	if n.Odd != nil {
		z, said = z+n.Odd.above(odd), said+1
	}
	return head.Sigmoid(z / said)
}

// above returns how many standard deviations a score is above the mean.
func (s *spread) above(v float32) float64 { return (float64(v) - s.Mean) / s.Deviation }

// quantile returns a quantile of v, which has numbers; its maximum for 0.
func quantile(v []float64, q float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if q == 0 {
		q = 1
	}
	at := q * float64(len(v)-1)
	i := min(int(at), len(v)-1)
	j := min(i+1, len(v)-1)
	return v[i] + (at-float64(i))*(v[j]-v[i])
}

// calibrate sets the calibration of Anomaly: p, shifted so that the threshold
// becomes 0.5, which keeps decisions apart from calibration (vision.md §2.4).
func (m *Model) calibrate(p head.Platt) {
	m.platt = p.Through(m.Thresholds[0])
	m.Thresholds = []float64{0.5, 0.5}
}

// A Prediction is what a model says of an image.
type Prediction struct {
	Scores []float32 // of each class, from 0 to 1; for Anomaly they sum to one
}

// IsAnomalous tells whether a prediction of the task Anomaly is Anomalous, and
// how sure that is, from 0.5 to 1 (LV-7.37).
func (p Prediction) IsAnomalous() (bool, float32) {
	s := p.Scores[Anomalous]
	return s >= 0.5, max(s, 1-s)
}

// Predict returns what the model says of an image, of which as many features
// are given as in training (Set.Given). Otherwise the error is the backbone's.
func (m *Model) Predict(img *imaging.Image, given ...float32) (Prediction, error) {
	v, err := m.look(context.Background(), img, given)
	if err != nil {
		return Prediction{}, err
	}
	odd := float32(0)
	if m.odd != nil {
		if odd, err = m.odd.score(img.Fit(oddSide)); err != nil {
			return Prediction{}, err
		}
	}
	return Prediction{m.scores(m.raw(v, odd))}, nil
}

// raw returns the mean of the probabilities of the heads; without heads, the
// score of distances, and of what networks find odd.
func (m *Model) raw(v *view, odd float32) []float32 {
	if m.normal != nil {
		var far [2]float32 // by the classical cells, and those of a backbone
		for k, b := range m.blocks {
			far[k] = feature.Top(b.memory.Distances(v.cells(b.source)), topShare)
		}
		return []float32{float32(m.normal.score(far[0], far[1], odd))}
	}
	var sum []float32
	for _, b := range m.blocks {
		if b.weight == 0 {
			continue
		}
		p := b.head.Probabilities(matrix.Of(b.encode(v))).Row(0)
		if sum == nil {
			sum = make([]float32, len(p))
		}
		for k, q := range p {
			sum[k] += float32(b.weight) * q
		}
	}
	return sum
}

// scores turns the mean of the heads into the scores of the classes.
func (m *Model) scores(raw []float32) []float32 {
	if m.Task != Anomaly {
		return raw
	}
	p := float32(m.platt.At(float64(raw[0])))
	return []float32{1 - p, p}
}

// Alone tells whether a model of the task Anomaly had no anomalies to learn
// from: it finds what looks unusual, whether it matters or not.
func (m *Model) Alone() bool { return m.normal != nil }

// A Heat tells where in an image something speaks for a class.
type Heat struct {
	W, H int // cells; they cover the image evenly
	Data []float32
}

// A heatScale makes distances comparable.
type heatScale struct{ Low, High float64 }

// setHeat sets the scale of heat maps: from the median of what cells of normal
// images had that were not in the memory to the greatest of it.
func (m *Model) setHeat(t *training) {
	var medians []float64
	for i, d := range t.distances {
		if t.isNormal(i) {
			medians = append(medians, float64(d.median))
			m.heat.High = math.Max(m.heat.High, float64(d.greatest))
		}
	}
	m.heat.Low, _ = moments(medians)
	if m.heat.High <= m.heat.Low {
		m.heat.High = m.heat.Low + 1
	}
}

// Heat returns where in an image something speaks for a class. For Anomaly it
// is how unusual each cell is, whatever the class: 0 is common among normal
// images, 1 the most unusual that one of them had. For labels it is how much
// each cell adds to the logit of the class by the classical features, scaled
// so that the greatest part is 1 or -1.
func (m *Model) Heat(img *imaging.Image, class int) *Heat {
	img = img.Fit(m.side)
	cells := feature.Classical(img, m.cell).WithContext()
	h := &Heat{W: (img.W + m.cell - 1) / m.cell, H: (img.H + m.cell - 1) / m.cell}
	for _, b := range m.blocks {
		switch {
		case b.method == nearest && b.source == classical:
			h.Data = b.memory.Distances(cells)
			for i, d := range h.Data {
				h.Data[i] = float32((float64(d) - m.heat.Low) / (m.heat.High - m.heat.Low))
			}
		case b.method == fisher && b.source == classical:
			h.Data = b.fisher.Explain(cells, b.head.W.Row(class))
			scale(h.Data)
		}
	}
	return h
}

// scale makes the greatest number 1 or -1.
func scale(v []float32) {
	top := float32(0)
	for _, x := range v {
		top = max(top, x, -x)
	}
	for i := range v {
		if top > 0 {
			v[i] /= top
		}
	}
}
