package head

import "fovea/internal/ml/matrix"

// Mean returns the weighted mean of matrices of the same size. The weights sum
// to one.
func Mean(ms []*matrix.Matrix, weights []float64) *matrix.Matrix {
	out := matrix.New(ms[0].Rows, ms[0].Cols)
	for i, m := range ms {
		w := float32(weights[i])
		if w == 0 {
			continue
		}
		for j, v := range m.Data {
			out.Data[j] += w * v
		}
	}
	return out
}

// Equal returns n weights of 1/n.
func Equal(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 1 / float64(n)
	}
	return w
}

// Greedy returns the weights of heads in a mean of their probabilities. It
// takes, steps times, the head that together with those taken before has the
// least balanced logarithmic loss, the same head several times if need be
// (Caruana et al., Ensemble Selection from Libraries of Models, 2004). The
// probabilities are out-of-fold ones.
func Greedy(kind Kind, heads []*matrix.Matrix, t *Targets, steps int) []float64 {
	weights := make([]float64, len(heads))
	sum := matrix.New(t.Rows, t.Cols)
	trial := matrix.New(t.Rows, t.Cols)
	for step := range steps {
		best, least := 0, 0.0
		for i, h := range heads {
			for j, v := range h.Data {
				trial.Data[j] = (sum.Data[j] + v) / float32(step+1)
			}
			if loss := LogLoss(kind, trial, t); i == 0 || loss < least {
				best, least = i, loss
			}
		}
		weights[best] += 1 / float64(steps)
		for j, v := range heads[best].Data {
			sum.Data[j] += v
		}
	}
	return weights
}
