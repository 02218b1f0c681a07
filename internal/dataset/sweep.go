package dataset

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"fovea"
)

// A Reacher tells what the revisions still need. The Store of a real
// installation is one.
type Reacher interface {
	// Reachable yields the name of every segment and report that a
	// revision has, some perhaps twice.
	Reachable(ctx context.Context) iter.Seq2[string, error]
}

// DefaultSweepAge is how old a blob is before the sweep looks at it: some are
// written before the row that names them, and pages that are being read may be of
// segments that a compaction has replaced.
const DefaultSweepAge = time.Hour

// sweptBatch is how many blobs the sweep judges at a time.
const sweptBatch = 10_000

// RunSweep removes what nothing reaches any more: the segments and reports of
// deleted datasets that no copy shares, and what a failed import left. The
// store must be a Reacher.
func (o *Ops) RunSweep(ctx context.Context) error {
	reacher, ok := o.Store.(Reacher)
	if !ok {
		return fmt.Errorf("sweep: %T cannot tell what is reachable", o.Store)
	}
	old := o.now().Add(-cmp.Or(o.SweepAge, DefaultSweepAge))
	for _, prefix := range []string{"changes/", "imports/", "reports/", "seen/", "segments/"} {
		var batch []string
		for info, err := range o.Blobs.List(ctx, prefix) {
			if err != nil {
				return fmt.Errorf("sweep: %w", err)
			}
			if info.Modified.After(old) {
				continue
			}
			if batch = append(batch, info.Name); len(batch) == sweptBatch {
				if err := o.sweep(ctx, reacher, batch); err != nil {
					return fmt.Errorf("sweep: %w", err)
				}
				batch = batch[:0]
			}
		}
		if err := o.sweep(ctx, reacher, batch); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return nil
}

// sweep removes those of the blobs that nothing reaches. They were listed
// before it looks at what is reached: a blob is only written for a dataset
// that is stored already, so one that was there then and is not reached now
// will not be.
func (o *Ops) sweep(ctx context.Context, reacher Reacher, names []string) error {
	lost := map[string]bool{}
	alive := map[fovea.DatasetID]*fovea.Dataset{}
	for _, name := range names {
		id, ok := owner(name)
		if !ok {
			continue // not ours to remove
		}
		if _, seen := alive[id]; !seen {
			ds, err := o.dataset(ctx, id)
			if err != nil {
				return err
			}
			alive[id] = ds
		}
		ds := alive[id]
		if ds == nil || !ds.InProgress() && !isFailure(name) && !strings.HasPrefix(name, "seen/") {
			lost[name] = true
		}
	}
	if len(lost) == 0 {
		return nil
	}
	for name, err := range reacher.Reachable(ctx) {
		if err != nil {
			return err
		}
		delete(lost, name)
	}
	var remove []string
	for _, name := range names {
		if lost[name] {
			remove = append(remove, name)
		}
	}
	return o.Blobs.Delete(ctx, remove...)
}

// isFailure reports whether a blob is the report about a change that made no
// revision, which would name it.
func isFailure(name string) bool { return strings.Contains(name, "/failed-") }

// owner returns the dataset for which a blob was written.
func owner(name string) (fovea.DatasetID, bool) {
	_, rest, _ := strings.Cut(name, "/")
	hex, _, ok := strings.Cut(rest, "/")
	id, err := strconv.ParseInt(hex, 16, 64)
	return fovea.DatasetID(id), ok && err == nil && len(hex) == 16
}

// dataset returns a dataset, nil if it is gone.
func (o *Ops) dataset(ctx context.Context, id fovea.DatasetID) (*fovea.Dataset, error) {
	var ds *fovea.Dataset
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		ds, err = tx.Dataset(id)
		return err
	})
	return ds, ignoreNotFound(err)
}
