package model

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"fovea"
)

// A Spec says which model to train. Match, if not nil, is asked whether the
// project that has the name is the one that is meant.
type Spec struct {
	Project fovea.ProjectKey
	Match   func(*fovea.Project) bool
	Name    string // "" for the next number (LV-2.63)
	Asked   fovea.Asked
	Tags    map[string]string
	TagsOf  func(*View) string // returns the name under which its tags are kept

	// Allow is asked about the datasets of the project, nil for one that is
	// not there. Its error keeps the model from being made.
	Allow func(train, test *Data) error
}

// Data is a dataset and its current revision, without segments.
type Data struct {
	Dataset  *fovea.Dataset
	Revision *fovea.Revision // nil while it has none
}

// Create makes a model and starts its training on the datasets as they are
// now, or on the manifests that were asked for. A dataset that is being changed
// is InUse (CL-2.126), and so is a name that is taken (CL-2.121); too many
// trainings at a time are Limit, too many models Quota (CL-2.125). A bucket for
// the output that is not there is Invalid if the service says so at once
// (Profile.OutputAtOnce).
//
// With a client token in the context the call takes effect once.
func (o *Ops) Create(ctx context.Context, spec Spec) (*View, error) {
	var v View
	output := o.findOutput(ctx, spec)
	err := o.Store.Update(ctx, func(tx fovea.Tx) error {
		return fovea.Once(ctx, tx, o.now(), &v, func() error {
			made, err := o.create(ctx, tx, spec, output)
			if err == nil {
				v = *made
			}
			return err
		})
	})
	return &v, err
}

// findOutput looks for the bucket of the output where that is told at once. It
// asks S3, so it is done before the transaction, which answers missing: a call
// that comes again has its answer already, and others may be wrong in ways that
// are told first. That holds for an S3 that gives no answer, too.
func (o *Ops) findOutput(ctx context.Context, spec Spec) (missing error) {
	if !o.Profiles[spec.Project.Service].OutputAtOnce {
		return nil
	}
	bucket := spec.Asked.Output.Bucket
	switch err := o.checkBucket(ctx, bucket); {
	case err == nil:
		return nil
	case fovea.KindOf(err) == fovea.Internal:
		return fmt.Errorf("look for the bucket %s: %w", bucket, err)
	case errors.Is(err, fs.ErrNotExist):
		return fovea.Errorf(fovea.Invalid, "There is no bucket %s for the output of the training. Create it, or name another.", bucket)
	default:
		return fovea.Errorf(fovea.Invalid, "The output of the training cannot be written to the bucket %s: %w.", bucket, err)
	}
}

// checkBucket reports a bucket that is not there, as far as the store of objects
// can tell.
func (o *Ops) checkBucket(ctx context.Context, name string) error {
	store, ok := o.Objects.(interface {
		CheckBucket(ctx context.Context, name string) error
	})
	if !ok {
		return nil
	}
	return store.CheckBucket(ctx, name)
}

// create makes the model in a transaction, unless its output is missing.
func (o *Ops) create(ctx context.Context, tx fovea.Tx, spec Spec, missing error) (*View, error) {
	p, err := project(tx, spec.Project, spec.Match)
	if err != nil {
		return nil, err
	}
	train, test, err := datasets(tx, p)
	if err != nil {
		return nil, err
	}
	if spec.Allow != nil {
		if err := spec.Allow(train, test); err != nil {
			return nil, err
		}
	}
	if missing != nil {
		return nil, missing
	}
	v, err := o.vacantFor(tx, p, spec.Name, fovea.Training)
	if err != nil {
		return nil, err
	}
	m := v.Model
	m.Asked = spec.Asked
	m.Asked.Caller = fovea.CallerOf(ctx).KeyID
	m.Asked.Backbone = o.backboneFor(p.Service)
	if len(m.Asked.TrainManifests) == 0 {
		if m.Train, err = pin(p, train); err != nil {
			return nil, err
		}
		if m.Test, err = pin(p, test); err != nil {
			return nil, err
		}
	}
	if m.Test.Number == 0 && len(m.Asked.TestManifests) == 0 {
		m.Asked.AutoSplit = true // CL-9.4, LV-6.19
	}
	if err := m.Move(fovea.Training, m.Created); err != nil {
		return nil, err
	}
	return v, o.put(tx, v, spec.Tags, spec.TagsOf, fovea.TrainJob{Model: m.ID})
}

// put stores a new model with its tags and its job.
func (o *Ops) put(tx fovea.Tx, v *View, tags map[string]string, tagsOf func(*View) string, job fovea.JobArgs) error {
	if len(tags) > 0 {
		if err := tx.PutTags(tagsOf(v), tags); err != nil {
			return err
		}
	}
	if err := tx.PutModel(v.Model); err != nil {
		return err
	}
	return tx.Enqueue(job)
}

// datasets returns what a project has to train and to test with.
func datasets(tx fovea.Tx, p *fovea.Project) (train, test *Data, err error) {
	list, err := tx.DatasetsOf(p.ID)
	if err != nil {
		return nil, nil, err
	}
	for _, ds := range list {
		d := &Data{Dataset: ds}
		if ds.Revision != 0 {
			if d.Revision, err = tx.RevisionStats(ds.ID, ds.Revision); err != nil {
				return nil, nil, err
			}
		}
		if ds.Split == fovea.Test {
			test = d
		} else {
			train = d
		}
	}
	return train, test, nil
}

// pin returns the revision of a dataset that a training works on, which later
// changes of the dataset leave as it is (CL-9.12, LV-6.17).
func pin(p *fovea.Project, d *Data) (fovea.RevisionKey, error) {
	if d == nil {
		return fovea.RevisionKey{}, nil
	}
	name := p.Name + "/" + string(d.Dataset.Split)
	if d.Dataset.InProgress() {
		return fovea.RevisionKey{}, fovea.Errorf(fovea.InUse, "The dataset %s is %s. Wait until that is done, then train.", name, d.Dataset.Status).
			About(fovea.DatasetResource, name)
	}
	if !d.Dataset.Usable() || d.Revision == nil {
		return fovea.RevisionKey{}, fovea.Errorf(fovea.InUse, "The dataset %s is %s and cannot be trained with. Delete it and create it again.", name, d.Dataset.Status).
			About(fovea.DatasetResource, name)
	}
	return fovea.RevisionKey{Dataset: d.Dataset.ID, Number: d.Revision.Number}, nil
}

// vacantFor returns a new model of a name that nothing has, if the limits allow
// it and the work that it is made by.
func (o *Ops) vacantFor(tx fovea.Tx, p *fovea.Project, name string, work fovea.ModelStatus) (*View, error) {
	limits := o.Profiles[p.Service].Limits
	atATime, most := "trainings", limits.Trainings
	if work == fovea.Copying {
		atATime, most = "copies of models", limits.Copies
	}
	n, err := tx.CountModels(p.Key(), work)
	if err != nil {
		return nil, err
	}
	if most > 0 && n >= most {
		return nil, fovea.Errorf(fovea.Limit, "%d %s of the account are in progress, as many as may be at a time. Try again when one is done.", n, atATime).
			About(fovea.ModelResource, p.Name)
	}
	return o.vacant(tx, p, name)
}

// vacant returns a new model of a name that nothing has, if the limits allow one
// more.
func (o *Ops) vacant(tx fovea.Tx, p *fovea.Project, name string) (*View, error) {
	limits := o.Profiles[p.Service].Limits
	n, err := tx.CountModelsOf(p.ID)
	if err != nil {
		return nil, err
	}
	if limits.Models > 0 && n >= limits.Models {
		return nil, fovea.Errorf(fovea.Quota, "The project %s has %d models, as many as are allowed. Delete one, or raise the limit.", p.Name, n).
			About(fovea.ModelResource, p.Name)
	}
	if name == "" {
		if name, err = nextNumber(tx, p); err != nil {
			return nil, err
		}
	}
	switch _, err := tx.ModelNamed(p.ID, name); {
	case err == nil:
		return nil, fovea.Errorf(fovea.InUse, "The project %s already has a model %s. Choose another name.", p.Name, name).
			About(fovea.ModelResource, resourceID(p, name))
	case fovea.KindOf(err) != fovea.NotFound:
		return nil, err
	}
	created, err := o.stamp(tx, p)
	if err != nil {
		return nil, err
	}
	return &View{p, &fovea.Model{ID: fovea.ModelID(fovea.NewID(created)), Project: p.ID, Name: name, Created: created}}, nil
}

// stamp returns when a new model of the project is made: later than all others
// of it, whatever the clocks of the nodes that made them say, so that it has an
// ARN of its own (CL-3.9) and comes first in lists (CL-2.14, LV-2.73).
func (o *Ops) stamp(tx fovea.Tx, p *fovea.Project) (time.Time, error) {
	created := o.stamps.Next(o.now())
	last, err := tx.ModelsOf(p.ID, time.Time{}, 1)
	if err == nil && len(last) > 0 && !created.After(last[0].Created) {
		created = last[0].Created.Add(time.Millisecond)
	}
	return created, err
}

// nextNumber returns the number after the last one that a model of the project
// had, also if that model is gone (LV-2.63).
func nextNumber(tx fovea.Tx, p *fovea.Project) (string, error) {
	setting := lastNumber(p.ID)
	text, err := tx.Setting(setting)
	if err != nil && fovea.KindOf(err) != fovea.NotFound {
		return "", err
	}
	last, _ := strconv.Atoi(text)
	next := strconv.Itoa(last + 1)
	return next, tx.PutSetting(setting, next)
}

// lastNumber names the setting that has the last number of a project.
func lastNumber(id fovea.ProjectID) string {
	return fmt.Sprintf("models/%s/last", fovea.FormatID(int64(id)))
}
