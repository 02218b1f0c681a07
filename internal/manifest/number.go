package manifest

import (
	"bytes"
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
	if whole, ok := shortInt(raw); ok && (whole != 0 || raw[0] != '-') {
		return float64(whole), true
	}
	if f, ok := shortDecimal(raw); ok {
		return f, true
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	return f, err == nil
}

// Int returns the value of the number at i: false if there is no number, or
// one that is not whole or beyond int64. 1.0 and 1e2 are whole.
func (d *Doc) Int(i int) (int64, bool) {
	if d.Nodes[i].Type != Number {
		return 0, false
	}
	raw := d.Raw(i)
	if whole, ok := shortInt(raw); ok {
		return whole, true
	}
	if whole, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return whole, true
	}
	f, ok := d.Float(i)
	if !ok || f != math.Trunc(f) || f < -1<<63 || f >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// shortLen is the number of digits with which every number is exact in a
// float64.
const shortLen = 15

// shortInt reads a number that is nothing but a sign and a few digits.
func shortInt(raw []byte) (int64, bool) {
	digits := raw
	if raw[0] == '-' {
		digits = raw[1:]
	}
	if len(digits) > shortLen {
		return 0, false
	}
	v := int64(0)
	for _, c := range digits {
		if c-'0' >= 10 {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	if raw[0] == '-' {
		v = -v
	}
	return v, true
}

// shortDecimal reads a number of a few digits with a point but no exponent.
// The digits and the power of ten are exact, and so their quotient is rounded
// once, as it should be.
func shortDecimal(raw []byte) (float64, bool) {
	digits := raw
	if raw[0] == '-' {
		digits = raw[1:]
	}
	point := bytes.IndexByte(digits, '.')
	if point < 0 || len(digits) > shortLen+len(".") {
		return 0, false
	}
	mantissa := int64(0)
	for i, c := range digits {
		if i == point {
			continue
		}
		if c-'0' >= 10 {
			return 0, false
		}
		mantissa = mantissa*10 + int64(c-'0')
	}
	f := float64(mantissa) / powers[len(digits)-1-point]
	if raw[0] == '-' {
		f = -f
	}
	return f, true
}
