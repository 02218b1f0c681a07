// Package repair mends what is wrong with a manifest where that needs no guess,
// and says of everything else why it was left alone.
//
// It finds what is wrong with the checker of the service, so that it and
// CreateDataset agree, and changes bytes of a line only where the value at fault
// is: keys keep their order, numbers their form, and unknown members stay. What
// it writes has none of the problems that it mended, so mending it again changes
// nothing.
package repair

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"

	"fovea"
	"fovea/internal/manifest"
)

// A Rule is a kind of repair.
type Rule string

// The rules. docs/quality.md says what each does.
const (
	ByteOrderMark  Rule = "byte-order-mark"
	LineEnds       Rule = "line-ends"
	BlankLine      Rule = "blank-line"
	DuplicateLine  Rule = "duplicate-line"
	Scheme         Rule = "source-ref-scheme"
	HumanAnnotated Rule = "human-annotated"
	Type           Rule = "type"
	ClassMap       Rule = "class-map"
	ImageSize      Rule = "image-size"
	MaskColors     Rule = "mask-colors"
	MaskFormat     Rule = "mask-format"
)

// Rules returns all rules.
func Rules() []Rule {
	return []Rule{BlankLine, ByteOrderMark, ClassMap, DuplicateLine, HumanAnnotated, ImageSize, LineEnds, MaskColors, MaskFormat, Scheme, Type}
}

// A Spec says what to mend.
type Spec struct {
	Profile  fovea.Profile
	Manifest fovea.ObjectInfo // its Size counts
	Source   io.ReaderAt
	Objects  fovea.Objects // where images and masks are, and mended masks go; nil to leave them alone
}

// A Record is something that was changed, or found and left alone.
type Record struct {
	Line    int64  `json:"line"` // of the old manifest, from 1; 0 for all of it
	Pointer string `json:"pointer,omitempty"`
	Rule    Rule   `json:"rule,omitempty"` // of what was changed
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"` // nothing where something was removed
	Code    string `json:"code,omitempty"`  // of what was left alone
	Why     string `json:"why,omitempty"`   // it was
}

// A Summary says what a repair came to.
type Summary struct {
	Repair  string         `json:"repair"` // form and version: fovea.repair/1
	Lines   int64          `json:"lines"`
	Written int64          `json:"written_lines"`
	Changes int64          `json:"changes"`
	Left    int64          `json:"left_alone"`
	ByRule  map[Rule]int64 `json:"changes_by_rule"`
}

// Run writes the mended manifest to w and calls tell with what it changed and
// what it left alone, in the order of the lines. The manifest is read twice. An
// error is that something could not be read or written; then what w has got is
// no manifest.
func Run(ctx context.Context, spec Spec, w io.Writer, tell func(Record) error) (*Summary, error) {
	r := &repairer{
		spec: spec, ctx: ctx, out: bufio.NewWriterSize(w, 256<<10), tell: tell,
		sum: Summary{Repair: "fovea.repair/1", ByRule: map[Rule]int64{}},
	}
	if err := r.survey(); err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	if err := r.write(); err != nil {
		return nil, err
	}
	return &r.sum, r.out.Flush()
}

// A repairer mends one manifest.
type repairer struct {
	spec  Spec
	ctx   context.Context
	out   *bufio.Writer
	tell  func(Record) error
	sum   Summary
	known survey
	masks map[string]mended // by the URIs of the old ones and the colours that they are to have

	checker manifest.Checker
	doc     manifest.Doc
	entry   manifest.Entry
}

// lines calls fn with each line of the manifest.
func (r *repairer) lines(fn func(manifest.Line) error) error {
	size := r.spec.Manifest.Size
	lines := manifest.NewLines(r.spec.Source, size, 0, size, 4*int(r.spec.Profile.Limits.LineChars))
	r.checker = r.spec.Profile.NewChecker()
	for {
		line, ok := lines.Next()
		if !ok {
			return lines.Err()
		}
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if err := fn(line); err != nil {
			return err
		}
	}
}

// judge reads a line and lets the checker judge it. It returns why the line
// cannot be read.
func (r *repairer) judge(line manifest.Line, text []byte) *manifest.LineError {
	bad := line.Bad
	if bad == nil {
		bad = r.doc.Parse(text, int(r.spec.Profile.Limits.LineChars))
	}
	r.entry.Reset()
	r.entry.Line, r.entry.Offset, r.entry.Number = text, line.Offset, line.Number
	r.checker.Check(&r.entry, &r.doc, bad)
	return bad
}

// write writes the mended lines.
func (r *repairer) write() error {
	if err := r.writeStart(); err != nil {
		return err
	}
	return r.lines(func(line manifest.Line) error {
		r.sum.Lines++
		text, keep, err := r.mend(line)
		if err != nil || !keep {
			return err
		}
		r.sum.Written++
		if line.Bad != nil { // too long to be held
			if _, err := io.Copy(r.out, io.NewSectionReader(r.spec.Source, line.Offset, line.Size)); err != nil {
				return err
			}
		}
		if _, err := r.out.Write(text); err != nil {
			return err
		}
		return r.out.WriteByte('\n')
	})
}

// writeStart tells what is changed about the file as a whole.
func (r *repairer) writeStart() error {
	if r.known.marked {
		if err := r.changed(Record{Rule: ByteOrderMark, Before: "a byte order mark at the start"}); err != nil {
			return err
		}
	}
	if n := r.known.returns; n > 0 {
		return r.changed(Record{Rule: LineEnds, Before: fmt.Sprintf("%d lines that end in a carriage return", n), After: "LF"})
	}
	return nil
}

// changed tells a change.
func (r *repairer) changed(c Record) error {
	r.sum.Changes++
	r.sum.ByRule[c.Rule]++
	return r.tell(c)
}

// left tells what was left alone.
func (r *repairer) left(line int64, pointer, code, why string) error {
	r.sum.Left++
	return r.tell(Record{Line: line, Pointer: pointer, Code: code, Why: why})
}

// mend returns a line as it is to be written, and whether it is.
func (r *repairer) mend(line manifest.Line) (text []byte, keep bool, err error) {
	text = bytes.TrimRight(line.Text, "\r")
	// The checker must not see a line that goes: it remembers the lines before.
	if kept, repeats := r.known.displaced(line.Number); repeats {
		return nil, false, r.changed(Record{
			Line: line.Number, Pointer: "/source-ref", Rule: DuplicateLine, Before: fmt.Sprintf("the line, whose image line %d has, too", kept),
		})
	}
	bad := r.judge(line, text)
	if bad != nil && bad.Reason == manifest.Blank {
		return nil, false, r.changed(Record{Line: line.Number, Rule: BlankLine, Before: "a blank line"})
	}
	const rounds = 8 // a mended line may show what was hidden before
	for round := 0; bad == nil && round < rounds; round++ {
		edits, err := r.edits(round == 0)
		if err != nil {
			return nil, false, err
		}
		if len(edits) == 0 {
			break
		}
		var records []Record
		text, records = apply(text, edits)
		for _, c := range records {
			c.Line = line.Number
			if err := r.changed(c); err != nil {
				return nil, false, err
			}
		}
		bad = r.judge(line, text)
	}
	return text, true, r.tellRest(line.Number)
}

// excerpt is how many characters of a value are told.
const excerpt = 120

// tellRest tells what is still wrong with the line.
func (r *repairer) tellRest(line int64) error {
	for i := range r.entry.Problems {
		p := &r.entry.Problems[i]
		if err := r.left(line, p.Pointer, p.Code, "It needs a decision. "+p.Mend); err != nil {
			return err
		}
	}
	return nil
}

// An edit replaces bytes of a line.
type edit struct {
	from, to int
	text     string
	record   Record
}

// apply makes edits and returns the changed line, which is a copy, and what was
// done. Of edits that touch each other the first is made.
func apply(text []byte, edits []edit) (changed []byte, done []Record) {
	at := 0
	last := -1
	var out bytes.Buffer
	for _, e := range edits {
		if e.from < at || e.from == last {
			continue
		}
		out.Write(text[at:e.from])
		out.WriteString(e.text)
		at, last = e.to, e.from
		done = append(done, e.record)
	}
	out.Write(text[at:])
	return out.Bytes(), done
}
