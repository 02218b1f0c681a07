package jobs

import (
	"context"
	"strconv"
	"time"

	"fovea"
)

// repeat enqueues a job every period until ctx ends. The time of the last one
// is stored with it, so that several runners enqueue one, and a restart none
// too many.
func (r *Runner) repeat(ctx context.Context, args fovea.JobArgs, period time.Duration) {
	for {
		wait, err := r.enqueueDue(ctx, args, period)
		if err != nil {
			if ctx.Err() == nil {
				r.Log.Error("enqueue a periodic job", "kind", args.Kind(), "error", err)
			}
			wait = min(period, time.Minute)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// enqueueDue enqueues the job if its time has come, and returns how long it is
// until it comes again.
func (r *Runner) enqueueDue(ctx context.Context, args fovea.JobArgs, period time.Duration) (wait time.Duration, err error) {
	setting := "jobs/last/" + args.Kind() + "/" + args.Unique()
	err = r.Queue.Update(ctx, func(tx fovea.Tx) error {
		wait = period
		now := r.now().UnixMilli()
		value, err := tx.Setting(setting)
		if err != nil && fovea.KindOf(err) != fovea.NotFound {
			return err
		}
		last, malformed := strconv.ParseInt(value, 10, 64)
		// A last time in the future is from before the clock was set back.
		if malformed == nil && last <= now && now-last < period.Milliseconds() {
			wait = period - time.Duration(now-last)*time.Millisecond
			return nil
		}
		if err := tx.PutSetting(setting, strconv.FormatInt(now, 10)); err != nil {
			return err
		}
		return tx.Enqueue(args)
	})
	return wait, err
}
