package kernel

import "golang.org/x/sys/cpu"

// native returns the sets in assembly that this processor can run.
func native() (sets []*Set) {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return nil
	}
	avx2 := Set{
		name: "avx2", gemm: gemmAVX2, conv: convAVX2, lanes: 8,
		affine: affineAVX2, blend: blendAVX2, moments: momentsAVX2, reluGrad: reluGradAVX2, axpy: axpyAVX2,
	}
	if cpu.X86.HasAVX512F {
		avx512 := avx2
		avx512.name, avx512.gemm, avx512.conv = "avx512", gemmAVX512, convAVX512
		sets = append(sets, &avx512)
	}
	return append(sets, &avx2)
}

//go:noescape
func gemmAVX512(t *gemmTile)

//go:noescape
func convAVX512(t *convTile)

//go:noescape
func gemmAVX2(t *gemmTile)

//go:noescape
func convAVX2(t *convTile)

//go:noescape
func affineAVX2(y, x, scale, shift *float32, n, c int, floor float32)

//go:noescape
func blendAVX2(y, x, scale, z, zscale, shift *float32, n, c int, floor float32)

//go:noescape
func momentsAVX2(s1, s2, grad, x *float32, n, c int)

//go:noescape
func reluGradAVX2(grad, y *float32, n int)

//go:noescape
func axpyAVX2(y, x *float32, n int, a float32)
