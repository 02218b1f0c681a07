package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fovea"
)

// farDue is longer than any lease and any wait after a failure: a job that is
// due only after that is one from before the clock was set back, and it is
// claimed at once.
const farDue = 10 * time.Minute

const jobColumns = `id, kind, args, attempt, failures, queued`

func scanJob(s scanner) (*fovea.Job, error) {
	var j fovea.Job
	var args string
	var queued int64
	err := s.Scan(&j.ID, &j.Kind, &args, &j.Attempt, &j.Failures, &queued)
	j.Args, j.Queued = []byte(args), fromMillis(queued)
	return &j, err
}

// ClaimJob gives the job of the given kinds that is due for longest to a
// worker, for the time of the lease, or reports NotFound if none is due. Jobs
// among except, which may be a few hundred, are left to others. The name of a
// worker is not used for a second claim.
func (s *Store) ClaimJob(ctx context.Context, worker string, kinds []string, except []fovea.JobID, lease time.Duration) (*fovea.Job, error) {
	none := fovea.Errorf(fovea.NotFound, "no job is due")
	where := dueJobs(kinds)
	if len(except) > 0 {
		where += fmt.Sprintf(` AND id NOT IN (`+s.dialect.numbers+`)`, 3+len(kinds))
	}
	var args []any
	var due bool
	err := s.view(ctx, func(t *tx) error { // most of the time this is all, and locks nothing
		now, err := t.now()
		if err != nil {
			return err
		}
		args = claimArgs(now, kinds, except)
		return t.row(`SELECT EXISTS (SELECT 1 FROM jobs WHERE `+where+`)`, args...).Scan(&due)
	})
	if err != nil {
		return nil, fmt.Errorf("look for a job: %w", err)
	}
	if !due {
		return nil, none
	}
	var job *fovea.Job
	err = s.updateQueue(ctx, func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		args := claimArgs(now, kinds, except)
		// Nobody is left to tell that these were cancelled.
		err = t.exec("end cancelled jobs", `
			UPDATE jobs SET state = 'cancelled', worker = '', ended = $1 WHERE state = 'running' AND cancel AND due <= $1`, millis(now))
		if err != nil {
			return err
		}
		n := len(args)
		job, err = scanJob(t.row(`
			UPDATE jobs SET state = 'running', attempt = attempt + 1, worker = `+param(n+1)+`, due = `+param(n+2)+`
			WHERE id = (SELECT id FROM jobs WHERE `+where+` ORDER BY due, id LIMIT 1`+s.dialect.skipLocked+`) RETURNING `+jobColumns,
			append(args, worker, millis(now.Add(lease)))...))
		if errors.Is(err, sql.ErrNoRows) {
			job, err = nil, nil // another worker was faster
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim a job: %w", err)
	}
	if job == nil {
		return nil, none
	}
	return job, nil
}

// RunningJobs returns the jobs of the kinds whose leases run and that are not
// cancelled, with their workers, oldest first.
func (s *Store) RunningJobs(ctx context.Context, kinds []string) (list []fovea.Job, err error) {
	scan := func(s scanner) (fovea.Job, error) {
		var j fovea.Job
		var args string
		var queued int64
		err := s.Scan(&j.ID, &j.Kind, &args, &j.Attempt, &j.Failures, &queued, &j.Worker)
		j.Args, j.Queued = []byte(args), fromMillis(queued)
		return j, err
	}
	err = s.view(ctx, func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		list, err = all(t, scan, `
			SELECT `+jobColumns+`, worker FROM jobs
			WHERE state = 'running' AND NOT cancel AND due > $1 AND due <= $2 AND `+isKind(kinds)+` ORDER BY id`, dueArgs(now, kinds)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list running jobs: %w", err)
	}
	return list, nil
}

// dueJobs returns the condition for jobs of the kinds that may be claimed.
func dueJobs(kinds []string) string {
	return `state IN ('queued', 'running') AND (due <= $1 OR due > $2) AND ` + isKind(kinds)
}

// isKind returns the condition that a job is of one of the kinds, which are the
// parameters from $3 on.
func isKind(kinds []string) string {
	params := make([]string, len(kinds))
	for i := range kinds {
		params[i] = param(3 + i)
	}
	return `kind IN (` + strings.Join(params, ", ") + `)`
}

// dueArgs returns the parameters of that condition.
func dueArgs(now time.Time, kinds []string) []any {
	args := []any{millis(now), millis(now.Add(farDue))}
	for _, kind := range kinds {
		args = append(args, kind)
	}
	return args
}

// claimArgs is dueArgs and then, if there are any, the jobs that are left out:
// as one parameter, so that their number makes no new statement.
func claimArgs(now time.Time, kinds []string, except []fovea.JobID) []any {
	args := dueArgs(now, kinds)
	if len(except) > 0 {
		text, _ := json.Marshal(except) // which integers do not fail
		args = append(args, string(text))
	}
	return args
}

func param(n int) string { return "$" + strconv.Itoa(n) }

// BeatJob renews a worker's lease and reports whether the job was cancelled.
// It reports NotFound if the worker has lost the job.
func (s *Store) BeatJob(ctx context.Context, id fovea.JobID, worker string, lease time.Duration) (cancelled bool, err error) {
	err = s.updateQueue(ctx, func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		err = t.row(`UPDATE jobs SET due = $1 WHERE id = $2 AND worker = $3 RETURNING cancel`,
			millis(now.Add(lease)), id, worker).Scan(&cancelled)
		if err != nil {
			return missing(err, "job %d of worker %s", id, worker)
		}
		return nil
	})
	return cancelled, err
}

// EndJob records that the job of a worker has come to its last state: done,
// failed or cancelled. It reports NotFound if the worker has lost the job.
func (s *Store) EndJob(ctx context.Context, id fovea.JobID, worker, state, message string) error {
	return s.leaveJob(ctx, id, worker, `state = $4, worker = '', message = $5, ended = $3`, state, storable(message))
}

// RetryJob counts a failure of the job of a worker and queues it again, to be
// due after wait, or ends it if it was cancelled. It reports NotFound if the
// worker has lost the job.
func (s *Store) RetryJob(ctx context.Context, id fovea.JobID, worker, message string, wait time.Duration) error {
	return s.leaveJob(ctx, id, worker, requeue+`, failures = failures + 1, message = $4, due = CAST($3 AS BIGINT) + CAST($5 AS BIGINT)`, storable(message), wait.Milliseconds())
}

// ReturnJob queues the job of a worker again as if it had not been claimed, or
// ends it if it was cancelled. It reports NotFound if the worker has lost the
// job.
func (s *Store) ReturnJob(ctx context.Context, id fovea.JobID, worker string) error {
	return s.leaveJob(ctx, id, worker, requeue+`, attempt = attempt - 1, message = '', due = $3`)
}

// DeferJob is ReturnJob with a message and a wait before the job is due again.
func (s *Store) DeferJob(ctx context.Context, id fovea.JobID, worker, message string, wait time.Duration) error {
	return s.leaveJob(ctx, id, worker, requeue+`, attempt = attempt - 1, message = $4, due = CAST($3 AS BIGINT) + CAST($5 AS BIGINT)`, storable(message), wait.Milliseconds())
}

// requeue sets the state of a job that is not to run any further now.
const requeue = `
	state = CASE WHEN cancel THEN 'cancelled' ELSE 'queued' END,
	ended = CASE WHEN cancel THEN CAST($3 AS BIGINT) ELSE 0 END,
	worker = ''`

// leaveJob sets columns of the job of a worker. In set, $3 is the time and $4
// the first of args.
func (s *Store) leaveJob(ctx context.Context, id fovea.JobID, worker, set string, args ...any) error {
	return s.updateQueue(ctx, func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		n, err := t.count("leave a job", `UPDATE jobs SET `+set+` WHERE id = $1 AND worker = $2`,
			append([]any{id, worker, millis(now)}, args...)...)
		if err == nil && n == 0 {
			err = fovea.Errorf(fovea.NotFound, "there is no job %d of worker %s", id, worker)
		}
		return err
	})
}

// CancelJob cancels a job: at once if it is queued, otherwise its worker is
// told at its next beat. It reports NotFound if the job is neither.
func (s *Store) CancelJob(ctx context.Context, id fovea.JobID) error {
	return s.updateQueue(ctx, func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		n, err := t.count("cancel a job", `
			UPDATE jobs SET cancel = TRUE,
				state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END,
				ended = CASE WHEN state = 'queued' THEN $2 ELSE ended END
			WHERE id = $1 AND state IN ('queued', 'running')`, id, millis(now))
		if err == nil && n == 0 {
			err = fovea.Errorf(fovea.NotFound, "there is no queued or running job %d", id)
		}
		return err
	})
}

// JobNamed returns the queued or running job of a unique name, or reports
// NotFound.
func (s *Store) JobNamed(ctx context.Context, unique string) (id fovea.JobID, err error) {
	err = s.view(ctx, func(t *tx) error {
		err := t.row(`SELECT id FROM jobs WHERE name = $1 AND name <> '' AND state IN ('queued', 'running')`, unique).Scan(&id)
		if err != nil {
			return missing(err, "queued or running job named %s", unique)
		}
		return nil
	})
	return id, err
}
