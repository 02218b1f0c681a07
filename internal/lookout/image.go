package lookout

import (
	"fovea"
	"fovea/internal/imaging"
	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// imageOf returns what a line says of its image: where it is, and its mask.
func imageOf(doc *manifest.Doc, e *manifest.Entry) fovea.ImageExpectation {
	var line lint.Line
	line.Read(doc, nil)
	bucket, key, _ := lint.SplitRef(doc.Str(line.Ref, nil))
	want := fovea.ImageExpectation{Image: fovea.ObjectRef{Bucket: string(bucket), Key: string(key)}, At: fovea.PlaceOf(doc, line.Ref)}
	for i := range line.Pairs {
		if isMask(doc, &line.Pairs[i]) {
			want.Mask = maskAt(doc, &line.Pairs[i], e.Class) // the last counts (LV-5.33)
		}
	}
	return want
}

// isMask tells whether the checker takes an attribute for the mask.
func isMask(doc *manifest.Doc, pair *lint.Pair) bool {
	if !isMaskName(pair.Name) || doc.Type(pair.Meta) != manifest.Object {
		return false
	}
	kind := doc.Member(pair.Meta, "type")
	return kind < 0 || doc.Type(kind) != manifest.String || doc.Is(kind, typeMask)
}

// maxMapColors is how many colours of a map are looked for: many more than a
// mask has labels at AWS (LV-5.46).
const maxMapColors = 256

// maskAt returns what the line says of the mask, nil if it names none.
func maskAt(doc *manifest.Doc, pair *lint.Pair, class manifest.Class) *fovea.MaskExpectation {
	bucket, key, ok := lint.SplitRef(doc.Str(pair.Value, nil))
	colors := doc.Member(pair.Meta, "internal-color-map")
	if !ok || colors < 0 || doc.Type(colors) != manifest.Object {
		return nil
	}
	want := &fovea.MaskExpectation{
		Image: fovea.ObjectRef{Bucket: string(bucket), Key: string(key)}, At: fovea.PlaceOf(doc, pair.Value),
		Map: fovea.PlaceOf(doc, colors), Unused: class != manifest.Anomaly,
	}
	for _, v := range doc.Members(colors) {
		hex := doc.Member(v, "hex-color")
		if hex < 0 || len(want.Colors) == maxMapColors {
			continue
		}
		if color, ok := parseColor(doc.Str(hex, nil)); ok {
			want.Colors = append(want.Colors, maskColor(doc, v, color))
		}
	}
	return want
}

// maskColor returns the entry at node of a colour map, whose colour is white
// or that of BACKGROUND for the background (LV-5.23).
func maskColor(doc *manifest.Doc, node int, color rgb) fovea.MaskColor {
	m := fovea.MaskColor{Color: uint32(color), Background: color == white}
	if name := doc.Member(node, "class-name"); name >= 0 {
		text := doc.Str(name, nil)
		m.Label = manifest.Excerpt(text, lint.Found)
		m.Background = m.Background || isWord(text, "background")
	}
	return m
}

// labelsOf returns the labels of the colour map of a line's mask: every entry of
// it that is not the background (LV-5.23).
func labelsOf(doc *manifest.Doc) []maskLabel {
	var line lint.Line
	line.Read(doc, nil)
	var labels []maskLabel
	for i := range line.Pairs {
		pair := &line.Pairs[i]
		if !isMask(doc, pair) {
			continue
		}
		labels = labels[:0] // the last mask counts (LV-5.33)
		colors := doc.Member(pair.Meta, "internal-color-map")
		if colors < 0 || doc.Type(colors) != manifest.Object {
			continue
		}
		for _, v := range doc.Members(colors) {
			hex, name := doc.Member(v, "hex-color"), doc.Member(v, "class-name")
			if hex < 0 || name < 0 || len(labels) == maxMapColors {
				continue
			}
			color, ok := parseColor(doc.Str(hex, nil))
			if ok && !maskColor(doc, v, color).Background {
				labels = append(labels, maskLabel{string(doc.Str(name, nil)), string(doc.Str(hex, nil)), imaging.Color(color)})
			}
		}
	}
	return labels
}
