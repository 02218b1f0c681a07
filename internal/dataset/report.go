package dataset

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"fovea"
	"fovea/internal/manifest"
)

// maxReported bounds the findings of a report. The counts by code are of all.
const maxReported = 100_000

// maxPartProblems bounds the findings of a part, in bytes of JSON.
const maxPartProblems = 8 << 20

// A Summary is the first line of an import report.
type Summary struct {
	Report   string           `json:"report"` // format and version: fovea.import/1
	Service  fovea.Service    `json:"service"`
	Dataset  fovea.Split      `json:"dataset"`
	Manifest string           `json:"manifest"` // S3 URI or file name
	ETag     string           `json:"etag,omitempty"`
	Bytes    int64            `json:"bytes"`
	Lines    int64            `json:"lines"`
	Blank    int64            `json:"blank_lines"`
	Entries  int64            `json:"entries"`
	Labeled  int64            `json:"labeled_entries"`
	Errors   int64            `json:"error_entries"`
	Labels   int              `json:"labels"`
	Dropped  int64            `json:"dropped_lines"` // duplicates included
	Copies   int64            `json:"duplicate_lines"`
	Budget   *Budget          `json:"budget,omitempty"`
	Codes    map[string]int64 `json:"codes"`           // findings by code, all of them
	Fault    *FaultReport     `json:"fault,omitempty"` // why the import failed
	Findings int64            `json:"findings"`        // how many follow
	Left     int64            `json:"findings_left_out,omitempty"`
}

// A Budget tells how many lines may be dropped before an import fails
// (CL-5.67) and how much of that is used.
type Budget struct {
	Allowed float64 `json:"allowed_share"` // of the lines
	Share   float64 `json:"dropped_share"`
	Used    float64 `json:"used"` // dropped share as a share of the allowed one: over 1 fails
}

// A FaultReport says why an import failed.
type FaultReport struct {
	Code    string `json:"code"`
	Message string `json:"message"` // as the dataset's status has it
	Line    int64  `json:"line,omitempty"`
	Found   string `json:"found,omitempty"`
}

// A Finding is a line of an import report after the first: something about a
// line of the manifest.
type Finding struct {
	Line      int64  `json:"line"`   // from 1
	Column    int    `json:"column"` // from 1, in bytes; 0 if it is not known
	Offset    int64  `json:"offset"` // of the value at fault in the manifest, in bytes; 0 if it is not known
	Severity  string `json:"severity"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	Pointer   string `json:"pointer"` // JSON pointer of the value at fault
	Found     string `json:"found,omitempty"`
	Expected  string `json:"expected,omitempty"`
	Mend      string `json:"mend,omitempty"`
	SourceRef string `json:"source_ref,omitempty"`
}

// findingOf returns a problem of the line of that number, offset and source-ref.
func findingOf(p *manifest.Problem, line, offset int64, ref string) Finding {
	return Finding{
		Line: line, Column: p.Offset + 1, Offset: offset + int64(p.Offset),
		Severity: p.Severity.String(), Code: p.Code, Message: p.Message, Pointer: p.Pointer,
		Found: p.Found, Expected: p.Expected, Mend: p.Mend, SourceRef: ref,
	}
}

// report keeps a finding about the current entry in the part.
func (w *worker) report(p *manifest.Problem) {
	if len(w.problems) <= maxPartProblems {
		w.keep(findingOf(p, w.entry.Number, w.entry.Offset, string(w.entry.SourceRef)))
	}
}

// keep keeps a finding in the part, while there is room.
func (w *worker) keep(f Finding) {
	if len(w.problems) > maxPartProblems {
		return
	}
	b, err := json.Marshal(f)
	if err != nil {
		panic(err) // strings and numbers are always JSON
	}
	w.problems = binary.LittleEndian.AppendUint32(w.problems, uint32(len(b)))
	w.problems = append(w.problems, b...)
	w.part.Problems++
}

// summary returns the first line of the report.
func (s *scan) summary(out *outcome) *Summary {
	sum := &Summary{
		Report: "fovea.import/1", Service: s.profile.Service, Dataset: s.split,
		Manifest: s.manifest.Ref.String(), ETag: s.manifest.ETag, Bytes: s.manifest.Size,
		Lines: out.lines, Blank: out.blank, Dropped: out.dropped, Copies: out.duplicates,
		Entries: out.stats.Entries, Labeled: out.stats.Labeled, Errors: out.stats.Errors, Labels: len(out.labels),
		Codes: out.codes,
	}
	if allowed := s.profile.Limits.DropShare; !s.profile.Strict && out.counted > 0 && allowed > 0 && allowed < 1 {
		share := float64(out.dropped) / float64(out.counted)
		sum.Budget = &Budget{Allowed: allowed, Share: share, Used: share / allowed}
	}
	if f := out.fault; f != nil {
		code, message := s.profile.FaultText(*f)
		sum.Fault = &FaultReport{Code: code, Message: message, Line: f.Line, Found: f.Found}
	}
	var kept, all int64
	for _, p := range out.parts {
		kept += p.Problems
	}
	for _, n := range out.codes {
		all += n
	}
	sum.Findings = min(kept+int64(len(out.copies)+len(out.differs)+len(out.observed)), maxReported)
	sum.Left = all - sum.Findings
	return sum
}

// writeReport writes the report as JSON Lines: the summary, then the findings
// in order of their lines.
func (s *scan) writeReport(ctx context.Context, out *outcome, dst io.Writer) error {
	w := bufio.NewWriterSize(dst, 64<<10)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s.summary(out)); err != nil {
		return err
	}
	err := s.findings(ctx, out, func(f *Finding) error { return enc.Encode(f) })
	if err != nil {
		return err
	}
	return w.Flush()
}

// findings calls fn with the first maxReported findings, in order.
func (s *scan) findings(ctx context.Context, out *outcome, fn func(*Finding) error) error {
	left := maxReported
	for i, p := range out.parts {
		found, err := s.partFindings(ctx, out, i, p)
		if err != nil {
			return err
		}
		for k := range found[:min(left, len(found))] {
			if err := fn(&found[k]); err != nil {
				return err
			}
		}
		if left -= min(left, len(found)); left == 0 {
			break
		}
	}
	return nil
}

// partFindings returns the findings of a part in order, duplicates among them,
// with the numbers that their lines have in the manifest.
func (s *scan) partFindings(ctx context.Context, out *outcome, index int, p *part) ([]Finding, error) {
	b, err := p.problems(ctx, s.blobs)
	if err != nil {
		return nil, err
	}
	found := make([]Finding, 0, p.Problems)
	for len(b) > 4 {
		n := int(binary.LittleEndian.Uint32(b))
		var f Finding
		if n > len(b)-4 {
			return nil, fmt.Errorf("the findings of %s are damaged", p.name)
		}
		if err := json.Unmarshal(b[4:4+n], &f); err != nil {
			return nil, fmt.Errorf("the findings of %s are damaged: %w", p.name, err)
		}
		f.Line += p.firstLine
		found = append(found, f)
		b = b[4+n:]
	}
	for _, d := range out.differs {
		if d.part == index {
			found = append(found, d.Finding)
		}
	}
	copies, err := s.copyFindings(out, index, p)
	if err != nil {
		return nil, err
	}
	observed, err := s.observedFindings(out, index, p)
	if err != nil {
		return nil, err
	}
	found = append(append(found, copies...), observed...)
	slices.SortStableFunc(found, func(a, b Finding) int { return int(a.Line - b.Line) })
	return found, nil
}

// copyFindings returns the findings about the duplicates of a part. It reads
// their lines again, because what is kept of them is a hash; if the manifest is
// gone by now, the findings do without what the lines say.
func (s *scan) copyFindings(out *outcome, index int, p *part) ([]Finding, error) {
	first, _ := slices.BinarySearchFunc(out.copies, index, func(d duplicate, i int) int { return d.part - i })
	last, _ := slices.BinarySearchFunc(out.copies, index+1, func(d duplicate, i int) int { return d.part - i })
	copies := out.copies[first:last]
	if len(copies) == 0 {
		return nil, nil
	}
	found := make([]Finding, len(copies))
	err := s.visit(p, len(copies), func(i int) int64 { return int64(copies[i].line) }, func(i int, line *manifest.Line, doc *manifest.Doc) {
		c := copies[i]
		f := &found[i]
		*f = Finding{Line: p.firstLine + int64(c.line), Pointer: "/source-ref", Code: DuplicateLine}
		if line != nil {
			f.place(line, doc)
		}
		s.wordCopy(f, out.parts[c.kept].firstLine+int64(c.keptLineInIt))
	})
	return found, err
}

// observedFindings returns what was found about lines of a part in all lines
// together.
func (s *scan) observedFindings(out *outcome, index int, p *part) ([]Finding, error) {
	first, _ := slices.BinarySearchFunc(out.observed, index, func(o observation, i int) int { return o.part - i })
	last, _ := slices.BinarySearchFunc(out.observed, index+1, func(o observation, i int) int { return o.part - i })
	observed := out.observed[first:last]
	found := make([]Finding, len(observed))
	err := s.visit(p, len(observed), func(i int) int64 { return observed[i].line }, func(i int, line *manifest.Line, doc *manifest.Doc) {
		f := &found[i]
		*f = findingOf(&observed[i].problem, p.firstLine+observed[i].line, 0, "")
		f.Column = 0
		if line != nil {
			f.place(line, doc)
			f.Pointer = "/source-ref"
		}
	})
	return found, err
}

// visit calls fn for n lines of a part, whose numbers ascend, with the line, or
// nil if the manifest is gone by now.
func (s *scan) visit(p *part, n int, number func(int) int64, fn func(int, *manifest.Line, *manifest.Doc)) error {
	if n == 0 {
		return nil
	}
	var doc manifest.Doc
	lines := manifest.NewLines(s.source, s.manifest.Size, p.Start, p.End, 4*int(s.profile.Limits.LineChars))
	line, ok := lines.Next()
	for i := range n {
		for ok && line.Number < number(i) {
			line, ok = lines.Next()
		}
		if err := lines.Err(); !ok && fovea.KindOf(err) == fovea.Internal {
			return cmp.Or(err, fmt.Errorf("line %d of %s is gone", number(i), p.name))
		}
		if ok {
			fn(i, &line, &doc)
		} else {
			fn(i, nil, nil)
		}
	}
	return nil
}

// place fills in where the source-ref of a line is, and what it is.
func (f *Finding) place(line *manifest.Line, doc *manifest.Doc) {
	f.Column, f.Offset = 1, line.Offset
	if doc.Parse(line.Text, 0) != nil {
		return
	}
	if v := doc.Member(doc.Root(), "source-ref"); v >= 0 {
		f.SourceRef = string(doc.Str(v, nil))
		f.Column += int(doc.Nodes[v].Start)
		f.Offset += int64(doc.Nodes[v].Start)
	}
}

// DuplicateLine is the code of a finding about a line whose source-ref another
// line has. AWS reports it nowhere (CL-6.21).
const DuplicateLine = "ERROR_DUPLICATE_SOURCE_REF"

// maxFound is how many characters of a source-ref are shown.
const maxFound = 80

// wordCopy words a finding about a duplicate of the line that counts.
func (s *scan) wordCopy(f *Finding, kept int64) {
	if f.SourceRef != "" {
		f.Found = `"` + manifest.Excerpt([]byte(f.SourceRef), maxFound) + `"`
	}
	f.Expected = "a source-ref that occurs once"
	f.Mend = fmt.Sprintf("Remove this line or line %d.", kept)
	if s.profile.KeepLast {
		f.Severity = manifest.Warning.String()
		f.Message = fmt.Sprintf("The image occurs again on line %d, which replaces this line.", kept)
	} else {
		f.Severity = manifest.Fatal.String()
		f.Message = fmt.Sprintf("The image occurred before on line %d, which counts; this line is dropped.", kept)
	}
}
