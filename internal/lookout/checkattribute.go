package lookout

import (
	"bytes"
	"fmt"
	"strings"

	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// The types of metadata (LV-5.15, LV-5.25).
const (
	typeLabel = "groundtruth/image-classification"
	typeMask  = "groundtruth/semantic-segmentation"
)

// metadata holds the nodes of the members of metadata that have a meaning, 0
// for one that is missing.
type metadata struct {
	node                                   int
	kind, className, colorMap, date, human int
}

// An attribute is a label or mask attribute.
type attribute struct {
	*lint.Pair
	metadata
}

// A role is what an attribute is for.
type role uint8

const (
	other     role = iota // kept and ignored (LV-5.28)
	label                 // LV-5.32
	labelLike             // a label without type (LV-5.80)
	mask                  // LV-5.33
)

// checkAttributes finds the label and the mask of the line and checks them. Of
// several the last counts, and one without type only if there is no other
// (LV-5.32, LV-5.33).
func (c *checker) checkAttributes() {
	var lab, msk attribute
	found := other // role of lab
	for i := range c.line.Pairs {
		a := attribute{Pair: &c.line.Pairs[i], metadata: c.readMetadata(c.line.Pairs[i].Meta)}
		switch r := c.roleOf(&a); {
		case r == other:
		case r == mask:
			c.replace(&msk, a)
		case r == labelLike && found == label:
			c.ignored(&a)
		default:
			c.replace(&lab, a)
			found = r
		}
	}
	c.checkUnpaired()
	if lab.Pair != nil {
		c.checkLabel(&lab)
	}
	if msk.Pair != nil {
		c.checkMask(&msk)
	}
	if lab.Pair == nil && !c.entry.Dropped {
		c.checkUnlabeled(&msk)
	}
}

// replace puts an attribute in the place of an earlier one.
func (c *checker) replace(old *attribute, a attribute) {
	if old.Pair != nil {
		c.ignored(old)
	}
	*old = a
}

// checkUnlabeled tells why an image without label attribute is unlabelled
// (LV-5.36, LV-5.37).
func (c *checker) checkUnlabeled(msk *attribute) {
	if msk.Pair != nil {
		c.warn(warnMaskOnly, msk.Value, "a label attribute of type "+typeLabel, "Label the image normal or anomaly, in a classification job before that of the mask.")
		return
	}
	c.found.AddToLine(manifest.Problem{
		Code: warnUnannotated, Message: messages[warnUnannotated], Found: "no label attribute",
		Expected: "a label attribute of type " + typeLabel, Mend: "Label the image, or keep it: training passes it over.",
	})
}

// ignored tells that an attribute does not count because a later one does.
func (c *checker) ignored(a *attribute) {
	c.warn(warnSeveral, a.Value, "one label attribute and one mask attribute", "Remove the attributes that should not count.")
}

// readMetadata finds the members of metadata in one walk.
func (c *checker) readMetadata(node int) metadata {
	m := metadata{node: node}
	if c.doc.Type(node) != manifest.Object {
		return m
	}
	for k, end := node+1, c.doc.Next(node); k < end; k = c.doc.Next(k + 1) {
		var member *int
		switch string(c.doc.Key(k)) {
		case "type":
			member = &m.kind
		case "class-name":
			member = &m.className
		case "internal-color-map":
			member = &m.colorMap
		case "creation-date":
			member = &m.date
		case "human-annotated":
			member = &m.human
		default:
			continue
		}
		c.set(member, k)
	}
	return m
}

// set notes where the member of the key at k is. Of two the last counts.
func (c *checker) set(member *int, k int) {
	if *member != 0 {
		c.warn(warnDuplicateKey, k+1, "each key once", "Remove all but one of them.")
	}
	*member = k + 1
}

// roleOf returns what an attribute is for.
func (c *checker) roleOf(a *attribute) role {
	if c.doc.Type(a.Meta) != manifest.Object {
		if isMaskName(a.Name) || isLabelName(a.Name) {
			c.fault(codeNoMetadata, string(a.Name), a.Meta, "an object", "Write the metadata as an object, with type and class-name or internal-color-map.")
		}
		return other
	}
	if a.kind == 0 || c.doc.Type(a.kind) != manifest.String {
		return c.untypedRole(a)
	}
	switch kind := c.doc.Str(a.kind, nil); string(kind) {
	case typeLabel:
		return label
	case typeMask:
		if isMaskName(a.Name) {
			return mask
		}
		c.warn(warnMaskName, a.Value, "a key that ends in -ref", fmt.Sprintf("Rename the key and that of its metadata to %s and %s.",
			lint.Quote([]byte(string(a.Name)+"-ref")), lint.Quote([]byte(string(a.Name)+"-ref-metadata"))))
	default:
		c.warn(warnType, a.kind, fmt.Sprintf("%q or %q", typeLabel, typeMask), mendType(string(kind)))
	}
	return other
}

// untypedRole returns what an attribute is for whose metadata has no type.
func (c *checker) untypedRole(a *attribute) role {
	switch {
	case isMaskName(a.Name) && (a.colorMap != 0 || c.isMaskRef(a.Value)):
		return mask
	case a.className != 0, isLabelName(a.Name):
		return labelLike
	}
	return other
}

// mendType says what to do about a type that is not used.
func mendType(kind string) string {
	if meant := lint.Meant(kind, typeLabel, typeMask); meant != "" {
		return fmt.Sprintf("Write %q.", meant)
	}
	if meant := lint.Meant("groundtruth/"+kind, typeLabel, typeMask); meant != "" {
		return fmt.Sprintf("Write %q.", meant)
	}
	return "Label the images with a job for image classification: the output of others has no normal and anomaly."
}

// isMaskName tells whether an attribute of that name is a mask (LV-5.19).
func isMaskName(name []byte) bool { return bytes.HasSuffix(name, []byte("-ref")) }

// isLabelName tells whether an attribute of that name is a label even if it has
// no right metadata. The name is free (LV-5.11), and other keys are the user's
// (LV-5.28), so only what says so counts.
func isLabelName(name []byte) bool {
	return len(name) >= 5 && strings.EqualFold(string(name[len(name)-5:]), "label")
}

// checkUnpaired looks at the members of which the other half is missing
// (LV-5.79, LV-5.81). What cannot be told from a key of the user's is only
// doubted.
func (c *checker) checkUnpaired() {
	for i := range c.line.Members {
		m := &c.line.Members[i]
		if m.Paired {
			continue
		}
		value := m.Node + 1
		name, isMeta := m.IsMetadata()
		switch {
		case isMeta && c.isAnnotation(value):
			c.half(manifest.Fatal, codeNoAttribute, m, string(name), "its label attribute")
		case isMeta:
			if s := string(name); s != "cl" && s != "source-ref" { // Custom Labels adds cl-metadata
				c.half(manifest.Warning, warnUnpaired, m, s, "its label attribute")
			}
		case isLabelName(m.Key), isMaskName(m.Key) && c.isMaskRef(value):
			if !c.isTold(m) {
				c.half(manifest.Fatal, codeNoMetadata, m, string(m.Key), "its metadata")
			}
		case c.isBit(value):
			if !c.isTold(m) {
				c.half(manifest.Warning, warnUnpaired, m, string(m.Key), "its metadata, if it is a label attribute")
			}
		}
	}
}

// half adds a problem with half of the attribute of a name.
func (c *checker) half(severity manifest.Severity, code string, m *lint.Member, name, expected string) {
	c.entry.Dropped = c.entry.Dropped || severity == manifest.Fatal
	c.found.Add(0, m.Node+1, manifest.Problem{
		Severity: severity, Code: code, Message: message(code, name),
		Found: "only the key " + lint.Quote(m.Key), Expected: expected, Mend: c.line.MendUnpaired(m),
	})
}

// isTold tells whether the member and its misspelt metadata do not find each
// other, which is told of the metadata.
func (c *checker) isTold(m *lint.Member) bool {
	twin := c.line.Twin(m)
	if twin == nil {
		return false
	}
	_, isMeta := twin.IsMetadata()
	return isMeta && c.isAnnotation(twin.Node+1)
}

// isAnnotation tells whether the value at node is metadata of a label or mask.
func (c *checker) isAnnotation(node int) bool {
	m := c.readMetadata(node)
	if m.className != 0 || m.colorMap != 0 {
		return true
	}
	return m.kind != 0 && bytes.HasPrefix(c.doc.Str(m.kind, nil), []byte("groundtruth/"))
}

// isMaskRef tells whether the value at node names a mask.
func (c *checker) isMaskRef(node int) bool {
	text := c.doc.Str(node, nil)
	_, _, ok := lint.SplitRef(text)
	return ok || bytes.HasSuffix(text, []byte(".png"))
}

// isBit tells whether the value at node is one that a label attribute has.
func (c *checker) isBit(node int) bool {
	switch string(c.doc.Raw(node)) {
	case "0", "1", `"0"`, `"1"`:
		return true
	}
	return false
}
