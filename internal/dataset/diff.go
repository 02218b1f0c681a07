package dataset

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"fovea"
	"fovea/internal/manifest"
	"fovea/internal/segment"
)

// A DifferenceKind says what became of an entry between two revisions.
type DifferenceKind string

// The kinds.
const (
	EntryAdded   DifferenceKind = "added"
	EntryRemoved DifferenceKind = "removed"
	EntryChanged DifferenceKind = "changed" // another line for the same source-ref
)

// A Difference is an entry that is not the same in two revisions. Old is its
// line in the first, New in the second; an added entry has no Old, a removed one
// no New. They are good until the function that is given them returns.
type Difference struct {
	Kind      DifferenceKind
	SourceRef []byte
	Old, New  []byte
}

// A DifferenceCount counts differences.
type DifferenceCount struct {
	Added, Removed, Changed int64
}

func (c *DifferenceCount) add(kind DifferenceKind) {
	switch kind {
	case EntryAdded:
		c.Added++
	case EntryRemoved:
		c.Removed++
	case EntryChanged:
		c.Changed++
	}
}

// A LabelDifference counts the entries that use a label and differ: Added has
// it only in the second revision, Removed only in the first, be it as the
// entry came or went or as its labels changed; Changed has it in both.
type LabelDifference struct {
	Name string
	DifferenceCount
}

// A DiffResult is what Diff counts.
type DiffResult struct {
	From, To *fovea.Revision // without segments
	DifferenceCount
	Labels []LabelDifference // those with differences, by name
}

// DefaultDiffKeys is how many entries of the first revision a pass of Diff
// keeps in memory by default, some 50 bytes each.
const DefaultDiffKeys = 1 << 20

// Diff calls fn with the entries that are not the same in two revisions of a
// dataset, and returns how many that are, also by label. It looks only at
// what the revisions do not share: an update of a large dataset costs what the
// update did. Entries are matched by source-ref. In memory it holds as many
// keys as DiffKeys allows and the segments of the Reader; more differences than
// that take more passes. Those of a pass come in the order of the second
// revision, then what is removed in that of the first.
//
// A revision that is not there is NotFound. An error of fn ends the call.
func (o *Ops) Diff(ctx context.Context, v *View, from, to int64, fn func(Difference) error) (*DiffResult, error) {
	a, err := o.revisionNamed(ctx, v, from)
	if err != nil {
		return nil, err
	}
	b, err := o.revisionNamed(ctx, v, to)
	if err != nil {
		return nil, err
	}
	d := &diff{ops: o, fn: fn, keys: cmp.Or(o.DiffKeys, DefaultDiffKeys), result: &DiffResult{From: a, To: b}, labels: map[string]*DifferenceCount{}}
	if d.old, d.new, err = unshared(a.Segments, b.Segments); err != nil {
		return nil, err
	}
	if err := d.run(ctx); err != nil {
		if _, gone := o.revisionNamed(ctx, v, min(from, to)); fovea.KindOf(gone) == fovea.NotFound {
			err = gone // and the sweep has taken its segments
		}
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(d.labels)) {
		d.result.Labels = append(d.result.Labels, LabelDifference{name, *d.labels[name]})
	}
	a.Segments, b.Segments = nil, nil
	return d.result, nil
}

// revisionNamed returns a revision whole, or NotFound.
func (o *Ops) revisionNamed(ctx context.Context, v *View, number int64) (*fovea.Revision, error) {
	if number <= 0 {
		return nil, noRevision(v, number)
	}
	return o.revision(ctx, v, number)
}

// A rowSet is some rows of a segment.
type rowSet struct {
	segment fovea.SegmentRef
	rows    *roaring.Bitmap
}

// unshared returns the rows that only the first, and those that only the
// second of two revisions has, in the order of their segments.
func unshared(a, b []fovea.SegmentRef) (old, new []rowSet, err error) {
	if old, err = without(a, b); err == nil {
		new, err = without(b, a)
	}
	return old, new, err
}

// without returns the rows of one list of segments that the other lacks.
func without(list, other []fovea.SegmentRef) ([]rowSet, error) {
	others := make(map[string]*fovea.SegmentRef, len(other))
	for i := range other {
		others[other[i].Name] = &other[i]
	}
	var sets []rowSet
	for _, s := range list {
		o := others[s.Name]
		if o != nil && o.Masked == s.Masked && slices.Equal(o.Deleted, s.Deleted) {
			continue
		}
		rows, err := liveRows(s)
		if err != nil {
			return nil, err
		}
		if o != nil {
			theirs, err := liveRows(*o)
			if err != nil {
				return nil, err
			}
			rows.AndNot(theirs)
		}
		if !rows.IsEmpty() {
			sets = append(sets, rowSet{s, rows})
		}
	}
	return sets, nil
}

// liveRows returns the rows of a segment that are not deleted.
func liveRows(s fovea.SegmentRef) (*roaring.Bitmap, error) {
	rows := roaring.New()
	rows.AddRange(0, uint64(s.Rows))
	deleted, err := deletedRows(s)
	if err == nil {
		rows.AndNot(deleted)
	}
	return rows, err
}

// A diffPlace is where an entry is: indexes into diff.old and into its segment.
type diffPlace struct {
	set, row int32
}

// compare orders places as the revision does.
func (p diffPlace) compare(q diffPlace) int {
	return cmp.Or(cmp.Compare(p.set, q.set), cmp.Compare(p.row, q.row))
}

// A diff is a comparison under way.
type diff struct {
	ops      *Ops
	fn       func(Difference) error
	keys     uint64 // at most so many in memory
	old, new []rowSet
	result   *DiffResult
	labels   map[string]*DifferenceCount

	pass, passes uint64
	places       map[diffKey]diffPlace // of what is old and was not met among what is new
}

// A diffKey is the hash of a source-ref: 128 bits of its SHA-256, so that equal
// keys are equal source-refs, whoever wrote them.
type diffKey [16]byte

func keyOf(sourceRef []byte) (k diffKey) {
	sum := sha256.Sum256(sourceRef)
	copy(k[:], sum[:])
	return k
}

// mine reports whether a key belongs to the pass.
func (d *diff) mine(k diffKey) bool {
	return (uint64(k[0])<<24|uint64(k[1])<<16|uint64(k[2])<<8|uint64(k[3]))%d.passes == d.pass
}

func (d *diff) run(ctx context.Context) error {
	var n uint64
	for _, s := range d.old {
		n += s.rows.GetCardinality()
	}
	d.passes = max(1, (n+d.keys-1)/d.keys)
	for d.pass = range d.passes {
		if err := d.index(ctx); err != nil {
			return err
		}
		for _, s := range d.new {
			if err := d.compare(ctx, s); err != nil {
				return err
			}
		}
		if err := d.removed(ctx); err != nil {
			return err
		}
	}
	return nil
}

// index notes the places of what is old.
func (d *diff) index(ctx context.Context) error {
	d.places = map[diffKey]diffPlace{}
	for i, s := range d.old {
		rows := rowsOf(s.rows)
		err := d.ops.Reader.SourceRefs(ctx, s.segment, rows, func(k int, ref []byte) {
			if key := keyOf(ref); d.mine(key) {
				d.places[key] = diffPlace{int32(i), int32(rows[k])}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func rowsOf(b *roaring.Bitmap) []int {
	rows := make([]int, 0, b.GetCardinality())
	for it := b.Iterator(); it.HasNext(); {
		rows = append(rows, int(it.Next()))
	}
	return rows
}

// diffBatch is how many entries have their lines in memory at a time.
const diffBatch = 256

// compare finds what of a set of new rows is added, and what changed.
func (d *diff) compare(ctx context.Context, s rowSet) error {
	var mine []int
	var keys []diffKey
	rows := rowsOf(s.rows)
	err := d.ops.Reader.SourceRefs(ctx, s.segment, rows, func(k int, ref []byte) {
		if key := keyOf(ref); d.mine(key) {
			mine, keys = append(mine, rows[k]), append(keys, key)
		}
	})
	if err != nil {
		return err
	}
	for len(mine) > 0 {
		n := min(diffBatch, len(mine))
		if err := d.compareBatch(ctx, s.segment, mine[:n], keys[:n]); err != nil {
			return err
		}
		mine, keys = mine[n:], keys[n:]
	}
	return nil
}

func (d *diff) compareBatch(ctx context.Context, ref fovea.SegmentRef, rows []int, keys []diffKey) error {
	var places []diffPlace
	for _, key := range keys {
		if p, ok := d.places[key]; ok {
			places = append(places, p)
		}
	}
	before, err := d.entries(ctx, places)
	if err != nil {
		return err
	}
	k := -1
	return d.ops.Reader.Entries(ctx, ref, rows, func(e *manifest.Entry, f segment.Fact) error {
		k++
		p, ok := d.places[keys[k]]
		if !ok {
			return d.tell(Difference{Kind: EntryAdded, SourceRef: e.SourceRef, New: e.Line}, nil, f.Labels)
		}
		delete(d.places, keys[k])
		was := before[p]
		if string(was.line) == string(e.Line) {
			return nil // written anew, as it was
		}
		return d.tell(Difference{Kind: EntryChanged, SourceRef: e.SourceRef, Old: was.line, New: e.Line}, was.labels, f.Labels)
	})
}

// An oldEntry is a copy of what Diff needs of an entry.
type oldEntry struct {
	sourceRef, line []byte
	labels          []manifest.Label
}

// entries returns the old entries at some places.
func (d *diff) entries(ctx context.Context, places []diffPlace) (map[diffPlace]oldEntry, error) {
	entries := make(map[diffPlace]oldEntry, len(places))
	slices.SortFunc(places, diffPlace.compare)
	for len(places) > 0 {
		set := places[0].set
		var rows []int
		for len(places) > 0 && places[0].set == set {
			rows, places = append(rows, int(places[0].row)), places[1:]
		}
		k := 0
		err := d.ops.Reader.Entries(ctx, d.old[set].segment, rows, func(e *manifest.Entry, f segment.Fact) error {
			entries[diffPlace{set, int32(rows[k])}] = oldEntry{slices.Clone(e.SourceRef), slices.Clone(e.Line), f.Labels}
			k++
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// removed tells of the old entries that were not met.
func (d *diff) removed(ctx context.Context) error {
	left := slices.SortedFunc(maps.Values(d.places), diffPlace.compare)
	for len(left) > 0 {
		batch := left[:min(diffBatch, len(left))]
		left = left[len(batch):]
		entries, err := d.entries(ctx, batch)
		if err != nil {
			return err
		}
		for _, p := range batch {
			e := entries[p]
			if err := d.tell(Difference{Kind: EntryRemoved, SourceRef: e.sourceRef, Old: e.line}, e.labels, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// tell counts a difference and tells the caller.
func (d *diff) tell(one Difference, before, now []manifest.Label) error {
	d.result.add(one.Kind)
	uses := map[string]DifferenceKind{}
	for _, l := range before {
		if l.Used {
			uses[l.Name] = EntryRemoved
		}
	}
	for _, l := range now {
		switch {
		case !l.Used:
		case uses[l.Name] == EntryRemoved:
			uses[l.Name] = EntryChanged
		case uses[l.Name] == "":
			uses[l.Name] = EntryAdded
		}
	}
	for name, kind := range uses {
		c := d.labels[name]
		if c == nil {
			c = new(DifferenceCount)
			d.labels[name] = c
		}
		c.add(kind)
	}
	return d.fn(one)
}

// deletedRows returns the rows of a segment that a revision no longer has.
func deletedRows(ref fovea.SegmentRef) (*roaring.Bitmap, error) {
	deleted := roaring.New()
	if len(ref.Deleted) > 0 {
		if err := deleted.UnmarshalBinary(slices.Clone(ref.Deleted)); err != nil {
			return nil, fmt.Errorf("deleted rows of segment %s: %w", ref.Name, err)
		}
	}
	return deleted, nil
}
