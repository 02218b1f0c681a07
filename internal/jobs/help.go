package jobs

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"fovea"
)

// help lends a hand to jobs that other processes run, one job at a time, while
// this one has none of its own. Nobody is told to: who has time looks for what
// runs, so that one node alone does nothing for it.
func (r *Runner) help(ctx context.Context) {
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(r.Handlers)) {
		if r.Handlers[kind].Help != nil {
			kinds = append(kinds, kind)
		}
	}
	helped := map[claim]bool{}
	for len(kinds) > 0 {
		select {
		case <-time.After(cmp.Or(r.Poll, time.Second)):
		case <-ctx.Done():
			return
		}
		if r.busy() {
			continue
		}
		list, err := r.Queue.RunningJobs(ctx, kinds)
		if err != nil && ctx.Err() == nil {
			r.Log.Error("look for jobs to help with", "error", err)
		}
		now := make(map[claim]bool, len(list))
		for _, job := range list {
			c := claim{job.ID, job.Attempt}
			if helped[c] || !strings.HasSuffix(job.Worker, r.build()) || r.busy() {
				now[c] = helped[c]
				continue
			}
			now[c] = true
			r.helpWith(ctx, job)
		}
		helped = now // what runs no longer is forgotten
	}
}

// A claim is an attempt at a job. A process helps with one once.
type claim struct {
	job     fovea.JobID
	attempt int
}

func (r *Runner) helpWith(ctx context.Context, job fovea.Job) {
	began := time.Now()
	a := attempt{r: r, job: job}
	err := <-a.start(func() error { return r.Handlers[job.Kind].Help(ctx, job) })
	args := []any{"kind", job.Kind, "id", job.ID, "took_ms", time.Since(began).Milliseconds()}
	if err != nil && ctx.Err() == nil {
		r.Log.Warn("helping with a job failed", append(args, "error", err)...)
		return
	}
	r.Log.Info("helped with a job", args...)
}

// busy reports whether this process runs jobs of its own.
func (r *Runner) busy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.running) > 0
}

// build is the end of the names of workers: the program that they run.
func (r *Runner) build() string { return "@" + r.Build }
