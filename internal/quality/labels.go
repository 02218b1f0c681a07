package quality

import (
	"strings"
	"unicode"
)

// The thresholds on labels.
const (
	FewToLearn  = 10 // images of a label that are too few to learn it from (CL-9.27, LV-9.14, LV-9.15)
	NeedToSplit = 2  // images that a label needs to be in train and test (CL-7.62, CL-7.63)
	Imbalance   = 20 // how many times the images of a label the most frequent one may have
)

// PlainLabel returns what people take a label for: its letters and digits, in
// lower case. Labels that are alike in that are probably meant to be one. It is
// "" for a label without letters and digits.
func PlainLabel(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
