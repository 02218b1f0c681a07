package conformance

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"fovea/internal/awsjson"
)

// text returns a text of n characters that matches the shape's pattern, or, if
// there is none of that length, a text of n letters. An enumeration's text is
// its first value.
func text(s *awsjson.Shape, n int) string {
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	if s.Pattern == nil {
		return strings.Repeat("a", n)
	}
	re, err := syntax.Parse(s.Pattern.Expr, syntax.Perl)
	if err != nil {
		panic(err) // internal/apigen has compiled it
	}
	if least := write(re, new(int)); utf8.RuneCountInString(least) > n && n > 0 && n == max(1, low(s)) {
		return least // the shortest there is
	}
	spare := n - utf8.RuneCountInString(write(re, new(int)))
	if t := write(re, &spare); utf8.RuneCountInString(t) == n {
		return t
	}
	return strings.Repeat("a", n)
}

// write returns a match of an expression. Its parts that repeat do so until
// the spare characters are used up.
func write(re *syntax.Regexp, spare *int) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		return string(pick(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "a"
	case syntax.OpCapture, syntax.OpAlternate:
		return write(re.Sub[0], spare)
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range re.Sub {
			b.WriteString(write(sub, spare))
		}
		return b.String()
	case syntax.OpStar:
		return writeMany(re.Sub[0], 0, -1, spare)
	case syntax.OpPlus:
		return writeMany(re.Sub[0], 1, -1, spare)
	case syntax.OpQuest:
		return writeMany(re.Sub[0], 0, 1, spare)
	case syntax.OpRepeat:
		return writeMany(re.Sub[0], re.Min, re.Max, spare)
	}
	return "" // the beginning and end of the text
}

func writeMany(re *syntax.Regexp, least, most int, spare *int) string {
	var b strings.Builder
	n := 0
	for ; n < least; n++ {
		b.WriteString(write(re, new(int)))
	}
	size := utf8.RuneCountInString(write(re, new(int)))
	for ; *spare >= size && size > 0 && (n < most || most < 0); n++ {
		*spare -= size
		b.WriteString(write(re, spare))
	}
	return b.String()
}

// pick returns a character of a class, which is a list of ranges: a letter or
// digit if it has one.
func pick(class []rune) rune {
	for _, want := range "a1A" {
		for i := 0; i < len(class); i += 2 {
			if class[i] <= want && want <= class[i+1] {
				return want
			}
		}
	}
	return class[0]
}

// mismatch returns a text of a legal length that does not match the shape's
// pattern: one that matches with one character changed.
func mismatch(s *awsjson.Shape) (string, bool) {
	good := []rune(text(s, max(1, low(s))))
	for i := range good {
		for _, odd := range "!\u2603\n " {
			bad := []rune(string(good))
			bad[i] = odd
			if !s.Pattern.Match(string(bad)) {
				return string(bad), true
			}
		}
	}
	return "", false
}
