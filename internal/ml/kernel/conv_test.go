package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomTensor returns random numbers inside a border of zeros.
func randomTensor(rng *rand.Rand, n, h, w, c int) *Tensor {
	t := NewTensor(n, h, w, c)
	for i := range n {
		for y := range h {
			copy(t.Row(i, y), random(rng, w*c))
		}
	}
	return t
}

// reach calls fn for every product of the convolution: output pixel, input
// pixel, and the place of their weights.
func reach(s Shape, x, y *Tensor, fn func(n, oy, ox, iy, ix, place int)) {
	for n := range y.N {
		for oy := range y.H {
			for ox := range y.W {
				for k := range s.Size * s.Size {
					iy, ix := oy*s.Stride+k/s.Size-s.Size/2, ox*s.Stride+k%s.Size-s.Size/2
					if iy >= 0 && iy < x.H && ix >= 0 && ix < x.W {
						fn(n, oy, ox, iy, ix, k)
					}
				}
			}
		}
	}
}

// sums is a tensor in float64 without border.
type sums struct {
	h, w, c int
	data    []float64
}

func sumsLike(t *Tensor) *sums {
	return &sums{t.H, t.W, t.C, make([]float64, t.N*t.H*t.W*t.C)}
}

func (s *sums) at(n, y, x, c int) *float64 { return &s.data[((n*s.h+y)*s.w+x)*s.c+c] }

// compare fails if a tensor differs from sums, or if its border is not 0.
func compare(t *testing.T, name string, got *Tensor, want *sums, scale float64) {
	t.Helper()
	for n := range got.N {
		m := got.Map(n)
		for y := -1; y <= got.H; y++ {
			for x := -1; x <= got.W; x++ {
				for c := range got.C {
					v := float64(m[((y+1)*(got.W+2)+x+1)*got.C+c])
					inside := y >= 0 && y < got.H && x >= 0 && x < got.W
					if !inside {
						if v != 0 {
							t.Fatalf("%s: border pixel %d,%d,%d channel %d is %g", name, n, y, x, c, v)
						}
					} else if w := *want.at(n, y, x, c); !(math.Abs(v-w) <= 2e-6*scale) {
						t.Fatalf("%s: pixel %d,%d,%d channel %d is %g, want %g", name, n, y, x, c, v, w)
					}
				}
			}
		}
	}
}

func TestConv(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, set := range Sets() {
		for _, size := range []int{1, 3} {
			for _, stride := range []int{1, 2} {
				for _, m := range [][5]int{{1, 1, 1, 1, 1}, {2, 5, 7, 3, 16}, {9, 1, 1, 20, 17}, {1, 8, 8, 16, 32}, {3, 9, 4, 7, 5}, {1, 40, 33, 6, 48}, {10, 4, 4, 8, 33}} {
					shape := Shape{In: m[3], Out: m[4], Size: size, Stride: stride}
					t.Run(fmt.Sprintf("%s/%dx%ds%d/%v", set.Name(), size, size, stride, m), func(t *testing.T) {
						testConv(t, rng, set, shape, m[0], m[1], m[2])
					})
				}
			}
		}
	}
}

func testConv(t *testing.T, rng *rand.Rand, set *Set, s Shape, n, h, w int) {
	x, dy := randomTensor(rng, n, h, w, s.In), randomTensor(rng, n, s.Side(h), s.Side(w), s.Out)
	weights, before := random(rng, s.Weights()), random(rng, s.Weights())
	y, dx, dw := sumsLike(dy), sumsLike(x), make([]float64, s.Weights())
	reach(s, x, dy, func(n, oy, ox, iy, ix, place int) {
		from, to := x.Pixel(n, iy, ix), dy.Pixel(n, oy, ox)
		for i, v := range from {
			for o, g := range to {
				k := (place*s.In+i)*s.Out + o
				*y.at(n, oy, ox, o) += float64(v) * float64(weights[k])
				*dx.at(n, iy, ix, i) += float64(g) * float64(weights[k])
				dw[k] += float64(g) * float64(v)
			}
		}
	})
	var first []float32
	for workers := 1; workers <= 3; workers++ {
		pool := &Pool{Workers: workers}
		c := NewConv(s, set, pool)
		c.Pack(weights)
		c.PackBack(weights)
		got := NewTensor(n, dy.H, dy.W, s.Out)
		c.Forward(x, got, After{})
		compare(t, "output", got, y, float64(10*s.Size*s.Size*s.In))
		bits := slices.Clone(got.Data)

		gx := randomTensor(rng, n, h, w, s.In)
		c.Input(dy, gx, false)
		compare(t, "gradient of the input", gx, dx, float64(10*s.Size*s.Size*s.Out))
		bits = append(bits, gx.Data...)
		c.Input(dy, gx, true)
		twice := &sums{dx.h, dx.w, dx.c, slices.Clone(dx.data)}
		for i := range twice.data {
			twice.data[i] *= 2
		}
		compare(t, "gradient of the input, added", gx, twice, float64(20*s.Size*s.Size*s.Out))

		gw := slices.Clone(before)
		c.WeightGrad(x, dy, gw)
		for i, v := range gw {
			if d := float64(v) - float64(before[i]) - dw[i]; !(math.Abs(d) <= 2e-5*float64(n*h*w+10)) {
				t.Fatalf("gradient of weight %d is off by %g", i, d)
			}
		}
		bits = append(bits, gw...)
		if first == nil {
			first = bits
		} else if !slices.Equal(first, bits) {
			t.Fatalf("%d workers give other bits than one", workers)
		}
	}
}

// TestConvAfter compares what happens behind a convolution with the same done
// after it.
func TestConvAfter(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, set := range Sets() {
		for _, out := range []int{16, 24, 5} {
			c := NewConv(Shape{In: 4, Out: out, Size: 3, Stride: 2}, set, &Pool{Workers: 2})
			c.Pack(random(rng, c.Weights()))
			x, add := randomTensor(rng, 3, 15, 21, 4), randomTensor(rng, 3, 8, 11, out)
			scale, shift, ones := random(rng, out), random(rng, out), make([]float32, out)
			for i := range ones {
				ones[i] = 1
			}
			y := NewTensor(3, 8, 11, out)
			c.Forward(x, y, After{})
			for _, after := range []After{
				{Scale: scale, Shift: shift},
				{Scale: scale, Shift: shift, ReLU: true},
				{Scale: scale, Shift: shift, Add: add, Ones: ones, ReLU: true},
			} {
				want := sumsLike(y)
				for n := range y.N {
					for py := range y.H {
						for px := range y.W {
							for o, v := range y.Pixel(n, py, px) {
								w := float64(v)*float64(scale[o]) + float64(shift[o])
								if after.Add != nil {
									w += float64(add.Pixel(n, py, px)[o])
								}
								if after.ReLU {
									w = max(w, 0)
								}
								*want.at(n, py, px, o) = w
							}
						}
					}
				}
				got := NewTensor(3, 8, 11, out)
				c.Forward(x, got, after)
				compare(t, set.Name(), got, want, 10)
			}
		}
	}
}

// TestRows compares the passes of all sets with plain Go.
func TestRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	near := func(t *testing.T, what string, got, want []float32) {
		t.Helper()
		for i, v := range got {
			if !(math.Abs(float64(v-want[i])) <= 1e-4) {
				t.Fatalf("%s: number %d is %g, want %g", what, i, v, want[i])
			}
		}
	}
	for _, set := range Sets() {
		for _, c := range []int{1, 3, 8, 16, 24, 40} {
			for _, n := range []int{0, 1, 2, 3, 4, 5, 11, 64} {
				t.Run(fmt.Sprintf("%s/%dx%d", set.Name(), n, c), func(t *testing.T) {
					x, z := random(rng, n*c), random(rng, n*c)
					s, u, b := random(rng, c), random(rng, c), random(rng, c)
					for _, relu := range []bool{false, true} {
						got, want := make([]float32, n*c), make([]float32, n*c)
						set.Affine(got, x, s, b, relu)
						plain.Affine(want, x, s, b, relu)
						near(t, "affine", got, want)
						set.Blend(got, x, s, z, u, b, relu)
						plain.Blend(want, x, s, z, u, b, relu)
						near(t, "blend", got, want)
					}
					g1, g2, w1, w2 := slices.Clone(s), slices.Clone(u), slices.Clone(s), slices.Clone(u)
					set.Moments(g1, g2, x, z)
					plain.Moments(w1, w2, x, z)
					near(t, "first moment", g1, w1)
					near(t, "second moment", g2, w2)
					got, want := slices.Clone(x), slices.Clone(x)
					set.ReLUGrad(got, z)
					plain.ReLUGrad(want, z)
					near(t, "gradient of ReLU", got, want)
					set.Axpy(got, z, -0.3)
					plain.Axpy(want, z, -0.3)
					near(t, "axpy", got, want)
				})
			}
		}
	}
}

func BenchmarkConv(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, m := range [][6]int{{8, 64, 3, 16, 3, 2}, {8, 32, 16, 32, 3, 2}, {8, 16, 32, 32, 3, 1}, {8, 8, 128, 128, 3, 1}, {1, 64, 64, 64, 3, 1}} {
		s := Shape{In: m[2], Out: m[3], Size: m[4], Stride: m[5]}
		x := randomTensor(rng, m[0], m[1], m[1], s.In)
		y := randomTensor(rng, m[0], s.Side(m[1]), s.Side(m[1]), s.Out)
		c := NewConv(s, Auto(), &Pool{})
		w := random(rng, s.Weights())
		c.Pack(w)
		c.PackBack(w)
		flop := 2 * float64(y.N*y.H*y.W*s.Weights())
		for name, do := range map[string]func(){
			"forward": func() { c.Forward(x, y, After{}) },
			"input":   func() { c.Input(y, x, false) },
			"weights": func() { c.WeightGrad(x, y, w) },
		} {
			b.Run(fmt.Sprintf("%s/%dx%dx%dto%ds%d", name, m[0], m[1], s.In, s.Out, s.Stride), func(b *testing.B) {
				for b.Loop() {
					do()
				}
				b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
