package head

import "math"

// A Platt turns probabilities into better ones: Sigmoid(A·Logit(p) + B).
type Platt struct{ A, B float64 }

// leastSlope keeps a calibration increasing where scores tell nothing.
const leastSlope = 0.01

// FitPlatt returns the calibration under which probabilities fit the truth
// best, with both classes counted the same: a calibration that depends on how
// frequent a class was in training moves decisions wrongly when it is not so
// frequent later (vision.md §2.4). The targets are softened as Platt has it
// (Probabilistic Outputs for Support Vector Machines, 1999), so few examples
// don't make it certain. Without examples of both classes it changes nothing.
func FitPlatt(p []float32, positive []bool) Platt {
	n := outcomes(positive)
	return fitPlatt(p, positive, [2]float64{1 / n[0], 1 / n[1]})
}

// FitShare returns the calibration that FitPlatt returns, but with every
// example counted the same: under it a probability is, about, the share of
// examples with it that are positive. It is for what a model finds, which is
// right about as often later.
func FitShare(p []float32, positive []bool) Platt {
	n := float64(max(1, len(positive)))
	return fitPlatt(p, positive, [2]float64{1 / n, 1 / n})
}

// outcomes returns how many are negative and how many positive.
func outcomes(positive []bool) (n [2]float64) {
	for _, y := range positive {
		n[btoi(y)]++
	}
	return n
}

// fitPlatt fits a calibration with these weights of negative and positive
// examples.
func fitPlatt(p []float32, positive []bool, weight [2]float64) Platt {
	n := outcomes(positive)
	if n[0] == 0 || n[1] == 0 {
		return Platt{A: 1}
	}
	target := [2]float64{1 / (n[0] + 2), (n[1] + 1) / (n[1] + 2)}
	a, b := 1.0, 0.0
	for range 100 {
		// A step of Newton's method with a ridge, on the two parameters.
		var ga, gb, haa, hab, hbb float64
		for i, y := range positive {
			x, w := Logit(float64(p[i])), weight[btoi(y)]
			q := Sigmoid(a*x + b)
			e, h := w*(q-target[btoi(y)]), w*q*(1-q)
			ga, gb = ga+e*x, gb+e
			haa, hab, hbb = haa+h*x*x, hab+h*x, hbb+h
		}
		haa, hbb = haa+1e-6, hbb+1e-6
		det := haa*hbb - hab*hab
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		limit := math.Min(1, 1/math.Max(math.Abs(da), math.Abs(db)/4))
		a, b = a-limit*da, b-limit*db
		if math.Abs(da)+math.Abs(db) < 1e-9 {
			break
		}
	}
	if a < leastSlope {
		a = leastSlope
	}
	return Platt{a, b}
}

// At returns the calibrated probability.
func (c Platt) At(p float64) float64 { return Sigmoid(c.A*Logit(p) + c.B) }

// Through returns the calibration shifted so that it turns p into 0.5.
func (c Platt) Through(p float64) Platt { return Platt{c.A, -c.A * Logit(p)} }
