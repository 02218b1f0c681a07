package model

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fovea"
)

// defaultTell is how often the progress of a training is stored, and looked
// whether the training is still wanted.
const defaultTell = 2 * time.Second

// Progress tells how far the training is, from 0 to 1, and what it is at. It is
// cheap and safe for many goroutines: what was told last is stored from time to
// time.
func (r *Run) Progress(_ context.Context, share float64, stage string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.share, r.stage = min(max(share, 0), 1), stage
}

// told returns what was told last.
func (r *Run) told() (share float64, stage string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.share, r.stage
}

// watch stores the progress until ctx ends. When the model is gone, or has been
// given another status, it stops the training with errGone.
func (r *Run) watch(ctx context.Context, every time.Duration, stop context.CancelCauseFunc) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		share, stage := r.told()
		err := r.tell(ctx, func(m *fovea.Model) { m.Progress, m.Stage = share, stage })
		if errors.Is(err, errGone) {
			stop(errGone)
			return
		}
	}
}

// begin notes that an attempt at the training begins now, from the start.
func (r *Run) begin(ctx context.Context) error {
	return r.tell(ctx, func(m *fovea.Model) {
		m.Began, m.Progress, m.Stage, m.Waiting = r.ops.now(), 0, "", fovea.Wait{}
	})
}

// tell changes what the model says of its training, or reports errGone if there
// is none.
func (r *Run) tell(ctx context.Context, fn func(*fovea.Model)) error {
	return r.ops.Store.Update(ctx, func(tx fovea.Tx) error {
		m, err := tx.Model(r.Model.ID)
		switch {
		case err != nil && fovea.KindOf(err) == fovea.NotFound, err == nil && m.Status != fovea.Training:
			return errGone
		case err != nil:
			return err
		}
		fn(m)
		return tx.PutModel(m)
	})
}

func ignoreGone(err error) error {
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// Left returns how long a training will go on, about, going by how long it took
// so far; false while that cannot be told.
func Left(m *fovea.Model, now time.Time) (time.Duration, bool) {
	if m.Status != fovea.Training || m.Began.IsZero() {
		return 0, false
	}
	return leftOf(m.Began, m.Progress, now)
}

func leftOf(began time.Time, share float64, now time.Time) (time.Duration, bool) {
	const known = 0.02 // of the work, before which nothing can be said
	took := now.Sub(began)
	if share < known || took < 0 {
		return 0, false
	}
	return time.Duration(float64(took) * (1 - share) / share).Round(time.Second), true
}

// patience is how long a training may wait before it is told that it waits.
const patience = 5 * time.Second

// Training returns what people are told of a training that goes on: how far it
// is and how long it will take, as far as that is known.
func Training(m *fovea.Model, now time.Time) string {
	left, ok := Left(m, now)
	switch {
	case m.Began.IsZero() && m.Stage != "":
		return "It is " + m.Stage + "."
	case m.Began.IsZero() && now.Sub(m.Created) > patience:
		return "It waits for another training."
	case !ok:
		return ""
	}
	text := fmt.Sprintf("%.0f %% are done", 100*m.Progress)
	if m.Stage != "" {
		text += " (" + m.Stage + ")"
	}
	return fmt.Sprintf("%s, about %v are left.", text, left)
}
