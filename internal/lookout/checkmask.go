package lookout

import (
	"bytes"
	"fmt"

	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// maxLabelChars is the length of the longest label name (LV-14.23).
const maxLabelChars = 256

// checkMask checks the mask attribute and adds the labels of its colour map to
// the entry.
func (c *checker) checkMask(a *attribute) {
	c.checkType(a, typeMask)
	c.checkHuman(a)
	c.dateOf(a)
	c.checkMaskRef(a)
	if !c.hasColors(a) {
		return
	}
	c.colors.begin()
	for k, end := a.colorMap+1, c.doc.Next(a.colorMap); k < end; k = c.doc.Next(k + 1) {
		c.checkColor(a, k+1)
	}
	switch n, limit := len(c.entry.Labels), c.limits.MaskLabels; { // LV-5.46
	case limit > 0 && n > limit:
		c.entry.Dropped = true
		c.found.Add(0, a.colorMap, manifest.Problem{
			Severity: manifest.Fatal, Code: codeAnomalyLabels, Message: messages[codeAnomalyLabels],
			Found: fmt.Sprintf("%d labels", n), Expected: fmt.Sprintf("at most %d", limit),
			Mend: "Remove labels that no pixel of the mask has.",
		})
	case n == 0 && c.entry.Class == manifest.Anomaly && !c.entry.Dropped:
		c.warn(warnNoLabels, a.colorMap, "a label of the anomaly", "Add the label and its colour to the colour map.")
	}
}

// checkMaskRef doubts a value that training cannot read a mask from (LV-5.3,
// LV-5.19).
func (c *checker) checkMaskRef(a *attribute) {
	ref := c.doc.Str(a.Value, nil)
	bucket, _, ok := lint.SplitRef(ref)
	switch {
	case !ok:
		c.warn(warnMaskRef, a.Value, "an S3 URI, s3://BUCKET/KEY", lint.MendRef(ref))
	case c.entry.Bucket != nil && !bytes.Equal(bucket, c.entry.Bucket):
		c.warn(warnMaskRef, a.Value, "a mask in the bucket of the image, "+lint.Quote(c.entry.Bucket), "Copy the mask into the bucket of the image.")
	}
}

// hasColors checks that there is a colour map (LV-5.81).
func (c *checker) hasColors(a *attribute) bool {
	const expected = `an object of colours, as in {"1":{"class-name":"scratch","hex-color":"#2ca02c"}}`
	switch {
	case a.colorMap == 0:
		c.lack(codeColorMap, string(a.Name), a.Meta, "internal-color-map", expected, `Add "internal-color-map" to the metadata of the mask.`)
	case c.doc.Type(a.colorMap) != manifest.Object:
		c.fault(codeColorMap, string(a.Name), a.colorMap, expected, "Write the colour map as an object.")
	case c.doc.Len(a.colorMap) == 0:
		c.fault(codeColorMap, string(a.Name), a.colorMap, expected, "Add the colours of the mask to the colour map.")
	default:
		return true
	}
	return false
}

// checkColor checks an entry of a colour map (LV-5.22, LV-5.23). Its index and
// its confidence are free, and there need be none for the background (LV-5.83).
func (c *checker) checkColor(a *attribute, node int) {
	const expected = `an object with class-name and hex-color`
	if c.doc.Type(node) != manifest.Object {
		c.fault(codeHexColor, "", node, expected, `Write an object, as in {"class-name":"scratch","hex-color":"#2ca02c"}.`)
		return
	}
	name, hex := 0, 0
	for k, end := node+1, c.doc.Next(node); k < end; k = c.doc.Next(k + 1) {
		switch string(c.doc.Key(k)) {
		case "class-name":
			c.set(&name, k)
		case "hex-color":
			c.set(&hex, k)
		}
	}
	if hex == 0 {
		c.lack(codeHexColor, "", node, "hex-color", "a colour as in #2ca02c", `Add "hex-color" with the colour that the label has in the mask.`)
		return
	}
	color, ok := parseColor(c.doc.Str(hex, nil))
	if !ok {
		c.fault(codeHexColor, "", hex, "# and 6 hexadecimal digits", mendColor(c.doc.Str(hex, nil)))
		return
	}
	c.addColor(a, node, name, hex, color)
}

// addColor adds the label of an entry of a colour map, unless it is the
// background, and doubts a colour that differs from line to line (LV-5.47).
func (c *checker) addColor(a *attribute, node, name, hex int, color rgb) {
	text := c.doc.Str(name, nil)
	switch {
	case name == 0 && color == white:
		return
	case name == 0:
		c.found.Missing(0, node, "class-name", manifest.Problem{
			Code: warnColorName, Message: messages[warnColorName], Expected: "the name of the label",
			Mend: `Add "class-name" with the name of the label.`,
		})
		return
	case isWord(text, "background"):
		return
	case color == white:
		c.warn(warnWhite, hex, "a colour other than white", "Give the label another colour, in the mask too, or name it BACKGROUND.")
		return
	case len(text) == 0 || len(text) > 4*maxLabelChars:
		c.warn(warnLabelName, name, fmt.Sprintf("a name of 1 to %d characters", maxLabelChars), "Name the label.")
		return
	}
	known := c.names.Get(text)
	c.names.Label(c.entry, known).Used = c.entry.Class == manifest.Anomaly // LV-5.38
	if known.Odd {
		c.warn(warnLabelName, name, "visible characters", "Remove what cannot be seen, in all lines.")
	}
	if old, ok := c.colors.colorOf(known.Text, color); !ok {
		c.warn(warnLabelColor, hex, old.String()+", as in a line before", "Give the label the same colour in all lines, and in their masks.")
	}
	if old, ok := c.colors.labelOf(color, known.Text); !ok {
		c.warn(warnColorLabel, hex, "a colour that no other label has; this is that of "+lint.Quote([]byte(old)), "Give each label a colour of its own, in the masks too.")
	}
}

// mendColor says what to do about a hex-color that cannot be read.
func mendColor(text []byte) string {
	for _, form := range []string{"#" + string(text), string(bytes.TrimSpace(text))} {
		if _, ok := parseColor([]byte(form)); ok {
			return fmt.Sprintf("Write %q.", form)
		}
	}
	if len(text) == 4 && text[0] == '#' {
		if form := fmt.Sprintf("#%c%c%c%c%c%c", text[1], text[1], text[2], text[2], text[3], text[3]); isColor(form) {
			return fmt.Sprintf("Write %q.", form)
		}
	}
	return "Write the colour that the label has in the mask, as in #2ca02c."
}
