package rekognition

import (
	"fovea"
	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// maxSizes is how many sizes of an image a line is asked for.
const maxSizes = 8

// imageOf returns what a line says of its image: where it is, and its size as
// the label attributes of boxes give it (CL-5.33).
func imageOf(doc *manifest.Doc, _ *manifest.Entry) fovea.ImageExpectation {
	var line lint.Line
	line.Read(doc, isReserved)
	bucket, key, _ := lint.SplitRef(doc.Str(line.Ref, nil))
	want := fovea.ImageExpectation{Image: fovea.ObjectRef{Bucket: string(bucket), Key: string(key)}, At: fovea.PlaceOf(doc, line.Ref)}
	for _, pair := range line.Pairs {
		if doc.Type(pair.Value) != manifest.Object || len(want.Sizes) == maxSizes {
			continue
		}
		want.Boxes = appendBoxes(want.Boxes, doc, pair, maxExpected)
		if node := doc.Member(pair.Value, "image_size"); node >= 0 {
			if s, ok := sizeAt(doc, node); ok {
				want.Sizes = append(want.Sizes, s)
			}
		}
	}
	return want
}

// sizeAt returns the image_size at node, and whether it is one.
func sizeAt(doc *manifest.Doc, node int) (fovea.ImageSize, bool) {
	object := node
	if doc.Type(node) == manifest.Array && doc.Len(node) == 1 {
		object = node + 1
	}
	width, height := doc.Member(object, "width"), doc.Member(object, "height")
	if width < 0 || height < 0 {
		return fovea.ImageSize{}, false
	}
	w, okWidth := doc.Float(width)
	h, okHeight := doc.Float(height)
	return fovea.ImageSize{Width: w, Height: h, At: fovea.PlaceOf(doc, node)}, okWidth && okHeight
}

// maxExpected is how many boxes of an image are compared with each other.
const maxExpected = 200

// appendBoxes appends the boxes of a label attribute whose label is known, as
// long as there are fewer than most: 0 for any number.
func appendBoxes(boxes []fovea.BoxExpectation, doc *manifest.Doc, pair lint.Pair, most int) []fovea.BoxExpectation {
	list := doc.Member(pair.Value, "annotations")
	classes := doc.Member(pair.Meta, "class-map")
	if list < 0 || classes < 0 || doc.Type(list) != manifest.Array || doc.Type(classes) != manifest.Object {
		return boxes
	}
	names := map[string]string{}
	for k, v := range doc.Members(classes) {
		names[string(doc.Key(k))] = string(doc.Str(v, nil))
	}
	for node := range doc.Elements(list) {
		if most > 0 && len(boxes) == most {
			break
		}
		if b, ok := boxAt(doc, node, names); ok {
			boxes = append(boxes, b)
		}
	}
	return boxes
}

// boxAt returns the annotation at node, and whether it is one with a label.
func boxAt(doc *manifest.Doc, node int, names map[string]string) (b fovea.BoxExpectation, ok bool) {
	id := doc.Member(node, "class_id")
	if id < 0 {
		return b, false
	}
	name, ok := names[string(doc.Raw(id))]
	for _, side := range []struct {
		name string
		to   *float64
	}{{"left", &b.Left}, {"top", &b.Top}, {"width", &b.Width}, {"height", &b.Height}} {
		v := doc.Member(node, side.name)
		if v < 0 || !ok {
			return b, false
		}
		*side.to, ok = doc.Float(v)
	}
	b.Label, b.At = name, fovea.PlaceOf(doc, node)
	return b, ok
}
