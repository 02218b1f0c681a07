package jobs

import (
	"context"
	"time"

	"fovea"
)

// A Queue keeps the jobs, for all processes that run them. *sqlstore.Store is
// one. A job is in one of the states queued, running, done, failed and
// cancelled. A worker is the name of one claim; methods that take one report
// NotFound if the job has been claimed by another since.
type Queue interface {
	fovea.Store

	// OnEnqueue sets what is called when this process has added a job.
	OnEnqueue(fn func())

	// ClaimJob claims the next due job of the kinds until the lease ends, one
	// that is not among except, or reports NotFound.
	ClaimJob(ctx context.Context, worker string, kinds []string, except []fovea.JobID, lease time.Duration) (*fovea.Job, error)

	// RunningJobs returns the jobs of the kinds whose leases run, oldest first.
	RunningJobs(ctx context.Context, kinds []string) ([]fovea.Job, error)

	// BeatJob starts the lease anew and reports whether the job was cancelled.
	BeatJob(ctx context.Context, id fovea.JobID, worker string, lease time.Duration) (cancelled bool, err error)

	// EndJob ends a job as done, failed or cancelled. RetryJob queues it
	// again after a failure, ReturnJob as if it had not been claimed, DeferJob
	// likewise but not before a wait is over.
	EndJob(ctx context.Context, id fovea.JobID, worker, state, message string) error
	RetryJob(ctx context.Context, id fovea.JobID, worker, message string, wait time.Duration) error
	ReturnJob(ctx context.Context, id fovea.JobID, worker string) error
	DeferJob(ctx context.Context, id fovea.JobID, worker, message string, wait time.Duration) error

	// CancelJob cancels a queued or running job, or reports NotFound.
	// JobNamed finds such a job by its unique name.
	CancelJob(ctx context.Context, id fovea.JobID) error
	JobNamed(ctx context.Context, unique string) (fovea.JobID, error)
}
