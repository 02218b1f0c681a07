package manifest

import (
	"encoding/binary"
	"math/bits"
)

// Eight bytes at a time: a word with each byte 1, and with each byte's highest
// bit set.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stops returns a word in which the highest bit of the first byte of w that is
// a quotation mark, a backslash or a control character is set, and none below
// it. Flipping bit 1 puts the quotation mark (0x22) next to the control
// characters and moves the blank (0x20) out of its place, so that one
// comparison finds both.
func stops(w uint64) uint64 {
	x, y := w^ones*0x02, w^ones*'\\'
	return ((x-ones*0x21)&^x | (y-ones)&^y) & highs
}

// nonDigits is stops for the first byte that is no decimal digit.
func nonDigits(w uint64) uint64 {
	x := w ^ ones*'0'
	return (x + ones*(0x80-10) | x) & highs
}

// isStop is stops for a single byte.
var isStop = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// isSpace tells the white space of JSON.
var isSpace = [256]bool{' ': true, '\t': true, '\r': true, '\n': true}

// skipSpace returns the place of the first byte from i on that is no white
// space.
func (d *Doc) skipSpace(b []byte, i int) int {
	d.spaced = true
	for i < len(b) && isSpace[b[i]] {
		i++
	}
	return i
}

// skipDigits returns the place of the first byte from i on that is no digit.
func skipDigits(b []byte, i int) int {
	for i+8 <= len(b) {
		if m := nonDigits(binary.LittleEndian.Uint64(b[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	return i
}

// fraction reads what may follow the integer part of a number: at i is a point
// or an e. It returns the place after the number.
func fraction(b []byte, i int) (int, lack) {
	if b[i] == '.' {
		if i++; i == len(b) || b[i]-'0' >= 10 {
			return i, aDigit
		}
		i = skipDigits(b, i)
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i == len(b) || b[i]-'0' >= 10 {
			return i, aDigit
		}
		i = skipDigits(b, i)
	}
	return i, nothing
}

// escape reads the escape at i in a string and returns the place after it. If
// there is a control character at i, or no right escape, it says so.
func escape(b []byte, i int) (int, lack) {
	if b[i] != '\\' {
		return i, noControl
	}
	if i++; i == len(b) {
		return i, anEscape
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1, nothing
	case 'u':
		for end := i + 5; i+1 < end; {
			if i++; i == len(b) || hexValue(b[i]) < 0 {
				return i, hexDigit
			}
		}
		return i + 1, nothing
	}
	return i, anEscape
}

// hexValue returns the value of a hexadecimal digit, or -1.
func hexValue(c byte) int {
	switch {
	case c-'0' < 10:
		return int(c - '0')
	case c|0x20-'a' < 6:
		return int(c|0x20-'a') + 10
	}
	return -1
}
