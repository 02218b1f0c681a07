package fovea_test

import (
	"regexp"
	"slices"
	"testing"
)

// TestDocsFaults checks that every test that docs/faults.md names exists, and
// that every row of its tables names one.
func TestDocsFaults(t *testing.T) {
	text := page(t, "faults.md")
	tests := testNames(t, "Test")
	name := regexp.MustCompile("`(Test\\w+)`")
	rows := 0
	for _, row := range regexp.MustCompile(`(?m)^\| .*\|$`).FindAllString(text, -1) {
		if regexp.MustCompile(`^\| Fault \|`).MatchString(row) {
			continue
		}
		rows++
		found := name.FindAllStringSubmatch(row, -1)
		if len(found) == 0 {
			t.Errorf("this row of docs/faults.md names no test:\n%s", row)
		}
		for _, m := range found {
			if !slices.Contains(tests, m[1]) {
				t.Errorf("docs/faults.md names %s, which does not exist", m[1])
			}
		}
	}
	if rows < 25 {
		t.Errorf("docs/faults.md has %d rows", rows)
	}
}
