package demo

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// verdictsOf returns verdicts of a text: each word is what the part has, or
// good, and the sign after it is what the model says: + is anomalous.
func verdictsOf(text string) (out []verdict) {
	for _, word := range strings.Fields(text) {
		defect, said := word[:len(word)-1], word[len(word)-1]
		if defect == "good" {
			defect = ""
		}
		out = append(out, verdict{part: &part{name: word, defect: defect}, anomalous: said == '+', took: time.Millisecond})
	}
	return out
}

func TestSumUp(t *testing.T) {
	for _, tt := range []struct {
		verdicts string
		want     summary
		f1       float64
	}{
		{verdicts: ""},
		{verdicts: "good- dent-", want: summary{right: 1, overlooked: 1, took: 2 * time.Millisecond}},
		{verdicts: "good- dent+", want: summary{right: 2, found: 1, took: 2 * time.Millisecond}, f1: 1},
		{verdicts: "dent+ dent- good+ crack+", want: summary{right: 2, found: 2, overlooked: 1, alarms: 1, took: 4 * time.Millisecond}, f1: 2. / 3},
	} {
		got := sumUp(verdictsOf(tt.verdicts))
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(summary{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.verdicts, diff)
		}
		if f1 := got.f1(); f1 != tt.f1 {
			t.Errorf("%q: F1 %v, want %v", tt.verdicts, f1, tt.f1)
		}
	}
}

// What the model got wrong is never left out for the sake of what it got right.
func TestExamples(t *testing.T) {
	for _, tt := range []struct{ verdicts, want string }{
		{"", ""},
		{"good- good- dent+ crack+ dent+", "good- dent+ crack+"},
		{"good- dent+ crack- good+", "crack- good+ good- dent+"},
		{"good+ good+ good+ dent- dent- dent-", "good+ good+ good+ dent- dent-"},
	} {
		var names []string
		for _, v := range examples(verdictsOf(tt.verdicts), 5) {
			names = append(names, v.part.name)
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("of %q it shows %q, want %q", tt.verdicts, got, tt.want)
		}
	}
}
