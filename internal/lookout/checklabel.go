package lookout

import (
	"fmt"
	"strings"

	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// checkLabel checks the label attribute and sets the entry's class and date.
func (c *checker) checkLabel(a *attribute) {
	c.checkType(a, typeLabel)
	c.entry.Class = c.classOf(a)
	c.entry.Labeled = c.entry.Class != manifest.NoClass // LV-2.33
	c.checkValue(a)
	c.checkHuman(a)
	c.entry.Date = c.dateOf(a)
}

// classOf returns the class that the metadata names (LV-5.34, LV-5.35).
func (c *checker) classOf(a *attribute) manifest.Class {
	const expected = `"normal" or "anomaly"`
	if a.className == 0 {
		c.miss(a.Meta, "class-name", expected, `Add "class-name" to the metadata: without it the image is unlabelled.`)
		return manifest.NoClass
	}
	name := c.doc.Str(a.className, nil)
	switch {
	case isWord(name, "normal"):
		return manifest.Normal
	case isWord(name, "anomaly"):
		return manifest.Anomaly
	}
	c.warn(warnClass, a.className, expected, mendClass(string(name)))
	return manifest.NoClass
}

// mendClass says what to do about a class name that is not known.
func mendClass(name string) string {
	switch {
	case lint.Meant(name, "normal", "good", "okay") != "":
		return `Write "normal".`
	case lint.Meant(name, "anomaly", "anomalous", "abnormal", "defect", "defective") != "":
		return `Write "anomaly".`
	}
	return `Write "normal" or "anomaly". The kind of anomaly belongs into the colour map of a mask.`
}

// isWord tells whether text is a word of lower-case letters, in any case.
func isWord(text []byte, word string) bool {
	if len(text) != len(word) {
		return false
	}
	for i, b := range text {
		if b|0x20 != word[i] {
			return false
		}
	}
	return true
}

// checkValue doubts a value of the label attribute that does not fit its class
// (LV-5.31). It is 1 for anomaly and 0 for normal, but AWS's own Python SDK
// writes the reverse under auto-label (LV-5.30).
func (c *checker) checkValue(a *attribute) {
	switch t := c.doc.Type(a.Value); t {
	case manifest.Number, manifest.String:
	default:
		c.warn(warnValue, a.Value, "0 or 1", "Write 1 for anomaly, 0 for normal.")
		return
	}
	if string(a.Name) == "auto-label" {
		return
	}
	switch value := strings.Trim(string(c.doc.Raw(a.Value)), `"`); {
	case value == "0" && c.entry.Class == manifest.Anomaly:
		c.warn(warnValue, a.Value, "1, because the class-name is anomaly", "Check the class-name, which counts, and write 1.")
	case value == "1" && c.entry.Class == manifest.Normal:
		c.warn(warnValue, a.Value, "0, because the class-name is normal", "Check the class-name, which counts, and write 0.")
	}
}

// checkType doubts metadata without type (LV-5.80).
func (c *checker) checkType(a *attribute, kind string) {
	switch {
	case a.kind == 0:
		c.miss(a.Meta, "type", fmt.Sprintf("%q", kind), fmt.Sprintf(`Add "type":%q to the metadata.`, kind))
	case c.doc.Type(a.kind) != manifest.String:
		c.warn(warnType, a.kind, fmt.Sprintf("%q", kind), fmt.Sprintf(`Write "type":%q.`, kind))
	}
}

// checkHuman doubts a human-annotated that is not yes or no (LV-5.80).
func (c *checker) checkHuman(a *attribute) {
	const expected = `"yes" or "no"`
	switch {
	case a.human == 0:
		c.miss(a.Meta, "human-annotated", expected, `Add "human-annotated":"yes" to the metadata.`)
	case !c.doc.Is(a.human, "yes") && !c.doc.Is(a.human, "no"):
		c.warn(warnHumanAnnotated, a.human, expected, `Write "yes", or "no" if no person has labelled the image.`)
	}
}

// dateOf returns the creation-date in milliseconds since the Unix epoch, 0 if
// there is none that can be read (LV-5.86, LV-14.18).
func (c *checker) dateOf(a *attribute) int64 {
	if a.date == 0 {
		return 0
	}
	text := c.doc.Str(a.date, nil)
	if ms, ok := manifest.ParseDate(text); ok {
		return ms
	}
	if ms, ok := manifest.ParseJSDate(text); ok {
		return ms
	}
	c.warn(warnDate, a.date, "a date and time as in 2022-02-04T22:47:07", "Write YYYY-MM-DDTHH:MM:SS, in UTC.")
	return 0
}
