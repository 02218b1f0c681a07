package segment

import (
	"fmt"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/format"

	"fovea"
	"fovea/internal/manifest"
)

// A Builder collects entries, column by column as they are encoded, and writes
// them as one segment. The zero value is empty. It is reused from segment to
// segment to keep its memory, by one goroutine at a time.
type Builder struct {
	file  file
	begun bool
	err   error // of an Add

	lines    []byte // of the page that is being filled
	lineRows int

	seqs     []int64
	refs     []byte
	labeled  flags
	classed  levels
	classes  dictionary
	dated    levels
	dates    []int64
	labels   levels
	names    dictionary
	boxed    flags
	declares levels
	declared dictionary
	problems levels
	codes    dictionary
	places   dictionary
	messages dictionary
}

// Rows returns how many entries have been added.
func (b *Builder) Rows() int { return len(b.seqs) }

// Add adds an entry with the sequence number seq, which must be greater than
// the one before. It keeps no part of e.
func (b *Builder) Add(seq int64, e *manifest.Entry) {
	b.addLine(e.Line)
	b.seqs = append(b.seqs, seq)
	b.refs = appendPlain(b.refs, e.SourceRef)
	b.labeled.add(e.Labeled)
	b.classed.optional(e.Class != manifest.NoClass)
	if e.Class != manifest.NoClass {
		b.classes.add(e.Class.String())
	}
	b.dated.optional(e.Date != 0)
	if e.Date != 0 {
		b.dates = append(b.dates, e.Date)
	}
	b.addLabels(e.Labels)
	b.addProblems(e.Problems)
}

func (b *Builder) addLabels(labels []manifest.Label) {
	used := 0
	for i := range labels {
		if l := &labels[i]; l.Used {
			b.names.add(l.Name)
			b.boxed.add(l.Boxed)
			used++
		} else {
			b.declared.add(l.Name)
		}
	}
	b.labels.row(used)
	b.declares.row(len(labels) - used)
}

func (b *Builder) addProblems(problems []manifest.Problem) {
	n := 0
	for i := range problems {
		if p := &problems[i]; p.Severity == manifest.Error {
			b.codes.add(p.Code)
			b.places.add(p.At)
			b.messages.add(p.Message)
			n++
		}
	}
	b.problems.row(n)
}

// addLine adds a line to the page that is being filled, of about
// linePageBytes.
func (b *Builder) addLine(line []byte) {
	b.begin()
	b.lines = appendPlain(b.lines, line)
	b.lineRows++
	if len(b.lines) >= linePageBytes {
		b.flushLines()
	}
}

func (b *Builder) begin() {
	if !b.begun {
		b.begun, b.err = true, b.file.begin()
	}
}

// flushLines writes the page of lines that is being filled.
func (b *Builder) flushLines() {
	if b.err == nil {
		b.err = b.file.add(colLine, page{rows: b.lineRows, values: b.lineRows, encoding: format.Plain, data: b.lines})
	}
	b.lines, b.lineRows = b.lines[:0], 0
}

// Build returns the entries as the bytes of a segment, and its reference under
// the given name, and empties the builder. The bytes are good until the next
// Add or Build. Imported is the time that stands in for the creation date of
// entries without one (LV-2.45). The same entries give the same bytes.
func (b *Builder) Build(name string, imported time.Time) ([]byte, fovea.SegmentRef, error) {
	defer b.reset()
	if err := b.finish(imported); err != nil {
		return nil, fovea.SegmentRef{}, fmt.Errorf("write segment %s: %w", name, err)
	}
	out := b.file.out
	ref := fovea.SegmentRef{Name: name, Size: int64(len(out)), Sum: xxhash.Sum64(out), Rows: int64(len(b.seqs))}
	if n := len(b.seqs); n > 0 {
		ref.MinSeq, ref.MaxSeq = b.seqs[0], b.seqs[n-1]
	}
	return out, ref, nil
}

// finish writes the other columns and the footer.
func (b *Builder) finish(imported time.Time) error {
	b.begin()
	if b.lineRows > 0 {
		b.flushLines()
	}
	if b.err != nil {
		return b.err
	}
	if len(b.seqs) > 0 {
		if err := b.writePlain(); err != nil {
			return err
		}
		if err := b.writeLists(); err != nil {
			return err
		}
	}
	return b.file.end(len(b.seqs), imported)
}

// writePlain writes the columns that are no lists.
func (b *Builder) writePlain() error {
	n := len(b.seqs)
	all := page{rows: n, values: n, encoding: format.Plain}

	seqs := all
	var err error
	seqs.encoding = format.DeltaBinaryPacked
	if seqs.data, err = new(delta.BinaryPackedEncoding).EncodeInt64(nil, b.seqs); err != nil {
		return err
	}
	if err := b.file.add(colSeq, seqs); err != nil {
		return err
	}
	b.file.bounds(colSeq, b.seqs[0], b.seqs[n-1])

	refs, labeled := all, all
	refs.data, labeled.data = b.refs, b.labeled.bits
	if err := b.file.add(colSourceRef, refs); err != nil {
		return err
	}
	if err := b.file.add(colLabeled, labeled); err != nil {
		return err
	}
	classes, err := b.classed.encode(n)
	if err != nil {
		return err
	}
	if err := b.classes.write(&b.file, colClass, classes); err != nil {
		return err
	}
	return b.writeDates()
}

func (b *Builder) writeDates() error {
	p, err := b.dated.encode(len(b.seqs))
	if err != nil {
		return err
	}
	p.encoding = format.DeltaBinaryPacked
	if p.data, err = new(delta.BinaryPackedEncoding).EncodeInt64(nil, b.dates); err != nil {
		return err
	}
	if err := b.file.add(colDate, p); err != nil {
		return err
	}
	if len(b.dates) > 0 {
		b.file.bounds(colDate, slices.Min(b.dates), slices.Max(b.dates))
	}
	return nil
}

// writeLists writes the columns that are in lists.
func (b *Builder) writeLists() error {
	labels, err := b.labels.encode(len(b.seqs))
	if err != nil {
		return err
	}
	if err := b.names.write(&b.file, colLabelName, labels); err != nil {
		return err
	}
	labels.encoding, labels.data = format.Plain, b.boxed.bits
	if err := b.file.add(colLabelBoxed, labels); err != nil {
		return err
	}
	declared, err := b.declares.encode(len(b.seqs))
	if err != nil {
		return err
	}
	if err := b.declared.write(&b.file, colDeclared, declared); err != nil {
		return err
	}
	problems, err := b.problems.encode(len(b.seqs))
	if err != nil {
		return err
	}
	for i, d := range []*dictionary{&b.codes, &b.places, &b.messages} {
		if err := d.write(&b.file, colErrorCode+i, problems); err != nil {
			return err
		}
	}
	return nil
}

func (b *Builder) reset() {
	b.begun, b.err = false, nil
	b.lines, b.lineRows = b.lines[:0], 0
	b.seqs, b.refs, b.dates = b.seqs[:0], b.refs[:0], b.dates[:0]
	for _, l := range []*levels{&b.classed, &b.dated, &b.labels, &b.declares, &b.problems} {
		l.reset()
	}
	for _, d := range []*dictionary{&b.classes, &b.names, &b.declared, &b.codes, &b.places, &b.messages} {
		d.reset()
	}
	for _, f := range []*flags{&b.labeled, &b.boxed} {
		f.reset()
	}
}
