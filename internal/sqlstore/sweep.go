package sqlstore

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// Reachable yields the names of the blobs, segments and reports, that some
// revision has, all as of one time. A name may come more than once.
func (s *Store) Reachable(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		more := true
		err := s.view(ctx, func(t *tx) error {
			rows, err := t.sql.QueryContext(ctx, `
				SELECT report, segments FROM revisions
				JOIN revision_segments ON revision_segments.dataset = revisions.dataset AND revision_segments.number = revisions.number`)
			if err != nil {
				return err
			}
			defer rows.Close()
			for more && rows.Next() {
				if more, err = yieldNames(rows, yield); err != nil {
					return err
				}
			}
			return rows.Err()
		})
		if err != nil && more {
			yield("", fmt.Errorf("list the blobs in use: %w", err))
		}
	}
}

// yieldNames yields the names in one row, until yield has had enough.
func yieldNames(row scanner, yield func(string, error) bool) (more bool, err error) {
	var report string
	var packed []byte
	if err := row.Scan(&report, &packed); err != nil {
		return true, err
	}
	segments, err := unpackSegments(packed)
	if err != nil {
		return true, err
	}
	if report != "" && !yield(report, nil) {
		return false, nil
	}
	for _, ref := range segments {
		if !yield(ref.Name, nil) {
			return false, nil
		}
	}
	return true, nil
}

// sweepRows bounds how many rows one transaction removes, so that others need
// not wait long.
const sweepRows = 5000

// DeleteTokens removes the client tokens that were used before a time, and
// returns how many.
func (s *Store) DeleteTokens(ctx context.Context, before time.Time) (int64, error) {
	return s.deleteRows(ctx, "delete client tokens", `
		DELETE FROM tokens WHERE (account, region, operation, value) IN
			(SELECT account, region, operation, value FROM tokens WHERE used < $1 LIMIT $2)`, before)
}

// DeleteJobs removes the jobs that ended before a time, and returns how many.
func (s *Store) DeleteJobs(ctx context.Context, before time.Time) (int64, error) {
	return s.deleteRows(ctx, "delete ended jobs", `
		DELETE FROM jobs WHERE id IN
			(SELECT id FROM jobs WHERE state NOT IN ('queued', 'running') AND ended < $1 LIMIT $2)`, before)
}

func (s *Store) deleteRows(ctx context.Context, what, query string, before time.Time) (total int64, err error) {
	for {
		var n int64
		err := s.update(ctx, func(t *tx) error {
			n, err = t.count(what, query, millis(before), sweepRows)
			return err
		})
		total += n
		if err != nil || n < sweepRows {
			return total, err
		}
	}
}
