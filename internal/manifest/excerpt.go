package manifest

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Excerpt returns the first n characters of b, followed by an ellipsis if
// there are more, for people to read: what is not printable, or not UTF-8, is
// written as an escape.
func Excerpt(b []byte, n int) string {
	var s strings.Builder
	for ; len(b) > 0; n-- {
		if n <= 0 {
			s.WriteString("…")
			break
		}
		r, size := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && size == 1 || r < ' ':
			fmt.Fprintf(&s, `\x%02x`, b[0])
		case unicode.IsPrint(r):
			s.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&s, `\u%04x`, r)
		default:
			fmt.Fprintf(&s, `\U%08x`, r)
		}
		b = b[size:]
	}
	return s.String()
}
