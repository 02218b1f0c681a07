// Package head turns features into decisions: linear classifiers and how much
// of them to believe.
//
// A head is class-balanced logistic regression (vision.md §2.3), the same for
// every kind of feature. Around it is what keeps a small data set honest:
// stratified folds, out-of-fold predictions, thresholds and calibration that
// are chosen on those and never on test images, and the metrics of both
// services. Everything is deterministic: where chance is wanted, it comes from
// a seed.
package head

import (
	"math"

	"fovea/internal/ml/matrix"
)

// A Kind says how the outputs of a head belong together.
type Kind uint8

// The kinds.
const (
	OneOf   Kind = iota // multinomial: every example has exactly one class
	EachOwn             // one-vs-rest: an example has any number of classes
)

// A Linear is a linear head: a row of weights and a bias for each class.
type Linear struct {
	Kind Kind
	W    *matrix.Matrix // classes x features
	B    []float32      // of each class
}

// Logits returns the outputs of the head for each row of x before they become
// probabilities.
func (l *Linear) Logits(x *matrix.Matrix) *matrix.Matrix {
	out := matrix.MulT(x, l.W)
	for i := range out.Rows {
		for k, b := range l.B {
			out.Row(i)[k] += b
		}
	}
	return out
}

// Probabilities returns the probability of each class for each row of x.
func (l *Linear) Probabilities(x *matrix.Matrix) *matrix.Matrix {
	return Probabilities(l.Kind, l.Logits(x))
}

// Probabilities turns logits into probabilities, in place.
func Probabilities(kind Kind, logits *matrix.Matrix) *matrix.Matrix {
	for i := range logits.Rows {
		if kind == OneOf {
			softmax(logits.Row(i))
			continue
		}
		for k, z := range logits.Row(i) {
			logits.Row(i)[k] = float32(Sigmoid(float64(z)))
		}
	}
	return logits
}

// softmax turns logits into probabilities that sum to one, in place.
func softmax(z []float32) {
	top := z[0]
	for _, v := range z {
		top = max(top, v)
	}
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(float64(v - top))
	}
	for k, v := range z {
		z[k] = float32(math.Exp(float64(v-top)) / sum)
	}
}

// Sigmoid returns 1/(1+exp(-z)).
func Sigmoid(z float64) float64 {
	if z >= 0 {
		return 1 / (1 + math.Exp(-z))
	}
	e := math.Exp(z)
	return e / (1 + e)
}

// Logit returns the z of which p is the Sigmoid, within ±18.
func Logit(p float64) float64 {
	p = math.Min(math.Max(p, 1e-8), 1-1e-8)
	return math.Log(p / (1 - p))
}

// softplus returns log(1+exp(z)).
func softplus(z float64) float64 { return math.Max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) }
