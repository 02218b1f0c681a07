package head

import (
	"context"

	"golang.org/x/sync/errgroup"

	"fovea/internal/ml/matrix"
)

// The values of C that are tried (vision.md §2.3).
var (
	Strengths       = []float64{0.3, 3, 30}
	FisherStrengths = []float64{1, 10, 100} // for Fisher vectors
)

// A Validated is a head with what it said of its own training examples when it
// had not seen them.
type Validated struct {
	*Linear
	C         float64
	OutOfFold *matrix.Matrix // logits, a row for each example
	Loss      float64        // balanced logarithmic loss of these
}

// Validation says how heads are validated.
type Validation struct {
	Fold    []int // of each example, as Folds returns them
	Workers int   // folds that are fitted at the same time; 0 is one
}

// Validate fits a head for each value of C in cs to all folds but one, has it
// predict that one, and returns the head with the C of the least loss, the
// smallest of equals, fitted to all examples. It ends early, with its error,
// when the context does.
func Validate(ctx context.Context, x *matrix.Matrix, t *Targets, r Regression, cs []float64, v Validation) (*Validated, error) {
	folds := 0
	for _, f := range v.Fold {
		folds = max(folds, f+1)
	}
	logits := make([]*matrix.Matrix, len(cs))
	for c := range cs {
		logits[c] = matrix.New(t.Rows, t.Cols)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, v.Workers))
	for fold := range folds {
		g.Go(func() error { return validateFold(gctx, x, t, r, cs, v.Fold, fold, logits) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	best := &Validated{}
	for c, z := range logits {
		p := Probabilities(r.Kind, &matrix.Matrix{Rows: z.Rows, Cols: z.Cols, Data: append([]float32(nil), z.Data...)})
		if loss := LogLoss(r.Kind, p, t); c == 0 || loss < best.Loss {
			best.C, best.OutOfFold, best.Loss = cs[c], z, loss
		}
	}
	var err error
	r.C = best.C
	best.Linear, err = Fit(ctx, x, t, r)
	return best, err
}

// validateFold predicts the examples of one fold with heads fitted to the
// others.
func validateFold(ctx context.Context, x *matrix.Matrix, t *Targets, r Regression, cs []float64, folds []int, fold int, logits []*matrix.Matrix) error {
	var in, out []int
	for i, f := range folds {
		if f == fold {
			out = append(out, i)
		} else {
			in = append(in, i)
		}
	}
	if len(out) == 0 {
		return nil
	}
	s, err := newSpace(x.Pick(in), r.Raw)
	if err != nil {
		return err
	}
	targets, unseen := t.Pick(in), x.Pick(out)
	for c := range cs {
		r.C = cs[c]
		v, err := s.fit(ctx, targets, r)
		if err != nil {
			return err
		}
		z := s.head(r.Kind, v).Logits(unseen)
		for i, row := range out {
			copy(logits[c].Row(row), z.Row(i))
		}
	}
	return nil
}
