package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// random returns n numbers around 0.
func random(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// view returns a random matrix of that shape, with strides that leave gaps and
// transposed where asked.
func view(rng *rand.Rand, rows, cols, gap int, transposed bool) Matrix {
	if transposed {
		return view(rng, cols, rows, gap, false).T()
	}
	return Matrix{Rows: rows, Cols: cols, Row: cols + gap, Col: 1, Data: random(rng, rows*(cols+gap))}
}

// reference computes alpha*a*b + beta*c in float64, and how large its terms are.
func reference(alpha float32, a, b Matrix, beta float32, c Matrix) (sum, size []float64) {
	for i := range c.Rows {
		for j := range c.Cols {
			s := float64(beta) * float64(c.Data[i*c.Row+j])
			if beta == 0 {
				s = 0
			}
			m := math.Abs(s)
			for p := range a.Cols {
				v := float64(alpha) * float64(a.Data[i*a.Row+p*a.Col]) * float64(b.Data[p*b.Row+j*b.Col])
				s, m = s+v, m+math.Abs(v)
			}
			sum, size = append(sum, s), append(size, m)
		}
	}
	return sum, size
}

func TestGemm(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	shapes := [][3]int{
		{0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {1, 1, 1}, {1, 16, 7}, {6, 16, 1}, {6, 16, 4}, {7, 17, 5}, {5, 15, 3}, {12, 32, 256},
		{13, 33, 257}, {144, 48, 64}, {145, 31, 300}, {1, 1100, 9}, {300, 3, 11}, {64, 1040, 30},
	}
	for _, set := range Sets() {
		for _, s := range shapes {
			for variant := range 8 {
				m, n, k := s[0], s[1], s[2]
				alpha, beta := []float32{1, 0.5, -2}[variant%3], []float32{0, 1, -0.5}[rng.IntN(3)]
				name := fmt.Sprintf("%s %dx%dx%d transposed %03b alpha %g beta %g", set.Name(), m, n, k, variant, alpha, beta)
				a, b := view(rng, m, k, variant, variant&1 > 0), view(rng, k, n, 2*variant, variant&2 > 0)
				c := view(rng, m, n, 3, false)
				if beta == 0 {
					for i := range c.Data {
						c.Data[i] = float32(math.NaN())
					}
				}
				want, size := reference(alpha, a, b, beta, c)
				before := slices.Clone(c.Data)
				g := Gemm{Set: set, Pool: Pool{Workers: 1 + variant%3}}
				g.Mul(alpha, a, b, beta, c)
				for i := range m {
					for j := range n {
						w, tol := want[i*n+j], 1e-6+4e-7*math.Sqrt(float64(k+2))*size[i*n+j]
						if got := float64(c.Data[i*c.Row+j]); !(math.Abs(got-w) <= tol) {
							t.Fatalf("%s: element %d,%d is %g, want %g", name, i, j, got, w)
						}
					}
					for j := n; j < c.Row; j++ {
						if math.Float32bits(c.Data[i*c.Row+j]) != math.Float32bits(before[i*c.Row+j]) {
							t.Fatalf("%s: wrote beyond row %d", name, i)
						}
					}
				}
			}
		}
	}
}

// TestGemmWorkers wants the same bits whatever the number of workers, and from
// scratch memory that was used before.
func TestGemmWorkers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	a, b := view(rng, 333, 301, 0, false), view(rng, 301, 1111, 0, true)
	for _, set := range Sets() {
		var first []float32
		for workers := range 6 {
			c := Dense(333, 1111, make([]float32, 333*1111))
			g := Gemm{Set: set, Pool: Pool{Workers: workers}}
			g.Mul(1, b.T(), a.T(), 0, Dense(1111, 333, make([]float32, 333*1111)))
			g.Mul(1, a, b, 0, c)
			if first == nil {
				first = c.Data
			} else if !slices.Equal(first, c.Data) {
				t.Errorf("%s: %d workers give other bits than one", set.Name(), workers)
			}
		}
	}
}

func TestGemmPanics(t *testing.T) {
	ok := Dense(2, 2, make([]float32, 4))
	for name, mul := range map[string][3]Matrix{
		"inner sizes differ": {Dense(2, 3, make([]float32, 6)), ok, ok},
		"too few numbers":    {{Rows: 2, Cols: 2, Row: 2, Col: 1, Data: make([]float32, 3)}, ok, ok},
		"transposed target":  {ok, ok, ok.T()},
		"negative stride":    {{Rows: 2, Cols: 2, Row: -2, Col: 1, Data: make([]float32, 9)}, ok, ok},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			new(Gemm).Mul(1, mul[0], mul[1], 0, mul[2])
		})
	}
}

func TestGemmAllocates(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	a, b, c := view(rng, 50, 60, 0, false), view(rng, 60, 70, 0, false), view(rng, 50, 70, 0, false)
	var g Gemm
	if n := testing.AllocsPerRun(10, func() { g.Mul(1, a, b, 0, c) }); n > 0 {
		t.Errorf("a product allocates %g times", n)
	}
}

func BenchmarkGemm(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][3]int{{768, 768, 768}, {66, 3136, 576}, {516, 48, 4608}} {
		for _, set := range Sets() {
			b.Run(fmt.Sprintf("%s/%dx%dx%d", set.Name(), s[0], s[1], s[2]), func(b *testing.B) {
				x, y := Dense(s[0], s[2], random(rng, s[0]*s[2])), Dense(s[2], s[1], random(rng, s[2]*s[1]))
				z := Dense(s[0], s[1], make([]float32, s[0]*s[1]))
				g := Gemm{Set: set}
				for b.Loop() {
					g.Mul(1, x, y, 0, z)
				}
				b.ReportMetric(2*float64(s[0]*s[1]*s[2])*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
