package feature

import (
	"context"
	"math"
	"math/rand/v2"

	"fovea/internal/ml/matrix"
)

// A Mixture is a mixture of normal distributions with diagonal covariances.
type Mixture struct {
	Weights   []float32      // of each component; they sum to one
	Means     *matrix.Matrix // a row for each component
	Variances *matrix.Matrix
}

// Of the fit of a mixture.
const (
	emSteps       = 25
	varianceFloor = 0.01
)

// FitMixture returns the mixture of k components that fits the rows of x, by
// expectation maximization from starting points that are drawn far from each
// other. There are at least as many rows as components. It ends early, with its
// error, when the context does.
func FitMixture(ctx context.Context, x *matrix.Matrix, k int, r *rand.Rand) (*Mixture, error) {
	m := &Mixture{Weights: make([]float32, k), Means: x.Pick(spread(x, k, r)), Variances: matrix.New(k, x.Cols)}
	all := x.Variances(x.Means())
	for i := range k {
		m.Weights[i] = 1 / float32(k)
		for j, v := range all {
			m.Variances.Row(i)[j] = max(v, varianceFloor)
		}
	}
	wide := withSquares(x)
	for range emSteps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m.maximize(m.sums(wide), x.Rows)
	}
	return m, nil
}

// spread returns k rows of x, each drawn with a probability in proportion to
// its squared distance to the nearest one drawn before (Arthur and
// Vassilvitskii, k-means++, 2007).
func spread(x *matrix.Matrix, k int, r *rand.Rand) []int {
	picked := []int{r.IntN(x.Rows)}
	nearest := make([]float64, x.Rows)
	for i := range nearest {
		nearest[i] = math.Inf(1)
	}
	for len(picked) < k {
		last := x.Row(picked[len(picked)-1])
		total := 0.0
		for i := range nearest {
			nearest[i] = math.Min(nearest[i], squaredDistance(last, x.Row(i)))
			total += nearest[i]
		}
		at, next := r.Float64()*total, 0
		for i, d := range nearest {
			if at -= d; at < 0 {
				next = i
				break
			}
		}
		picked = append(picked, next)
	}
	return picked
}

func squaredDistance(a, b []float32) float64 {
	s := float32(0)
	for i, v := range a {
		d := v - b[i]
		s += d * d
	}
	return float64(s)
}

// withSquares returns x with the square of each number added to its row.
func withSquares(x *matrix.Matrix) *matrix.Matrix {
	out := matrix.New(x.Rows, 2*x.Cols)
	for i := range x.Rows {
		row := out.Row(i)
		for j, v := range x.Row(i) {
			row[j], row[x.Cols+j] = v, v*v
		}
	}
	return out
}

// posteriors returns how probably each row of wide, with squares, belongs to
// each component.
func (m *Mixture) posteriors(wide *matrix.Matrix) *matrix.Matrix {
	d := m.Means.Cols
	quadratic := matrix.New(len(m.Weights), 2*d)
	constant := make([]float64, len(m.Weights))
	for k, w := range m.Weights {
		constant[k] = math.Log(math.Max(float64(w), 1e-12))
		for j, mean := range m.Means.Row(k) {
			v := m.Variances.Row(k)[j]
			quadratic.Row(k)[j] = mean / v
			quadratic.Row(k)[d+j] = -0.5 / v
			constant[k] -= 0.5 * (math.Log(float64(v)) + float64(mean)*float64(mean)/float64(v))
		}
	}
	p := matrix.MulT(wide, quadratic)
	for i := range p.Rows {
		row, top := p.Row(i), math.Inf(-1)
		for k := range row {
			row[k] += float32(constant[k])
			top = math.Max(top, float64(row[k]))
		}
		sum := 0.0
		for k, v := range row {
			e := math.Exp(float64(v) - top)
			row[k] = float32(e)
			sum += e
		}
		for k := range row {
			row[k] /= float32(sum)
		}
	}
	return p
}

// A moments is what the components got of some rows: how many, their sum and
// the sum of their squares.
type moments struct {
	count []float64
	sums  *matrix.Matrix // a row for each component: sums, then sums of squares
}

// block is how many rows are worked on at a time.
const block = 2048

// sums returns the moments of the rows of wide.
func (m *Mixture) sums(wide *matrix.Matrix) moments {
	out := moments{count: make([]float64, len(m.Weights)), sums: matrix.New(len(m.Weights), wide.Cols)}
	for from := 0; from < wide.Rows; from += block {
		part := wide.Slice(from, min(from+block, wide.Rows))
		p := m.posteriors(part)
		for i := range p.Rows {
			for k, v := range p.Row(i) {
				out.count[k] += float64(v)
			}
		}
		for i, v := range matrix.TMul(p, part).Data {
			out.sums.Data[i] += v
		}
	}
	return out
}

// maximize sets the mixture to the moments of n rows. A component that got
// hardly anything stays where it is.
func (m *Mixture) maximize(s moments, n int) {
	d := m.Means.Cols
	for k, c := range s.count {
		m.Weights[k] = float32(c / float64(n))
		if c < 1 {
			continue
		}
		for j := range d {
			mean := float64(s.sums.Row(k)[j]) / c
			m.Means.Row(k)[j] = float32(mean)
			m.Variances.Row(k)[j] = float32(math.Max(varianceFloor, float64(s.sums.Row(k)[d+j])/c-mean*mean))
		}
	}
}
