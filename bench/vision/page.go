package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// What stands before and after the tables on the page.
const (
	begin = "<!-- make bench-vision writes from here -->"
	end   = "<!-- to here -->"
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

// rewrite puts text between the marks of a page.
func rewrite(path, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(old), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s: %q or %q is missing, between which the tables go", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+"\n"+text+end+after), 0o644)
}

// facts tells what is measured on.
func (b *bench) facts() string {
	return fmt.Sprintf("%d seeds, %d cores of %s, load %s before, %s", b.seeds, b.workers,
		grep("/proc/cpuinfo", `model name\s*: (.*)`), grep("/proc/loadavg", `(\S+)`), runtime.Version())
}

// grep returns what the first group of a pattern matches in a file.
func grep(path, pattern string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	m := regexp.MustCompile(pattern).FindSubmatch(text)
	if m == nil {
		return "unknown"
	}
	return string(m[1])
}
