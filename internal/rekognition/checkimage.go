package rekognition

import (
	"fmt"

	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// checkImage checks the attribute of a label of the whole image (CL 5.3).
func (c *checker) checkImage(a *attribute, m *metadata) {
	c.checkIdentifier(a)
	if m.confidence == 0 {
		c.lack(a, codeMetadata, m.node, m.node, "confidence", "a number from 0 to 1", `Add "confidence":1 to the metadata.`)
	} else {
		c.checkConfidence(a, m, m.confidence)
	}
	switch {
	case m.className == 0:
		c.lack(a, codeMetadata, m.node, m.node, "class-name", "the name of the label", `Add "class-name" with the name of the label to the metadata.`)
	case c.doc.Type(m.className) != manifest.String:
		c.fault(a, codeMetadata, m.node, m.className, "the name of the label", "Write the name of the label as a string.")
	}
	c.checkCommon(a, m, typeImage)
	if m.className == 0 || c.doc.Type(m.className) != manifest.String {
		return
	}
	text := c.doc.Str(m.className, nil)
	c.checkLabel(a, m, m.className, text)
	if !a.bad {
		c.addImageLabel(m, text)
	}
}

// checkIdentifier checks the value of the attribute, which is not used. It is
// an integer, or a string, as a sample of AWS has it (CL 5.3).
func (c *checker) checkIdentifier(a *attribute) {
	expected, mend := "an integer", "Write an integer, such as 1."
	switch c.doc.Type(a.Value) {
	case manifest.String:
		return
	case manifest.Number:
		if isWhole(c.doc, a.Value) {
			return
		}
	case manifest.Array:
		mend = "Write one attribute and its metadata for each label of the image."
	case manifest.Object:
		mend = fmt.Sprintf("Write an integer, or the type %q if the attribute is for boxes.", typeBoxes)
	}
	c.fault(a, codeAttribute, c.carrier(a), a.Value, expected, mend)
}

// isWhole tells whether the number at node is whole, however large.
func isWhole(doc *manifest.Doc, node int) bool {
	for _, d := range doc.Raw(node) {
		if d != '-' && d-'0' >= 10 {
			_, ok := doc.Int(node)
			return ok
		}
	}
	return true
}

// addImageLabel adds the label of a valid attribute to the entry. A label that
// two of them have counts once (CL-5.22).
func (c *checker) addImageLabel(m *metadata, text []byte) {
	name := c.names.Get(text)
	c.names.Label(c.entry, name).Used = true
	if name.Image {
		c.warn(warnSameLabel, m.node, m.className, "another label", "Remove one of the attributes.")
	}
	name.Image = true
	c.checkOdd(m, m.className, name)
}

// checkOdd doubts names that nobody can tell from others by looking at them.
func (c *checker) checkOdd(m *metadata, node int, name *lint.Name) {
	if name.Odd {
		c.warn(warnLabelName, m.node, node, "visible characters", "Remove what cannot be seen, in all lines.")
	}
}
