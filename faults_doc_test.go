package fovea_test

import (
	"regexp"
	"slices"
	"testing"
)

// TestDocsFaults checks that every test that docs/faults.md and
// docs/hardening.md name exists, and that every row of their tables names one.
func TestDocsFaults(t *testing.T) {
	for _, name := range []string{"faults.md", "hardening.md"} {
		t.Run(name, func(t *testing.T) { checkTestsNamed(t, name) })
	}
}

func checkTestsNamed(t *testing.T, file string) {
	text := page(t, file)
	tests := testNames(t, "Test")
	name := regexp.MustCompile("`(Test\\w+)`")
	rows := 0
	for _, row := range regexp.MustCompile(`(?m)^\| .*\|$`).FindAllString(text, -1) {
		if regexp.MustCompile(`^\| (Fault|Attack or fault) \|`).MatchString(row) {
			continue
		}
		rows++
		found := name.FindAllStringSubmatch(row, -1)
		if len(found) == 0 {
			t.Errorf("this row of docs/%s names no test:\n%s", file, row)
		}
		for _, m := range found {
			if !slices.Contains(tests, m[1]) {
				t.Errorf("docs/%s names %s, which does not exist", file, m[1])
			}
		}
	}
	if rows < 25 {
		t.Errorf("docs/%s has %d rows", file, rows)
	}
}
