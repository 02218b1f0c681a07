package manifest

import (
	"strconv"
	"unicode/utf8"
)

// AppendRewritten appends the document to dst as compact JSON in one line
// (CL-7.28), with two changes. It leaves out the members, of objects at every
// level, whose key drop reports. And it adds, at the end of the object at each
// JSON pointer of add, the members that are its value, written as JSON without
// white space: `"a":1,"b":2`. Pointers are those of the document as it is; one
// that leads to no object, or into what is dropped, adds nothing. Keys,
// strings and numbers are written as they came, in the order they came.
//
// drop may be nil. It must not keep the key.
func AppendRewritten(dst []byte, doc *Doc, drop func(key []byte) bool, add map[string][]byte) []byte {
	w := rewriter{Doc: doc, dst: dst, drop: drop, add: add}
	if _, atRoot := add[""]; len(add) > 1 || len(add) == 1 && !atRoot {
		w.inner, w.path = true, make([]byte, 0, 128)
	}
	return w.rewrite()
}

// AppendCompact appends the document to dst without the white space between
// its tokens. A document that has none is copied whole.
func AppendCompact(dst []byte, doc *Doc) []byte {
	if !doc.spaced {
		return append(dst, doc.Text...)
	}
	w := rewriter{Doc: doc, dst: dst}
	return w.rewrite()
}

// A rewriter writes a document with changes. It copies the text in runs that
// are as long as can be: a run ends only where the text and what is to be
// written differ.
type rewriter struct {
	*Doc
	dst    []byte
	copied int32 // the text up to there is in dst, but for what is left out
	drop   func(key []byte) bool
	add    map[string][]byte
	inner  bool   // add has more than the root's members
	path   []byte // pointer of the value being written, if inner
	key    []byte // scratch
}

// rewrite writes the whole document and returns dst.
func (w *rewriter) rewrite() []byte {
	root := &w.Nodes[w.Root()]
	w.copied = root.Start
	w.object(w.Root())
	w.copyTo(root.End)
	return w.dst
}

// copyTo copies the text up to a place.
func (w *rewriter) copyTo(at int32) {
	w.dst = append(w.dst, w.Text[w.copied:at]...)
	w.copied = at
}

// join goes on from the end of one token of the text to the start of another,
// with the given text between them. If they have as much between them already,
// that is it, and the run goes on.
func (w *rewriter) join(end, start int32, between string) {
	if int(start-end) != len(between) {
		w.copyTo(end)
		w.dst = append(w.dst, between...)
		w.copied = start
	}
}

// value goes through the value at i.
func (w *rewriter) value(i int) {
	switch {
	case !w.spaced && w.drop == nil && !w.inner:
	case w.Nodes[i].Type == Object:
		w.object(i)
	case w.Nodes[i].Type == Array:
		w.array(i)
	}
}

// array goes through the elements of the array at i.
func (w *rewriter) array(i int) {
	whole := &w.Nodes[i]
	last, comma := whole.Start+1, ""
	index := 0
	for e := i + 1; e < int(whole.Next); e = w.Next(e) {
		w.join(last, w.Nodes[e].Start, comma)
		if w.inner {
			depth := len(w.path)
			w.path = strconv.AppendInt(append(w.path, '/'), int64(index), 10)
			w.value(e)
			w.path = w.path[:depth]
			index++
		} else {
			w.value(e)
		}
		last, comma = w.Nodes[e].End, ","
	}
	w.join(last, whole.End-1, "")
}

// object goes through the members of the object at i.
func (w *rewriter) object(i int) {
	whole := &w.Nodes[i]
	last, comma := whole.Start+1, ""
	for k := i + 1; k < int(whole.Next); k = w.Next(k + 1) {
		if w.drops(k) {
			continue
		}
		key, value := &w.Nodes[k], &w.Nodes[k+1]
		w.join(last, key.Start, comma)
		w.join(key.End, value.Start, ":")
		if w.inner {
			depth := len(w.path)
			w.path = AppendToken(w.path, w.Key(k))
			w.value(k + 1)
			w.path = w.path[:depth]
		} else {
			w.value(k + 1)
		}
		last, comma = value.End, ","
	}
	if members := w.addition(i); len(members) > 0 {
		w.copyTo(last)
		w.dst = append(append(w.dst, comma...), members...)
		last = whole.End - 1
		w.copied = last
	}
	w.join(last, whole.End-1, "")
}

// addition returns the members to add to the object at i.
func (w *rewriter) addition(i int) []byte {
	if w.inner || i == w.Root() {
		return w.add[string(w.path)]
	}
	return nil
}

// drops tells whether the member whose key is at k is left out.
func (w *rewriter) drops(k int) bool {
	if w.drop == nil {
		return false
	}
	key := w.Str(k, w.key)
	if w.Nodes[k].Escaped {
		w.key = key
	}
	return w.drop(key)
}

// AppendQuoted appends s to dst as a JSON string. What is not UTF-8 in s
// becomes U+FFFD.
func AppendQuoted[S string | []byte](dst []byte, s S) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
			i++
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			i++
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			dst = utf8.AppendRune(dst, r)
			i += size
		}
	}
	return append(dst, '"')
}
