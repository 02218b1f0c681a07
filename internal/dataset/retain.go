package dataset

import (
	"context"
	"fmt"
	"time"

	"fovea"
)

// Retention says how long replaced revisions are kept. The zero value keeps
// all of them.
type Retention struct {
	Revisions int64         // of a dataset, the current one included; 0 for any number
	Age       time.Duration // since the next revision replaced it; 0 for any
}

// DefaultRetention is what a server keeps unless it is told otherwise.
var DefaultRetention = Retention{Revisions: 1000, Age: 30 * 24 * time.Hour}

// sureAge is how long after it was replaced a revision stays in any case: page
// tokens name it (CL-2.5), and are good for PageLife.
const sureAge = fovea.PageLife + time.Hour

// A Retainer finds the revisions that may be dropped. The Store of a real
// installation is one.
type Retainer interface {
	// OldRevisions returns at most n revisions that come after a key, in
	// order: those that were replaced before old; or before sure, when
	// there are keep newer ones or more. A keep of 0 is no bound.
	OldRevisions(ctx context.Context, after fovea.RevisionKey, old, sure time.Time, keep int64, n int) ([]fovea.RevisionKey, error)
}

// droppedAtOnce bounds how many revisions one transaction drops, so that
// others need not wait long.
const droppedAtOnce = 200

// DropRevisions drops the revisions that are not to be kept: never the current
// one of a dataset, and never one that was replaced less than 25 hours ago.
// The segments that nothing else has are found by the next sweep. The store
// must be a Retainer.
func (o *Ops) DropRevisions(ctx context.Context, keep Retention) (dropped int, err error) {
	if keep == (Retention{}) {
		return 0, nil
	}
	retainer, ok := o.Store.(Retainer)
	if !ok {
		return 0, fmt.Errorf("drop revisions: %T cannot tell which are old", o.Store)
	}
	sure := o.now().Add(-sureAge)
	old := time.UnixMilli(0)
	if keep.Age > 0 {
		old = o.now().Add(-max(keep.Age, sureAge))
	}
	var after fovea.RevisionKey
	for {
		list, err := retainer.OldRevisions(ctx, after, old, sure, keep.Revisions, droppedAtOnce)
		if err != nil || len(list) == 0 {
			return dropped, err
		}
		after = list[len(list)-1]
		n, err := o.drop(ctx, list)
		if dropped += n; err != nil {
			return dropped, fmt.Errorf("drop revisions: %w", err)
		}
	}
}

// drop drops those of the revisions that nothing needs, and returns how many.
func (o *Ops) drop(ctx context.Context, list []fovea.RevisionKey) (n int, err error) {
	err = o.Store.Update(ctx, func(tx fovea.Tx) error {
		n = 0
		for _, k := range list {
			needed, err := revisionNeeded(tx, k)
			if err != nil {
				return err
			}
			if needed {
				continue
			}
			if err := tx.DeleteRevision(k); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// revisionNeeded reports whether a revision is needed however old it is. What
// pins revisions is asked here, in the transaction that drops them.
func revisionNeeded(tx fovea.Tx, k fovea.RevisionKey) (bool, error) {
	ds, err := tx.Dataset(k.Dataset)
	if err != nil {
		return false, ignoreNotFound(err) // its revisions went with it
	}
	if ds.Revision == k.Number {
		return true, nil
	}
	models, err := tx.ModelsOn(k)
	return len(models) > 0, err
}
