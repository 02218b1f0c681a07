package migrate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"fovea/internal/certificate"
)

// shownDifferences is how many differences the text of a certificate lists.
const shownDifferences = 100

// Text returns a certificate for people, with some of the differences.
func Text(s *Statement, sig certificate.Signature, differences []EntryFact) string {
	var b strings.Builder
	p := func(format string, args ...any) { b.WriteString(printable(fmt.Sprintf(format, args...)) + "\n") }
	p("Certificate of the migration of %s/%s", s.Service, s.Project)
	p("")
	p("from      %s", s.Source)
	p("          %s", s.Original)
	p("to        %s", s.Server)
	p("checked   %s by %s", s.Checked, s.Program)
	p("result    %s", s.verdict())
	for _, d := range s.Datasets {
		d.text(p)
	}
	p("")
	p("tags      %d in the source, %d in the destination%s", s.Tags.Source, s.Tags.Destination, unless(s.Tags.Equal, ": NOT EQUAL"))
	p("entries   %s (%d lines)", s.Entries.File, s.Entries.Lines)
	p("          SHA-256 %s", s.Entries.SHA256)
	p("signed    %s with the %s key %s", sig.Signed, sig.Algorithm, sig.KeyID)
	p("          %s", sig.Value)
	if len(differences) > 0 {
		p("")
		p("Differences:")
		for _, d := range differences {
			p("  %s", d)
		}
	}
	if n := s.Differences - int64(len(differences)); n > 0 && len(differences) > 0 {
		p("  and %d more, in %s", n, s.Entries.File)
	}
	return b.String()
}

// printable returns a text without control characters: what comes from a
// manifest must not command a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// verdict says in words whether the destination is equal.
func (s *Statement) verdict() string {
	switch {
	case s.Equal:
		return "EQUAL: every entry, image, mask and label is in the destination as it was"
	case s.Differences == 0:
		return "NOT EQUAL: the entries are, but not the labels or tags"
	}
	return fmt.Sprintf("NOT EQUAL: %d entries differ", s.Differences)
}

func unless(ok bool, text string) string {
	if ok {
		return ""
	}
	return text
}

// text adds the lines about a dataset.
func (d *DatasetFact) text(p func(format string, args ...any)) {
	p("")
	p("%s", d.Split)
	p("  from    %s", d.Original)
	if d.Manifest != "" {
		p("  to      %s, revision %d", d.Manifest, d.Destination.Revision)
	}
	p("  %-22s %20s %20s", "", "source", "destination")
	for _, row := range []struct {
		name string
		a, b int64
	}{
		{"entries", d.Source.Entries, d.Destination.Entries},
		{"images and masks", d.Source.Objects, d.Destination.Objects},
		{"  bytes", d.Source.Bytes, d.Destination.Bytes},
		{"labels", int64(d.Source.LabelCount), int64(d.Destination.LabelCount)},
	} {
		p("  %-22s %20d %20d%s", row.name, row.a, row.b, unless(row.a == row.b, "  <"))
	}
	for _, row := range d.histogram() {
		p("  %-22s %20s %20s%s", "  "+row.name, row.a, row.b, unless(row.a == row.b, "  <"))
	}
	p("  tree    %s", d.Source.Tree)
	p("          %s%s", d.Destination.Tree, unless(d.Source.Tree == d.Destination.Tree, "  <"))
}

type histogramRow struct{ name, a, b string }

// histogram returns the labels of both sides in the order of their names.
func (d *DatasetFact) histogram() (rows []histogramRow) {
	show := func(l Label) string {
		if l.Boxes > 0 {
			return fmt.Sprintf("%d (%d boxes)", l.Entries, l.Boxes)
		}
		return fmt.Sprint(l.Entries)
	}
	a, b := d.Source.Labels, d.Destination.Labels
	for len(a) > 0 || len(b) > 0 {
		row := histogramRow{a: "0", b: "0"}
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Name < b[0].Name:
			row.name, row.a, a = a[0].Name, show(a[0]), a[1:]
		case len(a) == 0 || b[0].Name < a[0].Name:
			row.name, row.b, b = b[0].Name, show(b[0]), b[1:]
		default:
			row.name, row.a, row.b = a[0].Name, show(a[0]), show(b[0])
			a, b = a[1:], b[1:]
		}
		rows = append(rows, row)
	}
	return rows
}

// String returns a difference in one line.
func (e EntryFact) String() string {
	text := string(e.Split)
	if e.Line > 0 {
		text += fmt.Sprintf(" line %d", e.Line)
	}
	if e.SourceRef != "" {
		text += " " + e.SourceRef
	}
	text += ": " + string(e.Change)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if e.Change != Changed {
		return text
	}
	for key, sum := range e.Images {
		if other := e.NewImages[key]; other != sum {
			return text + fmt.Sprintf(": %s names another content: SHA-256 %s was %s", key, orAbsent(other), sum)
		}
	}
	return text + ": the line is another one"
}

func orAbsent(sum string) string {
	if sum == "" {
		return absent
	}
	return sum
}

// firstDifferences returns the first differences of an entries file.
func firstDifferences(path string, n int) (list []EntryFact, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	dec := json.NewDecoder(bufio.NewReader(f))
	for len(list) < n {
		var e EntryFact
		switch err := dec.Decode(&e); {
		case err == io.EOF:
			return list, nil
		case err != nil:
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if e.Change != "" {
			list = append(list, e)
		}
	}
	return list, nil
}
