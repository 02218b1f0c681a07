package segment

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
	"unsafe"

	"github.com/cespare/xxhash/v2"
	"github.com/parquet-go/parquet-go"

	"fovea"
	"fovea/internal/manifest"
)

// A Builder collects entries and writes them as one segment. The zero value is
// empty. It is reused from segment to segment to keep its memory, by one
// goroutine at a time.
type Builder struct {
	seqs    []int64
	refs    []byte // source-refs end to end
	refEnds []int
	labeled []bool
	classes []manifest.Class
	dates   []int64

	labels     []manifest.Label
	labelEnds  []int
	declared   []string
	declareEnd []int
	problems   []Problem
	problemEnd []int

	out     bytes.Buffer
	writer  *parquet.GenericWriter[row] // nil before the first Add
	pending int                         // bytes of lines that are not in a page yet
	values  []parquet.Value
	err     error // of the line column
}

// Rows returns how many entries have been added.
func (b *Builder) Rows() int { return len(b.seqs) }

// Add adds an entry with the sequence number seq, which must be greater than
// the one before. It keeps no part of e.
func (b *Builder) Add(seq int64, e *manifest.Entry) {
	b.addLine(e.Line)
	b.seqs = append(b.seqs, seq)
	b.refs = append(b.refs, e.SourceRef...)
	b.refEnds = append(b.refEnds, len(b.refs))
	b.labeled = append(b.labeled, e.Labeled)
	b.classes = append(b.classes, e.Class)
	b.dates = append(b.dates, e.Date)
	for _, l := range e.Labels {
		if l.Used {
			b.labels = append(b.labels, l)
		} else {
			b.declared = append(b.declared, l.Name)
		}
	}
	b.labelEnds = append(b.labelEnds, len(b.labels))
	b.declareEnd = append(b.declareEnd, len(b.declared))
	for i := range e.Problems {
		if p := &e.Problems[i]; p.Severity == manifest.Error {
			b.problems = append(b.problems, Problem{p.Code, p.Message, p.At})
		}
	}
	b.problemEnd = append(b.problemEnd, len(b.problems))
}

// Build returns the entries as the bytes of a segment, and its reference under
// the given name, and empties the builder. The bytes are good until the next
// Build. Imported is the time that stands in for the creation date of entries
// without one (LV-2.45). The same entries give the same bytes.
func (b *Builder) Build(name string, imported time.Time) ([]byte, fovea.SegmentRef, error) {
	err := b.finish(imported)
	if err != nil {
		return nil, fovea.SegmentRef{}, fmt.Errorf("write segment %s: %w", name, err)
	}
	ref := fovea.SegmentRef{
		Name: name,
		Size: int64(b.out.Len()),
		Sum:  xxhash.Sum64(b.out.Bytes()),
		Rows: int64(len(b.seqs)),
	}
	if n := len(b.seqs); n > 0 {
		ref.MinSeq, ref.MaxSeq = b.seqs[0], b.seqs[n-1]
	}
	b.reset()
	return b.out.Bytes(), ref, nil
}

// start begins a segment. Its writer is a new one every time: a writer of
// parquet-go 0.32.0 that is reset leaves the column names out of its next footer.
func (b *Builder) start() {
	b.out.Reset()
	b.writer = parquet.NewGenericWriter[row](&b.out, schema,
		parquet.Compression(compression),
		parquet.PageBufferSize(256<<10),
		parquet.DataPageStatistics(false),
		parquet.SkipPageBounds("line"),
		parquet.SkipPageBounds("source_ref"),
		parquet.CreatedBy("fovea", SchemaVersion, ""))
}

// addLine writes a line into the page that is being filled, of about
// linePageBytes.
func (b *Builder) addLine(line []byte) {
	if b.writer == nil {
		b.start()
	}
	if b.err != nil {
		return
	}
	w := b.writer.ColumnWriters()[colLine]
	b.values = append(b.values[:0], parquet.ByteArrayValue(line))
	_, b.err = w.WriteRowValues(b.values)
	if b.pending += len(line); b.pending >= linePageBytes && b.err == nil {
		b.pending, b.err = 0, w.Flush()
	}
}

// finish writes the other columns and the footer.
func (b *Builder) finish(imported time.Time) error {
	if b.writer == nil {
		b.start()
	}
	b.writer.SetKeyValueMetadata(metaSchema, SchemaVersion)
	b.writer.SetKeyValueMetadata(metaImported, strconv.FormatInt(imported.UnixMilli(), 10))
	if b.err != nil {
		return b.err
	}
	if err := b.write(b.writer.ColumnWriters()); err != nil {
		return err
	}
	return b.writer.Close()
}

func (b *Builder) reset() {
	b.seqs, b.refs, b.refEnds = b.seqs[:0], b.refs[:0], b.refEnds[:0]
	b.labeled, b.classes, b.dates = b.labeled[:0], b.classes[:0], b.dates[:0]
	b.labels, b.labelEnds = b.labels[:0], b.labelEnds[:0]
	b.declared, b.declareEnd = b.declared[:0], b.declareEnd[:0]
	b.problems, b.problemEnd = b.problems[:0], b.problemEnd[:0]
	b.writer, b.pending, b.err = nil, 0, nil
}

// write writes all columns but the lines, one after the other.
func (b *Builder) write(cols []*parquet.ColumnWriter) error {
	n := len(b.seqs)
	plain := []struct {
		col   int
		value func(i int) parquet.Value
	}{
		{colSeq, func(i int) parquet.Value { return parquet.Int64Value(b.seqs[i]) }},
		{colSourceRef, func(i int) parquet.Value { return parquet.ByteArrayValue(b.refs[from(b.refEnds, i):b.refEnds[i]]) }},
		{colLabeled, func(i int) parquet.Value { return parquet.BooleanValue(b.labeled[i]) }},
		{colClass, func(i int) parquet.Value { return b.class(i) }},
		{colDate, func(i int) parquet.Value { return b.date(i) }},
	}
	for _, p := range plain {
		if err := b.column(cols[p.col], n, p.value); err != nil {
			return err
		}
	}
	lists := []struct {
		col   int
		ends  []int
		value func(i int) parquet.Value
	}{
		{colLabelName, b.labelEnds, func(i int) parquet.Value { return text(b.labels[i].Name) }},
		{colLabelBoxed, b.labelEnds, func(i int) parquet.Value { return parquet.BooleanValue(b.labels[i].Boxed) }},
		{colDeclared, b.declareEnd, func(i int) parquet.Value { return text(b.declared[i]) }},
		{colErrorCode, b.problemEnd, func(i int) parquet.Value { return text(b.problems[i].Code) }},
		{colErrorAt, b.problemEnd, func(i int) parquet.Value { return text(b.problems[i].At) }},
		{colErrorMessage, b.problemEnd, func(i int) parquet.Value { return text(b.problems[i].Message) }},
	}
	for _, l := range lists {
		if err := b.listColumn(cols[l.col], l.col, l.ends, l.value); err != nil {
			return err
		}
	}
	return nil
}

// batch is how many values go to a column writer at a time.
const batch = 512

// column writes n values that are not repeated.
func (b *Builder) column(w *parquet.ColumnWriter, n int, value func(int) parquet.Value) error {
	for i := 0; i < n; {
		b.values = b.values[:0]
		for ; i < n && len(b.values) < batch; i++ {
			b.values = append(b.values, value(i))
		}
		if _, err := w.WriteRowValues(b.values); err != nil {
			return err
		}
	}
	return nil
}

// listColumn writes a leaf of a list: ends[i] is where the elements of row i
// end.
func (b *Builder) listColumn(w *parquet.ColumnWriter, col int, ends []int, value func(int) parquet.Value) error {
	for i := 0; i < len(ends); {
		b.values = b.values[:0]
		for ; i < len(ends) && len(b.values) < batch; i++ {
			first := from(ends, i)
			if first == ends[i] {
				b.values = append(b.values, parquet.NullValue().Level(0, 0, col))
			}
			for k := first; k < ends[i]; k++ {
				repetition := min(k-first, 1)
				b.values = append(b.values, value(k).Level(repetition, 1, col))
			}
		}
		if _, err := w.WriteRowValues(b.values); err != nil {
			return err
		}
	}
	return nil
}

func (b *Builder) class(i int) parquet.Value {
	if b.classes[i] == manifest.NoClass {
		return parquet.NullValue().Level(0, 0, colClass)
	}
	return text(b.classes[i].String()).Level(0, 1, colClass)
}

func (b *Builder) date(i int) parquet.Value {
	if b.dates[i] == 0 {
		return parquet.NullValue().Level(0, 0, colDate)
	}
	return parquet.Int64Value(b.dates[i]).Level(0, 1, colDate)
}

// text returns a string as a value, which points to it: parquet.ValueOf would
// copy every label of every entry.
func text(s string) parquet.Value {
	return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// from returns where row i begins, given where rows end.
func from(ends []int, i int) int {
	if i == 0 {
		return 0
	}
	return ends[i-1]
}
