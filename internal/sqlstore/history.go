package sqlstore

import (
	"context"
	"errors"
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
// sure, when there are keep newer ones or more. A keep of 0 is no bound. Those
// that a model was trained or tested on stay.
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
			WHERE (replaced < $3 OR replaced < $4 AND current - number >= $5)
				AND NOT EXISTS (SELECT 1 FROM models WHERE train_dataset = dataset AND train_revision = number)
				AND NOT EXISTS (SELECT 1 FROM models WHERE test_dataset = dataset AND test_revision = number)
			ORDER BY dataset, number LIMIT $6`,
			after.Dataset, after.Number, millis(old), millis(sure), keep, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list old revisions: %w", err)
	}
	return list, nil
}

// AllRevisions yields every revision whole, in order of their keys. One that is
// damaged comes without its segments and with the error; an error without a
// revision is the last.
func (s *Store) AllRevisions(ctx context.Context) iter.Seq2[*fovea.Revision, error] {
	return func(yield func(*fovea.Revision, error) bool) {
		const batch = 100
		var after fovea.RevisionKey
		for {
			keys, err := s.revisionsAfter(ctx, after, batch)
			if err != nil {
				yield(nil, fmt.Errorf("list all revisions: %w", err))
				return
			}
			for _, k := range keys {
				after = k
				r, err := s.wholeRevision(ctx, k)
				if r == nil && err == nil {
					continue // dropped since
				}
				if !yield(r, err) || r == nil {
					return
				}
			}
			if len(keys) < batch {
				return
			}
		}
	}
}

// revisionsAfter returns the keys of at most n revisions that come after one.
func (s *Store) revisionsAfter(ctx context.Context, after fovea.RevisionKey, n int) (keys []fovea.RevisionKey, err error) {
	err = s.view(ctx, func(t *tx) error {
		keys, err = all(t, scanRevisionKey, `
			SELECT dataset, number FROM revisions WHERE dataset > $1 OR dataset = $1 AND number > $2 ORDER BY dataset, number LIMIT $3`,
			after.Dataset, after.Number, n)
		return err
	})
	return keys, err
}

// wholeRevision returns a revision, nil without an error if there is none, and
// with one what of a damaged revision can be read. An error of the database
// comes alone.
func (s *Store) wholeRevision(ctx context.Context, k fovea.RevisionKey) (r *fovea.Revision, err error) {
	err = s.view(ctx, func(t *tx) error {
		if r, err = t.RevisionStats(k.Dataset, k.Number); err != nil {
			return err
		}
		whole, err := t.Revision(k.Dataset, k.Number)
		if err == nil {
			r = whole
		}
		return err
	})
	switch {
	case err != nil && fovea.KindOf(err) == fovea.NotFound:
		return nil, nil
	case err != nil && !errors.Is(err, errPackedSum) && !errors.Is(err, errPackedForm):
		return nil, err
	}
	return r, err
}

// checkSchema reports a database that another version of the program made.
func (s *Store) checkSchema(ctx context.Context) error {
	steps, err := schemaSteps()
	if err != nil {
		return err
	}
	return s.view(ctx, func(t *tx) error {
		var version int
		if err := t.row(`SELECT version FROM schema_version`).Scan(&version); err != nil {
			return fmt.Errorf("read the schema's version: %w", err)
		}
		if version != len(steps) {
			return fovea.Errorf(fovea.Invalid, "its schema has version %d and this fovea's %d: use the fovea of the server that runs on it", version, len(steps))
		}
		return nil
	})
}

// Snapshot writes the state of a SQLite database as of one moment to a file,
// which must not be there, while others go on to read and write it.
func (s *Store) Snapshot(ctx context.Context, file string) error {
	if _, err := s.write.ExecContext(ctx, `VACUUM INTO $1`, file); err != nil {
		return fmt.Errorf("write a snapshot of the database to %s: %w", file, err)
	}
	return nil
}

// LiveJobs returns the arguments of the queued and running jobs of a kind.
func (s *Store) LiveJobs(ctx context.Context, kind string) (args [][]byte, err error) {
	err = s.view(ctx, func(t *tx) error {
		args, err = all(t, func(s scanner) (text []byte, err error) {
			err = s.Scan(&text)
			return text, err
		}, `SELECT args FROM jobs WHERE kind = $1 AND state IN ('queued', 'running')`, kind)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the jobs of kind %s: %w", kind, err)
	}
	return args, nil
}
