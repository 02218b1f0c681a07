package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample returns a table with a bar that is held and one that is not.
func sample() *table {
	t := &table{title: "Cookies", text: "All of them.", baselines: []string{"a coin"}}
	auroc := t.row("AUROC", "%.2f").over(0.8)
	alarms := t.cost("false alarms", "%.1f").over(0.1)
	for _, v := range []float64{0.9, 0.7, 0.95} {
		auroc.add(v)
		auroc.beside("a coin", 0.5)
		alarms.add(1 - v)
	}
	t.row("of no bar", "%.0f").add(3)
	return t
}

func TestTable(t *testing.T) {
	want := `### Cookies

All of them.

| measure | mean | worst | bar | held | a coin |
| --- | ---: | ---: | ---: | --- | ---: |
| AUROC | 0.85 | 0.70 | ≥ 0.8 | yes | 0.50 |
| false alarms | 0.2 | 0.3 | ≤ 0.1 | **no** |  |
| of no bar | 3 | 3 |  |  |  |
`
	if diff := cmp.Diff(want, sample().String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Cookies: false alarms 0.2"}, missed([]*table{sample()})); diff != "" {
		t.Errorf("missed (-want +got):\n%s", diff)
	}
	if got := document("3 seeds", []*table{sample()}); !strings.Contains(got, "3 seeds. 1 of 2 bars are held.") {
		t.Errorf("the page begins %.120q", got)
	}
}

// TestRewrite: what is outside of the marks stays, and the page of the project
// has marks.
