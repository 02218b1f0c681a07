package exchange

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// loadCSV reads the annotations.
func (c *collection) loadCSV(service string) error {
	notes := c.notes.having(".csv", ".tsv", ".txt")
	l := newLedger(c.images)
	read := 0
	for _, i := range notes {
		f := &c.notes.files[i]
		if extension(f.name) == ".txt" && len(c.notes.files) > 1 || path.Base(f.name) == maskLabels {
			continue
		}
		read++
		c.problems.add(c.readCSV(l, f))
	}
	if read == 0 {
		return errors.New("there is no .csv or .tsv file")
	}
	if len(l.records) == 0 {
		return errors.Join(append([]error{errors.New("no row of the CSV names an image of the collection")}, c.problems.errs...)...)
	}
	l.done()
	c.choose(l.has)
	c.annotate = l.fill
	if service == Lookout {
		c.annotate = func(i int32, img *Image) []error { return append(l.fill(i, img), img.judge()...) }
	}
	return nil
}

// judge makes the labels of an image what Lookout for Vision knows of it.
func (img *Image) judge() []error {
	if img.Kind == Unlabeled {
		return nil
	}
	labels := img.Labels
	img.Kind, img.Labels, img.Boxes = Unlabeled, nil, nil
	if len(labels) == 1 {
		img.Kind = verdicts[strings.ToLower(labels[0])]
	}
	if img.Kind == Unlabeled {
		return []error{fmt.Errorf("%s has the labels %q: Lookout for Vision knows %q and %q", img.Name, labels, "normal", "anomaly")}
	}
	return nil
}

// readCSV adds the rows of a file to the ledger.
func (c *collection) readCSV(l *ledger, f *file) error {
	stream, err := c.notes.open(f)
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	defer stream.Close()
	rows := newRows(stream)
	r := csvReader{l: l, near: path.Dir(f.name), split: splitIn(path.Base(f.name))}
	for {
		row, err := rows.next()
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, new(*badRow)):
			c.problems.addf("%s:%d: %w", f.name, rows.line, err)
			continue
		case err != nil:
			return fmt.Errorf("%s:%d: %w", f.name, rows.line, err)
		}
		if r.layout == nil {
			if r.layout, err = layoutOf(row); err != nil {
				return fmt.Errorf("%s:%d: %w", f.name, rows.line, err)
			}
			if r.layout.header {
				continue
			}
		}
		if err := r.add(row); err != nil {
			c.problems.addf("%s:%d: %w", f.name, rows.line, err)
		}
	}
}

// A csvReader adds rows to a ledger.
type csvReader struct {
	l      *ledger
	near   string
	split  Split
	layout *csvLayout
}

// cell returns the cell of a column of a row, "" if there is none.
func (r *csvReader) cell(row []string, c column) string {
	if i := r.layout.at[c]; i >= 0 && i < len(row) {
		return strings.TrimSpace(row[i])
	}
	return ""
}

// add adds a row.
func (r *csvReader) add(row []string) error {
	split := r.split
	if word := r.cell(row, splitColumn); word != "" {
		if split = splitOf(word); split == NoSplit {
			return fmt.Errorf("%.40q is no split; use train or test", word)
		}
	}
	file, err := r.l.resolver.find(r.cell(row, imageColumn), r.near, split)
	if err != nil {
		return err
	}
	if split == NoSplit {
		split = splitIn(path.Dir(r.l.t.files[file].name))
	}
	rec, err := r.l.record(file, split)
	if err != nil {
		return err
	}
	labels := r.labelsOf(row)
	if r.layout.boxed() {
		err := r.addBox(rec, row, labels)
		r.l.records[rec].doubt = r.l.records[rec].doubt || err != nil
		return err
	}
	for _, name := range labels {
		label, err := r.l.label(name)
		if err == nil {
			err = r.l.mark(mark{rec, label, whole})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// labelsOf returns the labels of a row. Empty cells are none.
func (r *csvReader) labelsOf(row []string) (labels []string) {
	cells := make([]string, 0, len(row))
	for _, i := range r.layout.labels {
		if i < len(row) {
			cells = append(cells, row[i])
		}
	}
	if r.layout.rest >= 0 && r.layout.rest < len(row) {
		cells = append(cells, row[r.layout.rest:]...)
	}
	for _, cell := range cells {
		if cell = strings.TrimSpace(cell); cell != "" {
			labels = append(labels, cell)
		}
	}
	return labels
}

// addBox adds a row that is a box, or says that an image has no objects, if
// all of its cells are empty.
func (r *csvReader) addBox(rec int32, row, labels []string) error {
	r.l.records[rec].kind = Detection
	c := func(k column) string { return r.cell(row, k) }
	right, bottom := c(rightColumn), c(bottomColumn)
	sides := r.layout.at[rightColumn] < 0
	if sides {
		right, bottom = c(widthColumn), c(heightColumn)
	}
	cells := []string{c(leftColumn), c(topColumn), right, bottom}
	if len(labels) == 0 && strings.Join(cells, "") == "" {
		return nil
	}
	var edges [4]float64
	for i, cell := range cells {
		var err error
		if edges[i], err = strconv.ParseFloat(cell, 64); err != nil {
			return fmt.Errorf("%.20q is no number of pixels", cell)
		}
	}
	if sides {
		edges[2], edges[3] = edges[0]+edges[2], edges[1]+edges[3]
	}
	if len(labels) != 1 {
		return fmt.Errorf("a box has one label, not %d", len(labels))
	}
	label, err := r.l.label(labels[0])
	if err != nil {
		return err
	}
	place, err := round(edges[0], edges[1], edges[2], edges[3])
	if err != nil {
		return err
	}
	return r.l.mark(mark{rec, label, place})
}
