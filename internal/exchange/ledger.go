package exchange

import (
	"cmp"
	"fmt"
	"slices"
)

// Limits of annotations that come in one file for many images, which are kept
// in memory while the images are yielded: about 200 bytes for each image, 24
// for each box or label, and the names of the labels.
const (
	maxMarks  = 20_000_000 // boxes and labels of a collection
	maxLabels = 100_000    // names of labels
)

// A ledger keeps annotations that come in any order, by image.
type ledger struct {
	t        *tree
	resolver *resolver

	records []record
	byFile  map[int32]int32 // file to record
	marks   []mark          // sorted by record when done
	labels  []string
	labelID map[string]int32
}

// A record is what is known of an image but for its marks.
type record struct {
	file          int32
	split         Split
	kind          Kind
	doubt         bool // annotations of it were refused
	width, height int32
	first, count  int32 // its marks
}

// A mark is a box of an image, or a label of the whole of it: then the area is
// whole.
type mark struct {
	record, label int32
	area
}

// whole stands for an image as a whole, and doubtful for a box that was refused.
var whole, doubtful = area{right: -1}, area{right: -2}

func newLedger(t *tree) *ledger {
	return &ledger{t: t, resolver: newResolver(t), byFile: map[int32]int32{}, labelID: map[string]int32{}}
}

// record returns the record of a file, which it makes. An image that was in
// one split and is in another is an error.
func (l *ledger) record(file int32, split Split) (int32, error) {
	if i, ok := l.byFile[file]; ok {
		r := &l.records[i]
		if differs(r.split, split) {
			return 0, fmt.Errorf("%s is in %s already, and cannot be in %s too", l.t.files[file].name, r.split, split)
		}
		r.split = cmp.Or(r.split, split)
		return i, nil
	}
	i := int32(len(l.records))
	l.records = append(l.records, record{file: file, split: split})
	l.byFile[file] = i
	return i, nil
}

// label returns the number of a label.
func (l *ledger) label(name string) (int32, error) {
	name, err := checkLabel(name)
	if err != nil {
		return 0, err
	}
	if i, ok := l.labelID[name]; ok {
		return i, nil
	}
	if len(l.labels) == maxLabels {
		return 0, fmt.Errorf("the label %q is one too many; there may be %d", name, maxLabels)
	}
	i := int32(len(l.labels))
	l.labels, l.labelID[name] = append(l.labels, name), i
	return i, nil
}

// mark adds a mark, unless it is doubtful.
func (l *ledger) mark(m mark) error {
	if m.area == doubtful {
		l.records[m.record].doubt = true
		return nil
	}
	if len(l.marks) == maxMarks {
		return fmt.Errorf("there are more than %d annotations: take a part of them", maxMarks)
	}
	l.marks = append(l.marks, m)
	return nil
}

// done makes the ledger ready for fill.
func (l *ledger) done() {
	slices.SortStableFunc(l.marks, func(a, b mark) int { return cmp.Compare(a.record, b.record) })
	for i, m := range l.marks {
		r := &l.records[m.record]
		if r.count == 0 {
			r.first = int32(i)
		}
		r.count++
	}
}

// has tells whether the ledger mentions a file.
func (l *ledger) has(file int32) bool {
	_, ok := l.byFile[file]
	return ok
}

// fill sets what the ledger knows of an image.
func (l *ledger) fill(file int32, img *Image) (errs []error) {
	i, ok := l.byFile[file]
	if !ok {
		return nil
	}
	r := &l.records[i]
	img.Split = r.split
	if r.width > 0 && r.height > 0 {
		img.Width, img.Height = int(r.width), int(r.height)
	}
	for _, m := range l.marks[r.first : r.first+r.count] {
		if m.area == whole {
			img.Labels = append(img.Labels, l.labels[m.label])
			continue
		}
		b, err := m.fit(img.Width, img.Height)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %q: %w", img.Name, l.labels[m.label], err))
			continue
		}
		b.Label = l.labels[m.label]
		img.Boxes = append(img.Boxes, b)
	}
	slices.Sort(img.Labels)
	img.Labels = slices.Compact(img.Labels)
	switch {
	case r.kind == Detection:
		img.detected(len(errs) > 0 || r.doubt)
	case len(img.Labels) > 0:
		img.Kind = Classification
	}
	return errs
}
