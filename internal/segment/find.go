package segment

import (
	"bytes"
	"context"
	"slices"
	"sort"

	"github.com/cespare/xxhash/v2"

	"fovea"
	"fovea/internal/manifest"
)

// A Place says where an entry of a dataset is.
type Place struct {
	Segment int // index in the list of segments
	Row     int
	Seq     int64
}

// A Fact is what an entry adds to the statistics of its dataset.
type Fact struct {
	Labeled bool
	Errors  bool
	Class   manifest.Class
	Labels  []manifest.Label
}

// Find calls fn with the place of every entry that has one of the given
// source-refs, which are all different: i is the index of its source-ref. The
// segments are a revision's, so there is at most one entry for each.
func (c *Reader) Find(ctx context.Context, segments []fovea.SegmentRef, sourceRefs [][]byte, fn func(i int, at Place)) error {
	wanted := make([]indexed, len(sourceRefs))
	for i, ref := range sourceRefs {
		wanted[i] = indexed{xxhash.Sum64(ref), int32(i)}
	}
	sortIndex(wanted)
	for k, s := range segments {
		if s.Rows == s.Masked {
			continue
		}
		seg, live, err := c.live(ctx, s)
		if err != nil {
			return err
		}
		err = seg.find(wanted, sourceRefs, func(i, row int, seq int64) {
			if live.has(row) {
				fn(i, Place{k, row, seq})
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// live returns a segment and the rows of it that the revision has.
func (c *Reader) live(ctx context.Context, ref fovea.SegmentRef) (*reader, bitset, error) {
	seg, err := c.segment(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	live := newBitset(seg.rows, true)
	return seg, live, live.clearDeleted(ref)
}

// Facts calls fn with the facts of some rows of a segment, which ascend.
func (c *Reader) Facts(ctx context.Context, ref fovea.SegmentRef, rows []int, fn func(Fact)) error {
	seg, err := c.segment(ctx, ref)
	if err != nil {
		return err
	}
	f, extra, err := seg.counted()
	if err != nil {
		return err
	}
	for _, row := range rows {
		fn(f.fact(extra, row))
	}
	return nil
}

// counted returns the columns of which facts are made.
func (r *reader) counted() (*facts, *extra, error) {
	f, err := r.facts()
	if err != nil {
		return nil, nil, err
	}
	x, err := r.extra()
	return f, x, err
}

// fact returns what the entry in a row adds to the statistics.
func (f *facts) fact(x *extra, row int) Fact {
	fact := Fact{Labeled: f.labeled[row], Errors: len(f.problems[row]) > 0, Class: f.classes[row]}
	for k := f.labelStart(row); k < f.labelEnds[row]; k++ {
		fact.Labels = append(fact.Labels, manifest.Label{Name: f.names[f.labels[k]], Used: true, Boxed: x.boxed[k]})
	}
	for _, name := range x.declared[row] {
		fact.Labels = append(fact.Labels, manifest.Label{Name: name})
	}
	return fact
}

func (f *facts) labelStart(row int) int32 {
	if row == 0 {
		return 0
	}
	return f.labelEnds[row-1]
}

// An indexed source-ref is its hash and where it is.
type indexed struct {
	hash uint64
	at   int32
}

func sortIndex(list []indexed) {
	slices.SortFunc(list, func(a, b indexed) int {
		if a.hash != b.hash {
			if a.hash < b.hash {
				return -1
			}
			return 1
		}
		return int(a.at - b.at)
	})
}

// readIndex returns the source-refs of the segment by their hashes.
func (r *reader) readIndex() ([]indexed, error) {
	refs, err := r.refs()
	if err != nil {
		return nil, err
	}
	list := make([]indexed, r.rows)
	for i := range list {
		list[i] = indexed{xxhash.Sum64(refs.row(i)), int32(i)}
	}
	sortIndex(list)
	return list, nil
}

// find calls fn with the rows that have one of the wanted source-refs, which
// are sorted by their hashes.
func (r *reader) find(wanted []indexed, sourceRefs [][]byte, fn func(i, row int, seq int64)) error {
	index, err := r.index()
	if err != nil {
		return err
	}
	refs, err := r.refs()
	if err != nil {
		return err
	}
	f, err := r.facts()
	if err != nil {
		return err
	}
	for _, w := range wanted {
		at := sort.Search(len(index), func(k int) bool { return index[k].hash >= w.hash })
		for ; at < len(index) && index[at].hash == w.hash; at++ {
			if row := int(index[at].at); bytes.Equal(refs.row(row), sourceRefs[w.at]) {
				fn(int(w.at), row, f.seqs[row])
			}
		}
	}
	return nil
}
