package feature_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/ml/feature"
	"fovea/internal/ml/matrix"
)

// clusters returns rows around centres, each as often as the others.
func clusters(n int, spread float64, centres ...[]float32) *matrix.Matrix {
	r := generator(11)
	x := matrix.New(n, len(centres[0]))
	for i := range n {
		for j, c := range centres[i%len(centres)] {
			x.Row(i)[j] = c + float32(spread*r.NormFloat64())
		}
	}
	return x
}

func TestProjection(t *testing.T) {
	// Three columns, of which two are the same up to scale.
	r := generator(1)
	x := matrix.New(2000, 3)
	for i := range x.Rows {
		a, b := r.NormFloat64(), r.NormFloat64()
		copy(x.Row(i), []float32{float32(100*a + 7), float32(a), float32(0.01 * b)})
	}
	p := feature.FitProjection(x, 2)
	y := p.Apply(x)
	means := y.Means()
	if diff := cmp.Diff([]float32{0, 0}, means, near(1e-3)); diff != "" {
		t.Errorf("means (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float32{1, 1}, y.Variances(means), near(0.02)); diff != "" {
		t.Errorf("variances (-want +got):\n%s", diff)
	}
	// The first is what the two columns share.
	got := p.Apply(matrix.Of([]float32{107, 1, 0})).Row(0)
	if math.Abs(float64(got[0])) < 0.9 || math.Abs(float64(got[1])) > 0.1 {
		t.Errorf("one deviation of what is shared is %v", got)
	}
	if p := feature.FitProjection(matrix.New(5, 3), 2); p.Apply(matrix.New(1, 3)).Row(0)[0] != 0 {
		t.Error("constants are projected on something")
	}
}

func TestMixture(t *testing.T) {
	x := clusters(3000, 0.3, []float32{0, 0}, []float32{5, 0}, []float32{0, 9})
	m, err := feature.FitMixture(context.Background(), x, 3, generator(2))
	if err != nil {
		t.Fatal(err)
	}
	for k, w := range m.Weights {
		mean := m.Means.Row(k)
		known := false
		for _, c := range [][]float32{{0, 0}, {5, 0}, {0, 9}} {
			known = known || math.Hypot(float64(mean[0]-c[0]), float64(mean[1]-c[1])) < 0.05
		}
		if !known || math.Abs(float64(w)-1./3) > 0.01 || math.Abs(float64(m.Variances.Row(k)[0])-0.09) > 0.02 {
			t.Errorf("component %d: weight %v, mean %v, variance %v", k, w, mean, m.Variances.Row(k))
		}
	}
	again, err := feature.FitMixture(context.Background(), x, 3, generator(2))
	if diff := cmp.Diff(m, again); err != nil || diff != "" {
		t.Errorf("the same seed gives another mixture: %v\n%s", err, diff)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := feature.FitMixture(ctx, x, 3, generator(2)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// asMap returns rows as a map of one row of cells.
func asMap(x *matrix.Matrix) *feature.Map {
	return &feature.Map{H: 1, W: x.Rows, C: x.Cols, Data: x.Data}
}

func TestFisher(t *testing.T) {
	x := clusters(3000, 0.5, []float32{0, 0, 1}, []float32{5, 0, 0}, []float32{0, 9, 3})
	f, err := feature.FitFisher(context.Background(), x, feature.FisherSetting{Dims: 3, Components: 3}, generator(3))
	if err != nil {
		t.Fatal(err)
	}
	if f.Size() != 2*3*3 {
		t.Errorf("size %d", f.Size())
	}
	usual, other := f.Encode(asMap(x.Slice(0, 300))), f.Encode(asMap(clusters(300, 0.5, []float32{0, 0, 1})))
	again := f.Encode(asMap(clusters(300, 0.7, []float32{0, 0, 1})))
	for _, v := range [][]float32{usual, other, again} {
		if l := matrix.Dot(v, v); math.Abs(float64(l)-1) > 1e-4 {
			t.Errorf("a vector of squared length %v", l)
		}
	}
	if same, different := matrix.Dot(other, again), matrix.Dot(usual, again); same < different+0.15 {
		t.Errorf("likeness of the like %v, of the unlike %v", same, different)
	}

	// The gradient of the log-likelihood by a mean, numerically.
	part := asMap(x.Slice(0, 60))
	likelihood := func() float64 {
		y := f.Apply(part.Cells())
		sum := 0.0
		for i := range y.Rows {
			p := 0.0
			for k, w := range f.Weights {
				q := float64(w)
				for j, v := range y.Row(i) {
					variance := float64(f.Variances.Row(k)[j])
					d := float64(v - f.Means.Row(k)[j])
					q *= math.Exp(-d*d/(2*variance)) / math.Sqrt(2*math.Pi*variance)
				}
				p += q
			}
			sum += math.Log(p)
		}
		return sum / float64(y.Rows)
	}
	got := f.Encode(part)
	scale := 0.0 // the vector is scaled: the first entry tells by how much
	for k := range 3 {
		for j := range 3 {
			const h = 0.01
			mean := &f.Means.Row(k)[j]
			*mean += h
			up := likelihood()
			*mean -= 2 * h
			down := likelihood()
			*mean += h
			gradient := (up - down) / (2 * h) * math.Sqrt(float64(f.Variances.Row(k)[j])/float64(f.Weights[k]))
			want, have := math.Copysign(math.Sqrt(math.Abs(gradient)), gradient), float64(got[k*3+j])
			if scale == 0 {
				scale = have / want
			}
			if math.Abs(have-scale*want) > 0.02 {
				t.Errorf("component %d, dimension %d: %v, numerically %v", k, j, have, scale*want)
			}
		}
	}

	// What cells add sums to the whole.
	w := make([]float32, f.Size())
	for i := range w {
		w[i] = float32(math.Sin(float64(i)))
	}
	sum := float32(0)
	for _, v := range f.Explain(part, w) {
		sum += v
	}
	if whole := matrix.Dot(w, got); math.Abs(float64(sum-whole)) > 1e-3 {
		t.Errorf("cells add up to %v, the whole is %v", sum, whole)
	}
}

func TestMemory(t *testing.T) {
	x := clusters(20000, 1, make([]float32, 20))
	m, err := feature.FitMemory(context.Background(), x, generator(4))
	if err != nil {
		t.Fatal(err)
	}
	if m.Cells.Rows != feature.MemoryCells {
		t.Errorf("%d cells", m.Cells.Rows)
	}
	// A map whose middle is odd.
	odd := &feature.Map{H: 15, W: 20, C: 20, Data: append([]float32(nil), clusters(300, 1, make([]float32, 20)).Data...)}
	for c := range 20 {
		odd.Cell(7, 10)[c] += 8
	}
	d := m.Distances(odd)
	top := 0
	for i, v := range d {
		if v > d[top] {
			top = i
		}
	}
	if top != 7*20+10 {
		t.Errorf("the greatest distance is at %d, %d", top/20, top%20)
	}
	e := feature.Extremes(d)
	if len(e) != 5 || e[0] != d[top] || e[0] <= e[1] || e[1] < e[2] || e[2] < e[3] || e[0] < 1.5*e[4] {
		t.Errorf("extremes %v", e)
	}
	if got := feature.Top(d, 0.001); got != d[top] {
		t.Errorf("the top is %v, the greatest %v", got, d[top])
	}

	// Cells of the memory are at distance zero; without the blur distances are exact.
	few, err := feature.FitMemory(context.Background(), x.Slice(0, 50), generator(4))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range few.Distances(asMap(x.Slice(0, 50))) {
		if v > 2e-3 {
			t.Errorf("a cell of the memory is %v away", v)
		}
	}
	one := &feature.Map{H: 1, W: 1, C: 20, Data: x.Row(77)}
	nearest := math.Inf(1)
	for i := range 50 {
		s := 0.0
		for j, v := range x.Row(i) {
			e := float64((v - x.Row(77)[j]) * few.Scale[j])
			s += e * e
		}
		nearest = min(nearest, math.Sqrt(s/20))
	}
	if got := few.Distances(one)[0]; math.Abs(float64(got)-nearest) > 1e-3 {
		t.Errorf("distance %v, want %v", got, nearest)
	}

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := feature.FitMemory(ctx, x, generator(4)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestMemoryCovers: a coreset reaches into what is rare, where chance would not.
func TestMemoryCovers(t *testing.T) {
	x := clusters(9000, 0.2, make([]float32, 6))
	for i := range 5 { // five cells of a kind of their own
		for j := range 6 {
			x.Row(1000 * (i + 1))[j] += 6
		}
	}
	m, err := feature.FitMemory(context.Background(), x, generator(5))
	if err != nil {
		t.Fatal(err)
	}
	if d := m.Distances(&feature.Map{H: 1, W: 1, C: 6, Data: x.Row(3000)}); d[0] > 2 {
		t.Errorf("a rare normal cell is %v away", d[0])
	}
}
