package manifest

import "strconv"

// AppendToken appends a slash and a key, or the decimal index of an element,
// to a JSON pointer (RFC 6901).
func AppendToken[S string | []byte](pointer []byte, token S) []byte {
	pointer = append(pointer, '/')
	for i := range len(token) {
		switch c := token[i]; c {
		case '~':
			pointer = append(pointer, "~0"...)
		case '/':
			pointer = append(pointer, "~1"...)
		default:
			pointer = append(pointer, c)
		}
	}
	return pointer
}

// Pointer returns the JSON pointer that leads from the whole through keys and
// array indices: "" without any.
func Pointer(path ...string) string {
	var p []byte
	for _, token := range path {
		p = AppendToken(p, token)
	}
	return string(p)
}

// PointerOf returns the JSON pointer of the value at i; of its value, if there
// is a key. It walks the document from its start, so it is for problems only.
func (d *Doc) PointerOf(i int) string {
	var p []byte
	for at := d.Root(); at < i; {
		at, p = d.childAt(at, i, p)
	}
	return string(p)
}

// childAt returns the member's value or the element of the value at parent in
// which the node at i lies, and appends its key or index to the pointer.
func (d *Doc) childAt(parent, i int, pointer []byte) (int, []byte) {
	if d.Type(parent) == Object {
		k := parent + 1
		for d.Next(k+1) <= i {
			k = d.Next(k + 1)
		}
		return k + 1, AppendToken(pointer, d.Key(k))
	}
	e, index := parent+1, 0
	for d.Next(e) <= i {
		e = d.Next(e)
		index++
	}
	return e, AppendToken(pointer, strconv.Itoa(index))
}
