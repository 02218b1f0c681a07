package model

import (
	"context"

	"fovea"
)

// RunStart takes a model that is starting to Running, as RunHost does. Starts
// are jobs of their own kind: one waits while others are read, for room and for
// S3, and no stop, import or update is to wait with it.
func (o *Ops) RunStart(ctx context.Context, job fovea.StartJob) error {
	return o.RunHost(ctx, fovea.HostJob(job))
}

// FailStart gives up a start whose job failed too often.
func (o *Ops) FailStart(ctx context.Context, job fovea.StartJob) error {
	return o.FailHost(ctx, fovea.HostJob(job))
}
