package lookout

import (
	"fmt"
	"strings"

	"fovea"
	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// A checker judges manifest lines by the rules of Lookout for Vision:
// specification sections 5.2, 5.3 and 5.6. A line without faults costs no
// memory once the checker has seen its labels.
//
// One dropped line fails the import (LV-5.89), so nothing is dropped that the
// files of AWS's own console have (LV-5.29, LV-5.30), and all that is wrong
// with a line is told at once.
//
// A checker remembers which colours labels have, because they should have the
// same in all lines (LV-5.47). It knows of the lines that it has checked.
type checker struct {
	limits fovea.Limits

	entry *manifest.Entry
	doc   *manifest.Doc
	found lint.Findings
	names lint.Names

	line   lint.Line
	ref    []byte
	colors palette
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
	if bad != nil {
		c.drop(bad)
	} else {
		c.line.Read(doc, nil)
		for _, k := range c.line.Repeated {
			c.warn(warnDuplicateKey, k+1, "each key once", "Remove all but one of them.")
		}
		c.checkRef()
		c.checkAttributes()
	}
	c.found.End()
}

// drop drops a line that cannot be read (LV-5.74 to LV-5.76).
func (c *checker) drop(bad *manifest.LineError) {
	c.entry.Dropped = true
	p := manifest.Problem{Code: codeInvalidJSON, Message: messages[codeInvalidJSON]}
	switch bad.Reason {
	case manifest.NotUTF8:
		p.Code, p.Message = codeNotUTF8, messages[codeNotUTF8]
	case manifest.TooLong:
		p.Code, p.Message = codeLineTooLong, fmt.Sprintf(messages[codeLineTooLong], c.limits.LineChars)
		p.Found = fmt.Sprintf("%d characters", bad.Chars)
		p.Expected = fmt.Sprintf("at most %d", c.limits.LineChars)
	}
	c.found.Unreadable(bad, p)
}

// checkRef checks the source-ref (LV-5.77).
func (c *checker) checkRef() {
	if c.line.Ref < 0 {
		c.entry.Dropped = true
		c.found.MissingRef(manifest.Problem{Severity: manifest.Fatal, Code: codeNoSourceRef, Message: messages[codeNoSourceRef]})
		return
	}
	ref, escaped := c.doc.Str(c.line.Ref, c.ref), c.doc.Nodes[c.line.Ref].Escaped
	if escaped {
		c.ref = ref
	}
	bucket, key, ok := lint.SplitRef(ref)
	if !ok {
		c.fault(codeSourceRef, "", c.line.Ref, "an S3 URI, s3://BUCKET/KEY", lint.MendRef(ref))
		return
	}
	c.entry.SourceRef, c.entry.Bucket = ref, bucket
	if doubt := lint.DoubtRef(ref, bucket, key, escaped); doubt != nil {
		c.found.Add(0, c.line.Ref, manifest.Problem{
			Code: doubt.Code, Message: doubt.Message, Expected: doubt.Expected, Mend: doubt.Mend,
		})
	}
}

// fault drops the line because of the value at node, which belongs to the
// attribute of that name.
func (c *checker) fault(code, name string, node int, expected, mend string) {
	c.entry.Dropped = true
	c.found.Add(0, node, manifest.Problem{
		Severity: manifest.Fatal, Code: code, Message: message(code, name), Expected: expected, Mend: mend,
	})
}

// lack drops the line because an object lacks a member.
func (c *checker) lack(code, name string, object int, member, expected, mend string) {
	c.entry.Dropped = true
	c.found.Missing(0, object, member, manifest.Problem{
		Severity: manifest.Fatal, Code: code, Message: message(code, name), Expected: expected, Mend: mend,
	})
}

// message words a code for the attribute of that name.
func message(code, name string) string {
	m := messages[code]
	if !strings.Contains(m, "%s") {
		return m
	}
	if len(name) > 256 {
		name = manifest.Excerpt([]byte(name), 256)
	}
	return fmt.Sprintf(m, name)
}

// warn adds a warning about the value at node.
func (c *checker) warn(code string, node int, expected, mend string) {
	c.found.Add(0, node, manifest.Problem{Code: code, Message: messages[code], Expected: expected, Mend: mend})
}

// miss adds the warning that metadata lacks a member (LV-5.80).
func (c *checker) miss(object int, member, expected, mend string) {
	c.found.Missing(0, object, member, manifest.Problem{
		Code: warnMember, Message: messages[warnMember], Expected: expected, Mend: mend,
	})
}
