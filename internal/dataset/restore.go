package dataset

import (
	"context"
	"fmt"

	"fovea"
)

// restoreCause begins the cause of a revision that was made by Restore.
const restoreCause = "restore of "

// A Restoration says which dataset to take back to which of its revisions.
type Restoration struct {
	Project  fovea.ProjectKey
	Split    fovea.Split
	Match    func(*View) bool // as in CopyOf
	Revision int64
}

// Restore makes the content of an older revision the newest revision, at once:
// it shares the segments of the older one, so that it costs the same whatever
// their size. Later revisions stay in the history. It may be done when Update
// may (CL-4.2, the table of operations by status). The limits of the service
// are not asked, for the content has been the dataset's before.
//
// With a client token in the context the call takes effect once.
func (o *Ops) Restore(ctx context.Context, r Restoration) (*View, error) {
	var v View
	err := o.Store.Update(ctx, func(tx fovea.Tx) error {
		return fovea.Once(ctx, tx, o.now(), &v, func() error {
			found, err := changeable(tx, r.Project, r.Split, r.Match)
			if err != nil {
				return err
			}
			v = *found
			return o.restore(ctx, tx, &v, r.Revision)
		})
	})
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// restore gives the dataset its next revision in a transaction.
func (o *Ops) restore(ctx context.Context, tx fovea.Tx, v *View, number int64) error {
	ds := v.Dataset
	rev, err := tx.Revision(ds.ID, number)
	if err != nil && fovea.KindOf(err) == fovea.NotFound {
		return noRevision(v, number)
	}
	if err != nil {
		return err
	}
	now, err := tx.RevisionStats(ds.ID, ds.Revision)
	if err != nil {
		return err
	}
	since := o.stamps.Next(o.now())
	for _, status := range []fovea.DatasetStatus{fovea.Updating, fovea.Updated} {
		if err := ds.Move(status, since); err != nil {
			return err
		}
	}
	ds.Revision++
	rev.Number, rev.Created, rev.Caller = ds.Revision, since, fovea.CallerOf(ctx).KeyID
	rev.Cause = fmt.Sprintf("%s%d", restoreCause, number)
	rev.Report = ""                             // is about the change that made the older one
	rev.NextSeq = max(rev.NextSeq, now.NextSeq) // never used twice, so that a diff can tell entries apart
	if err := tx.PutDataset(ds); err != nil {
		return err
	}
	if err := tx.PutRevision(rev); err != nil {
		return err
	}
	v.Revision = rev
	v.Revision.Segments = nil // the answer, and what a client token remembers, needs none
	return nil
}
