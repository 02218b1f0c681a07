package rekognition

import (
	"fmt"
	"strconv"

	"fovea"
	"fovea/internal/manifest"
)

// slack is how far a box may stick out of its image, in pixels. Decimal boxes
// (CL-5.31) do so by rounding: 10.1 + 629.9 is more than 640.
const slack = 1e-6

// checkSize checks the size of the image as image_size gives it (CL-6.40,
// CL-6.55).
func (c *checker) checkSize(a *attribute, s size) {
	limits := c.limits.Image
	for _, side := range []struct {
		name   string
		pixels float64
	}{{"width", s.width}, {"height", s.height}} {
		if side.pixels < float64(limits.MinSide) || limits.MaxSide > 0 && side.pixels > float64(limits.MaxSide) {
			c.fault(a, codeDimension, a.Value, c.doc.Member(s.node, side.name), sides(limits), "Scale the image and its boxes, or correct image_size.")
		}
	}
}

// sides words the limits on the sides of an image, for people.
func sides(l fovea.ImageLimits) string {
	if l.MaxSide == 0 {
		return fmt.Sprintf("%d pixels or more", l.MinSide)
	}
	return fmt.Sprintf("%d to %d pixels", l.MinSide, l.MaxSide)
}

// checkFrames checks that the boxes lie within the image and are large enough.
// An attribute of which no box is right is invalid (CL-6.43).
func (c *checker) checkFrames(a *attribute, s size, annotations int) {
	right := 0
	for i := range c.boxes {
		b := &c.boxes[i]
		ok := c.isWithin(s, b)
		if b.width >= 0 && b.height >= 0 {
			ok = c.isLargeEnough(s, b) && ok
		}
		if ok {
			c.classes.find(b.id).used = true
			right++
		}
	}
	if right == 0 && len(c.boxes) > 0 {
		c.fault(a, codeNoAnnotations, a.Value, annotations, "a valid annotation", "Mend an annotation, or write an empty array.")
	}
}

// isWithin checks that a box lies within the image (CL-6.42, CL-6.56).
func (c *checker) isWithin(s size, b *box) bool {
	if b.left >= 0 && b.top >= 0 && b.width >= 0 && b.height >= 0 &&
		b.left+b.width <= s.width+slack && b.top+b.height <= s.height+slack {
		return true
	}
	negative := false
	for _, edge := range []struct {
		node  int
		value float64
	}{{b.members.left, b.left}, {b.members.top, b.top}, {b.members.width, b.width}, {b.members.height, b.height}} {
		if edge.value < 0 {
			negative = true
			c.boxFault(b, codeBox, edge.node, "", "at least 0", "Cut the box off at the edge of the image.")
		}
	}
	if negative {
		return false
	}
	if b.left+b.width > s.width+slack {
		c.boxFault(b, codeBox, b.members.width, sum("left", b.left, "width", b.width),
			"at most "+pixels(s.width)+", the width of the image", mendFrame(s, b))
	}
	if b.top+b.height > s.height+slack {
		c.boxFault(b, codeBox, b.members.height, sum("top", b.top, "height", b.height),
			"at most "+pixels(s.height)+", the height of the image", mendFrame(s, b))
	}
	return false
}

// mendFrame guesses why a box sticks out of its image.
func mendFrame(s size, b *box) string {
	switch {
	case b.left+b.width <= s.height && b.top+b.height <= s.width:
		return "Swap width and height in image_size, if they are in the wrong order."
	case b.width > b.left && b.height > b.top && b.width <= s.width && b.height <= s.height:
		return "Subtract left from width and top from height, if they hold the right and the lower edge."
	}
	return "Cut the box off at the edge of the image, or correct image_size."
}

// isLargeEnough checks that a box has more than one pixel in both directions
// in the image as it is trained on, its longer side scaled down to 1280 (CL-6.41).
func (c *checker) isLargeEnough(s size, b *box) bool {
	scale := min(1, trainSide/max(s.width, s.height))
	if b.width*scale > 1 && b.height*scale > 1 {
		return true
	}
	found := pixels(b.width) + " x " + pixels(b.height) + " pixels"
	if scale < 1 {
		found += ", in training " + pixels(b.width*scale) + " x " + pixels(b.height*scale)
	}
	mend := "Draw the box larger, or remove it."
	if b.left <= 1 && b.top <= 1 && b.width <= 1 && b.height <= 1 && b.width > 0 && b.height > 0 && b.width+b.height < 2 {
		mend = "Multiply by the size of the image: the box is written in parts of it, not in pixels."
	}
	c.boxFault(b, codeSmallBox, b.node, found, "more than 1 x 1 pixels, in an image scaled down to 1280", mend)
	return false
}

// boxFault adds an error of an annotation, which leaves the others as they are
// (CL-6.53). Found "" quotes the value at node.
func (c *checker) boxFault(b *box, code string, node int, found, expected, mend string) {
	c.found.Add(b.node, node, manifest.Problem{
		Severity: manifest.Error, Code: code, Message: messages[code], Found: found, Expected: expected, Mend: mend,
	})
}

// sum writes an addition for people.
func sum(name string, a float64, other string, b float64) string {
	return fmt.Sprintf("%s %s + %s %s = %s", name, pixels(a), other, pixels(b), pixels(a+b))
}

// pixels writes a number of pixels for people.
func pixels(f float64) string { return strconv.FormatFloat(f, 'g', 10, 64) }
