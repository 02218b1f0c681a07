package head

import (
	"context"
	"fmt"
	"math"

	"fovea/internal/ml/matrix"
)

// A Regression is what a fit of logistic regression is told.
type Regression struct {
	Kind Kind

	// C is the inverse strength of the L2 penalty, as LIBLINEAR has it: the
	// objective is |w|²/2 + C times the sum of the balanced losses.
	C float64

	// Raw leaves the features as they are, as Fisher vectors want it. Otherwise
	// each is made to have mean 0 and variance 1 and divided by the root of
	// their number.
	Raw bool
}

// maxSteps bounds the steps of L-BFGS.
const maxSteps = 300

// Fit returns the head that fits the targets best. The features are rows of x,
// one for each row of t. It ends early, with its error, when the context does.
//
// Where there are many more features than examples the fit is made in the space
// that the examples span, which is exact: the best weights are a combination
// of them (the representer theorem).
func Fit(ctx context.Context, x *matrix.Matrix, t *Targets, r Regression) (*Linear, error) {
	s, err := newSpace(x, r.Raw)
	if err != nil {
		return nil, err
	}
	if t.Rows != x.Rows || t.Cols == 0 {
		return nil, fmt.Errorf("head: %d rows of features, targets of %dx%d", x.Rows, t.Rows, t.Cols)
	}
	v, err := s.fit(ctx, t, r)
	if err != nil {
		return nil, err
	}
	return s.head(r.Kind, v), nil
}

// A space is the features of the examples, prepared for fits.
type space struct {
	mean, scale []float32      // of each feature
	z           *matrix.Matrix // the examples, prepared
	factor      *matrix.Factor // of the Gram matrix of z; nil where not needed
	rows        *matrix.Matrix // what is fitted: z, or the factor's L
}

func newSpace(x *matrix.Matrix, raw bool) (*space, error) {
	if x.Rows == 0 || x.Cols == 0 {
		return nil, fmt.Errorf("head: nothing to fit: %d examples of %d features", x.Rows, x.Cols)
	}
	s := &space{mean: make([]float32, x.Cols), scale: make([]float32, x.Cols)}
	for j := range s.scale {
		s.scale[j] = 1
	}
	if !raw {
		s.mean = x.Means()
		for j, v := range x.Variances(s.mean) {
			s.scale[j] = 0
			if d := math.Sqrt(float64(v)); d > 1e-6*(1+math.Abs(float64(s.mean[j]))) {
				s.scale[j] = float32(1 / (d * math.Sqrt(float64(x.Cols))))
			}
		}
	}
	s.z = matrix.New(x.Rows, x.Cols)
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			s.z.Row(i)[j] = (v - s.mean[j]) * s.scale[j]
			if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("head: feature %d of example %d is %v", j, i, v)
			}
		}
	}
	s.rows = s.z
	if x.Cols > 2*x.Rows { // else the factor costs more than it saves
		s.factor = matrix.Cholesky(matrix.MulT(s.z, s.z))
		s.rows = s.factor.L
	}
	return s, nil
}

// head returns the head for features as they come, given the weights and
// biases that were fitted.
func (s *space) head(kind Kind, v []float64) *Linear {
	d := s.rows.Cols
	classes := len(v) / (d + 1)
	w := matrix.New(classes, d)
	l := &Linear{Kind: kind, B: make([]float32, classes)}
	for k := range classes {
		for j := range d {
			w.Row(k)[j] = float32(v[k*(d+1)+j])
		}
	}
	if s.factor != nil {
		mix := matrix.New(classes, s.z.Rows)
		for k := range classes {
			copy(mix.Row(k), s.factor.Combination(w.Row(k)))
		}
		w = matrix.Mul(mix, s.z)
	}
	for k := range classes {
		b := v[k*(d+1)+d]
		for j, scale := range s.scale {
			w.Row(k)[j] *= scale
			b -= float64(w.Row(k)[j]) * float64(s.mean[j])
		}
		l.B[k] = float32(b)
	}
	l.W = w
	return l
}

// fit returns the weights and the bias of each class, one after another.
func (s *space) fit(ctx context.Context, t *Targets, r Regression) ([]float64, error) {
	o := &objective{space: s, t: t, weights: balance(r.Kind, t), Regression: r}
	return minimize(ctx, o.value, make([]float64, t.Cols*(s.rows.Cols+1)), maxSteps)
}

// An objective is the function that a fit makes small.
type objective struct {
	*space
	Regression
	t, weights *matrix.Matrix
}

// value returns the objective, divided by C·n, at v and puts its gradient
// into g.
func (o *objective) value(v, g []float64) float64 {
	d, classes := o.rows.Cols, o.t.Cols
	w := matrix.New(classes, d)
	penalty, n := 0.0, float64(o.rows.Rows)
	shrink := 1 / (o.C * n)
	for k := range classes {
		for j := range d {
			x := v[k*(d+1)+j]
			w.Row(k)[j] = float32(x)
			penalty += x * x / 2 * shrink
			g[k*(d+1)+j] = x * shrink
		}
		g[k*(d+1)+d] = 0
	}
	logits := matrix.MulT(w, o.rows) // classes x examples
	loss := 0.0
	z, residual := make([]float64, classes), make([]float64, classes)
	for i := range o.rows.Rows {
		for k := range z {
			z[k] = float64(logits.Row(k)[i]) + v[k*(d+1)+d]
		}
		loss += o.loss(z, o.t.Row(i), o.weights.Row(i), residual)
		for k, e := range residual {
			logits.Row(k)[i] = float32(e / n)
			g[k*(d+1)+d] += e / n
		}
	}
	gradient := matrix.Mul(logits, o.rows)
	for k := range classes {
		for j, e := range gradient.Row(k) {
			g[k*(d+1)+j] += float64(e)
		}
	}
	return penalty + loss/n
}

// loss returns the loss of an example with logits z, and puts its derivatives
// into residual.
func (o *objective) loss(z []float64, y, weights []float32, residual []float64) float64 {
	loss := 0.0
	if o.Kind == EachOwn {
		for k, z := range z {
			w, target := float64(weights[k]), float64(y[k])
			loss += w * (softplus(z) - target*z)
			residual[k] = w * (Sigmoid(z) - target)
		}
		return loss
	}
	top := math.Inf(-1)
	for _, z := range z {
		top = math.Max(top, z)
	}
	sum := 0.0
	for _, z := range z {
		sum += math.Exp(z - top)
	}
	for k, z := range z {
		w, target := float64(weights[k]), float64(y[k])
		loss += w * target * (math.Log(sum) + top - z)
		residual[k] = w * (math.Exp(z-top)/sum - target)
	}
	return loss
}

func logOf(p float64) float64 { return -math.Log(math.Max(p, 1e-7)) }
