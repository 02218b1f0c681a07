package manifest

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// Parse reads one line into d and returns nil, or says why it cannot be read:
// because it is not one JSON object (RFC 8259, strictly) in UTF-8, is nested
// deeper than MaxDepth, or has more than maxChars characters, code points that
// is (CL-6.20); 0 is no limit. White space around the object, a carriage
// return included, is no fault (CL-5.7). A lone surrogate in an escape and a
// repeated key are none either.
//
// The document keeps line and points into it. Once its list of nodes has grown
// to the size of the lines it sees, Parse allocates only for an error, after
// which the document is empty.
func (d *Doc) Parse(line []byte, maxChars int) *LineError {
	d.Text = line
	if e := tooLong(line, maxChars); e != nil {
		d.Nodes = d.Nodes[:0]
		return e
	}
	at, missing := d.scan(line)
	if missing == nothing && d.Nodes[0].Type == Object {
		return nil
	}
	d.Nodes = d.Nodes[:0]
	return explain(line, at, missing)
}

// tooLong reports a line with more than maxChars characters, or with more
// bytes than a node can count.
func tooLong(line []byte, maxChars int) *LineError {
	if maxChars <= 0 || maxChars > math.MaxInt32 {
		maxChars = math.MaxInt32
	}
	if len(line) <= maxChars {
		return nil
	}
	chars := utf8.RuneCount(line)
	if chars <= maxChars && len(line) <= math.MaxInt32 {
		return nil
	}
	at := 0
	for range min(chars, maxChars) {
		_, size := utf8.DecodeRune(line[at:])
		at += size
	}
	return &LineError{
		Reason: TooLong,
		Offset: at,
		Found:  fmt.Sprintf("%d characters", chars),
		Want:   fmt.Sprintf("at most %d characters", maxChars),
		Chars:  int64(chars),
	}
}
