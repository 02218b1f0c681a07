package manifest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"unicode/utf8"
)

// Parse reads one line into d and returns nil, or says why it cannot be read:
// because it is not one JSON object (RFC 8259, strictly) in UTF-8, is nested
// deeper than MaxDepth, or has more than maxChars characters, code points that
// is (CL-6.20); 0 is no limit. White space around the object, a carriage
// return included, is no fault (CL-5.7). A lone surrogate in an escape and a
// repeated key are none either.
//
// The document keeps line and points into it. Once its list of nodes has grown
// to the size of the lines it sees, Parse allocates only for an error, after
// which the document is empty.
func (d *Doc) Parse(line []byte, maxChars int) *LineError {
	d.Text = line
	if e := tooLong(line, maxChars); e != nil {
		d.Nodes = d.Nodes[:0]
		return e
	}
	at, missing := d.scan(line)
	if missing == nothing && d.Nodes[0].Type == Object {
		return nil
	}
	d.Nodes = d.Nodes[:0]
	return explain(line, at, missing)
}

// tooLong reports a line with more than maxChars characters, or with more
// bytes than a node can count.
func tooLong(line []byte, maxChars int) *LineError {
	if maxChars <= 0 || maxChars > math.MaxInt32 {
		maxChars = math.MaxInt32
	}
	if len(line) <= maxChars {
		return nil
	}
	chars := utf8.RuneCount(line)
	if chars <= maxChars && len(line) <= math.MaxInt32 {
		return nil
	}
	at := 0
	for range min(chars, maxChars) {
		_, size := utf8.DecodeRune(line[at:])
		at += size
	}
	return &LineError{
		Reason: TooLong,
		Offset: at,
		Found:  fmt.Sprintf("%d characters", chars),
		Want:   fmt.Sprintf("at most %d characters", maxChars),
		Chars:  int64(chars),
	}
}

// A lack is what scan was looking for when it met something else.
type lack uint8

const (
	nothing      lack = iota // the text is JSON
	aText                    // anything but white space
	aValue                   // after a colon, or at the start
	anElement                // or the end of the array, after '['
	nextElement              // after a comma
	aKey                     // or the end of the object, after '{'
	nextKey                  // after a comma
	aColon                   // after a key
	memberEnd                // a comma or '}'
	elementEnd               // a comma or ']'
	closingQuote             // of the string that begins there
	noControl                // a string without control characters
	anEscape                 // after a backslash
	hexDigit                 // in \u escapes
	aDigit                   // in a number
	noZero                   // a number without leading zeros
	textEnd                  // after the value
	lessDepth                // arrays and objects nested less deeply
	utf8Text                 // a UTF-8 sequence
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

// scan writes the nodes of the JSON text b over those of d. If b is no JSON
// text, it returns where and what was lacking.
//
// It is one loop over the text with a goto for each place in the grammar: the
// function is the state machine, so that nothing is called or stored between
// tokens. While an array or object is open, its Next holds the one around it,
// so that there is no stack.
func (d *Doc) scan(b []byte) (at int, missing lack) {
	var (
		nodes    = d.Nodes[:cap(d.Nodes)]
		node     *Node
		i, start int    // in b
		n        int    // nodes so far
		open     = -1   // the innermost open array or object
		depth    int    // how many are open
		seen     uint64 // all bytes of strings, combined with or
		escaped  bool
	)
	d.spaced = false
	if len(b) > 0 && b[0] <= ' ' {
		i = d.skipSpace(b, i)
	}
	if i == len(b) {
		return 0, aText
	}

value: // At i is what should be the first byte of a value.
	if n >= len(nodes) {
		nodes = d.grow(nodes)
	}
	node = &nodes[n]
	start = i
	switch c := b[i]; {
	case c == '"':
		escaped = false
		i++
	stringWord:
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			seen |= w
			if m := stops(w); m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				goto stringStop
			}
			i += 8
		}
		for i < len(b) && !isStop[b[i]] {
			seen |= uint64(b[i])
			i++
		}
		if i == len(b) {
			return start, closingQuote
		}
	stringStop:
		if b[i] != '"' {
			if i, missing = escape(b, i); missing != nothing {
				return i, missing
			}
			escaped = true
			goto stringWord
		}
		i++
		node.leaf(String, start, i, n+1)
		node.Escaped = escaped
		n++

	case c-'0' < 10 || c == '-':
		if c == '-' {
			if i++; i == len(b) || b[i]-'0' >= 10 {
				return i, aDigit
			}
		}
		if b[i] == '0' {
			if i++; i < len(b) && b[i]-'0' < 10 {
				return i, noZero
			}
		} else {
			i = skipDigits(b, i)
		}
		if i < len(b) && (b[i] == '.' || b[i]|0x20 == 'e') {
			if i, missing = fraction(b, i); missing != nothing {
				return i, missing
			}
		}
		node.leaf(Number, start, i, n+1)
		n++

	case c == '{':
		if depth == MaxDepth {
			return i, lessDepth
		}
		depth++
		node.leaf(Object, start, 0, open)
		open = n
		n++
		if i++; i < len(b) && b[i] <= ' ' {
			i = d.skipSpace(b, i)
		}
		if i < len(b) && b[i] == '"' {
			goto key
		}
		if i < len(b) && b[i] == '}' {
			goto close
		}
		return i, aKey

	case c == '[':
		if depth == MaxDepth {
			return i, lessDepth
		}
		depth++
		node.leaf(Array, start, 0, open)
		open = n
		n++
		if i++; i < len(b) && b[i] <= ' ' {
			i = d.skipSpace(b, i)
		}
		if i == len(b) {
			return i, anElement
		}
		if b[i] == ']' {
			goto close
		}
		goto value

	case c == 't' && len(b)-i >= 4 && string(b[i:i+4]) == "true":
		i += 4
		node.leaf(True, start, i, n+1)
		n++

	case c == 'f' && len(b)-i >= 5 && string(b[i:i+5]) == "false":
		i += 5
		node.leaf(False, start, i, n+1)
		n++

	case c == 'n' && len(b)-i >= 4 && string(b[i:i+4]) == "null":
		i += 4
		node.leaf(Null, start, i, n+1)
		n++

	case open >= 0 && nodes[open].Type == Array && n == open+1:
		return i, anElement

	case open >= 0 && nodes[open].Type == Array:
		return i, nextElement

	default:
		return i, aValue
	}

valueEnd: // A value ends before i.
	if i < len(b) && b[i] <= ' ' {
		i = d.skipSpace(b, i)
	}
	if open < 0 {
		goto end
	}
	node = &nodes[open]
	node.Len++
	if node.Type == Array {
		goto elementEnd
	}
	if i == len(b) {
		return i, memberEnd
	}
	if b[i] != ',' {
		if b[i] != '}' {
			return i, memberEnd
		}
		goto close
	}
	if i++; i < len(b) && b[i] <= ' ' {
		i = d.skipSpace(b, i)
	}
	if i == len(b) || b[i] != '"' {
		return i, nextKey
	}

key: // At i is the quotation mark that opens a key.
	if n >= len(nodes) {
		nodes = d.grow(nodes)
	}
	node = &nodes[n]
	start, escaped = i, false
	i++
keyWord:
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		seen |= w
		if m := stops(w); m != 0 {
			i += bits.TrailingZeros64(m) >> 3
			goto keyStop
		}
		i += 8
	}
	for i < len(b) && !isStop[b[i]] {
		seen |= uint64(b[i])
		i++
	}
	if i == len(b) {
		return start, closingQuote
	}
keyStop:
	if b[i] != '"' {
		if i, missing = escape(b, i); missing != nothing {
			return i, missing
		}
		escaped = true
		goto keyWord
	}
	i++
	node.leaf(String, start, i, n+1)
	node.Escaped = escaped
	n++
	if i < len(b) && b[i] <= ' ' {
		i = d.skipSpace(b, i)
	}
	if i == len(b) || b[i] != ':' {
		return i, aColon
	}
	if i++; i < len(b) && b[i] <= ' ' {
		i = d.skipSpace(b, i)
	}
	if i == len(b) {
		return i, aValue
	}
	goto value

elementEnd:
	if i == len(b) {
		return i, elementEnd
	}
	if b[i] != ',' {
		if b[i] != ']' {
			return i, elementEnd
		}
		goto close
	}
	if i++; i < len(b) && b[i] <= ' ' {
		i = d.skipSpace(b, i)
	}
	if i == len(b) {
		return i, nextElement
	}
	goto value

close: // At i is the bracket that closes open.
	i++
	depth--
	node = &nodes[open]
	open = int(node.Next)
	node.End, node.Next = int32(i), int32(n)
	goto valueEnd

end:
	if i < len(b) {
		return i, textEnd
	}
	if seen&highs != 0 && !utf8.Valid(b) {
		return i, utf8Text
	}
	d.Nodes = nodes[:n]
	return i, nothing
}

// leaf sets all of the node but Escaped and Len, which are zero. It sets field
// by field because a whole Node is put together elsewhere in memory and then
// copied, which costs more than the rest of scan.
func (n *Node) leaf(t Type, start, end, next int) {
	n.Type, n.Escaped = t, false
	n.Start, n.End, n.Next, n.Len = int32(start), int32(end), int32(next), 0
}

// grow doubles the room for nodes, all of it usable, and keeps it.
func (d *Doc) grow(nodes []Node) []Node {
	nodes = append(nodes, make([]Node, max(64, len(nodes)))...)
	nodes = nodes[:cap(nodes)]
	d.Nodes = nodes
	return nodes
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
