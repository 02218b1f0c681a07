package dataset

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"fovea"
	"fovea/internal/segment"
)

// A Historian knows every revision. The Store of a real installation is one.
type Historian interface {
	// AllRevisions yields every revision whole, in order of their keys. One
	// that is damaged comes without segments and with the error; an error
	// without a revision ends it.
	AllRevisions(ctx context.Context) iter.Seq2[*fovea.Revision, error]
}

// A Damage is an object that is not what it should be.
type Damage struct {
	Object  string // name of a blob, or "revision N" for a row of the database
	Problem string
	Holds   []Holding
}

// A Holding says what a dataset has in an object.
type Holding struct {
	Service   fovea.Service
	Project   string
	Split     fovea.Split
	Dataset   fovea.DatasetID
	Revisions []int64 // those that have it, ascending
	Current   bool    // the current one is among them
	Entries   int64   // that the last of them has in it; 0 of a report
}

// A Verification counts what Verify has looked at, and what is damaged.
type Verification struct {
	Revisions int64
	Segments  int64
	Reports   int64
	Bytes     int64 // of segments and reports
	Damaged   []Damage
}

// Verify reads every segment and report that a revision has, and reports all
// that is damaged or missing: a segment must have the size and the checksum
// that the revision names, every value in it must decode, and the entries must add
// up to what the revision counts of them and of every label, and have an order. It may run beside a server: what is dropped
// meanwhile is no damage. In memory it holds the names of all segments.
//
// The store must be a Historian.
func (o *Ops) Verify(ctx context.Context) (*Verification, error) {
	historian, ok := o.Store.(Historian)
	if !ok {
		return nil, fmt.Errorf("verify: %T cannot tell which revisions there are", o.Store)
	}
	v := &verifier{ops: o, historian: historian, seen: map[objectKey]bool{}, problems: map[string]string{}}
	err := v.run(ctx)
	if err == nil {
		err = v.compareContents(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	if len(v.problems)+len(v.done.Damaged) > 0 {
		if err := v.findHolders(ctx); err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
	}
	slices.SortFunc(v.done.Damaged, func(a, b Damage) int { return cmp.Compare(a.Object, b.Object) })
	return &v.done, nil
}

// An objectKey is what a revision says of an object. Two that say different
// things of one are both checked.
type objectKey struct {
	name       string
	size, rows int64
	sum        uint64
}

type verifier struct {
	ops       *Ops
	historian Historian
	seen      map[objectKey]bool
	done      Verification

	mu       sync.Mutex
	problems map[string]string // by name of the object
}

// run checks every revision and, beside each other, every object once.
func (v *verifier) run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(v.ops.Workers, runtime.GOMAXPROCS(0)))
	err := v.each(gctx, func(r *fovea.Revision) {
		v.done.Revisions++
		if r.Report != "" && v.first(objectKey{name: r.Report}) {
			v.done.Reports++
			g.Go(func() error { return v.check(gctx, r.Report, v.checkReport) })
		}
		for _, ref := range r.Segments {
			if v.first(objectKey{ref.Name, ref.Size, ref.Rows, ref.Sum}) {
				v.done.Segments++
				v.add(ref.Size)
				g.Go(func() error {
					return v.check(gctx, ref.Name, func(ctx context.Context, _ string) error {
						return segment.Check(ctx, v.ops.Blobs, ref)
					})
				})
			}
		}
	})
	return cmp.Or(g.Wait(), err)
}

// each calls fn with every revision that is whole, and notes what is wrong with
// the others.
func (v *verifier) each(ctx context.Context, fn func(*fovea.Revision)) error {
	for r, err := range v.historian.AllRevisions(ctx) {
		switch {
		case r == nil:
			return err
		case err == nil:
			err = checkRevision(r)
			fn(r)
		}
		if err != nil {
			v.damaged(r, err)
		}
	}
	return nil
}

// damaged notes what is wrong with a row of the database.
func (v *verifier) damaged(r *fovea.Revision, err error) {
	d := Damage{Object: fmt.Sprintf("revision %d of dataset %s", r.Number, fovea.FormatID(int64(r.Dataset))), Problem: err.Error()}
	if !slices.ContainsFunc(v.done.Damaged, func(o Damage) bool { return o.Object == d.Object }) {
		d.Holds = []Holding{{Dataset: r.Dataset, Revisions: []int64{r.Number}, Entries: r.Stats.Entries}}
		v.done.Damaged = append(v.done.Damaged, d)
	}
}

// checkRevision reports a revision whose segments do not add up to its count.
func checkRevision(r *fovea.Revision) error {
	var entries int64
	for _, ref := range r.Segments {
		if err := segment.CheckRef(ref); err != nil {
			return err
		}
		entries += ref.Rows - ref.Masked
	}
	if entries != r.Stats.Entries {
		return fmt.Errorf("its segments have %d entries, but it counts %d", entries, r.Stats.Entries)
	}
	return nil
}

// first reports whether a key has not come before.
func (v *verifier) first(k objectKey) bool {
	if v.seen[k] {
		return false
	}
	v.seen[k] = true
	return true
}

func (v *verifier) add(n int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.done.Bytes += n
}

// check notes what fn finds wrong with an object. Its error is that of ctx.
func (v *verifier) check(ctx context.Context, name string, fn func(context.Context, string) error) error {
	err := fn(ctx, name)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.problems[name] = err.Error()
	return nil
}

// checkReport reads a report, which must be there; its content has no checksum.
func (v *verifier) checkReport(ctx context.Context, name string) error {
	blob, err := v.ops.Blobs.Open(ctx, name)
	if err != nil {
		return err
	}
	defer blob.Close()
	n, err := io.Copy(io.Discard, io.NewSectionReader(blob, 0, blob.Size()))
	if err == nil && n < blob.Size() {
		err = fmt.Errorf("%s ends after %d of %d bytes: %w", name, n, blob.Size(), io.ErrUnexpectedEOF)
	}
	v.add(n)
	return err
}

// findHolders looks for the revisions that have the damaged objects. One that
// none has was dropped meanwhile.
func (v *verifier) findHolders(ctx context.Context) error {
	holds := map[string]map[fovea.DatasetID]*Holding{}
	hold := func(r *fovea.Revision, name string, entries int64) {
		if _, damaged := v.problems[name]; !damaged {
			return
		}
		if holds[name] == nil {
			holds[name] = map[fovea.DatasetID]*Holding{}
		}
		h := holds[name][r.Dataset]
		if h == nil {
			h = &Holding{Dataset: r.Dataset}
			holds[name][r.Dataset] = h
		}
		h.Revisions, h.Entries = append(h.Revisions, r.Number), entries
	}
	err := v.each(ctx, func(r *fovea.Revision) {
		hold(r, r.Report, 0)
		for _, ref := range r.Segments {
			hold(r, ref.Name, ref.Rows-ref.Masked)
		}
	})
	if err != nil {
		return err
	}
	for name, by := range holds {
		d := Damage{Object: name, Problem: v.problems[name]}
		for _, h := range by {
			d.Holds = append(d.Holds, *h)
		}
		slices.SortFunc(d.Holds, func(a, b Holding) int { return cmp.Compare(a.Dataset, b.Dataset) })
		v.done.Damaged = append(v.done.Damaged, d)
	}
	return v.nameHolders(ctx)
}

// nameHolders fills in whose the damaged datasets are.
func (v *verifier) nameHolders(ctx context.Context) error {
	return v.ops.Store.View(ctx, func(tx fovea.Tx) error {
		for i := range v.done.Damaged {
			for k := range v.done.Damaged[i].Holds {
				if err := nameHolder(tx, &v.done.Damaged[i].Holds[k]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// nameHolder fills in whose a dataset is, nothing for one that is gone.
func nameHolder(tx fovea.Tx, h *Holding) error {
	ds, err := tx.Dataset(h.Dataset)
	if err != nil {
		return ignoreNotFound(err)
	}
	p, err := tx.Project(ds.Project)
	if err != nil {
		return ignoreNotFound(err)
	}
	h.Service, h.Project, h.Split, h.Current = p.Service, p.Name, ds.Split, slices.Contains(h.Revisions, ds.Revision)
	return nil
}
