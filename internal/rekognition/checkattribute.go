package rekognition

import (
	"fmt"
	"slices"
	"strings"

	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// The types of metadata.
const (
	typeImage      = "groundtruth/image-classification"
	typeMultilabel = "groundtruth/image-classification-multilabel"
	typeBoxes      = "groundtruth/object-detection"
)

// An attribute is a label attribute that is being checked.
type attribute struct {
	*lint.Pair
	stop    string // the code after which AWS looks for no other
	bad     bool   // it is not valid
	boxless bool   // it is for boxes and has none
	said    text   // the last message
}

// checkAttribute checks a label attribute and its metadata, and adds the
// labels of a valid one to the entry.
func (c *checker) checkAttribute(a *attribute) {
	if c.doc.Type(a.Meta) != manifest.Object {
		c.checkAnnotationsEmpty(a)
		c.fault(a, codeMetadata, 0, a.Meta, "an object", "Write the metadata as an object, with type, human-annotated and creation-date.")
		return
	}
	m := c.readMetadata(a.Meta)
	c.checkAnnotationsEmpty(a)
	switch c.useCase(a, &m) {
	case imageLevel:
		c.checkImage(a, &m)
	case boxLevel:
		c.checkBoxes(a, &m)
	}
}

// checkAnnotationsEmpty finds out whether the attribute is for boxes and has
// none, which makes an image unlabelled (CL-6.63).
func (c *checker) checkAnnotationsEmpty(a *attribute) {
	if c.doc.Type(a.Value) != manifest.Object {
		return
	}
	list := c.doc.Member(a.Value, "annotations")
	a.boxless = list >= 0 && c.doc.Type(list) == manifest.Array && c.doc.Len(list) == 0
}

// A useCase is one of the two kinds of label.
type useCase uint8

const (
	unsupported useCase = iota
	imageLevel
	boxLevel
)

// useCase returns what the attribute is for. It is decided first, although its
// error stops nothing, because it decides which form is right: metadata of a
// type that is not supported has members of its own (CL-5.21, CL-6.45).
func (c *checker) useCase(a *attribute, m *metadata) useCase {
	if m.kind == 0 || c.doc.Type(m.kind) != manifest.String {
		return c.formOf(a, m)
	}
	kind := c.doc.Str(m.kind, nil)
	switch string(kind) {
	case typeImage:
		return imageLevel
	case typeBoxes:
		return boxLevel
	case typeMultilabel:
		if m.className != 0 && c.doc.Type(a.Value) != manifest.Array { // OQ-16
			return imageLevel
		}
	}
	c.fault(a, codeUseCase, a.Meta, m.kind, fmt.Sprintf("%q or %q", typeImage, typeBoxes), mendType(string(kind), c.formOf(a, m)))
	return unsupported
}

// formOf returns what the attribute is for by its form, whatever its type is.
func (c *checker) formOf(a *attribute, m *metadata) useCase {
	switch {
	case c.doc.Member(a.Value, "annotations") >= 0, m.objects != 0:
		return boxLevel
	case c.doc.Type(a.Value) == manifest.Object && m.className == 0:
		return boxLevel
	}
	return imageLevel
}

// mendType says what to do about a type that is not supported, of metadata of
// an attribute of that form.
func mendType(kind string, form useCase) string {
	if kind == typeMultilabel {
		return "Write one attribute and its metadata for each label, with class-name and the type " + typeImage + "."
	}
	if len(kind) < 64 {
		if meant := lint.Meant(kind, typeImage, typeBoxes); meant != "" {
			return fmt.Sprintf("Write %q.", meant)
		}
		if meant := lint.Meant("groundtruth/"+kind, typeImage, typeBoxes); meant != "" {
			return fmt.Sprintf("Write %q.", meant)
		}
	}
	want := typeImage
	if form == boxLevel {
		want = typeBoxes
	}
	if slices.Contains(otherTypes, kind) {
		return "Label the images with a job for image classification or bounding boxes: others are not supported."
	}
	return fmt.Sprintf("Write %q, if that is what the attribute is for.", want)
}

// otherTypes are those of other jobs of Ground Truth.
var otherTypes = []string{
	"groundtruth/semantic-segmentation", "groundtruth/custom", "groundtruth/text-classification",
	"groundtruth/text-classification-multilabel", "groundtruth/text-span", "groundtruth/video-classification",
	"groundtruth/video-object-detection", "groundtruth/video-object-tracking", "groundtruth/point-cloud-object-detection",
	"groundtruth/point-cloud-object-tracking", "groundtruth/point-cloud-semantic-segmentation",
	"groundtruth/label-verification", "groundtruth/keypoint",
}

// severity returns how severe a problem of that code with the attribute is,
// and remembers it: only the first that stops validation counts (CL-6.50).
func (a *attribute) severity(code string) manifest.Severity {
	a.bad = true
	if a.stop != "" && a.stop != code {
		return manifest.Warning
	}
	if stopsValidation[code] {
		a.stop = code
	}
	return manifest.Error
}

// carrier returns the object that carries errors about the value of the
// attribute: the line, if the value is no object (CL-6.58).
func (c *checker) carrier(a *attribute) int {
	if c.doc.Type(a.Value) == manifest.Object {
		return a.Value
	}
	return c.doc.Root()
}

// fault makes the attribute invalid because of the value at node.
func (c *checker) fault(a *attribute, code string, at, node int, expected, mend string) {
	c.found.Add(at, node, manifest.Problem{
		Severity: a.severity(code), Code: code, Message: a.message(code), Expected: expected, Mend: mend,
	})
}

// lack makes the attribute invalid because an object lacks a member.
func (c *checker) lack(a *attribute, code string, at, object int, name, expected, mend string) {
	c.found.Missing(at, object, name, manifest.Problem{
		Severity: a.severity(code), Code: code, Message: a.message(code), Expected: expected, Mend: mend,
	})
}

// message words a code for the attribute.
func (a *attribute) message(code string) string {
	if a.said.code != code {
		a.said = text{code, messages[code]}
		if strings.Contains(a.said.message, "%s") {
			name := string(a.Name)
			if len(name) > 256 {
				name = manifest.Excerpt(a.Name, 256)
			}
			a.said.message = fmt.Sprintf(a.said.message, name)
		}
	}
	return a.said.message
}
