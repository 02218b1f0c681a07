package exchange

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// sampled is how many files of a kind are looked at to tell the form, and
// howMuch of each, in bytes.
const (
	sampled = 20
	howMuch = 64 << 10
)

// detect returns the form of the annotations.
func (c *collection) detect() (Form, error) {
	seen := c.seen()
	switch {
	case len(seen) == 1:
		return seen[0].form, nil
	case len(seen) > 1:
		var texts []string
		for _, s := range seen {
			texts = append(texts, fmt.Sprintf("%s (%s)", s.form, s.why))
		}
		return "", fmt.Errorf("the annotations can be %s: say which with --form", strings.Join(texts, " or "))
	case slices.ContainsFunc(c.images.files, func(f file) bool { return isImage(f.name) }):
		return Folder, nil
	}
	return "", fmt.Errorf("there are no images; found %s", c.census())
}

// A sighting is a form that annotations can have, and what speaks for it.
type sighting struct {
	form Form
	why  string
}

// seen returns the forms that there are annotations of.
func (c *collection) seen() (found []sighting) {
	for _, s := range []struct {
		form Form
		exts []string
		is   func(*tree, *file) bool
	}{
		{COCO, []string{".json"}, looksLikeCOCO},
		{VOC, []string{".xml"}, looksLikeVOC},
		{YOLO, []string{".yaml", ".yml"}, func(t *tree, f *file) bool { return hasNames(opening(t, f)) }},
		{YOLO, []string{".txt"}, looksLikeYOLO},
		{CSV, []string{".csv", ".tsv"}, looksLikeCSV},
	} {
		if len(found) > 0 && found[len(found)-1].form == s.form {
			continue
		}
		of := c.notes.having(s.exts...)
		for i, n := range spread(of, sampled) {
			if f := &c.notes.files[n]; i < sampled && s.is(c.notes, f) {
				found = append(found, sighting{s.form, f.name})
				break
			}
		}
	}
	return found
}

// spread returns the first n of a list, or some of all of it.
func spread(list []int, n int) (some []int) {
	for i := 0; i < len(list); i += max(1, len(list)/n) {
		some = append(some, list[i])
	}
	return some
}

// census says which kinds of files there are, for people to read.
func (c *collection) census() string {
	counts := map[string]int{}
	for _, f := range c.images.files {
		counts[extension(f.name)]++
	}
	if len(counts) == 0 {
		return "no files"
	}
	exts := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return counts[b] - counts[a] })
	var texts []string
	for _, e := range exts[:min(len(exts), 5)] {
		if e == "" {
			texts = append(texts, fmt.Sprintf("%d files without an extension", counts[e]))
		} else {
			texts = append(texts, fmt.Sprintf("%d of %.20q", counts[e], e))
		}
	}
	return strings.Join(texts, ", ")
}

// opening returns the start of a file as text.
func opening(t *tree, f *file) string {
	raw, err := t.start(f, howMuch)
	if err != nil {
		return ""
	}
	text, _ := io.ReadAll(newText(bytes.NewReader(raw)))
	return strings.TrimSpace(string(text))
}

// looksLikeCOCO tells whether a file begins as one of COCO.
func looksLikeCOCO(t *tree, f *file) bool {
	text := opening(t, f)
	return strings.HasPrefix(text, "{") && (strings.Contains(text, `"images"`) || strings.Contains(text, `"annotations"`) || strings.Contains(text, `"categories"`))
}

// looksLikeVOC tells whether a file begins as an annotation of Pascal VOC.
func looksLikeVOC(t *tree, f *file) bool { return strings.Contains(opening(t, f), "<annotation") }

// looksLikeYOLO tells whether a text begins with a line of labels: a class and
// parts of the sides of an image.
func looksLikeYOLO(t *tree, f *file) bool {
	line, _, _ := strings.Cut(opening(t, f), "\n")
	fields := strings.Fields(line)
	if len(fields) < 5 {
		return false
	}
	for _, text := range fields[1:] {
		if v, err := strconv.ParseFloat(text, 64); err != nil || v < -1 || v > 2 {
			return false
		}
	}
	_, err := strconv.Atoi(fields[0])
	return err == nil
}

// looksLikeCSV tells whether a file begins with a row that is understood.
func looksLikeCSV(t *tree, f *file) bool {
	if path.Base(f.name) == maskLabels {
		return false
	}
	row, err := newRows(strings.NewReader(opening(t, f))).next()
	if err != nil {
		return false
	}
	_, err = layoutOf(row)
	return err == nil
}
