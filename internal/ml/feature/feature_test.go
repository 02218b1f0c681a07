package feature_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/feature"
)

// paint returns an image of grey values.
func paint(w, h int, value func(x, y int) float64) *imaging.Image {
	m := imaging.New(w, h)
	for y := range h {
		for x := range w {
			v := uint8(min(255, max(0, value(x, y))))
			m.Set(x, y, v, v, v)
		}
	}
	return m
}

func near(d float64) cmp.Option {
	return cmp.Comparer(func(a, b float32) bool { return math.Abs(float64(a-b)) <= d })
}

func TestClassicalFlat(t *testing.T) {
	m := feature.Classical(paint(40, 30, func(x, y int) float64 { return 128 }), 8)
	if m.H != 4 || m.W != 5 || m.C != 26 {
		t.Fatalf("map of %dx%dx%d", m.H, m.W, m.C)
	}
	want := make([]float32, 26)
	want[0] = 53.585 / 50
	for i := range m.H * m.W {
		if diff := cmp.Diff(want, m.Data[26*i:26*i+26], near(2e-3)); diff != "" {
			t.Fatalf("cell %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestClassicalDirections: stripes of each direction show in its bin, on both
// scales, and more contrast gives more.
func TestClassicalDirections(t *testing.T) {
	for bin := range 8 {
		angle := float64(bin) * math.Pi / 8
		stripes := func(contrast float64) []float32 {
			m := feature.Classical(paint(64, 64, func(x, y int) float64 {
				return 128 + contrast*math.Sin((math.Cos(angle)*float64(x)+math.Sin(angle)*float64(y))*0.6)
			}), 8)
			return m.Cell(4, 4)
		}
		weak, strong := stripes(20), stripes(60)
		for _, first := range []int{6, 16} {
			best := 0
			for i, v := range strong[first : first+8] {
				if v > strong[first+best] {
					best = i
				}
			}
			if best != bin {
				t.Errorf("stripes of direction %d are strongest in %d: %v", bin, best, strong[first:first+8])
			}
			if strong[first+bin] < 1.3*weak[first+bin] {
				t.Errorf("direction %d: %v with little contrast, %v with much", bin, weak[first+bin], strong[first+bin])
			}
		}
	}
}

func TestClassicalSpots(t *testing.T) {
	spot := func(value float64) []float32 {
		m := feature.Classical(paint(32, 32, func(x, y int) float64 {
			if x == 12 && y == 12 {
				return value
			}
			return 128
		}), 8)
		return m.Cell(1, 1)
	}
	bright, dark := spot(255), spot(0)
	if bright[15] <= bright[14] || dark[14] <= dark[15] {
		t.Errorf("Laplacian of a bright spot %v, of a dark one %v", bright[14:16], dark[14:16])
	}
}

func TestWithContext(t *testing.T) {
	m := &feature.Map{H: 2, W: 3, C: 1, Data: []float32{1, 2, 3, 4, 5, 6}}
	want := []float32{1, 3, 2, 3.5, 3, 4, 4, 3, 5, 3.5, 6, 4}
	if diff := cmp.Diff(want, m.WithContext().Data, near(1e-6)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPool(t *testing.T) {
	m := &feature.Map{H: 2, W: 2, C: 2, Data: []float32{1, 0, 2, 0, 3, 4, 6, 0}}
	want := []float32{3, 1, 1.870829, 1.732051, 6, 4, 1, 0, 2, 0, 3, 4, 6, 0}
	if diff := cmp.Diff(want, m.Pool(), near(1e-5)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	one := &feature.Map{H: 1, W: 1, C: 1, Data: []float32{5}}
	if diff := cmp.Diff([]float32{5, 0, 5, 5, 5, 5, 5}, one.Pool()); diff != "" {
		t.Errorf("one cell (-want +got):\n%s", diff)
	}
}

func TestBlur(t *testing.T) {
	w := feature.Gaussian(2)
	sum := w[0]
	for _, v := range w[1:] {
		sum += 2 * v
	}
	if math.Abs(float64(sum)-1) > 1e-6 || len(w) != 7 {
		t.Errorf("%d weights that sum to %v", len(w), sum)
	}
	// A constant stays, in every size down to one pixel, and so does the sum of
	// what is far from the edges.
	for _, size := range [][2]int{{1, 1}, {2, 1}, {3, 5}, {20, 9}} {
		plane := make([]float32, size[0]*size[1])
		for i := range plane {
			plane[i] = 7
		}
		if diff := cmp.Diff(plane, feature.Blur(plane, size[0], size[1], 2), near(1e-5)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", size, diff)
		}
	}
	point := make([]float32, 21*21)
	point[10*21+10] = 1
	got := feature.Blur(point, 21, 21, 1)
	for d := range 4 {
		g := feature.Gaussian(1)
		want := g[d] * g[0]
		for _, at := range []int{10*21 + 10 + d, 10*21 + 10 - d, (10+d)*21 + 10, (10-d)*21 + 10} {
			if math.Abs(float64(got[at]-want)) > 1e-6 {
				t.Errorf("%d away: %v, want %v", d, got[at], want)
			}
		}
	}
}

func generator(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func BenchmarkClassical(b *testing.B) {
	m := paint(256, 256, func(x, y int) float64 { return float64((x*x + y*31) % 256) })
	for b.Loop() {
		feature.Classical(m, 8)
	}
}
