package main

import (
	"fmt"
	"slices"
	"strings"
)

// A table is what was measured of one kind of model: a row for each measure,
// and a column for each baseline.
type table struct {
	title     string
	text      string // what was trained and tested with
	baselines []string
	rows      []*row
}

// A row is one measure, of each seed.
type row struct {
	name      string
	format    string // of a value
	less      bool   // is better
	bar       float64
	values    []float64
	baselines map[string][]float64 // by their names
}

// row adds a measure of which more is better.
func (t *table) row(name, format string) *row {
	r := &row{name: name, format: format, baselines: map[string][]float64{}}
	t.rows = append(t.rows, r)
	return r
}

// cost adds a measure of which less is better.
func (t *table) cost(name, format string) *row {
	r := t.row(name, format)
	r.less = true
	return r
}

// over sets the bar, which the mean is to reach.
func (r *row) over(bar float64) *row {
	r.bar = bar
	return r
}

// add adds the value of a seed.
func (r *row) add(v float64) { r.values = append(r.values, v) }

// beside adds the value of a baseline of the table for a seed.
func (r *row) beside(baseline string, v float64) {
	r.baselines[baseline] = append(r.baselines[baseline], v)
}

// held tells whether the bar is.
func (r *row) held() bool {
	if r.less {
		return mean(r.values) <= r.bar
	}
	return mean(r.values) >= r.bar
}

// worst returns the worst value.
func (r *row) worst() float64 {
	if r.less {
		return slices.Max(r.values)
	}
	return slices.Min(r.values)
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// String returns the table as Markdown, with its heading.
func (t *table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n%s\n\n", t.title, t.text)
	line := func(cells ...string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(append([]string{"measure", "mean", "worst", "bar", "held"}, t.baselines...)...)
	line(append([]string{"---", "---:", "---:", "---:", "---"}, slices.Repeat([]string{"---:"}, len(t.baselines))...)...)
	for _, r := range t.rows {
		cells := []string{r.name, fmt.Sprintf(r.format, mean(r.values)), fmt.Sprintf(r.format, r.worst()), "", ""}
		if r.bar > 0 {
			cells[3], cells[4] = "≥ "+fmt.Sprint(r.bar), "**no**"
			if r.less {
				cells[3] = "≤ " + fmt.Sprint(r.bar)
			}
			if r.held() {
				cells[4] = "yes"
			}
		}
		for _, name := range t.baselines {
			cell := ""
			if v := r.baselines[name]; len(v) > 0 {
				cell = fmt.Sprintf(r.format, mean(v))
			}
			cells = append(cells, cell)
		}
		line(cells...)
	}
	return b.String()
}

// missed names the bars that are not held.
func missed(tables []*table) []string {
	var names []string
	for _, t := range tables {
		for _, r := range t.rows {
			if r.bar > 0 && !r.held() {
				names = append(names, fmt.Sprintf("%s: %s "+r.format, t.title, r.name, mean(r.values)))
			}
		}
	}
	return names
}
