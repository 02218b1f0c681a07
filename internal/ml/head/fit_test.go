package head_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
)

// blobs returns examples of k classes around different centres, and their
// classes in turn.
func blobs(n, d, k int, spread float64, seed uint64) (*matrix.Matrix, []int) {
	r := rand.New(rand.NewPCG(seed, 1))
	centres := matrix.New(k, d)
	for i := range centres.Data {
		centres.Data[i] = float32(r.NormFloat64())
	}
	x, classes := matrix.New(n, d), make([]int, n)
	for i := range n {
		classes[i] = i % k
		for j, c := range centres.Row(i % k) {
			x.Row(i)[j] = c + float32(spread*r.NormFloat64())
		}
	}
	return x, classes
}

// objective returns what Fit makes small, for features as they are.
func objective(l *head.Linear, x *matrix.Matrix, classes []int, k int, c float64) float64 {
	count := make([]float64, k)
	for _, class := range classes {
		count[class]++
	}
	n := float64(x.Rows)
	sum := 0.0
	for i, class := range classes {
		z := make([]float64, len(l.B))
		for o := range z {
			z[o] = float64(l.B[o])
			for j, v := range x.Row(i) {
				z[o] += float64(v) * float64(l.W.Row(o)[j])
			}
		}
		if l.Kind == head.OneOf {
			total := 0.0
			for _, v := range z {
				total += math.Exp(v)
			}
			sum += c * n / (float64(k) * count[class]) * (math.Log(total) - z[class])
			continue
		}
		for o, v := range z {
			if o == class {
				sum += c * n / (2 * count[o]) * math.Log1p(math.Exp(-v))
			} else {
				sum += c * n / (2 * (n - count[o])) * math.Log1p(math.Exp(v))
			}
		}
	}
	for _, w := range l.W.Data {
		sum += float64(w) * float64(w) / 2
	}
	return sum
}

func TestFitIsOptimal(t *testing.T) {
	for _, tt := range []struct {
		name    string
		n, d, k int
		kind    head.Kind
	}{
		{"fewer features than examples", 60, 4, 3, head.OneOf},
		{"more features than examples", 20, 50, 3, head.OneOf},
		{"each its own", 45, 5, 3, head.EachOwn},
		{"each its own, many features", 21, 60, 2, head.EachOwn},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x, classes := blobs(tt.n, tt.d, tt.k, 1.5, 3)
			classes[0], classes[3] = 1, 1 // not of the same size
			const c = 0.7
			l, err := head.Fit(context.Background(), x, head.OneHot(classes, tt.k), head.Regression{Kind: tt.kind, C: c, Raw: true})
			if err != nil {
				t.Fatal(err)
			}
			least := objective(l, x, classes, tt.k, c)
			r := rand.New(rand.NewPCG(5, 5))
			for range 50 {
				moved := head.Linear{Kind: l.Kind, W: matrix.New(l.W.Rows, l.W.Cols), B: append([]float32(nil), l.B...)}
				for i, w := range l.W.Data {
					moved.W.Data[i] = w + 0.01*float32(r.NormFloat64())
				}
				moved.B[0] += 0.01 * float32(r.NormFloat64())
				if v := objective(&moved, x, classes, tt.k, c); v < least-1e-3 {
					t.Fatalf("objective %v nearby, %v at the fit", v, least)
				}
			}
		})
	}
}

// TestFitDual: a head is the same whether features are repeated, so that there
// are more of them than examples, or not.
func TestFitDual(t *testing.T) {
	x, classes := blobs(24, 6, 3, 1, 8)
	wide := matrix.New(24, 60)
	for i := range 24 {
		for j := range 60 {
			wide.Row(i)[j] = x.Row(i)[j%6] * 3
		}
	}
	y := head.OneHot(classes, 3)
	r := head.Regression{Kind: head.OneOf, C: 3}
	a, err := head.Fit(context.Background(), x, y, r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := head.Fit(context.Background(), wide, y, r)
	if err != nil {
		t.Fatal(err)
	}
	near := cmp.Comparer(func(a, b float32) bool { return math.Abs(float64(a-b)) < 3e-3 })
	if diff := cmp.Diff(a.Probabilities(x).Data, b.Probabilities(wide).Data, near); diff != "" {
		t.Errorf("probabilities (-few +many):\n%s", diff)
	}
}

func TestFitBalances(t *testing.T) {
	// 90 of one class and 10 of another, overlapping: the border is in the middle.
	r := rand.New(rand.NewPCG(1, 2))
	x, classes := matrix.New(1000, 1), make([]int, 1000)
	for i := range classes {
		if i%10 == 0 {
			classes[i] = 1
		}
		x.Row(i)[0] = float32(float64(classes[i])*2 + r.NormFloat64())
	}
	for _, kind := range []head.Kind{head.OneOf, head.EachOwn} {
		l, err := head.Fit(context.Background(), x, head.OneHot(classes, 2), head.Regression{Kind: kind, C: 100})
		if err != nil {
			t.Fatal(err)
		}
		p := l.Probabilities(matrix.Of([]float32{0.6}, []float32{1}, []float32{1.4}))
		if p.Row(0)[1] > 0.45 || p.Row(2)[1] < 0.55 || math.Abs(float64(p.Row(1)[1])-0.5) > 0.1 {
			t.Errorf("kind %d: probabilities %v", kind, p.Data)
		}
	}
}

func TestFitOdd(t *testing.T) {
	x, classes := blobs(12, 3, 2, 1, 1)
	y := head.OneHot(classes, 2)
	r := head.Regression{Kind: head.OneOf, C: 1}
	for i := range x.Rows {
		x.Row(i)[1] = 7 // tells nothing
	}
	l, err := head.Fit(context.Background(), x, y, r)
	if err != nil {
		t.Fatal(err)
	}
	if l.W.Row(0)[1] != 0 {
		t.Errorf("a constant feature has weight %v", l.W.Row(0)[1])
	}
	x.Row(4)[2] = float32(math.NaN())
	if _, err := head.Fit(context.Background(), x, y, r); err == nil {
		t.Error("fits NaN")
	}
	if _, err := head.Fit(context.Background(), matrix.New(0, 0), y, r); err == nil {
		t.Error("fits nothing")
	}
	x.Row(4)[2] = 0
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := head.Fit(ctx, x, y, r); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	// One class only, and a label that nobody or everybody has.
	one := head.OneHot(make([]int, 12), 2)
	for _, kind := range []head.Kind{head.OneOf, head.EachOwn} {
		l, err := head.Fit(context.Background(), x, one, head.Regression{Kind: kind, C: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range l.Probabilities(x).Data {
			if p < 0 || p > 1 || p != p {
				t.Errorf("probability %v", p)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	x, classes := blobs(90, 40, 3, 1, 4)
	y := head.OneHot(classes, 3)
	fold := head.Folds(y, 3, 1)
	r := head.Regression{Kind: head.OneOf}
	var one *head.Validated
	for _, workers := range []int{1, 3} {
		v, err := head.Validate(context.Background(), x, y, r, head.Strengths, head.Validation{Fold: fold, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if v.Loss > 0.3 {
			t.Errorf("loss %v of classes far apart", v.Loss)
		}
		if one != nil && cmp.Diff(one, v) != "" {
			t.Errorf("%d workers: (-1 +%d):\n%s", workers, workers, cmp.Diff(one, v))
		}
		one = v
	}
	// Labels without meaning: out-of-fold predictions must not look good.
	random := rand.New(rand.NewPCG(7, 7))
	for i := range classes {
		classes[i] = random.IntN(3)
	}
	y = head.OneHot(classes, 3)
	v, err := head.Validate(context.Background(), x, y, r, head.Strengths, head.Validation{Fold: head.Folds(y, 3, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if v.Loss < 0.9*math.Log(3) {
		t.Errorf("loss %v of labels without meaning, a guess has %v", v.Loss, math.Log(3))
	}
}

func TestGreedy(t *testing.T) {
	truth := head.OneHot([]int{0, 1, 0, 1}, 2)
	good := matrix.Of([]float32{.8, .2}, []float32{.3, .7}, []float32{.7, .3}, []float32{.2, .8})
	bad := matrix.Of([]float32{.1, .9}, []float32{.9, .1}, []float32{.1, .9}, []float32{.9, .1})
	if diff := cmp.Diff([]float64{1, 0}, head.Greedy(head.OneOf, []*matrix.Matrix{good, bad}, truth, 8)); diff != "" {
		t.Errorf("weights (-want +got):\n%s", diff)
	}
	// Two that are wrong in different places are better together.
	a := matrix.Of([]float32{.9, .1}, []float32{.6, .4}, []float32{.9, .1}, []float32{.1, .9})
	b := matrix.Of([]float32{.4, .6}, []float32{.1, .9}, []float32{.9, .1}, []float32{.1, .9})
	w := head.Greedy(head.OneOf, []*matrix.Matrix{a, b, bad}, truth, 8)
	if diff := cmp.Diff([]float64{.5, .5, 0}, w); diff != "" {
		t.Errorf("weights (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float32{.65, .35}, head.Mean([]*matrix.Matrix{a, b}, head.Equal(2)).Row(0), cmp.Comparer(func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-6 })); diff != "" {
		t.Errorf("mean (-want +got):\n%s", diff)
	}
}
