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
