package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUpdate puts sections into a page: in place of that of the same title, and
// new ones at its end; what the page says besides stays.
func TestUpdate(t *testing.T) {
	one := func(cell string) table {
		return table{head: []string{"a", "b"}, rows: [][]string{{cell, "1"}}}
	}
	old := "# Benchmarks\n\nHead.\n" + section{title: "First", text: "Of old.", table: one("x")}.String() +
		section{title: "Second", text: "Of old.", table: one("y")}.String()
	got := update(old, "0.50", []section{{title: "First", text: "New.", table: one("z"), more: []section{{title: "Third", text: "Also.", table: one("w")}}}})
	var lines []string
	for line := range strings.Lines(got) {
		line, _, measured := strings.Cut(strings.TrimSpace(line), " Measured on its own on ")
		if measured {
			line += " ..."
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	rows := func(cell string) []string {
		return []string{"| a | b |", "| --- | ---: |", "| " + cell + " | 1 |"}
	}
	want := append([]string{"# Benchmarks", "Head.", "## First", "New. ..."}, rows("z")...)
	want = append(append(want, "## Second", "Of old."), rows("y")...)
	want = append(append(want, "## Third", "Also. ..."), rows("w")...)
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(got, "load before: 0.50.") {
		t.Error("the page does not tell the load")
	}
}
