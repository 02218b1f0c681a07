package rekognition

import (
	"fmt"

	"fovea"
	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// A checker judges manifest lines by the rules of Custom Labels: specification
// sections 5 and 6.2 to 6.3. A line without faults costs no memory once the
// checker has seen its labels.
//
// Of what is wrong with a label attribute, AWS tells only the first code of
// those that stop validation (CL-6.50). So only that one is an Error and
// stored; what the checker finds behind it is told as a Warning of its code,
// so that people can mend everything at once.
type checker struct {
	limits fovea.Limits

	entry *manifest.Entry
	doc   *manifest.Doc
	found lint.Findings
	names lint.Names

	line    lint.Line
	ref     []byte
	classes classMap
	boxes   []box
}

// newChecker returns a checker of lines within limits.
func newChecker(limits fovea.Limits) *checker { return &checker{limits: limits} }

// Check implements manifest.Checker.
func (c *checker) Check(e *manifest.Entry, doc *manifest.Doc, bad *manifest.LineError) {
	c.entry, c.doc = e, doc
	e.SourceRef, e.Bucket, e.Labeled, e.Class, e.Date, e.Dropped = nil, nil, false, manifest.NoClass, 0, false
	e.Labels, e.Problems = e.Labels[:0], e.Problems[:0]
	c.found.Begin(e, doc)
	c.names.Begin()
	switch {
	case bad != nil:
		c.drop(bad)
	default:
		c.line.Read(doc, isReserved)
		for _, k := range c.line.Repeated {
			c.warn(warnDuplicateKey, 0, k+1, "each key once", "Remove all but one of them.")
		}
		if c.checkRef() {
			c.checkAttributes()
		}
	}
	c.found.End()
}

// drop drops a line that cannot be read (CL-6.20, CL-6.38).
func (c *checker) drop(bad *manifest.LineError) {
	c.entry.Dropped = true
	p := manifest.Problem{Code: codeInvalidJSON, Message: messages[codeInvalidJSON]}
	if bad.Reason == manifest.TooLong {
		p.Code, p.Message = codeLineTooLong, fmt.Sprintf(messages[codeLineTooLong], c.limits.LineChars)
		p.Found = fmt.Sprintf("%d characters", bad.Chars)
		p.Expected = fmt.Sprintf("at most %d", c.limits.LineChars)
	}
	c.found.Unreadable(bad, p)
}

// checkRef checks the source-ref (CL-6.23) and returns whether the line stays.
func (c *checker) checkRef() bool {
	if c.line.Ref < 0 {
		c.entry.Dropped = true
		c.found.MissingRef(manifest.Problem{Severity: manifest.Fatal, Code: codeNoSourceRef, Message: messages[codeNoSourceRef]})
		return false
	}
	ref, escaped := c.doc.Str(c.line.Ref, c.ref), c.doc.Nodes[c.line.Ref].Escaped
	if escaped {
		c.ref = ref
	}
	bucket, key, ok := lint.SplitRef(ref)
	if !ok {
		c.entry.Dropped = true
		c.found.Add(0, c.line.Ref, manifest.Problem{
			Severity: manifest.Fatal, Code: codeSourceRef, Message: messages[codeSourceRef],
			Expected: "an S3 URI, s3://BUCKET/KEY", Mend: lint.MendRef(ref),
		})
		return false
	}
	c.entry.SourceRef, c.entry.Bucket = ref, bucket
	if doubt := lint.DoubtRef(ref, bucket, key, escaped); doubt != nil {
		c.found.Add(0, c.line.Ref, manifest.Problem{
			Code: doubt.Code, Message: doubt.Message, Expected: doubt.Expected, Mend: doubt.Mend,
		})
	}
	return true
}

// checkAttributes checks all label attributes of the line.
func (c *checker) checkAttributes() {
	if len(c.line.Members) == 0 {
		c.found.AddToLine(manifest.Problem{
			Code: codeUnannotated, Message: messages[codeUnannotated], Found: "only a source-ref",
			Expected: "a label attribute and its metadata", Mend: "Label the image, or keep it: training passes it over.",
		})
		return
	}
	c.checkUnpaired()
	valid, boxless := 0, len(c.line.Pairs) > 0
	for i := range c.line.Pairs {
		a := attribute{Pair: &c.line.Pairs[i]}
		c.checkAttribute(&a)
		if !a.bad {
			valid++
		}
		boxless = boxless && a.boxless
		c.entry.Labeled = c.entry.Labeled || !a.boxless // CL-6.63
	}
	c.checkWhole(valid, boxless)
}

// checkWhole adds what is to be said of the line as a whole: valid of its
// attributes are, or all of them are for boxes and have none.
func (c *checker) checkWhole(valid int, boxless bool) {
	switch {
	case len(c.line.Pairs) == 0:
	case valid == 0:
		c.found.AddToLine(manifest.Problem{
			Severity: manifest.Error, Code: codeNoValid, Message: messages[codeNoValid],
			Found: "only invalid label attributes", Expected: "a valid one", Mend: "Mend a label attribute of the line.",
		})
	case boxless:
		c.found.AddToLine(manifest.Problem{
			Code: codeWithoutBoxes, Message: messages[codeWithoutBoxes], Found: "no bounding box",
			Expected: "a bounding box", Mend: "Draw boxes, or keep the image: training passes it over.",
		})
	}
}

// checkUnpaired looks at the members that are no label attributes because the
// other half of the pair is missing (CL-5.10, CL-6.32).
func (c *checker) checkUnpaired() {
	if len(c.line.Pairs) > 0 {
		for i := range c.line.Members {
			m := &c.line.Members[i]
			if _, ok := m.IsMetadata(); ok && !m.Paired {
				c.warn(warnUnpaired, 0, m.Node+1, "its label attribute", c.mendUnpaired(m))
			}
		}
		return
	}
	m := c.line.Likeliest()
	c.found.Add(0, m.Node+1, manifest.Problem{
		Severity: manifest.Error, Code: codeNoAttributes, Message: messages[codeNoAttributes],
		Found: "the key " + lint.Quote(m.Key), Expected: "a label attribute and its metadata", Mend: c.mendUnpaired(m),
	})
}

// mendUnpaired says what to do about half of a label attribute.
func (c *checker) mendUnpaired(m *lint.Member) string {
	if name, ok := m.IsMetadata(); ok && isReserved(name) {
		return fmt.Sprintf("Rename %q and its metadata: the key is reserved.", name)
	}
	return c.line.MendUnpaired(m)
}

// isReserved tells the keys that the server adds to lines that it lists, and
// so removes from lines that it gets (CL-5.13).
func isReserved(key []byte) bool {
	switch string(key) {
	case "cl-metadata", "cl-errors", "cl-warnings", "errors", "warnings":
		return true
	}
	return false
}

// warn adds a warning about the value at node.
func (c *checker) warn(code string, at, node int, expected, mend string) {
	c.found.Add(at, node, manifest.Problem{Code: code, Message: messages[code], Expected: expected, Mend: mend})
}
