package segment

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/parquet-go/parquet-go"

	"fovea"
	"fovea/internal/manifest"
)

// A reader is a loaded segment: the file as it is stored and, once a filter
// has asked for them, its small columns decoded. It may be used by many
// goroutines.
type reader struct {
	name string
	size int64 // estimate of its memory with everything decoded
	file *parquet.File
	rows int

	facts func() (*facts, error) // decoded on first use
	refs  func() (*refs, error)
	index func() ([]indexed, error)
	extra func() (*extra, error)
}

// extra is what only a change of a dataset needs of its labels.
type extra struct {
	boxed    []bool // of facts.labels
	declared map[int][]string
}

// facts are the small columns of a segment.
type facts struct {
	seqs      []int64
	labeled   []bool
	classes   []manifest.Class
	dates     []int64 // creation date, or the time of the import
	names     []string
	labelEnds []int32 // row i has the labels labels[labelEnds[i-1]:labelEnds[i]]
	labels    []int32 // indexes of names
	problems  map[int][]Problem
}

// refs is the source_ref column: the values end to end.
type refs struct {
	text []byte
	ends []int
}

// load reads a segment whole and checks that it is the one that ref names, to
// the last bit. A segment is a megabyte or two (a few at most), so one read
// is cheaper than the many that a filter would make.
func load(ctx context.Context, blobs fovea.Blobs, ref fovea.SegmentRef) (r *reader, err error) {
	blob, err := openNamed(ctx, blobs, ref.Name)
	if err != nil {
		// Without its kind: to a caller, whose dataset exists, a segment that
		// is not there is a fault of ours.
		return nil, fmt.Errorf("open segment %s: %v", ref.Name, err)
	}
	defer blob.Close()
	if blob.Size() != ref.Size {
		return nil, fmt.Errorf("segment %s is damaged: it has %d bytes and not %d", ref.Name, blob.Size(), ref.Size)
	}
	data := make([]byte, ref.Size)
	if n, err := blob.ReadAt(data, 0); n < len(data) {
		return nil, fmt.Errorf("read segment %s: %w", ref.Name, err)
	}
	if sum := xxhash.Sum64(data); sum != ref.Sum {
		return nil, fmt.Errorf("segment %s is damaged: its checksum is %016x and not %016x", ref.Name, sum, ref.Sum)
	}
	return decode(ref.Name, data, ref.Rows)
}

// How often, and with what pause at first, a segment is looked for that a
// revision names.
const (
	namedTries = 4
	namedPause = 50 * time.Millisecond
)

// openNamed opens a blob that was stored for certain. A store that does not
// show what is new everywhere at once has a method Eventual that says so, and
// is asked again.
func openNamed(ctx context.Context, blobs fovea.Blobs, name string) (fovea.Blob, error) {
	store, ok := blobs.(interface{ Eventual() bool })
	eventual := ok && store.Eventual()
	for try := 1; ; try++ {
		blob, err := blobs.Open(ctx, name)
		if err == nil || !eventual || fovea.KindOf(err) != fovea.NotFound || try == namedTries {
			return blob, err
		}
		select {
		case <-time.After(namedPause<<try/2 + rand.N(namedPause<<try)):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// decode opens the bytes of a segment that should have that many rows.
func decode(name string, data []byte, rows int64) (r *reader, err error) {
	defer damaged(name, &err)
	// The library allocates what the footer says that it is long.
	if n := len(data); n < 12 || int64(binary.LittleEndian.Uint32(data[n-8:])) > int64(n-12) {
		return nil, fmt.Errorf("segment %s is damaged: it has no footer", name)
	}
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("segment %s is damaged: %w", name, err)
	}
	if f.NumRows() != rows || len(f.RowGroups()) > 1 {
		return nil, fmt.Errorf("segment %s has %d rows in %d groups and not %d in one", name, f.NumRows(), len(f.RowGroups()), rows)
	}
	if v, _ := f.Lookup(metaSchema); v != SchemaVersion {
		return nil, fmt.Errorf("segment %s has schema %q, which this fovea does not read", name, v)
	}
	r = &reader{name: name, file: f, rows: int(rows), size: int64(len(data)) + decodedSize(f, rows)}
	r.facts = sync.OnceValues(r.readFacts)
	r.refs = sync.OnceValues(r.readRefs)
	r.index = sync.OnceValues(r.readIndex)
	r.extra = sync.OnceValues(r.readExtra)
	return r, nil
}

// decodedSize estimates the memory of the small columns once they are decoded.
// What a manifest can have much of in few rows counts by itself.
func decodedSize(f *parquet.File, rows int64) int64 {
	size := rows*120 + 64<<10
	for _, group := range f.Metadata().RowGroups {
		size += group.Columns[colSourceRef].MetaData.TotalUncompressedSize
		size += group.Columns[colLabelName].MetaData.NumValues * 8
		size += group.Columns[colDeclared].MetaData.NumValues * 8
		size += group.Columns[colErrorCode].MetaData.NumValues * problemSize
	}
	return size - rows*problemSize // where there are none, the column has a null a row
}

// problemSize is what a Problem with its texts takes in memory, about.
const problemSize = 200

// damaged turns a panic of the Parquet reader into an error: it panics on some
// files that are not Parquet, and one bad file must not end the process.
func damaged(name string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("segment %s is damaged: %v", name, p)
	}
}

// pages calls fn with each page of a column.
func (r *reader) pages(col int, fn func(parquet.Page) error) (err error) {
	defer damaged(r.name, &err)
	if r.rows == 0 {
		return nil
	}
	pages := r.file.RowGroups()[0].ColumnChunks()[col].Pages()
	defer pages.Close()
	for {
		p, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("segment %s is damaged in column %d: %w", r.name, col, err)
		}
		err = fn(p)
		parquet.Release(p)
		if err != nil {
			return err
		}
	}
}

// values calls fn with each value of a column, its repetition level included.
// The value is good until fn returns.
func (r *reader) values(col int, fn func(parquet.Value)) error {
	buf := make([]parquet.Value, 1024)
	return r.pages(col, func(p parquet.Page) error {
		for vr := p.Values(); ; {
			n, err := vr.ReadValues(buf)
			for _, v := range buf[:n] {
				fn(v)
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("segment %s is damaged in column %d: %w", r.name, col, err)
			}
		}
	})
}

func (r *reader) readFacts() (*facts, error) {
	f := &facts{
		seqs:    make([]int64, 0, r.rows),
		labeled: make([]bool, 0, r.rows),
		classes: make([]manifest.Class, 0, r.rows),
		dates:   make([]int64, 0, r.rows),
	}
	var imported int64
	if v, ok := r.file.Lookup(metaImported); ok {
		imported, _ = strconv.ParseInt(v, 10, 64)
	}
	err := errors.Join(
		r.values(colSeq, func(v parquet.Value) { f.seqs = append(f.seqs, v.Int64()) }),
		r.values(colLabeled, func(v parquet.Value) { f.labeled = append(f.labeled, v.Boolean()) }),
		r.values(colClass, func(v parquet.Value) { f.classes = append(f.classes, classOf(v)) }),
		r.values(colDate, func(v parquet.Value) {
			if v.IsNull() {
				f.dates = append(f.dates, imported)
			} else {
				f.dates = append(f.dates, v.Int64())
			}
		}),
		r.readLabels(f),
		r.readProblems(f),
	)
	if err != nil {
		return nil, err
	}
	if len(f.seqs) != r.rows || len(f.labeled) != r.rows || len(f.classes) != r.rows || len(f.dates) != r.rows || len(f.labelEnds) != r.rows {
		return nil, fmt.Errorf("segment %s is damaged: its columns differ in length", r.name)
	}
	return f, nil
}

func classOf(v parquet.Value) manifest.Class {
	switch string(v.ByteArray()) {
	case "normal":
		return manifest.Normal
	case "anomaly":
		return manifest.Anomaly
	}
	return manifest.NoClass
}

func (r *reader) readLabels(f *facts) error {
	f.labelEnds = make([]int32, 0, r.rows)
	index := map[string]int32{}
	return r.values(colLabelName, func(v parquet.Value) {
		if v.RepetitionLevel() == 0 {
			f.labelEnds = append(f.labelEnds, int32(len(f.labels)))
		}
		if v.IsNull() {
			return
		}
		id, ok := index[string(v.ByteArray())]
		if !ok {
			id = int32(len(f.names))
			f.names = append(f.names, v.String())
			index[f.names[id]] = id
		}
		f.labels = append(f.labels, id)
		f.labelEnds[len(f.labelEnds)-1] = int32(len(f.labels))
	})
}

// readProblems reads the errors column, which is empty in most segments.
func (r *reader) readProblems(f *facts) error {
	f.problems = map[int][]Problem{}
	type slot struct{ row, i int }
	var slots []slot
	row := -1
	err := r.values(colErrorCode, func(v parquet.Value) {
		if v.RepetitionLevel() == 0 {
			row++
		}
		if !v.IsNull() {
			slots = append(slots, slot{row, len(f.problems[row])})
			f.problems[row] = append(f.problems[row], Problem{Code: v.String()})
		}
	})
	if err != nil || len(slots) == 0 {
		return err
	}
	fill := func(col int, set func(*Problem, string)) error {
		k := 0
		return r.values(col, func(v parquet.Value) {
			if !v.IsNull() && k < len(slots) {
				set(&f.problems[slots[k].row][slots[k].i], v.String())
				k++
			}
		})
	}
	return errors.Join(
		fill(colErrorAt, func(p *Problem, s string) { p.At = s }),
		fill(colErrorMessage, func(p *Problem, s string) { p.Message = s }),
	)
}

func (r *reader) readExtra() (*extra, error) {
	x := &extra{declared: map[int][]string{}}
	row := -1
	err := errors.Join(
		r.values(colLabelBoxed, func(v parquet.Value) {
			if !v.IsNull() {
				x.boxed = append(x.boxed, v.Boolean())
			}
		}),
		r.values(colDeclared, func(v parquet.Value) {
			if v.RepetitionLevel() == 0 {
				row++
			}
			if !v.IsNull() {
				x.declared[row] = append(x.declared[row], v.String())
			}
		}),
	)
	if f, ferr := r.facts(); err == nil && (ferr != nil || len(x.boxed) != len(f.labels)) {
		err = fmt.Errorf("segment %s is damaged: its label columns differ in length", r.name)
	}
	return x, err
}

func (r *reader) readRefs() (*refs, error) {
	refs := &refs{ends: make([]int, 0, r.rows)}
	err := r.pages(colSourceRef, func(p parquet.Page) error {
		data := p.Data()
		text, offsets := data.ByteArray()
		for i := range int(p.NumValues()) {
			refs.text = append(refs.text, text[offsets[i]:offsets[i+1]]...)
			refs.ends = append(refs.ends, len(refs.text))
		}
		return nil
	})
	if err == nil && len(refs.ends) != r.rows {
		err = fmt.Errorf("segment %s is damaged: its source_ref column is short", r.name)
	}
	return refs, err
}

// lines calls fn with the line of each of the given rows, which ascend. The
// line is good until fn returns.
func (r *reader) lines(rows []int, fn func(i int, line []byte)) (err error) {
	defer damaged(r.name, &err)
	if len(rows) == 0 {
		return nil
	}
	chunk := r.file.RowGroups()[0].ColumnChunks()[colLine]
	index, err := chunk.OffsetIndex()
	if err != nil {
		return fmt.Errorf("segment %s: %w", r.name, err)
	}
	pages := chunk.Pages()
	defer pages.Close()
	for i := 0; i < len(rows); {
		k := sort.Search(index.NumPages(), func(k int) bool { return index.FirstRowIndex(k) > int64(rows[i]) }) - 1
		if k < 0 {
			return fmt.Errorf("segment %s is damaged: no page holds row %d", r.name, rows[i])
		}
		first := int(index.FirstRowIndex(k))
		if err := pages.SeekToRow(int64(first)); err != nil {
			return fmt.Errorf("segment %s: %w", r.name, err)
		}
		p, err := pages.ReadPage()
		if err != nil {
			return fmt.Errorf("segment %s is damaged at row %d: %w", r.name, rows[i], err)
		}
		data := p.Data()
		text, offsets := data.ByteArray()
		from, n := i, int(p.NumValues())
		for ; i < len(rows) && rows[i] < first+n; i++ {
			fn(i, text[offsets[rows[i]-first]:offsets[rows[i]-first+1]])
		}
		parquet.Release(p)
		if i == from {
			return fmt.Errorf("segment %s is damaged: no page holds row %d", r.name, rows[i])
		}
	}
	return nil
}

// row returns the source_ref of a row.
func (r *refs) row(i int) []byte { return r.text[from(r.ends, i):r.ends[i]] }

// from returns where row i begins, given where rows end.
func from(ends []int, i int) int {
	if i == 0 {
		return 0
	}
	return ends[i-1]
}

// rowsContaining calls set with the rows whose source_ref contains sub.
func (r *refs) rowsContaining(sub []byte, set func(row int)) {
	for from := 0; from < len(r.text); {
		k := bytes.Index(r.text[from:], sub)
		if k < 0 {
			return
		}
		at := from + k
		row := sort.SearchInts(r.ends, at+1)
		if at+len(sub) <= r.ends[row] {
			set(row)
			from = r.ends[row]
		} else {
			from = at + 1
		}
	}
}
