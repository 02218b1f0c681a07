package manifest

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// foundChars is how much of a line a LineError quotes, in characters.
const foundChars = 24

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

// wants says each lack in words.
var wants = [...]string{
	aText:        "a JSON object",
	aValue:       "a value: an object, an array, a string in double quotes, a number, true, false or null",
	anElement:    "an array element or ']' after '['",
	nextElement:  "an array element after ','",
	aKey:         "an object key in double quotes or '}' after '{'",
	nextKey:      "an object key in double quotes after ','",
	aColon:       "':' after an object key",
	memberEnd:    "',' or '}' after an object member",
	elementEnd:   "',' or ']' after an array element",
	closingQuote: `a closing '"' for the string that begins here`,
	noControl:    `an escape such as \n or \u0009 in place of a control character in a string`,
	anEscape:     `one of " \ / b f n r t u after a backslash in a string`,
	hexDigit:     `four hexadecimal digits after \u`,
	aDigit:       "a digit in the number",
	noZero:       "a number without leading zeros",
	textEnd:      "the end of the line after the value",
	lessDepth:    fmt.Sprintf("at most %d arrays and objects inside one another", MaxDepth),
	utf8Text:     "text in UTF-8",
}

// explain makes an error of what scan lacked at a place of the line. It is
// nothing lacking if the line is JSON but not an object.
func explain(line []byte, at int, missing lack) *LineError {
	if missing == aText {
		return &LineError{Reason: Blank, Found: "nothing but white space", Want: wants[aText]}
	}
	if e := notUTF8(line, min(at+1, len(line))); e != nil {
		return e
	}
	e := &LineError{Offset: at, Found: found(line, at), Want: wants[missing]}
	switch missing {
	case nothing:
		e.Reason, e.Offset, e.Want = NotObject, leadingSpace(line), wants[aText]
		e.Found = found(line, e.Offset)
	case lessDepth:
		e.Reason = TooDeep
	default:
		if h := hint(line, at, missing); h != "" {
			e.Want += "; " + h
		}
	}
	return e
}

// found quotes the line from at on.
func found(line []byte, at int) string {
	if at >= len(line) {
		return "the end of the line"
	}
	return Excerpt(line[at:], foundChars)
}

// notUTF8 reports the first byte of the line before end that no UTF-8 text
// has there, or the zero bytes of UTF-16.
func notUTF8(line []byte, end int) *LineError {
	e := &LineError{Reason: NotUTF8, Want: wants[utf8Text]}
	if zero := bytes.IndexByte(line[:end], 0); zero >= 0 && zero < 2 || isUTF16(line) {
		e.Offset, e.Found = max(zero, 0), Excerpt(line, foundChars)
		e.Want += "; this looks like UTF-16"
		return e
	}
	for i := 0; i < end; {
		r, size := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && size == 1 {
			e.Offset, e.Found = i, Excerpt(line[i:], foundChars)
			return e
		}
		i += size
	}
	return nil
}

// isUTF16 tells whether the line begins with the byte order mark of UTF-16.
func isUTF16(line []byte) bool {
	return bytes.HasPrefix(line, []byte("\xff\xfe")) || bytes.HasPrefix(line, []byte("\xfe\xff"))
}

// hint says what people who make this mistake often did, or "".
func hint(line []byte, at int, missing lack) string {
	rest := line[min(at, len(line)):]
	if len(rest) == 0 {
		if missing == closingQuote {
			return ""
		}
		return "the line may have been cut off"
	}
	switch c := rest[0]; {
	case missing == textEnd && c == '{':
		return "each line holds one object"
	case missing == textEnd || missing == closingQuote:
		return ""
	case (missing == nextKey || missing == nextElement) && (c == '}' || c == ']'):
		return "no ',' may stand before it"
	case c == '\'':
		return "JSON has no single quotes"
	case bytes.HasPrefix(rest, []byte("//")) || bytes.HasPrefix(rest, []byte("/*")) || c == '#':
		return "JSON has no comments"
	case bytes.HasPrefix(rest, []byte("\xef\xbb\xbf")):
		return "a byte order mark may stand only at the start of the file"
	case missing == aKey || missing == nextKey || missing == aColon:
		return ""
	}
	return hintValue(rest, missing)
}

// hintValue is hint for what stands in place of a value or after one.
func hintValue(rest []byte, missing lack) string {
	switch word := leadingWord(rest); {
	case missing == memberEnd || missing == elementEnd:
		switch {
		case rest[0] == '"':
			return "a ',' may be missing"
		case word != "":
			return `a '"' may be missing, or not written as \" inside a string`
		}
	case word == "NaN" || word == "Infinity" || word == "nan" || word == "inf" || word == "undefined":
		return "JSON has no " + word
	case word == "None":
		return "write null"
	case word == "True" || word == "False" || word == "TRUE" || word == "FALSE" || word == "NULL" || word == "Null":
		return "write it in lower case"
	case rest[0] == '+' || rest[0] == '.':
		return "a number begins with a digit or '-'"
	}
	return ""
}

// leadingWord returns the ASCII letters at the start of b.
func leadingWord(b []byte) string {
	n := 0
	for n < len(b) && b[n]|0x20-'a' < 26 {
		n++
	}
	return string(b[:n])
}

// leadingSpace returns the number of bytes of white space at the start of b.
func leadingSpace(b []byte) int {
	return len(b) - len(bytes.TrimLeft(b, " \t\r\n"))
}
