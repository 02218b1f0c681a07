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
	if drop == nil && len(add) == 0 {
		return AppendCompact(dst, doc)
	}
	w := rewriter{Doc: doc, dst: dst, drop: drop, add: add}
	if _, atRoot := add[""]; len(add) > 1 || len(add) == 1 && !atRoot {
		w.inner, w.path = true, make([]byte, 0, 128)
	}
	w.value(doc.Root())
	return w.dst
}

// AppendCompact appends the document to dst without the white space between
// its tokens. A document that has none is copied whole.
func AppendCompact(dst []byte, doc *Doc) []byte {
	if !doc.spaced {
		return append(dst, doc.Text...)
	}
	w := rewriter{Doc: doc, dst: dst}
	w.value(doc.Root())
	return w.dst
}

// A rewriter writes a document with changes.
type rewriter struct {
	*Doc
	dst   []byte
	drop  func(key []byte) bool
	add   map[string][]byte
	inner bool   // add has more than the root's members
	path  []byte // pointer of the value being written, if inner
	key   []byte // scratch
}

// value writes the value at i.
func (w *rewriter) value(i int) {
	switch n := &w.Nodes[i]; n.Type {
	case Object:
		w.object(i)
	case Array:
		w.array(i)
	default:
		w.dst = append(w.dst, w.Text[n.Start:n.End]...)
	}
}

func (w *rewriter) array(i int) {
	w.dst = append(w.dst, '[')
	index := 0
	for e, end := i+1, w.Next(i); e < end; e = w.Next(e) {
		if index > 0 {
			w.dst = append(w.dst, ',')
		}
		if w.inner {
			depth := len(w.path)
			w.path = strconv.AppendInt(append(w.path, '/'), int64(index), 10)
			w.value(e)
			w.path = w.path[:depth]
		} else {
			w.value(e)
		}
		index++
	}
	w.dst = append(w.dst, ']')
}

func (w *rewriter) object(i int) {
	w.dst = append(w.dst, '{')
	comma := false
	for k, end := i+1, w.Next(i); k < end; k = w.Next(k + 1) {
		if w.drops(k) {
			continue
		}
		if comma {
			w.dst = append(w.dst, ',')
		}
		comma = true
		w.dst = append(append(w.dst, w.Raw(k)...), ':')
		if w.inner {
			depth := len(w.path)
			w.path = AppendToken(w.path, w.Key(k))
			w.value(k + 1)
			w.path = w.path[:depth]
		} else {
			w.value(k + 1)
		}
	}
	if w.inner || i == w.Root() {
		if members := w.add[string(w.path)]; len(members) > 0 {
			if comma {
				w.dst = append(w.dst, ',')
			}
			w.dst = append(w.dst, members...)
		}
	}
	w.dst = append(w.dst, '}')
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
