package head

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

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

// An Isotonic turns scores into probabilities by a rising line through its
// points.
type Isotonic struct {
	Scores        []float64 // rising
	Probabilities []float64 // rising or equal
}

// FitIsotonic returns the rising line that fits the truth best, by pooling
// neighbours that are out of order (Zadrozny and Elkan, Transforming Classifier
// Scores into Accurate Multiclass Probability Estimates, 2002), with both
// classes counted the same. Each point is the mean of what was pooled.
func FitIsotonic(scores []float32, positive []bool) Isotonic {
	n := outcomes(positive)
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(scores[i], scores[j]) })
	type pool struct{ weight, score, hits float64 }
	var pools []pool
	for k, i := range order {
		w := 1 / n[btoi(positive[i])]
		p := pool{w, w * float64(scores[i]), w * float64(btoi(positive[i]))}
		tied := k > 0 && scores[order[k-1]] == scores[i]
		for len(pools) > 0 {
			last := pools[len(pools)-1]
			if !tied && last.hits/last.weight < p.hits/p.weight {
				break
			}
			p = pool{p.weight + last.weight, p.score + last.score, p.hits + last.hits}
			pools, tied = pools[:len(pools)-1], false
		}
		pools = append(pools, p)
	}
	var out Isotonic
	for _, p := range pools {
		out.Scores = append(out.Scores, p.score/p.weight)
		out.Probabilities = append(out.Probabilities, p.hits/p.weight)
	}
	return out
}

// At returns the probability of a score; the score itself, within 0 to 1, if
// nothing was fitted.
func (c Isotonic) At(score float64) float64 {
	n := len(c.Scores)
	if n == 0 {
		return math.Min(math.Max(score, 0), 1)
	}
	i := sort.SearchFloat64s(c.Scores, score)
	switch {
	case i == 0:
		return c.Probabilities[0]
	case i == n:
		return c.Probabilities[n-1]
	}
	t := (score - c.Scores[i-1]) / (c.Scores[i] - c.Scores[i-1])
	return c.Probabilities[i-1] + t*(c.Probabilities[i]-c.Probabilities[i-1])
}
