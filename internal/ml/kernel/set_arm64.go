package kernel

// native returns the sets in assembly that this processor can run. Every arm64
// processor has NEON. The passes over maps are the Go ones.
func native() []*Set {
	s := plain
	s.name, s.gemm, s.conv = "neon", gemmNEON, convNEON
	return []*Set{&s}
}

//go:noescape
func gemmNEON(t *gemmTile)

//go:noescape
func convNEON(t *convTile)
