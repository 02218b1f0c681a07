package migrate

import (
	"maps"
	"slices"

	"fovea/internal/manifest"
)

// maxLabels is how many labels a dataset of fovea has at most, and so how many
// are counted.
const maxLabels = 100_000

// A Label is how many entries of a dataset use a label, and in how many boxes.
type Label struct {
	Name    string `json:"name"`
	Entries int64  `json:"entries"`
	Boxes   int64  `json:"boxes,omitempty"`
}

// A tally counts labels: the class names of images, those of boxes, and those
// that masks have in their colour maps.
type tally struct {
	labels map[string]*Label
	seen   map[string]bool // by the line that is counted
}

func newTally() *tally { return &tally{labels: map[string]*Label{}, seen: map[string]bool{}} }

// add counts the labels of a line.
func (t *tally) add(l *line) {
	clear(t.seen)
	doc := &l.doc
	for k, value := range doc.Members(doc.Root()) {
		meta, ok := l.meta[string(doc.Key(k))]
		if !ok {
			continue
		}
		kind := doc.Member(meta, "type")
		switch {
		case kind < 0:
		case doc.Is(kind, "groundtruth/image-classification"):
			if name := doc.Member(meta, "class-name"); name >= 0 {
				t.count(string(doc.Str(name, nil)), 0)
			}
		case doc.Is(kind, "groundtruth/object-detection"):
			t.boxes(doc, value, meta)
		case doc.Is(kind, "groundtruth/semantic-segmentation"):
			t.colors(doc, meta)
		}
	}
}

// boxes counts the annotations of an attribute by the class map of its metadata
// (CL-5.4).
func (t *tally) boxes(doc *manifest.Doc, value, meta int) {
	list, classes := doc.Member(value, "annotations"), doc.Member(meta, "class-map")
	if list < 0 || classes < 0 || doc.Type(list) != manifest.Array || doc.Type(classes) != manifest.Object {
		return
	}
	names := make(map[string]string, doc.Len(classes))
	for k, v := range doc.Members(classes) {
		names[string(doc.Key(k))] = string(doc.Str(v, nil))
	}
	for box := range doc.Elements(list) {
		if id := doc.Member(box, "class_id"); id >= 0 {
			t.count(names[string(doc.Raw(id))], 1)
		}
	}
}

// colors counts the labels of a colour map but the background (LV-5.21).
func (t *tally) colors(doc *manifest.Doc, meta int) {
	colors := doc.Member(meta, "internal-color-map")
	if colors < 0 || doc.Type(colors) != manifest.Object {
		return
	}
	for _, color := range doc.Members(colors) {
		name := doc.Member(color, "class-name")
		if name >= 0 && !doc.Is(name, "BACKGROUND") {
			t.count(string(doc.Str(name, nil)), 0)
		}
	}
}

// count counts a use of a label by the line. Labels beyond maxLabels are those
// of no dataset that could be made, and are not counted.
func (t *tally) count(name string, boxes int64) {
	if name == "" {
		return
	}
	l := t.labels[name]
	if l == nil {
		if len(t.labels) >= maxLabels {
			return
		}
		l = &Label{Name: name}
		t.labels[name] = l
	}
	l.Boxes += boxes
	if !t.seen[name] {
		t.seen[name] = true
		l.Entries++
	}
}

// sorted returns the labels by their names.
func (t *tally) sorted() []Label {
	list := make([]Label, 0, len(t.labels))
	for _, name := range slices.Sorted(maps.Keys(t.labels)) {
		list = append(list, *t.labels[name])
	}
	return list
}
