package quality

import (
	"math"
	"math/bits"
)

// A Turn says how one picture lies on another: of the eight ways to lay a
// square, bit 0 mirrors left and right, bit 1 top and bottom, and then bit 2
// swaps rows and columns.
type Turn uint8

const (
	mirrorX Turn = 1 << iota
	mirrorY
	transpose

	turns = 8
)

// String says what was done, such as "turned by 90°" clockwise, or "" for
// nothing.
func (t Turn) String() string {
	return [turns]string{"", "mirrored", "mirrored upside down", "turned by 180°",
		"mirrored and turned", "turned by 270°", "turned by 90°", "mirrored and turned"}[t]
}

// at returns where in a picture the pixel is that lies at x, y once it is
// turned.
func (t Turn) at(x, y int) int {
	if t&transpose != 0 {
		x, y = y, x
	}
	if t&mirrorX != 0 {
		x = side - 1 - x
	}
	if t&mirrorY != 0 {
		y = side - 1 - y
	}
	return y*side + x
}

// frequencies is one more than the highest frequency of the hash, in half
// waves across the picture.
const frequencies = 11

// A wave is a frequency in both directions.
type wave struct{ x, y int }

// waves are those of the bits of the hash: the 64 lowest but for the constant
// one, in an order in which x and y are alike.
var waves = func() (list [64]wave) {
	i := 0
	for sum := 1; sum < frequencies; sum++ {
		for x := range sum + 1 {
			if w := (wave{x, sum - x}); w != (wave{5, 5}) {
				list[i] = w
				i++
			}
		}
	}
	return list
}()

// cosines holds the half waves of each frequency.
var cosines = func() (table [frequencies][side]float32) {
	for f := range table {
		for x := range side {
			table[f][x] = float32(math.Cos(math.Pi * float64(f) * (float64(x) + 0.5) / side))
		}
	}
	return table
}()

// window is how much the pixels of a row or column count for the hash: less
// towards the rim, which a crop cuts off and a rotation fills with another
// colour.
var window = func() (w [side]float32) {
	for x := range w {
		w[x] = float32(math.Sqrt(math.Sin(math.Pi * (float64(x) + 0.5) / side)))
	}
	return w
}()

// hashOf returns the signs of the lowest coefficients of the discrete cosine
// transform of a thumbnail in its window.
func hashOf(thumb *[thumbSize]float32) (hash uint64) {
	middle := windowMean(thumb)
	var across [frequencies][side]float32
	var row [side]float32
	for y := range side {
		for x := range side {
			row[x] = (thumb[y*side+x] - middle) * window[x] * window[y]
		}
		for f := range across {
			sum, c := float32(0), &cosines[f]
			for x := range side {
				sum += row[x] * c[x]
			}
			across[f][y] = sum
		}
	}
	for i, w := range waves {
		sum, a, c := float32(0), &across[w.x], &cosines[w.y]
		for y := range side {
			sum += a[y] * c[y]
		}
		if sum > 0 {
			hash |= 1 << i
		}
	}
	return hash
}

// windowMean returns the mean of a thumbnail in its window.
func windowMean(thumb *[thumbSize]float32) float32 {
	var sum, weights float32
	for y := range side {
		for x := range side {
			w := window[x] * window[y]
			sum += w * thumb[y*side+x]
			weights += w
		}
	}
	return sum / weights
}

// Mirroring changes the signs of the odd frequencies of a direction.
var oddX, oddY = func() (x, y uint64) {
	for i, w := range waves {
		x |= uint64(w.x&1) << i
		y |= uint64(w.y&1) << i
	}
	return x, y
}()

// turned returns the hash of the turned picture.
func turned(hash uint64, t Turn) uint64 {
	if t&mirrorX != 0 {
		hash ^= oddX
	}
	if t&mirrorY != 0 {
		hash ^= oddY
	}
	if t&transpose == 0 {
		return hash
	}
	// The waves of one sum are neighbours, and swapping x and y reverses them.
	swapped, at := uint64(0), 0
	for sum := 1; sum < frequencies; sum++ {
		n := sum + 1
		if sum == 10 {
			n = 10 // without the wave 5, 5, which is in the middle
		}
		group := hash >> at & (1<<n - 1)
		swapped |= bits.Reverse64(group) >> (64 - n) << at
		at += n
	}
	return swapped
}
