package segment

import "math/bits"

// A bitset has a bit for every row of a segment.
type bitset []uint64

// newBitset returns n bits of the given value.
func newBitset(n int, value bool) bitset {
	b := make(bitset, (n+63)/64)
	if value {
		for i := range b {
			b[i] = ^uint64(0)
		}
		if n%64 != 0 {
			b[len(b)-1] = 1<<(n%64) - 1
		}
	}
	return b
}

// has reports whether a bit is set.
func (b bitset) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }

// next returns the first set bit at or after i, -1 if there is none.
func (b bitset) next(i int) int {
	for w := i / 64; w < len(b); w++ {
		word := b[w]
		if w == i/64 {
			word &= ^uint64(0) << (i % 64)
		}
		if word != 0 {
			return w*64 + bits.TrailingZeros64(word)
		}
	}
	return -1
}

// count returns how many bits are set.
func (b bitset) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// keep clears the set bits for which ok reports false.
func (b bitset) keep(ok func(i int) bool) {
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			if bit := bits.TrailingZeros64(word); !ok(w*64 + bit) {
				b[w] &^= 1 << bit
			}
		}
	}
}

// and clears the bits that fn does not set.
func (b bitset) and(fn func(set func(i int))) {
	o := make(bitset, len(b))
	fn(func(i int) { o[i/64] |= 1 << (i % 64) })
	for i := range b {
		b[i] &= o[i]
	}
}

// clearBelow clears the bits below n.
func (b bitset) clearBelow(n int) {
	for w := 0; w < len(b) && w <= n/64; w++ {
		if w < n/64 {
			b[w] = 0
		} else {
			b[w] &= ^uint64(0) << (n % 64)
		}
	}
}
