package s3api

import (
	"context"
	"fmt"
	"io"
	"time"
)

// orphansEvery is how often the folder is searched for blobs that no row
// knows. Only a crash or a failed disk leaves any.
const orphansEvery = 6 * time.Hour

// sweepForever removes blobs that are not needed until ctx ends.
func (s *Store) sweepForever(ctx context.Context) {
	defer close(s.done)
	tick := time.NewTicker(s.opts.SweepEvery)
	defer tick.Stop()
	var orphans time.Time
	for {
		if time.Since(orphans) >= orphansEvery {
			orphans = time.Now()
			s.report(ctx, "swept orphaned blobs", s.sweepOrphans)
		}
		s.report(ctx, "swept freed blobs", s.sweepFreed)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Store) report(ctx context.Context, what string, sweep func(context.Context) (int, error)) {
	n, err := sweep(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.opts.Log.Error("sweep of the S3 store failed", "removed", n, "err", err)
	case n > 0:
		s.opts.Log.Info(what, "removed", n)
	}
}

// sweepFreed removes the blobs whose last row went before the grace time, and
// returns how many. Rows go first: a crash in between leaves orphans.
func (s *Store) sweepFreed(ctx context.Context) (int, error) {
	const batch = 500
	total := 0
	var after int64
	for ctx.Err() == nil {
		ids, err := s.freed(ctx, after, batch)
		if err != nil || len(ids) == 0 {
			return total, err
		}
		after = ids[len(ids)-1]
		var gone []int64
		err = s.update(ctx, func(t *tx) error {
			for _, id := range ids {
				if s.blobs.pinned(id) {
					continue
				}
				n, err := t.exec(`DELETE FROM blobs WHERE id = ?1 AND refs = 0`, id)
				if err != nil {
					return err
				}
				if n > 0 {
					gone = append(gone, id)
				}
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		for _, id := range gone {
			if err := s.blobs.remove(id); err != nil {
				return total, err
			}
			total++
		}
	}
	return total, ctx.Err()
}

// freed returns blobs whose grace is over, in order of id.
func (s *Store) freed(ctx context.Context, after int64, limit int) ([]int64, error) {
	rows, err := s.read(ctx).query(`SELECT id FROM blobs WHERE refs = 0 AND freed <= ?1 AND id > ?2 ORDER BY id LIMIT ?3`,
		s.opts.Now().Add(-s.opts.Grace).UnixMilli(), after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// sweepOrphans removes the files that no row knows, and returns how many. A
// blob is pinned from before its file exists until after its row does, so the
// pin is looked at first and the row second.
func (s *Store) sweepOrphans(ctx context.Context) (int, error) {
	total := 0
	for i := range blobDirs {
		dir, err := s.blobs.root.Open(fmt.Sprintf("%02x", i))
		if err != nil {
			return total, err
		}
		n, err := s.sweepDir(ctx, dir)
		dir.Close()
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (s *Store) sweepDir(ctx context.Context, dir interface {
	Readdirnames(int) ([]string, error)
}) (int, error) {
	total := 0
	for {
		names, err := dir.Readdirnames(1000)
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		for _, name := range names {
			id, ok := parseBlobName(name)
			if !ok || s.blobs.pinned(id) {
				continue
			}
			var known bool
			if err := s.read(ctx).queryRow(`SELECT EXISTS (SELECT 1 FROM blobs WHERE id = ?1)`, id).Scan(&known); err != nil {
				return total, err
			}
			if known {
				continue
			}
			if err := s.blobs.remove(id); err != nil {
				return total, err
			}
			total++
		}
	}
}
