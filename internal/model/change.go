package model

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"fovea"
)

// Delete removes a model and returns what it was. One that is trained, copied,
// hosted or on the way to one of these is InUse (CL-2.130, LV-2.78). What
// training wrote to S3 stays (CL-2.132).
func (o *Ops) Delete(ctx context.Context, ref Ref, tagsOf func(*View) string) (*View, error) {
	return o.change(ctx, ref, func(tx fovea.Tx, v *View) error {
		if !v.Model.Resting() {
			return inUse(v, "Stop it, or wait until that is done, then delete it.")
		}
		if err := tx.PutTags(tagsOf(v), nil); err != nil {
			return err
		}
		if err := tx.DeleteModel(v.Model.ID); err != nil {
			return err
		}
		return tx.Enqueue(fovea.SweepJob{})
	})
}

// Units are the inference units that a model is started with: at least 1, and
// Max 0 for none given.
type Units struct{ Min, Max int }

// Start begins to host a model and returns it as Starting. One that has no
// weights or is hosted already is InUse (CL-4.3, LV-2.84); more units or hosted
// models than are allowed are Limit (CL-10.2, CL-10.5, LV-2.86).
func (o *Ops) Start(ctx context.Context, ref Ref, units Units) (*View, error) {
	if units.Max > 0 && units.Max < units.Min { // before anything is looked for (CL-1.43)
		return nil, fovea.Errorf(fovea.Invalid, "MaxInferenceUnits, %d, is less than MinInferenceUnits, %d.", units.Max, units.Min)
	}
	return o.change(ctx, ref, func(tx fovea.Tx, v *View) error {
		m := v.Model
		if !m.Resting() || !m.Usable() {
			return inUse(v, "A model can be started once it is trained, and while it is not running.")
		}
		if err := o.mayHost(tx, v, max(units.Min, units.Max)); err != nil {
			return err
		}
		if err := m.Move(fovea.Starting, o.now()); err != nil {
			return err
		}
		m.MinUnits, m.MaxUnits = units.Min, units.Max
		if err := tx.PutModel(m); err != nil {
			return err
		}
		return tx.Enqueue(fovea.StartJob{Model: m.ID, Since: m.Updated})
	})
}

// mayHost reports Limit where the limits keep a model from being hosted.
func (o *Ops) mayHost(tx fovea.Tx, v *View, units int) error {
	limits := o.Profiles[v.Project.Service].Limits
	if limits.Units > 0 && units > limits.Units {
		return fovea.Errorf(fovea.Limit, "%d inference units are more than the %d that a model may have.", units, limits.Units).
			About(fovea.ModelResource, resourceID(v.Project, v.Model.Name))
	}
	n, err := tx.CountModels(v.Project.Key(), fovea.Starting, fovea.Running, fovea.Stopping)
	if err == nil && limits.Running > 0 && n >= limits.Running {
		return fovea.Errorf(fovea.Limit, "%d models of the account are running, as many as are allowed. Stop one, or raise the limit.", n).
			About(fovea.ModelResource, resourceID(v.Project, v.Model.Name))
	}
	return err
}

// Stop ends the hosting of a model and returns it as Stopping. It is allowed
// from the statuses of Profile.StopFrom and InUse from others (CL-4.3, LV-2.89).
// Calls that are under way finish (CL-10.7).
func (o *Ops) Stop(ctx context.Context, ref Ref) (*View, error) {
	return o.change(ctx, ref, func(tx fovea.Tx, v *View) error {
		m := v.Model
		if !slices.Contains(o.Profiles[v.Project.Service].StopFrom, m.Status) {
			return inUse(v, "Only a running model can be stopped.")
		}
		if err := m.Move(fovea.Stopping, o.now()); err != nil {
			return err
		}
		if err := tx.PutModel(m); err != nil {
			return err
		}
		return tx.Enqueue(fovea.HostJob{Model: m.ID, Since: m.Updated})
	})
}

// Cancel ends a training or a copy: the model fails with a message that says so.
// One that is neither trained nor copied is InUse.
func (o *Ops) Cancel(ctx context.Context, ref Ref) (*View, error) {
	return o.change(ctx, ref, func(tx fovea.Tx, v *View) error {
		m := v.Model
		if m.Status != fovea.Training && m.Status != fovea.Copying {
			return inUse(v, "Only a training or a copy can be cancelled.")
		}
		if err := m.Fail("It was cancelled.", false, o.now()); err != nil {
			return err
		}
		return tx.PutModel(m)
	})
}

// change runs fn with a model in a transaction, and returns the model. With a
// client token in the context the call takes effect once.
func (o *Ops) change(ctx context.Context, ref Ref, fn func(fovea.Tx, *View) error) (*View, error) {
	var v View
	err := o.Store.Update(ctx, func(tx fovea.Tx) error {
		return fovea.Once(ctx, tx, o.now(), &v, func() error {
			found, err := find(tx, ref)
			if err != nil {
				return err
			}
			err = fn(tx, found)
			v = *found
			return err
		})
	})
	return &v, err
}

func inUse(v *View, wayOut string) error {
	return fovea.Errorf(fovea.InUse, "The model %s of the project %s is %s. %s", v.Model.Name, v.Project.Name, v.Model.Status, wayOut).
		About(fovea.ModelResource, resourceID(v.Project, v.Model.Name))
}

// RunHost takes a model that is starting to Running, once it is known that it
// can be hosted, and one that is stopping to Stopped. Weights are loaded by the
// node that needs them first. A fault of ours is returned, for another try.
// Where this node lacks the model's backbone, the error is fovea.ErrElsewhere for
// the time of Leave since the start; after that the start fails.
func (o *Ops) RunHost(ctx context.Context, job fovea.HostJob) error {
	m, err := o.model(ctx, job.Model)
	if err != nil || m == nil || !m.Updated.Equal(job.Since) {
		return err
	}
	var unready error
	var damage *Damage
	if m.Status == fovea.Starting && o.Ready != nil {
		unready = o.Ready(ctx, m)
		kind := fovea.KindOf(unready)
		switch {
		case errors.Is(unready, fovea.ErrNoBackbone) && o.now().Sub(m.Updated) < o.Leave:
			return fmt.Errorf("host model %d: %w: %v", m.ID, fovea.ErrElsewhere, unready)
		case unready != nil && !errors.As(unready, &damage) && (kind == fovea.Internal || kind == fovea.Throttled):
			return fmt.Errorf("host model %d: %v", m.ID, unready) // of the kind Internal: for another try
		}
	}
	return o.Store.Update(ctx, func(tx fovea.Tx) error {
		m, err := tx.Model(job.Model)
		if err != nil || !m.Updated.Equal(job.Since) {
			return ignoreNotFound(err)
		}
		switch {
		case m.Status == fovea.Stopping:
			err = m.Move(fovea.Stopped, o.now())
		case m.Status == fovea.Starting && unready != nil:
			err = m.Fail(unready.Error(), damage != nil, o.now())
		case m.Status == fovea.Starting:
			err = m.Move(fovea.Running, o.now())
		}
		if err != nil {
			return err
		}
		return tx.PutModel(m)
	})
}

// FailHost gives up a start or a stop whose job failed too often.
func (o *Ops) FailHost(ctx context.Context, job fovea.HostJob) error {
	return o.Store.Update(ctx, func(tx fovea.Tx) error {
		m, err := tx.Model(job.Model)
		if err != nil || !m.Updated.Equal(job.Since) {
			return ignoreNotFound(err)
		}
		if m.Status == fovea.Stopping {
			err = m.Move(fovea.Stopped, o.now())
		} else {
			err = m.Fail("The model could not be started.", true, o.now())
		}
		if err != nil {
			return err
		}
		return tx.PutModel(m)
	})
}

// model returns a model, nil if it is gone.
func (o *Ops) model(ctx context.Context, id fovea.ModelID) (m *fovea.Model, err error) {
	err = o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		m, err = tx.Model(id)
		return err
	})
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	return m, nil
}

func ignoreNotFound(err error) error {
	if fovea.KindOf(err) == fovea.NotFound {
		return nil
	}
	return err
}
