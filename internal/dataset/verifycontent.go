package dataset

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/cespare/xxhash/v2"

	"fovea"
	"fovea/internal/segment"
)

// verifyCache bounds the segments that are kept in memory while revisions are
// compared with them, in bytes.
const verifyCache = 64 << 20

// A portion is what a segment, less its deleted rows, adds to a revision.
type portion struct {
	tally *tally
	seqs  *roaring64.Bitmap // the sequence numbers of its entries
}

// A portionKey names a portion: a segment and a checksum of its deleted rows.
type portionKey struct {
	name    string
	deleted uint64
}

// compareContents counts the entries of every revision and reports those that
// say something else. Revisions that follow each other share most of their
// segments, so the portions of the last one are kept.
func (v *verifier) compareContents(ctx context.Context) error {
	reader := &segment.Reader{Blobs: v.ops.Blobs, CacheBytes: verifyCache}
	kept := map[portionKey]*portion{}
	for r, err := range v.historian.AllRevisions(ctx) {
		if r == nil {
			return err
		}
		if err != nil || v.hasProblem(r) {
			continue // which is reported already
		}
		now := make(map[portionKey]*portion, len(r.Segments))
		var list []*portion
		for _, ref := range r.Segments {
			key := portionKey{ref.Name, xxhash.Sum64(ref.Deleted)}
			if now[key] = kept[key]; now[key] == nil {
				if now[key], err = readPortion(ctx, reader, ref); err != nil {
					break
				}
			}
			list = append(list, now[key])
		}
		kept = now
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			err = compareContent(r, list)
		}
		if err == nil {
			continue
		}
		there, e := v.isThere(ctx, r)
		if e != nil {
			return e
		}
		if there { // or it was dropped meanwhile, and its segments with it
			v.damaged(r, err)
		}
	}
	return nil
}

// isThere reports whether a revision has not been dropped.
func (v *verifier) isThere(ctx context.Context, r *fovea.Revision) (bool, error) {
	err := v.ops.Store.View(ctx, func(tx fovea.Tx) error {
		_, err := tx.RevisionStats(r.Dataset, r.Number)
		return err
	})
	return err == nil, ignoreNotFound(err)
}

// hasProblem reports whether a segment of a revision is damaged, or the list
// of them.
func (v *verifier) hasProblem(r *fovea.Revision) bool {
	return checkRevision(r) != nil || slices.ContainsFunc(r.Segments, func(ref fovea.SegmentRef) bool {
		_, damaged := v.problems[ref.Name]
		return damaged
	})
}

func readPortion(ctx context.Context, reader *segment.Reader, ref fovea.SegmentRef) (*portion, error) {
	s := &portion{tally: newTally(&fovea.Revision{}), seqs: roaring64.New()}
	err := reader.Each(ctx, []fovea.SegmentRef{ref}, func(at segment.Place, _ []byte, f segment.Fact, _ []segment.Problem) {
		s.tally.add(f)
		s.seqs.Add(uint64(at.Seq))
	})
	s.seqs.RunOptimize()
	return s, err
}

// compareContent reports what a revision says and its segments do not: its
// statistics, its labels, and an order in which every entry has a place of its
// own.
func compareContent(r *fovea.Revision, portions []*portion) error {
	sum := newTally(&fovea.Revision{})
	seqs := roaring64.New()
	for i, s := range portions {
		sum.stats.Add(s.tally.stats)
		for _, l := range s.tally.labels {
			c := sum.label(l.Name)
			c.Lines, c.Entries, c.Boxed = c.Lines+l.Lines, c.Entries+l.Entries, c.Boxed+l.Boxed
		}
		if seqs.Intersects(s.seqs) {
			both := roaring64.And(seqs, s.seqs)
			return fmt.Errorf("two of its entries have the sequence number %d, one of them in %s", both.Minimum(), r.Segments[i].Name)
		}
		seqs.Or(s.seqs)
		if i > 0 && r.Segments[i].MinSeq < r.Segments[i-1].MinSeq {
			return fmt.Errorf("its segment %s is not in order", r.Segments[i].Name)
		}
	}
	if !seqs.IsEmpty() && seqs.Maximum() >= uint64(r.NextSeq) {
		return fmt.Errorf("an entry has the sequence number %d, and the next one is to get %d", seqs.Maximum(), r.NextSeq)
	}
	if sum.stats != r.Stats {
		return fmt.Errorf("it counts %+v, and its segments have %+v", r.Stats, sum.stats)
	}
	return compareLabels(r, sum)
}

func compareLabels(r *fovea.Revision, sum *tally) error {
	var found fovea.Revision
	sum.finish(&found)
	has := map[string]fovea.LabelCount{}
	for _, l := range found.Labels {
		has[l.Name] = l
	}
	for _, l := range r.Labels {
		if has[l.Name] != l {
			return fmt.Errorf("it counts %+v, and its segments have %+v", l, has[l.Name])
		}
		delete(has, l.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		return fmt.Errorf("it has no label %q, and its segments have", name)
	}
	return nil
}
