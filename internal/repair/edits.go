package repair

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// edits returns what can be mended in the judged line, in order of the places.
// Images are looked at if opened is set.
func (r *repairer) edits(opened bool) ([]edit, error) {
	var list []edit
	var line lint.Line
	line.Read(&r.doc, nil)
	for i := range r.entry.Problems {
		if e, ok := r.editOf(&line, &r.entry.Problems[i]); ok {
			list = append(list, e)
		}
	}
	if opened && r.spec.Objects != nil && !r.entry.Dropped {
		more, err := r.imageEdits()
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	slices.SortStableFunc(list, func(a, b edit) int { return a.from - b.from })
	return list, nil
}

// editOf returns what mends a problem, if anything does without a guess.
func (r *repairer) editOf(line *lint.Line, p *manifest.Problem) (edit, bool) {
	if p.Code == lint.SchemeCase {
		return r.replace(line.Ref, "/source-ref", Scheme, `"s`+string(r.doc.Raw(line.Ref)[2:])), r.doc.Raw(line.Ref)[1] == 'S'
	}
	for i := range line.Pairs {
		pair := &line.Pairs[i]
		meta := manifest.Pointer(string(pair.Name) + "-metadata")
		switch {
		case p.Code == "ERROR_MISSING_CLASS_MAP_ID" && strings.HasPrefix(p.Pointer, manifest.Pointer(string(pair.Name))+"/"):
			return r.addClass(pair, meta, p)
		case r.doc.Type(pair.Meta) != manifest.Object:
		case p.Pointer == meta+"/human-annotated":
			return r.editHuman(pair, p)
		case p.Pointer == meta+"/type" && r.doc.Member(pair.Meta, "type") < 0:
			return r.addType(pair, meta)
		}
	}
	return edit{}, false
}

// replace returns the edit that replaces the value at node.
func (r *repairer) replace(node int, pointer string, rule Rule, text string) edit {
	n := r.doc.Nodes[node]
	return edit{int(n.Start), int(n.End), text, Record{
		Pointer: pointer, Rule: rule, Before: manifest.Excerpt(r.doc.Raw(node), excerpt), After: manifest.Excerpt([]byte(text), excerpt),
	}}
}

// add returns the edit that adds a member at the end of the object at node.
func (r *repairer) add(object int, pointer string, rule Rule, name, value string) edit {
	at := int(r.doc.Nodes[object].End) - 1
	text := string(manifest.AppendQuoted(nil, name)) + ":" + value
	if r.doc.Len(object) > 0 {
		last := object + 1
		for k, v := range r.doc.Members(object) {
			_ = k
			last = v
		}
		at, text = int(r.doc.Nodes[last].End), ","+text
	}
	return edit{at, at, text, Record{Pointer: pointer + manifest.Pointer(name), Rule: rule, After: manifest.Excerpt([]byte(value), excerpt)}}
}

// editHuman mends human-annotated: it writes yes and no as they are written, and
// adds a missing one where a person must have labelled the image, because every
// confidence is one that only a person's label has.
func (r *repairer) editHuman(pair *lint.Pair, p *manifest.Problem) (edit, bool) {
	meta := manifest.Pointer(string(pair.Name) + "-metadata")
	if node := r.doc.Member(pair.Meta, "human-annotated"); node >= 0 {
		switch word := strings.ToLower(strings.TrimSpace(string(r.doc.Str(node, nil)))); word {
		case "yes", "no":
			return r.replace(node, meta+"/human-annotated", HumanAnnotated, strconv.Quote(word)), true
		}
		return edit{}, false
	}
	if !r.isCertain(pair.Meta) {
		return edit{}, false
	}
	return r.add(pair.Meta, meta, HumanAnnotated, "human-annotated", `"yes"`), true
}

// isCertain tells whether no confidence in metadata is between 0 and 1.
func (r *repairer) isCertain(meta int) bool {
	whole := func(object int) bool {
		node := r.doc.Member(object, "confidence")
		if node < 0 {
			return true
		}
		f, ok := r.doc.Float(node)
		return ok && (f == 0 || f == 1)
	}
	if !whole(meta) {
		return false
	}
	objects := r.doc.Member(meta, "objects")
	if objects < 0 || r.doc.Type(objects) != manifest.Array {
		return true
	}
	for e := range r.doc.Elements(objects) {
		if !whole(e) {
			return false
		}
	}
	return true
}

// addType adds the type of metadata whose other members leave only one.
func (r *repairer) addType(pair *lint.Pair, meta string) (edit, bool) {
	has := func(object int, name string, t manifest.Type) bool {
		node := r.doc.Member(object, name)
		return node >= 0 && r.doc.Type(node) == t
	}
	boxes := has(pair.Value, "annotations", manifest.Array)
	named := has(pair.Meta, "class-name", manifest.String)
	colored := has(pair.Meta, "internal-color-map", manifest.Object)
	value := r.doc.Type(pair.Value)
	kind := ""
	switch {
	case boxes && !named && !colored:
		kind = "groundtruth/object-detection"
	case named && !boxes && !colored && (value == manifest.Number || value == manifest.String):
		kind = "groundtruth/image-classification"
	case colored && !named && value == manifest.String:
		kind = "groundtruth/semantic-segmentation"
	default:
		return edit{}, false
	}
	return r.add(pair.Meta, meta, Type, "type", strconv.Quote(kind)), true
}

// addClass adds a class to the class map, if all lines that have it agree on its
// name, and this line has no other class of that name.
func (r *repairer) addClass(pair *lint.Pair, meta string, p *manifest.Problem) (edit, bool) {
	classes := r.doc.Member(pair.Meta, "class-map")
	node := r.nodeAt(p.Offset)
	if classes < 0 || node < 0 || r.doc.Type(classes) != manifest.Object || r.doc.Type(node) != manifest.Number {
		return edit{}, false
	}
	id := r.doc.Raw(node)
	name := r.known.classes[classKey(pair.Name, id)]
	if name == "" {
		return edit{}, false
	}
	for _, v := range r.doc.Members(classes) {
		if r.doc.Is(v, name) {
			return edit{}, false
		}
	}
	return r.add(classes, meta+"/class-map", ClassMap, string(id), string(manifest.AppendQuoted(nil, name))), true
}

// nodeAt returns the last node that begins at an offset, -1 if none does.
func (r *repairer) nodeAt(offset int) int {
	found := -1
	for i := range r.doc.Nodes {
		if int(r.doc.Nodes[i].Start) == offset {
			found = i
		}
	}
	return found
}

// sizeText writes a size for people.
func sizeText(w, h float64) string { return fmt.Sprintf("%gx%g", w, h) }
