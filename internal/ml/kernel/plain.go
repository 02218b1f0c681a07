package kernel

import "unsafe"

// plain is the set in Go, for every processor.
var plain = Set{
	name: "go", gemm: gemmGo, conv: convGo, lanes: 1,
	affine: affineGo, blend: blendGo, moments: momentsGo, reluGrad: reluGradGo, axpy: axpyGo,
}

// at returns the value that lies that many bytes from p.
func at(p *float32, bytes int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), bytes)) }

// row returns the sixteen values from bytes behind p on.
func row(p *float32, bytes int) *[tileCols]float32 {
	return (*[tileCols]float32)(unsafe.Add(unsafe.Pointer(p), bytes))
}

func gemmGo(t *gemmTile) {
	var sum [tileRows][tileCols]float32
	for n := range t.n {
		for r := range t.rows {
			a, b := n*t.ablk+r*t.arow, n*t.bblk+r*t.brow
			for range t.k {
				x, y := (*[tileRows]float32)(unsafe.Pointer(at(t.a, a))), row(t.b, b)
				for i := range sum {
					v, s := x[i], &sum[i]
					for j := range s {
						s[j] += v * y[j]
					}
				}
				a, b = a+t.lda, b+t.ldb
			}
		}
	}
	for i := range sum {
		put(row(t.c, i*t.ldc), &sum[i], t.acc)
	}
}

func convGo(t *convTile) {
	var sum [tileRows][tileCols]float32
	for i := range sum {
		s, b := &sum[i], 0
		for r := range t.runs {
			for k, v := range unsafe.Slice(at(t.a, t.aoff[i]+r*t.step), t.run) {
				for j, w := range row(t.b, b+4*tileCols*k) {
					s[j] += v * w
				}
			}
			b += 4 * tileCols * t.run
		}
	}
	for i := range sum {
		put(row(t.c, t.coff[i]), &sum[i], t.acc)
	}
}

// put stores sums, or adds them to what is there.
func put(c, sum *[tileCols]float32, acc int) {
	if acc == 0 {
		*c = *sum
		return
	}
	for j, v := range sum {
		c[j] += v
	}
}

func affineGo(y, x, scale, shift *float32, n, c int, floor float32) {
	s, t := unsafe.Slice(scale, c), unsafe.Slice(shift, c)
	for p := range n {
		in, out := unsafe.Slice(at(x, 4*p*c), c), unsafe.Slice(at(y, 4*p*c), c)
		for i, v := range in {
			out[i] = max(floor, v*s[i]+t[i])
		}
	}
}

func blendGo(y, x, scale, z, zscale, shift *float32, n, c int, floor float32) {
	s, u, t := unsafe.Slice(scale, c), unsafe.Slice(zscale, c), unsafe.Slice(shift, c)
	for p := range n {
		in, add, out := unsafe.Slice(at(x, 4*p*c), c), unsafe.Slice(at(z, 4*p*c), c), unsafe.Slice(at(y, 4*p*c), c)
		for i, v := range in {
			out[i] = max(floor, v*s[i]+add[i]*u[i]+t[i])
		}
	}
}

func momentsGo(s1, s2, g, x *float32, n, c int) {
	a, b := unsafe.Slice(s1, c), unsafe.Slice(s2, c)
	for p := range n {
		gs, xs := unsafe.Slice(at(g, 4*p*c), c), unsafe.Slice(at(x, 4*p*c), c)
		for i, v := range gs {
			a[i] += v
			b[i] += v * xs[i]
		}
	}
}

func reluGradGo(g, y *float32, n int) {
	gs := unsafe.Slice(g, n)
	for i, v := range unsafe.Slice(y, n) {
		if !(v > 0) {
			gs[i] = 0
		}
	}
}

func axpyGo(y, x *float32, n int, a float32) {
	ys := unsafe.Slice(y, n)
	for i, v := range unsafe.Slice(x, n) {
		ys[i] += a * v
	}
}
