package awsjson

import (
	"bytes"
	"encoding/json"
	"iter"
)

// The functions of this file walk over JSON text that json.Valid has accepted,
// so they look for nothing but structure. They do not recurse: the nesting of
// what is skipped costs nothing.

// trim returns the text without the white space that it begins with.
func trim(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }

// members yields the members of an object in the order of the text, names as
// they are written, with their quotation marks.
func members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for rest := trim(object[1:]); rest[0] != '}'; {
			n := valueEnd(rest)
			name := rest[:n]
			rest = trim(trim(rest[n:])[1:]) // after the colon
			n = valueEnd(rest)
			if !yield(name, rest[:n]) {
				return
			}
			rest = next(rest[n:])
		}
	}
}

// elements yields the elements of an array.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for rest := trim(array[1:]); rest[0] != ']'; {
			n := valueEnd(rest)
			if !yield(rest[:n]) {
				return
			}
			rest = next(rest[n:])
		}
	}
}

// next returns the text from the next element or the closing bracket on.
func next(rest []byte) []byte {
	rest = trim(rest)
	if rest[0] == ',' {
		rest = trim(rest[1:])
	}
	return rest
}

// valueEnd returns the length of the value that the text begins with.
func valueEnd(text []byte) int {
	switch text[0] {
	case '"':
		return stringEnd(text)
	case '{', '[':
		return nestEnd(text)
	}
	if n := bytes.IndexAny(text, ",]} \t\r\n"); n >= 0 {
		return n
	}
	return len(text)
}

// stringEnd returns the length of the string that the text begins with.
func stringEnd(text []byte) int {
	end := 1
	for {
		end += bytes.IndexByte(text[end:], '"')
		slashes := 0
		for text[end-1-slashes] == '\\' {
			slashes++
		}
		end++
		if slashes%2 == 0 {
			return end
		}
	}
}

// nestEnd returns the length of the object or array that the text begins with.
func nestEnd(text []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch text[i] {
		case '"':
			i += stringEnd(text[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// unquote returns the text of a JSON string. A lone surrogate becomes U+FFFD.
func unquote(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		panic(err) // the text is valid
	}
	return s
}
