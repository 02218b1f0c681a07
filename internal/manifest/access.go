package manifest

import (
	"iter"
	"unicode/utf16"
	"unicode/utf8"
)

// Root returns the index of the whole, which is an object. A document that
// was not parsed, or not without error, has no nodes.
func (d *Doc) Root() int { return 0 }

// Next returns the index of the node after the value at i and all it holds.
func (d *Doc) Next(i int) int { return int(d.Nodes[i].Next) }

// Members yields the indices of each key of the object at i and of its value.
// A loop over it is compiled to a plain loop.
func (d *Doc) Members(i int) iter.Seq2[int, int] {
	return func(yield func(key, value int) bool) {
		for k, end := i+1, d.Next(i); k < end; k = d.Next(k + 1) {
			if !yield(k, k+1) {
				return
			}
		}
	}
}

// Elements yields the index of each element of the array at i.
func (d *Doc) Elements(i int) iter.Seq[int] {
	return func(yield func(element int) bool) {
		for e, end := i+1, d.Next(i); e < end; e = d.Next(e) {
			if !yield(e) {
				return
			}
		}
	}
}

// Type returns the type of the value at i.
func (d *Doc) Type(i int) Type { return d.Nodes[i].Type }

// Len returns the number of members or elements of the value at i.
func (d *Doc) Len(i int) int { return int(d.Nodes[i].Len) }

// Raw returns the text of the value at i, as it came.
func (d *Doc) Raw(i int) []byte {
	n := &d.Nodes[i]
	return d.Text[n.Start:n.End]
}

// Member returns the index of the value of the object's member of that name,
// or -1. The last one counts if there are several, as in most readers of JSON.
func (d *Doc) Member(object int, name string) int {
	found := -1
	if d.Nodes[object].Type != Object {
		return found
	}
	for k, v := range d.Members(object) {
		if d.Is(k, name) {
			found = v
		}
	}
	return found
}

// Is tells whether the value or key at i is the string s, whatever its escapes.
func (d *Doc) Is(i int, s string) bool {
	n := &d.Nodes[i]
	if n.Type != String {
		return false
	}
	if !n.Escaped {
		return string(d.Text[n.Start+1:n.End-1]) == s
	}
	return string(d.Str(i, nil)) == s
}

// Key returns the key at i as Str does, allocating if it has escapes.
func (d *Doc) Key(i int) []byte { return d.Str(i, nil) }

// Str returns the value of the string at i, nil if there is no string. It
// points into the text, or if the string has escapes is written over scratch,
// which grows as needed. A lone surrogate becomes U+FFFD.
func (d *Doc) Str(i int, scratch []byte) []byte {
	n := &d.Nodes[i]
	if n.Type != String {
		return nil
	}
	raw := d.Text[n.Start+1 : n.End-1]
	if !n.Escaped {
		return raw
	}
	return appendUnescaped(scratch[:0], raw)
}

// escapes maps the letter after a backslash to the character it means.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// appendUnescaped appends the value of the string whose inner text is raw, as
// scan has accepted it.
func appendUnescaped(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			dst = append(dst, raw[i])
			i++
			continue
		}
		if raw[i+1] != 'u' {
			dst = append(dst, escapes[raw[i+1]])
			i += 2
			continue
		}
		r := hex4(raw[i+2:])
		i += 6
		if utf16.IsSurrogate(r) {
			pair := rune(utf8.RuneError)
			if len(raw)-i >= 6 && raw[i] == '\\' && raw[i+1] == 'u' {
				pair = utf16.DecodeRune(r, hex4(raw[i+2:]))
			}
			if r = pair; r != utf8.RuneError {
				i += 6
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// hex4 returns the value of the four hexadecimal digits at the start of b.
func hex4(b []byte) rune {
	return rune(hexValue(b[0])<<12 | hexValue(b[1])<<8 | hexValue(b[2])<<4 | hexValue(b[3]))
}
