package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"fovea"
)

// Enqueue implements fovea.Tx.
func (t *tx) Enqueue(args fovea.JobArgs) error {
	data, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", args.Kind(), err)
	}
	now, err := t.now()
	if err != nil {
		return err
	}
	n, err := t.count("enqueue "+args.Kind(), `
		INSERT INTO jobs (id, kind, name, args, state, queued, due, attempt, failures, worker, cancel, message, ended)
		VALUES ($1, $2, $3, $4, 'queued', $5, $5, 0, 0, '', FALSE, '', 0)
		ON CONFLICT (name) WHERE name <> '' AND state IN ('queued', 'running') DO NOTHING`,
		fovea.NewID(now), args.Kind(), args.Unique(), string(data), millis(now))
	t.enqueued = t.enqueued || n > 0
	return err
}

// OnEnqueue sets what is called after every commit that added a job. It must
// not block.
func (s *Store) OnEnqueue(fn func()) { s.enqueued.Store(&fn) }

// A JobInfo describes a job to people.
type JobInfo struct {
	fovea.Job
	Name    string    // its unique name, "" for none
	State   string    // queued, running, done, failed or cancelled
	Message string    // the error of its last attempt
	Worker  string    // who runs it
	Ended   time.Time // zero while it is queued or running
}

// Jobs returns at most n jobs, latest first, that were queued before the job
// given, 0 for the latest.
func (s *Store) Jobs(ctx context.Context, before fovea.JobID, n int) (list []JobInfo, err error) {
	from := `TRUE`
	args := []any{n}
	if before != 0 {
		from, args = `id < $2`, append(args, before)
	}
	err = s.view(ctx, func(t *tx) error {
		list, err = all(t, scanJobInfo, `
			SELECT `+jobColumns+`, name, state, message, worker, ended FROM jobs WHERE `+from+` ORDER BY id DESC LIMIT $1`, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return list, nil
}

func scanJobInfo(s scanner) (JobInfo, error) {
	var j JobInfo
	var args string
	var queued, ended int64
	err := s.Scan(&j.ID, &j.Kind, &args, &j.Attempt, &j.Failures, &queued, &j.Name, &j.State, &j.Message, &j.Worker, &ended)
	j.Args, j.Queued = []byte(args), fromMillis(queued)
	if ended != 0 {
		j.Ended = fromMillis(ended)
	}
	return j, err
}

// A JobCount says how many jobs of a kind are in a state.
type JobCount struct {
	Kind   string
	State  string
	Jobs   int64
	Oldest time.Time // when the oldest of them was queued
}

// JobCounts counts the jobs of each kind and state that there are.
func (s *Store) JobCounts(ctx context.Context) (list []JobCount, err error) {
	scan := func(s scanner) (JobCount, error) {
		var c JobCount
		var oldest int64
		err := s.Scan(&c.Kind, &c.State, &c.Jobs, &oldest)
		c.Oldest = fromMillis(oldest)
		return c, err
	}
	err = s.view(ctx, func(t *tx) error {
		list, err = all(t, scan, `SELECT kind, state, COUNT(*), MIN(queued) FROM jobs GROUP BY kind, state ORDER BY kind, state`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	return list, nil
}
