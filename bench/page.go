package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"fovea/bench/docpage"
)

// A section is a part of docs/benchmarks.md.
type section struct {
	title, text string
	table       table
	more        []section // that were measured with it, and come after it
}

// A table is a table of Markdown.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// String returns the table as Markdown; all columns but the first are aligned
// to the right if they hold figures.
func (t table) String() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	rules := make([]string, len(t.head))
	for i := range rules {
		rules[i] = "---"
		if len(t.rows) > 0 && i > 0 && strings.ContainsAny(t.rows[0][i][:1], "0123456789") {
			rules[i] = "---:"
		}
	}
	line(rules)
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}

// document returns docs/benchmarks.md.
func document(b *bench, facts [][2]string, sections []section) string {
	var text strings.Builder
	fmt.Fprintf(&text, `# Benchmarks

Written by `+"`make bench`"+` on %s. Do not edit; run it again. It generates its manifests, starts a real `+"`fovea serve`"+`
with `+"`--limits none`"+`, and runs every peer in the same run on the same bytes. Figures are the best of %d runs that take turns; the last
column says how much of the peer's time fovea takes, so that below 1.00 fovea is faster.

| machine | |
| --- | --- |
`, time.Now().UTC().Format("2 January 2006"), b.runs)
	for _, fact := range facts {
		fmt.Fprintf(&text, "| %s | %s |\n", fact[0], fact[1])
	}
	for _, s := range flatten(sections) {
		text.WriteString(s.String())
	}
	return text.String()
}

// flatten returns sections with those that were measured with them.
func flatten(sections []section) (all []section) {
	for _, s := range sections {
		all = append(append(all, s), flatten(s.more)...)
	}
	return all
}

// String returns the section as it is in the page, with an empty line before it.
func (s section) String() string {
	return fmt.Sprintf("%s%s\n\n%s", heading(s.title), s.text, s.table)
}

func heading(title string) string { return "\n## " + title + "\n\n" }

// update returns a page with sections in place of those of the same title, new
// ones at its end. Each tells when it was measured, because the head of the page
// tells of the others.
func update(page, load string, sections []section) string {
	for _, s := range flatten(sections) {
		s.text += fmt.Sprintf(" Measured on its own on %s; load before: %s.", time.Now().UTC().Format("2 January 2006"), load)
		before, rest, found := strings.Cut(page, heading(s.title))
		after := ""
		if i := strings.Index(rest, "\n## "); found && i >= 0 {
			after = rest[i:]
		}
		page = before + s.String() + after
	}
	return page
}

// machine tells what the figures were measured on, and with what.
func machine(ctx context.Context, b *bench) [][2]string {
	return [][2]string{
		{"processor", fmt.Sprintf("%s, %d cores used", docpage.Processor(), runtime.NumCPU())},
		{"memory", docpage.Grep("/proc/meminfo", `MemTotal:\s*(.*)`)},
		{"load before", docpage.Load()},
		{"kernel", docpage.Grep("/proc/sys/kernel/osrelease", `(.*)`)},
		{"Go", runtime.Version()},
		{"DuckDB", "@duckdb/node-api " + docpage.Grep(filepath.Join(b.peers, "package.json"), `"@duckdb/node-api": "(.*)"`)},
		{"Node.js", output(ctx, "node", "--version")},
		{"Python", output(ctx, "/usr/bin/python3", "--version")},
	}
}

func output(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func seconds(s float64) string { return fmt.Sprintf("%.2f s", s) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }

func rate(bytes int64, s float64) string { return fmt.Sprintf("%.0f", float64(bytes)/1e6/s) }

func ratio(ours, theirs float64) string { return fmt.Sprintf("%.2f", ours/theirs) }

// count returns n with blanks between the thousands.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
