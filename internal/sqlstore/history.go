package sqlstore

import (
	"context"
	"fmt"
	"iter"
	"math"
	"time"

	"fovea"
)

// Revisions implements fovea.Tx.
func (t *tx) Revisions(id fovea.DatasetID, below int64, n int) ([]*fovea.Revision, error) {
	if below <= 0 {
		below = math.MaxInt64
	}
	list, err := all(t, scanRevision, `
		SELECT `+revisionColumns+` FROM revisions WHERE dataset = $1 AND number < $2 ORDER BY number DESC LIMIT $3`, id, below, n)
	if err != nil {
		return nil, fmt.Errorf("list the revisions of dataset %d: %w", id, err)
	}
	return list, nil
}

// DeleteRevision implements fovea.Tx.
func (t *tx) DeleteRevision(k fovea.RevisionKey) error {
	return t.exec("delete a revision", `DELETE FROM revisions WHERE dataset = $1 AND number = $2`, k.Dataset, k.Number)
}

func scanRevisionKey(s scanner) (k fovea.RevisionKey, err error) {
	err = s.Scan(&k.Dataset, &k.Number)
	return k, err
}

// OldRevisions returns at most n revisions that come after a key and may be
// dropped, in order of their keys: those that are not their dataset's current
// one and were replaced by the next one before old; or before a later time,
// sure, when there are keep newer ones or more. A keep of 0 is no bound.
func (s *Store) OldRevisions(ctx context.Context, after fovea.RevisionKey, old, sure time.Time, keep int64, n int) (list []fovea.RevisionKey, err error) {
	if keep <= 0 {
		keep = math.MaxInt64
	}
	err = s.view(ctx, func(t *tx) error {
		list, err = all(t, scanRevisionKey, `
			SELECT dataset, number FROM (
				SELECT revisions.dataset, revisions.number, datasets.revision AS current,
					(SELECT next.created FROM revisions next WHERE next.dataset = revisions.dataset AND next.number > revisions.number
						ORDER BY next.number LIMIT 1) AS replaced
				FROM revisions JOIN datasets ON datasets.id = revisions.dataset
				WHERE revisions.number < datasets.revision AND (revisions.dataset > $1 OR revisions.dataset = $1 AND revisions.number > $2)
			) AS replaced_revisions
			WHERE replaced < $3 OR replaced < $4 AND current - number >= $5
			ORDER BY dataset, number LIMIT $6`,
			after.Dataset, after.Number, millis(old), millis(sure), keep, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list old revisions: %w", err)
	}
	return list, nil
}

// AllRevisions yields every revision whole, in order of their keys.
func (s *Store) AllRevisions(ctx context.Context) iter.Seq2[*fovea.Revision, error] {
	return func(yield func(*fovea.Revision, error) bool) {
		const batch = 100
		var after fovea.RevisionKey
		for {
			list, err := s.revisionsAfter(ctx, after, batch)
			if err != nil {
				yield(nil, fmt.Errorf("list all revisions: %w", err))
				return
			}
			for _, r := range list {
				if !yield(r, nil) {
					return
				}
				after = fovea.RevisionKey{Dataset: r.Dataset, Number: r.Number}
			}
			if len(list) < batch {
				return
			}
		}
	}
}

// revisionsAfter returns at most n revisions whole that come after a key.
func (s *Store) revisionsAfter(ctx context.Context, after fovea.RevisionKey, n int) (list []*fovea.Revision, err error) {
	err = s.view(ctx, func(t *tx) error {
		list = nil
		keys, err := all(t, scanRevisionKey, `
			SELECT dataset, number FROM revisions WHERE dataset > $1 OR dataset = $1 AND number > $2 ORDER BY dataset, number LIMIT $3`,
			after.Dataset, after.Number, n)
		if err != nil {
			return err
		}
		for _, k := range keys {
			r, err := t.Revision(k.Dataset, k.Number)
			if err != nil {
				return err
			}
			list = append(list, r)
		}
		return nil
	})
	return list, err
}
