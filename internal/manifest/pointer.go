package manifest

import (
	"strconv"
	"strings"
)

// pointerEscapes writes a key as a reference token of a JSON pointer.
var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// Pointer returns the JSON pointer (RFC 6901) that leads from the whole
// through keys and array indices: "" without any.
func Pointer(path ...string) string {
	var s strings.Builder
	for _, token := range path {
		s.WriteByte('/')
		pointerEscapes.WriteString(&s, token)
	}
	return s.String()
}

// PointerOf returns the JSON pointer of the value at i; of its value, if there
// is a key. It walks the document from its start, so it is for problems only.
func (d *Doc) PointerOf(i int) string {
	var path []string
	for at := d.Root(); at != i; {
		child, token := d.childAt(at, i)
		path = append(path, token)
		if at = child; at == i+1 {
			break
		}
	}
	return Pointer(path...)
}

// childAt returns the member's value or the element of the value at parent in
// which the node at i lies, with its key or index.
func (d *Doc) childAt(parent, i int) (child int, token string) {
	if d.Type(parent) == Object {
		k := parent + 1
		for d.Next(k+1) <= i {
			k = d.Next(k + 1)
		}
		return k + 1, string(d.Key(k))
	}
	e, index := parent+1, 0
	for d.Next(e) <= i {
		e = d.Next(e)
		index++
	}
	return e, strconv.Itoa(index)
}
