package head

import "fovea/internal/ml/matrix"

// Targets tell which classes the examples have: a row of zeros and ones for
// each example, a column for each class.
type Targets = matrix.Matrix

// OneHot returns the targets of examples that have one class each, of k.
func OneHot(classes []int, k int) *Targets {
	t := matrix.New(len(classes), k)
	for i, c := range classes {
		t.Row(i)[c] = 1
	}
	return t
}

// balance returns how much each example counts for each class, so that all
// classes count the same (vision.md §2.3): n/(K·n_k) for OneOf; for EachOwn
// n/(2·n_k) where the example has the class and n/(2·(n-n_k)) where not. A
// class that all examples have, or none, counts nothing for EachOwn.
func balance(kind Kind, t *Targets) *matrix.Matrix {
	n, count := float64(t.Rows), columnSums(t)
	present := 0.0
	for _, c := range count {
		if c > 0 {
			present++
		}
	}
	w := matrix.New(t.Rows, t.Cols)
	for i := range t.Rows {
		for k, y := range t.Row(i) {
			switch has := y > 0.5; {
			case kind == OneOf && has:
				weight := float32(n / (present * count[k]))
				for j := range w.Row(i) {
					w.Row(i)[j] = weight
				}
			case kind == EachOwn && count[k] > 0 && count[k] < n && has:
				w.Row(i)[k] = float32(n / (2 * count[k]))
			case kind == EachOwn && count[k] > 0 && count[k] < n:
				w.Row(i)[k] = float32(n / (2 * (n - count[k])))
			}
		}
	}
	return w
}

func columnSums(t *Targets) []float64 {
	sums := make([]float64, t.Cols)
	for i := range t.Rows {
		for k, y := range t.Row(i) {
			sums[k] += float64(y)
		}
	}
	return sums
}

// LogLoss returns the mean logarithmic loss of probabilities, with the classes
// balanced: 0 is perfect, log 2 is a coin for EachOwn.
func LogLoss(kind Kind, p *matrix.Matrix, t *Targets) float64 {
	w := balance(kind, t)
	loss, total := 0.0, 0.0
	for i := range t.Rows {
		for k, y := range t.Row(i) {
			weight, q := float64(w.Row(i)[k]), float64(p.Row(i)[k])
			if kind == OneOf && y < 0.5 {
				continue
			}
			if y < 0.5 {
				q = 1 - q
			}
			loss += weight * logOf(q)
			total += weight
		}
	}
	if total == 0 {
		return 0
	}
	return loss / total
}
