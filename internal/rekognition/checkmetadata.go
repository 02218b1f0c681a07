package rekognition

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"fovea/internal/manifest"
)

// maxLabelChars is the length of the longest label name (CL-12.11).
const maxLabelChars = 256

// metadata holds the nodes of the members of metadata that have a meaning, 0
// for one that is missing.
type metadata struct {
	node                                                        int
	kind, className, classMap, confidence, date, human, objects int
}

// readMetadata finds the members of metadata in one walk.
func (c *checker) readMetadata(node int) metadata {
	m := metadata{node: node}
	for k, end := node+1, c.doc.Next(node); k < end; k = c.doc.Next(k + 1) {
		var member *int
		switch string(c.doc.Key(k)) {
		case "type":
			member = &m.kind
		case "class-name":
			member = &m.className
		case "class-map":
			member = &m.classMap
		case "confidence":
			member = &m.confidence
		case "creation-date":
			member = &m.date
		case "human-annotated":
			member = &m.human
		case "objects":
			member = &m.objects
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
		c.warn(warnDuplicateKey, 0, k+1, "each key once", "Remove all but one of them.")
	}
	*member = k + 1
}

// checkCommon checks the members that the metadata of both kinds of label has.
func (c *checker) checkCommon(a *attribute, m *metadata, kind string) {
	if m.kind == 0 {
		c.lack(a, codeMetadata, m.node, m.node, "type", fmt.Sprintf("%q", kind), fmt.Sprintf(`Add "type":%q to the metadata.`, kind))
	} else if c.doc.Type(m.kind) != manifest.String {
		c.fault(a, codeMetadata, m.node, m.kind, fmt.Sprintf("%q", kind), fmt.Sprintf(`Write "type":%q.`, kind))
	}
	c.checkHuman(a, m)
	c.checkDate(a, m)
}

// checkHuman checks human-annotated. Another case than that of yes and no
// changes no meaning, so it is only doubted.
func (c *checker) checkHuman(a *attribute, m *metadata) {
	const expected = `"yes" or "no"`
	if m.human == 0 {
		c.lack(a, codeMetadata, m.node, m.node, "human-annotated", expected, `Add "human-annotated":"yes" to the metadata.`)
		return
	}
	if c.doc.Is(m.human, "yes") || c.doc.Is(m.human, "no") {
		return
	}
	switch strings.ToLower(strings.TrimSpace(string(c.doc.Str(m.human, nil)))) {
	case "yes":
		c.warn(warnHumanAnnotated, m.node, m.human, expected, `Write "yes".`)
	case "no":
		c.warn(warnHumanAnnotated, m.node, m.human, expected, `Write "no".`)
	default:
		c.fault(a, codeMetadata, m.node, m.human, expected, `Write "yes", or "no" if no person has labelled the image.`)
	}
}

// checkDate checks creation-date (CL-5.41). The latest of all attributes
// becomes the date of the entry.
func (c *checker) checkDate(a *attribute, m *metadata) {
	const expected = "a date and time as in 2021-07-11T03:32:13.456Z"
	if m.date == 0 {
		c.lack(a, codeMetadata, m.node, m.node, "creation-date", expected, `Add "creation-date" to the metadata.`)
		return
	}
	ms, ok := manifest.ParseDate(c.doc.Str(m.date, nil))
	if !ok {
		c.fault(a, codeMetadata, m.node, m.date, expected, "Write YYYY-MM-DDTHH:MM:SS, with a fraction and a zone if you like.")
		return
	}
	c.entry.Date = max(c.entry.Date, ms)
}

// checkConfidence checks a confidence that is there.
func (c *checker) checkConfidence(a *attribute, m *metadata, node int) {
	const expected = "a number from 0 to 1"
	f, ok := c.doc.Float(node)
	switch {
	case !ok:
		c.fault(a, codeMetadata, m.node, node, expected, mendNumber(c.doc, node))
	case f < 0 || f > 1:
		c.warn(warnConfidence, m.node, node, expected, "Write a number from 0 to 1; 1 if a person has labelled the image.")
	}
}

// mendNumber says what to do about a value that is no number.
func mendNumber(doc *manifest.Doc, node int) string {
	var inner manifest.Doc
	text := strings.TrimSpace(string(doc.Str(node, nil)))
	if doc.Type(node) == manifest.String && inner.Parse([]byte(`{"":`+text+`}`), 0) == nil && inner.Len(0) == 1 {
		if _, ok := inner.Float(2); ok {
			return "Write the number without quotation marks: " + text + "."
		}
	}
	return "Write a number."
}

// checkLabel checks the length of a label name, in characters.
func (c *checker) checkLabel(a *attribute, m *metadata, node int, name []byte) {
	if n := utf8.RuneCount(name); n < 1 || n > maxLabelChars {
		c.fault(a, codeLabelLength, m.node, node, fmt.Sprintf("1 to %d characters", maxLabelChars), mendLength(n))
	}
}

func mendLength(n int) string {
	if n == 0 {
		return "Name the label."
	}
	return fmt.Sprintf("Shorten the name of the label, which has %d characters.", n)
}

// rightLength tells whether a label name is neither empty nor too long.
func rightLength(name []byte) bool {
	return len(name) > 0 && (len(name) <= maxLabelChars || utf8.RuneCount(name) <= maxLabelChars)
}
