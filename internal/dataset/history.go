package dataset

import (
	"context"
	"strings"

	"fovea"
)

// A Commit is a revision in the history of its dataset, without its segments.
type Commit struct {
	*fovea.Revision
	Current bool
	// Added and Removed are by how many entries it is larger or smaller than
	// the one before. Known says whether they are known without a Diff: not of
	// a restored revision, nor of the first of those that are kept.
	Added, Removed int64
	Known          bool
}

// History returns at most n revisions of a dataset, the latest first: those
// below a number, or all for 0.
func (o *Ops) History(ctx context.Context, v *View, below int64, n int) ([]Commit, error) {
	var list []*fovea.Revision
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		list, err = tx.Revisions(v.Dataset.ID, below, n+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	commits := make([]Commit, 0, n)
	for i, r := range list[:min(n, len(list))] {
		c := Commit{Revision: r, Current: r.Number == v.Dataset.Revision}
		switch {
		case r.Number == 1:
			c.Known, c.Added = true, r.Stats.Entries
		case i+1 < len(list) && list[i+1].Number == r.Number-1 && !strings.HasPrefix(r.Cause, restoreCause):
			grown := r.Stats.Entries - list[i+1].Stats.Entries
			c.Known, c.Added, c.Removed = true, max(grown, 0), max(-grown, 0)
		}
		commits = append(commits, c)
	}
	return commits, nil
}

// Commit returns one revision of a dataset, or NotFound.
func (o *Ops) Commit(ctx context.Context, v *View, number int64) (*Commit, error) {
	if number > 0 {
		list, err := o.History(ctx, v, number+1, 1)
		if err != nil {
			return nil, err
		}
		if len(list) == 1 && list[0].Number == number {
			return &list[0], nil
		}
	}
	return nil, noRevision(v, number)
}

// noRevision says that a dataset does not have a revision, perhaps any more.
func noRevision(v *View, number int64) error {
	name := v.Project.Name + "/" + string(v.Dataset.Split)
	return fovea.Errorf(fovea.NotFound, "The dataset %s has no revision %d; the current one is %d. Old revisions are dropped "+
		"after a time: fovea log shows those that are there.", name, number, v.Dataset.Revision).
		About(fovea.DatasetResource, name)
}
