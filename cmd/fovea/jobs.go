package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/cespare/xxhash/v2"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/hosting"
	"fovea/internal/jobs"
	"fovea/internal/model"
	"fovea/internal/server"
)

// How long what is finished stays for people to look at, and how often the
// sweep runs.
const (
	keepJobs   = 7 * 24 * time.Hour
	sweepEvery = time.Hour
)

// newRunner returns the runner with all kinds of job.
func (n *node) newRunner(datasets *dataset.Ops, models *model.Ops, metrics *server.Metrics) *jobs.Runner {
	train := handler(models.RunTrain, models.FailTrain)
	train.Attempts = trainAttempts
	r := &jobs.Runner{
		Queue: n.store,
		Handlers: map[string]jobs.Handler{
			fovea.ImportJob{}.Kind():     handler(datasets.RunImport, datasets.FailImport),
			fovea.UpdateJob{}.Kind():     handler(datasets.RunUpdate, datasets.FailUpdate),
			fovea.DistributeJob{}.Kind(): handler(datasets.RunDistribute, datasets.FailDistribute),
			fovea.TrainJob{}.Kind():      train,
			fovea.CopyModelJob{}.Kind():  handler(models.RunCopy, models.FailCopy),
			fovea.StartJob{}.Kind():      handler(models.RunStart, models.FailStart),
			fovea.HostJob{}.Kind():       handler(models.RunHost, models.FailHost),
			fovea.SweepJob{}.Kind():      {Run: func(ctx context.Context, _ fovea.Job) error { return n.sweep(ctx, datasets, models) }},
		},
		Apart: map[string]int{
			fovea.TrainJob{}.Kind(): 1,                // a training takes what processors it may
			fovea.StartJob{}.Kind(): hosting.MaxLoads, // a start waits for room, and reads as long as S3 takes
			fovea.HostJob{}.Kind():  1,                // a stop waits for nothing
		},
		Every:   map[fovea.JobArgs]time.Duration{fovea.SweepJob{}: sweepEvery},
		Log:     n.log,
		Observe: func(r jobs.Report) { metrics.Job(r.Job.Kind, r.State, r.Took) },
	}
	if n.config.sharesDatabase() {
		n.shareImports(r, datasets)
	}
	return r
}

// trainAttempts is how often the server may die in a training until that is given
// up: one for which there is not enough memory would end every server that is
// started to go on with it.
const trainAttempts = 10

// shareImports lets nodes of the same build share the work of every import.
// Others would not: they may judge lines by other rules.
func (n *node) shareImports(r *jobs.Runner, datasets *dataset.Ops) {
	build, err := buildSum()
	if err != nil {
		n.log.Warn("this node does not help others with imports: it cannot read its own program", "error", err)
		return
	}
	r.Build = build
	kind := fovea.ImportJob{}.Kind()
	h := r.Handlers[kind]
	h.Help = decoded(datasets.HelpImport)
	r.Handlers[kind] = h
}

// buildSum returns a checksum of the running program.
func buildSum() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := xxhash.New()
	_, err = io.Copy(sum, f)
	return fmt.Sprintf("%016x", sum.Sum64()), err
}

// handler returns what runs a kind of job, and gives it up.
func handler[T fovea.JobArgs](run, fail func(context.Context, T) error) jobs.Handler {
	return jobs.Handler{
		Run: decoded(run),
		GiveUp: func(ctx context.Context, job fovea.Job, _ error) error {
			return decoded(fail)(ctx, job)
		},
	}
}

// decoded returns a handler that decodes the job's arguments for fn.
func decoded[T fovea.JobArgs](fn func(context.Context, T) error) func(context.Context, fovea.Job) error {
	return func(ctx context.Context, job fovea.Job) error {
		var args T
		if err := json.Unmarshal(job.Args, &args); err != nil {
			return fmt.Errorf("arguments of job %d: %w", job.ID, err)
		}
		return fn(ctx, args)
	}
}

const day = 24 * time.Hour

// maxKeepDays is a hundred years: more than any time can be counted with.
const maxKeepDays = 36500

// retention returns how long revisions are kept.
func (c *config) retention() dataset.Retention {
	return dataset.Retention{Revisions: c.KeepRevisions, Age: time.Duration(c.KeepDays) * day}
}

// sweep removes what nobody needs any more.
func (n *node) sweep(ctx context.Context, datasets *dataset.Ops, models *model.Ops) error {
	now := time.Now()
	_, tokens := n.store.DeleteTokens(ctx, now.Add(-fovea.TokenLife))
	_, jobs := n.store.DeleteJobs(ctx, now.Add(-keepJobs))
	_, revisions := datasets.DropRevisions(ctx, n.config.retention())
	probes := sweepProbes(ctx, n.blobs, now.Add(-dataset.DefaultSweepAge))
	return errors.Join(revisions, datasets.RunSweep(ctx), models.RunSweep(ctx), tokens, jobs, probes)
}
