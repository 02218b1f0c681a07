package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"fovea/bench/docpage"
)

// document returns the tables, with what they were measured on.
func document(facts string, tables []*table) string {
	var b strings.Builder
	bars := 0
	for _, t := range tables {
		for _, r := range t.rows {
			if r.bar > 0 {
				bars++
			}
		}
	}
	verdict := fmt.Sprintf("All %d bars are held", bars)
	if n := len(missed(tables)); n > 0 {
		verdict = fmt.Sprintf("%d of %d bars are held", bars-n, bars)
	}
	fmt.Fprintf(&b, "Written by `make bench-vision` on %s: %s. %s.\n", time.Now().UTC().Format("2 January 2006"), facts, verdict)
	for _, t := range tables {
		fmt.Fprintf(&b, "\n%s", t)
	}
	return b.String()
}

// facts tells what is measured on.
func (b *bench) facts() string {
	return fmt.Sprintf("%d seeds, %d cores of %s, load %s before, %s", b.seeds, b.workers,
		docpage.Processor(), docpage.Load(), runtime.Version())
}
