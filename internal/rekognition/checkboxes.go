package rekognition

import (
	"fmt"
	"strconv"

	"fovea/internal/manifest"
)

// trainSide is how many pixels the longer side has at most in training (CL-6.41).
const trainSide = 1280

// A box is an annotation.
type box struct {
	node                     int // of the annotation
	idNode                   int // 0 if there is no right class id
	id                       int64
	left, top, width, height float64
	members                  boxMembers
}

// boxMembers holds the nodes of the members of an annotation, 0 for one that
// is missing.
type boxMembers struct{ id, left, top, width, height int }

// A size is an image_size.
type size struct {
	node          int // 0 if there is no right one
	width, height float64
}

// checkBoxes checks an attribute of boxes (CL 5.4), in the order in which AWS
// stops (CL-6.50).
func (c *checker) checkBoxes(a *attribute, m *metadata) {
	size, annotations := c.readBoxes(a)
	c.readClasses(a, m)
	c.checkCommon(a, m, typeBoxes)
	c.checkObjects(a, m, annotations)
	c.checkClassIDs(a, m)
	c.checkNames(a, m)
	if a.stop != "" {
		return
	}
	if a.boxless && len(c.line.Pairs) > 1 && c.doc.Is(m.human, "yes") { // else checkWhole tells
		c.warn(codeAttributeNoBoxes, a.Value, annotations, "an annotation", "Draw boxes, or keep the image: training passes it over.")
	}
	c.checkSize(a, size)
	if n, limit := c.doc.Len(annotations), c.limits.Boxes; limit > 0 && n > limit { // CL-5.34
		c.found.Add(a.Value, annotations, manifest.Problem{
			Severity: a.severity(codeTooManyBoxes), Code: codeTooManyBoxes, Message: messages[codeTooManyBoxes],
			Found: fmt.Sprintf("%d annotations", n), Expected: fmt.Sprintf("at most %d", limit),
			Mend: "Remove boxes, or cut the image into several.",
		})
	}
	if size.width > 0 && size.height > 0 {
		c.checkFrames(a, size, annotations)
	}
	if !a.bad {
		c.addBoxLabels()
	}
}

// readBoxes reads the value of an attribute of boxes into c.boxes. It returns
// the size of the image and the node of the annotations, 0 if there are none.
func (c *checker) readBoxes(a *attribute) (s size, annotations int) {
	c.boxes = c.boxes[:0]
	if c.doc.Type(a.Value) != manifest.Object {
		c.fault(a, codeAttribute, c.carrier(a), a.Value, "an object with image_size and annotations",
			fmt.Sprintf("Write the boxes, or the type %q if the label is for the whole image.", typeImage))
		return s, 0
	}
	imageSize := 0
	for k, end := a.Value+1, c.doc.Next(a.Value); k < end; k = c.doc.Next(k + 1) {
		switch string(c.doc.Key(k)) {
		case "image_size":
			c.set(&imageSize, k)
		case "annotations":
			c.set(&annotations, k)
		}
	}
	s = c.readSize(a, imageSize)
	if !c.isList(a, annotations, "annotations") {
		return s, 0
	}
	for e, end := annotations+1, c.doc.Next(annotations); e < end; e = c.doc.Next(e) {
		c.readBox(a, e)
	}
	return s, annotations
}

// isList checks that the member of the attribute at node is an array.
func (c *checker) isList(a *attribute, node int, name string) bool {
	switch {
	case node == 0:
		c.lack(a, codeAttribute, a.Value, a.Value, name, "an array", fmt.Sprintf("Add %q to the label attribute.", name))
	case c.doc.Type(node) != manifest.Array:
		c.fault(a, codeAttribute, a.Value, node, "an array", "Write an array, which may be empty.")
	default:
		return true
	}
	return false
}

// readSize reads the image_size at node. AWS writes an array with one object;
// the object alone is accepted (CL-5.33).
func (c *checker) readSize(a *attribute, node int) (s size) {
	const expected = `an array with one object, as in [{"width":640,"height":480,"depth":3}]`
	if node == 0 {
		c.lack(a, codeAttribute, a.Value, a.Value, "image_size", expected, `Add "image_size" to the label attribute.`)
		return s
	}
	object := node
	if c.doc.Type(node) == manifest.Array && c.doc.Len(node) == 1 {
		object = node + 1
	}
	if c.doc.Type(object) != manifest.Object {
		c.fault(a, codeAttribute, a.Value, node, expected, "Write the size of the image, one object in an array.")
		return s
	}
	width, height, depth := 0, 0, 0
	for k, end := object+1, c.doc.Next(object); k < end; k = c.doc.Next(k + 1) {
		switch string(c.doc.Key(k)) {
		case "width":
			c.set(&width, k)
		case "height":
			c.set(&height, k)
		case "depth":
			c.set(&depth, k)
		}
	}
	var okWidth, okHeight bool
	s.width, okWidth = c.number(a, object, width, "width")
	s.height, okHeight = c.number(a, object, height, "height")
	c.number(a, object, depth, "depth")
	if okWidth && okHeight {
		s.node = object
	}
	return s
}

// readBox reads the annotation at node.
func (c *checker) readBox(a *attribute, node int) {
	b := box{node: node}
	if c.doc.Type(node) != manifest.Object {
		c.fault(a, codeAttribute, a.Value, node, "an object with class_id, left, top, width and height", "Write the annotation as an object.")
		c.boxes = append(c.boxes, b)
		return
	}
	m := &b.members
	for k, end := node+1, c.doc.Next(node); k < end; k = c.doc.Next(k + 1) {
		switch string(c.doc.Key(k)) {
		case "class_id":
			c.set(&m.id, k)
		case "left":
			c.set(&m.left, k)
		case "top":
			c.set(&m.top, k)
		case "width":
			c.set(&m.width, k)
		case "height":
			c.set(&m.height, k)
		}
	}
	c.readID(a, &b)
	b.left, _ = c.number(a, node, m.left, "left")
	b.top, _ = c.number(a, node, m.top, "top")
	b.width, _ = c.number(a, node, m.width, "width")
	b.height, _ = c.number(a, node, m.height, "height")
	c.boxes = append(c.boxes, b)
}

// readID reads the class id of an annotation.
func (c *checker) readID(a *attribute, b *box) {
	if b.members.id == 0 {
		c.lack(a, codeAttribute, a.Value, b.node, "class_id", "an integer", `Add "class_id" to the annotation.`)
		return
	}
	id, ok := c.doc.Int(b.members.id)
	if ok {
		b.id, b.idNode = id, b.members.id
		return
	}
	mend := "Write a whole number."
	if c.doc.Type(b.members.id) == manifest.String {
		mend = mendNumber(c.doc, b.members.id)
	}
	c.fault(a, codeAttribute, a.Value, b.members.id, "an integer", mend)
}

// number returns the number at node, which is the object's member of that
// name, and whether it is there and is a number.
func (c *checker) number(a *attribute, object, node int, name string) (float64, bool) {
	if node == 0 {
		c.lack(a, codeAttribute, a.Value, object, name, "a number", `Add "`+name+`".`)
		return 0, false
	}
	f, ok := c.doc.Float(node)
	if !ok {
		c.fault(a, codeAttribute, a.Value, node, "a number", mendNumber(c.doc, node))
	}
	return f, ok
}

// checkObjects checks the objects of the metadata, which hold a confidence for
// each annotation, by index (CL-6.36).
func (c *checker) checkObjects(a *attribute, m *metadata, annotations int) {
	switch {
	case m.objects == 0:
		c.lack(a, codeMetadata, m.node, m.node, "objects", "an array with a confidence for each annotation", `Add "objects" to the metadata, as in [{"confidence":1}].`)
		return
	case c.doc.Type(m.objects) != manifest.Array:
		c.fault(a, codeMetadata, m.node, m.objects, "an array with a confidence for each annotation", `Write an array, as in [{"confidence":1}].`)
		return
	}
	lacking := false
	for e, end := m.objects+1, c.doc.Next(m.objects); e < end; e = c.doc.Next(e) {
		if c.doc.Type(e) != manifest.Object {
			c.fault(a, codeMetadata, m.node, e, "an object", `Write an object, as in {"confidence":1}.`)
			continue
		}
		if confidence := c.confidenceOf(e); confidence != 0 {
			c.checkConfidence(a, m, confidence)
		} else {
			lacking = true
		}
	}
	if annotations != 0 {
		c.countObjects(a, m, annotations)
	}
	if lacking {
		c.findLackingConfidence(a, m)
	}
}

// confidenceOf returns the node of an object's confidence, 0 if it has none.
func (c *checker) confidenceOf(object int) (node int) {
	for k, end := object+1, c.doc.Next(object); k < end; k = c.doc.Next(k + 1) {
		if c.doc.Is(k, "confidence") {
			c.set(&node, k)
		}
	}
	return node
}

// countObjects compares the number of objects with that of the annotations.
func (c *checker) countObjects(a *attribute, m *metadata, annotations int) {
	have, want := c.doc.Len(m.objects), c.doc.Len(annotations)
	if have == want {
		return
	}
	p := manifest.Problem{Found: strconv.Itoa(have), Expected: fmt.Sprintf("%d, one for each annotation", want)}
	if have < want {
		p.Severity, p.Code = a.severity(codeBoxConfidence), codeBoxConfidence
		p.Mend = `Add {"confidence":1} to objects for each annotation that has none.`
	} else {
		p.Code, p.Mend = warnObjects, "Remove what is too much, or add the annotations that are missing."
	}
	p.Message = messages[p.Code]
	c.found.Add(m.node, m.objects, p)
}

// findLackingConfidence tells which objects have no confidence.
func (c *checker) findLackingConfidence(a *attribute, m *metadata) {
	for e, end := m.objects+1, c.doc.Next(m.objects); e < end; e = c.doc.Next(e) {
		if c.doc.Type(e) == manifest.Object && c.confidenceOf(e) == 0 {
			c.lack(a, codeBoxConfidence, m.node, e, "confidence", "a number from 0 to 1", `Add "confidence":1.`)
		}
	}
}

// checkClassIDs checks that the class map has the classes of all boxes (CL-6.37).
func (c *checker) checkClassIDs(a *attribute, m *metadata) {
	if m.classMap == 0 || c.doc.Type(m.classMap) != manifest.Object {
		return
	}
	for i := range c.boxes {
		b := &c.boxes[i]
		if b.idNode == 0 || c.classes.find(b.id) != nil {
			continue
		}
		c.fault(a, codeClassID, m.node, b.idNode, "a class id that the class map has"+c.classes.listed(),
			fmt.Sprintf("Add an entry for class id %d to %s-metadata/class-map.", b.id, manifest.Excerpt(a.Name, 80)))
	}
}
