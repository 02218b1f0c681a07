package segment

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"fovea"
	"fovea/internal/manifest"
)

// Page returns the first n entries of a dataset that come after the sequence
// number after and pass the filter, in order of their sequence numbers, and
// whether there are more. The segments are a revision's.
func (c *Reader) Page(ctx context.Context, segments []fovea.SegmentRef, after int64, f Filter, n int) ([]Row, bool, error) {
	var hits []hit
	err := c.walk(ctx, segments, after, f, func(h hit) bool {
		hits = append(hits, h)
		return len(hits) <= n
	})
	if err != nil {
		return nil, false, err
	}
	more := len(hits) > n
	rows, err := c.fetch(ctx, segments, hits[:min(n, len(hits))])
	return rows, more, err
}

// A hit is an entry that passed the filter.
type hit struct {
	seq      int64
	segment  int
	row      int
	labeled  bool
	problems []Problem
}

// walk calls fn with the entries after a sequence number that pass the filter,
// in order, until it returns false. Segments may overlap, as those of updates
// do; each is opened only when its turn comes.
func (c *Reader) walk(ctx context.Context, segments []fovea.SegmentRef, after int64, f Filter, fn func(hit) bool) error {
	var q cursors
	for i := range segments {
		if s := &segments[i]; s.Rows > s.Masked && s.MaxSeq > after {
			q = append(q, &cursor{segment: i, seq: max(s.MinSeq, after+1)})
		}
	}
	heap.Init(&q)
	for len(q) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		cur := q[0]
		if cur.facts != nil && !fn(cur.hit()) {
			return nil
		}
		ok, err := cur.next(ctx, c, segments, after, f)
		if err != nil {
			return err
		}
		if ok {
			heap.Fix(&q, 0)
		} else {
			heap.Pop(&q)
		}
	}
	return nil
}

// A cursor walks the rows of one segment that pass the filter. Before it is
// opened its seq is a lower bound.
type cursor struct {
	segment int
	seq     int64
	facts   *facts
	match   bitset
	row     int
}

func (c *cursor) hit() hit {
	return hit{c.seq, c.segment, c.row, c.facts.labeled[c.row], c.facts.problems[c.row]}
}

// next moves to the next row that passes, and reports whether there is one.
func (c *cursor) next(ctx context.Context, r *Reader, segments []fovea.SegmentRef, after int64, f Filter) (bool, error) {
	if c.facts == nil {
		if err := c.open(ctx, r, segments[c.segment], after, f); err != nil {
			return false, err
		}
		c.row = -1
	}
	c.row = c.match.next(c.row + 1)
	if c.row < 0 {
		return false, nil
	}
	c.seq = c.facts.seqs[c.row]
	return true, nil
}

// open decodes the segment's columns and applies the filter.
func (c *cursor) open(ctx context.Context, r *Reader, ref fovea.SegmentRef, after int64, f Filter) error {
	seg, err := r.segment(ctx, ref)
	if err != nil {
		return err
	}
	if c.facts, err = seg.facts(); err != nil {
		return err
	}
	c.match = newBitset(seg.rows, true)
	first, _ := slices.BinarySearch(c.facts.seqs, after+1)
	c.match.clearBelow(first)
	if err := c.match.clearDeleted(ref); err != nil {
		return err
	}
	return seg.match(c.match, c.facts, f)
}

// fewRows is the share of the rows, its inverse, below which looking into each
// of them is cheaper than one search over the text of all.
const fewRows = 4

// match clears the rows of m that do not pass the filter. Errors come first: few rows have
// them, and each condition is looked at only for the rows that those before
// leave. The substring comes last: it costs most.
func (r *reader) match(m bitset, f *facts, q Filter) error {
	if q.Errors {
		m.and(func(set func(int)) {
			for row := range f.problems {
				set(row)
			}
		})
	}
	if q.Labeled != nil {
		m.keep(func(i int) bool { return f.labeled[i] == *q.Labeled })
	}
	if q.Class != manifest.NoClass {
		m.keep(func(i int) bool { return f.classes[i] == q.Class })
	}
	if q.Before != 0 {
		m.keep(func(i int) bool { return f.dates[i] < q.Before })
	}
	if q.After != 0 {
		m.keep(func(i int) bool { return f.dates[i] > q.After })
	}
	if len(q.Labels) > 0 && m.next(0) >= 0 {
		f.keepLabeled(m, q.Labels)
	}
	if q.SourceRef != "" && m.next(0) >= 0 {
		refs, err := r.refs()
		if err != nil {
			return err
		}
		sub := []byte(q.SourceRef)
		if m.count() < r.rows/fewRows {
			m.keep(func(i int) bool { return bytes.Contains(refs.row(i), sub) })
		} else {
			m.and(func(set func(int)) { refs.rowsContaining(sub, set) })
		}
	}
	return nil
}

// keepLabeled keeps the rows that use one of the labels.
func (f *facts) keepLabeled(m bitset, labels []string) {
	wanted := make([]bool, len(f.names))
	for id, name := range f.names {
		wanted[id] = slices.Contains(labels, name)
	}
	m.keep(func(row int) bool {
		for k := f.labelStart(row); k < f.labelEnds[row]; k++ {
			if wanted[f.labels[k]] {
				return true
			}
		}
		return false
	})
}

// fetch reads the lines of the hits.
func (c *Reader) fetch(ctx context.Context, segments []fovea.SegmentRef, hits []hit) ([]Row, error) {
	rows := make([]Row, len(hits))
	bySegment := map[int][]int{}
	for i, h := range hits {
		rows[i] = Row{Seq: h.seq, Labeled: h.labeled, Problems: h.problems}
		bySegment[h.segment] = append(bySegment[h.segment], i)
	}
	for segment, idx := range bySegment {
		if err := c.fetchLines(ctx, segments[segment], hits, idx, rows); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func (c *Reader) fetchLines(ctx context.Context, ref fovea.SegmentRef, hits []hit, idx []int, rows []Row) error {
	seg, err := c.segment(ctx, ref)
	if err != nil {
		return err
	}
	wanted := make([]int, len(idx))
	for k, i := range idx {
		wanted[k] = hits[i].row
	}
	return seg.lines(wanted, func(k int, line []byte) { rows[idx[k]].Line = bytes.Clone(line) })
}

// cursors is a heap ordered by sequence number.
type cursors []*cursor

func (q cursors) Len() int           { return len(q) }
func (q cursors) Less(i, j int) bool { return q[i].seq < q[j].seq }
func (q cursors) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *cursors) Push(x any)        { *q = append(*q, x.(*cursor)) }
func (q *cursors) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

// clearDeleted clears the rows that the revision no longer has.
func (b bitset) clearDeleted(ref fovea.SegmentRef) error {
	if len(ref.Deleted) == 0 {
		return nil
	}
	deleted := roaring.New()
	if err := deleted.UnmarshalBinary(ref.Deleted); err != nil {
		return fmt.Errorf("deleted rows of segment %s: %w", ref.Name, err)
	}
	for it := deleted.Iterator(); it.HasNext(); {
		if i := int(it.Next()); i < len(b)*64 {
			b[i/64] &^= 1 << (i % 64)
		}
	}
	return nil
}
