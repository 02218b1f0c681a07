package kernel

// The shape of the micro-kernels' tile: six rows of sixteen sums.
const (
	tileRows = 6
	tileCols = 16
)

// A Set is the micro-kernels for a kind of processor. All do the same within
// rounding. A Set is safe for use by several goroutines.
type Set struct {
	name string

	gemm     func(*gemmTile)
	conv     func(*convTile)
	affine   func(y, x, scale, shift *float32, n, c int, floor float32)
	blend    func(y, x, scale, z, zscale, shift *float32, n, c int, floor float32)
	moments  func(s1, s2, g, x *float32, n, c int)
	reluGrad func(g, y *float32, n int)
	axpy     func(y, x *float32, n int, a float32)

	lanes int // passes over maps take channels, and lengths, that are multiples of it
}

// Name returns what the set is called: "avx512", "avx2", "neon" or "go".
func (s *Set) Name() string { return s.name }

var auto = Sets()[0]

// Auto returns the fastest set that this processor can run.
func Auto() *Set { return auto }

// Sets returns all sets that this processor can run, the fastest first. The
// last is plain Go.
func Sets() []*Set { return append(native(), &plain) }

// A gemmTile is the work of one call of the micro-kernel that multiplies
// columns: over n blocks of rows rows of k steps, c += a's six values times b's
// sixteen. What is called a stride is in bytes.
type gemmTile struct {
	a, b, c          *float32
	k, lda, ldb      int // steps, and from step to step in a and b
	rows, arow, brow int // rows of steps, and from row to row
	n, ablk, bblk    int // blocks of rows, and from block to block
	ldc              int // from row to row of c
	acc              int // 0: overwrite c, 1: add to it
}

// A convTile is the work of one call of the micro-kernel that multiplies
// pixels with weights: six pixels, each with runs runs of run values, with a
// packed panel of runs*run rows of sixteen. Offsets are in bytes.
type convTile struct {
	a, b, c   *float32
	runs, run int
	step      int // from run to run
	acc       int // 0: overwrite c, 1: add to it
	aoff      [tileRows]int
	coff      [tileRows]int
}
