package lint

import (
	"bytes"
	"fmt"

	"fovea/internal/manifest"
)

// Unreadable adds the problem that a line cannot be read at all. The caller
// has its code and message.
func (f *Findings) Unreadable(bad *manifest.LineError, p manifest.Problem) {
	p.Severity = manifest.Fatal
	if p.Found == "" {
		p.Found = bad.Found
	}
	if p.Expected == "" {
		p.Expected = bad.Want
	}
	if p.Mend == "" {
		p.Mend = mendLine(f.entry.Line, bad)
	}
	f.addUnread(bad.Offset, p)
}

// mendLine says what to do about a line that cannot be read.
func mendLine(line []byte, bad *manifest.LineError) string {
	text := bytes.TrimSpace(line)
	switch bad.Reason {
	case manifest.Blank:
		return "Remove the blank line."
	case manifest.NotUTF8:
		return "Save the file as UTF-8."
	case manifest.TooDeep:
		return "Remove the arrays and objects that are nested so deeply: no service reads them."
	case manifest.TooLong:
		return "Shorten the line: remove keys that the service ignores, and classes that the image does not have."
	case manifest.NotObject:
		if len(text) > 0 && text[0] == '[' {
			return "Write one JSON object on each line, and no array around them: jq -c '.[]' does it."
		}
		return "Write one JSON object on each line."
	}
	if isSpread(text) {
		return "Write each JSON object on one line, without line breaks inside: jq -c . does it."
	}
	return mendSyntax(line, min(bad.Offset, len(line)))
}

// mendSyntax says what to do about what is no JSON at a place of a line.
func mendSyntax(line []byte, at int) string {
	before, rest := bytes.TrimSpace(line[:at]), line[at:]
	switch {
	case len(before) == 0:
		return "Write one JSON object on each line."
	case len(rest) == 0:
		return "Complete the line: it ends too early."
	case rest[0] == '{' && before[len(before)-1] == '}':
		return "Begin a new line for each object."
	case rest[0] == '\'':
		return "Write keys and strings in double quotes, as a JSON library does."
	case before[len(before)-1] == ',' && (rest[0] == '}' || rest[0] == ']'):
		return "Remove the comma before it."
	case before[len(before)-1] == '\\':
		return "Write the backslash twice."
	case before[len(before)-1] == '0' && rest[0]-'0' < 10:
		return "Remove the leading zeros."
	}
	for _, w := range words {
		if bytes.HasPrefix(rest, []byte(w.wrong)) {
			return fmt.Sprintf("Write %s in place of %s.", w.right, w.wrong)
		}
	}
	return fmt.Sprintf("Correct the line at byte %d, or write it with a JSON library.", at+1)
}

// words are what programs write that think they write JSON.
var words = []struct{ wrong, right string }{
	{"NaN", "a number"}, {"nan", "a number"}, {"Infinity", "a number"}, {"inf", "a number"},
	{"None", "null"}, {"undefined", "null"}, {"True", "true"}, {"False", "false"},
}

// isSpread tells whether a line looks like one of a JSON text that was written
// over several lines.
func isSpread(text []byte) bool {
	switch string(text) {
	case "{", "}", "[", "]", "},", "],", "},{":
		return true
	}
	return len(text) > 1 && text[0] == '"' && (text[len(text)-1] == ',' || text[len(text)-1] == '{' || text[len(text)-1] == '[')
}
