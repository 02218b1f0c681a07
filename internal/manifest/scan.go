package manifest

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

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
