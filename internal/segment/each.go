package segment

import (
	"bytes"
	"cmp"
	"context"
	"math"

	"fovea"
	"fovea/internal/manifest"
)

// Each calls fn with every entry of a dataset, without its line, in the order
// of the segments. The source-ref is good until fn returns.
func (c *Reader) Each(ctx context.Context, segments []fovea.SegmentRef, fn func(at Place, sourceRef []byte, f Fact, problems []Problem)) error {
	for k, s := range segments {
		if s.Rows == s.Masked {
			continue
		}
		seg, live, err := c.live(ctx, s)
		if err != nil {
			return err
		}
		facts, extra, err := seg.counted()
		if err != nil {
			return err
		}
		refs, err := seg.refs()
		if err != nil {
			return err
		}
		for row := live.next(0); row >= 0; row = live.next(row + 1) {
			fn(Place{k, row, facts.seqs[row]}, refs.row(row), facts.fact(extra, row), facts.problems[row])
		}
	}
	return nil
}

// Entries calls fn with some rows of a segment, which ascend, as the entries
// they were made of: without warnings, and their sequence number as Offset. An
// entry is good until fn returns; an error of fn ends the call.
func (c *Reader) Entries(ctx context.Context, ref fovea.SegmentRef, rows []int, fn func(*manifest.Entry, Fact) error) error {
	seg, err := c.segment(ctx, ref)
	if err != nil {
		return err
	}
	facts, extra, err := seg.counted()
	if err != nil {
		return err
	}
	refs, err := seg.refs()
	if err != nil {
		return err
	}
	var failed error
	err = seg.lines(rows, func(i int, line []byte) {
		if failed != nil {
			return
		}
		row := rows[i]
		fact := facts.fact(extra, row)
		e := &manifest.Entry{
			Line: line, Offset: facts.seqs[row], SourceRef: refs.row(row),
			Labeled: fact.Labeled, Class: fact.Class, Date: facts.dates[row], Labels: fact.Labels,
		}
		for _, p := range facts.problems[row] {
			e.Problems = append(e.Problems, manifest.Problem{Severity: manifest.Error, Code: p.Code, Message: p.Message, At: p.At})
		}
		failed = fn(e, fact)
	})
	if failed != nil {
		return failed
	}
	return err
}

// mergeBatch is how many entries Merge holds at a time.
const mergeBatch = 256

// Merge calls fn with all entries of some segments of a revision in the order of
// their sequence numbers, as Entries does.
func (c *Reader) Merge(ctx context.Context, segments []fovea.SegmentRef, fn func(*manifest.Entry) error) error {
	var batch []hit
	var failed error
	flush := func() bool {
		failed = c.mergeHits(ctx, segments, batch, fn)
		batch = batch[:0]
		return failed == nil
	}
	err := c.walk(ctx, segments, math.MinInt64, Filter{}, func(h hit) bool {
		batch = append(batch, h)
		return len(batch) < mergeBatch || flush()
	})
	if err == nil && failed == nil {
		flush()
	}
	return cmp.Or(failed, err)
}

// mergeHits calls fn with the entries of the hits in their order.
func (c *Reader) mergeHits(ctx context.Context, segments []fovea.SegmentRef, hits []hit, fn func(*manifest.Entry) error) error {
	entries := make([]manifest.Entry, len(hits))
	rows, at := map[int][]int{}, map[int][]int{}
	for i, h := range hits {
		rows[h.segment] = append(rows[h.segment], h.row)
		at[h.segment] = append(at[h.segment], i)
	}
	for k := range rows {
		n := 0
		err := c.Entries(ctx, segments[k], rows[k], func(e *manifest.Entry, _ Fact) error {
			e.Line = bytes.Clone(e.Line)
			entries[at[k][n]] = *e
			n++
			return nil
		})
		if err != nil {
			return err
		}
	}
	for i := range entries {
		if err := fn(&entries[i]); err != nil {
			return err
		}
	}
	return nil
}

// SourceRefs calls fn with the source-refs of some rows of a segment, which
// ascend: i is the index of the row. A source-ref is good until fn returns.
func (c *Reader) SourceRefs(ctx context.Context, ref fovea.SegmentRef, rows []int, fn func(i int, sourceRef []byte)) error {
	seg, err := c.segment(ctx, ref)
	if err != nil {
		return err
	}
	refs, err := seg.refs()
	if err != nil {
		return err
	}
	for i, row := range rows {
		fn(i, refs.row(row))
	}
	return nil
}

// rows returns the rows whose bit is set.
func (b bitset) rows() []int {
	rows := make([]int, 0, b.count())
	for i := b.next(0); i >= 0; i = b.next(i + 1) {
		rows = append(rows, i)
	}
	return rows
}
