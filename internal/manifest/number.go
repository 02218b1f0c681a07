package manifest

import (
	"math"
	"strconv"
)

// powers holds the powers of ten that a float64 has exactly, as far as a
// mantissa below 2^53 can need them.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// Float returns the value of the number at i: false if there is no number, or
// one beyond all finite float64 (1e999).
func (d *Doc) Float(i int) (float64, bool) {
	if d.Nodes[i].Type != Number {
		return 0, false
	}
	raw := d.Raw(i)
	if f, ok := shortFloat(raw); ok {
		return f, true
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	return f, err == nil
}

// shortFloat reads a number of up to 15 digits without exponent. Both its
// digits and the power of ten are exact then, and so their quotient is rounded
// once, as it should be.
func shortFloat(raw []byte) (float64, bool) {
	digits := raw
	if raw[0] == '-' {
		digits = raw[1:]
	}
	if len(digits) > 15 {
		return 0, false
	}
	mantissa, point := int64(0), len(digits)-1
	for i, c := range digits {
		switch {
		case c-'0' < 10:
			mantissa = mantissa*10 + int64(c-'0')
		case c == '.':
			point = i
		default:
			return 0, false
		}
	}
	f := float64(mantissa) / powers[len(digits)-1-point]
	if raw[0] == '-' {
		f = -f
	}
	return f, true
}

// Int returns the value of the number at i: false if there is no number, or
// one that is not whole or beyond int64. 1.0 and 1e2 are whole.
func (d *Doc) Int(i int) (int64, bool) {
	if d.Nodes[i].Type != Number {
		return 0, false
	}
	raw := d.Raw(i)
	if v, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return v, true
	}
	f, ok := d.Float(i)
	if !ok || f != math.Trunc(f) || f < -1<<63 || f >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}
