package model

import (
	"context"
	"fmt"
	"path"

	"fovea"
)

// A CopySpec says which model to copy, and where.
type CopySpec struct {
	From     Ref
	SourceID string // its ARN, which the copy tells
	Project  fovea.ProjectKey
	Match    func(*fovea.Project) bool
	Name     string
	Output   fovea.ObjectRef // where the files about its training go
	KMSKey   string
	Tags     map[string]string
	TagsOf   func(*View) string
}

// Copy makes a model that is like another, in any project of the service
// (CL-11.1), and starts the copying of its files. A source that failed is
// Invalid, one that is not done InUse (CL-4.3).
func (o *Ops) Copy(ctx context.Context, spec CopySpec) (*View, error) {
	var v View
	err := o.Store.Update(ctx, func(tx fovea.Tx) error {
		return fovea.Once(ctx, tx, o.now(), &v, func() error {
			src, err := find(tx, spec.From)
			if err != nil {
				return err
			}
			p, err := project(tx, spec.Project, spec.Match)
			if err != nil {
				return err
			}
			switch src.Model.Status {
			case fovea.TrainFailed, fovea.CopyFailed:
				return fovea.Errorf(fovea.Invalid, "The model %s of the project %s is %s: there is nothing to copy.",
					src.Model.Name, src.Project.Name, src.Model.Status).About(fovea.ModelResource, resourceID(src.Project, src.Model.Name))
			case fovea.Training, fovea.Copying:
				return inUse(src, "Wait until that is done, then copy it.")
			}
			made, err := o.vacantFor(tx, p, spec.Name, fovea.Copying)
			if err != nil {
				return err
			}
			m := made.Model
			m.Asked = fovea.Asked{
				Output: spec.Output, KMSKey: spec.KMSKey, Source: spec.SourceID,
				Description: src.Model.Asked.Description, Caller: fovea.CallerOf(ctx).KeyID, AutoSplit: src.Model.Asked.AutoSplit,
				TrainManifests: src.Model.Asked.TrainManifests, TestManifests: src.Model.Asked.TestManifests,
			}
			// What is written about the source may go while this is copied, but
			// not its weights: the copy has them from now on.
			m.Weights, m.Result, m.Thresholds = src.Model.Weights, src.Model.Result, src.Model.Thresholds
			if err := m.Move(fovea.Copying, m.Created); err != nil {
				return err
			}
			v = *made
			return o.put(tx, made, spec.Tags, spec.TagsOf, fovea.CopyModelJob{Model: m.ID, From: src.Model.ID})
		})
	})
	return &v, err
}

// RunCopy copies the files about a model's training to where the copy's are to
// be (CL-11.6). A file that is gone is left out.
func (o *Ops) RunCopy(ctx context.Context, job fovea.CopyModelJob) error {
	m, err := o.model(ctx, job.Model)
	if err != nil || m == nil || m.Status != fovea.Copying {
		return err
	}
	var p *fovea.Project
	err = o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		p, err = tx.Project(m.Project)
		return err
	})
	if err != nil {
		return fmt.Errorf("copy a model: %v", err)
	}
	var result fovea.TrainingResult
	if m.Result != nil {
		result = *m.Result
	}
	namer := o.Trainers[p.Service]
	for name, file := range result.Files() {
		if file.Key == "" {
			continue
		}
		to := fovea.ObjectRef{Bucket: m.Asked.Output.Bucket, Key: namer.FileName(p, m, name)}
		if *file, err = o.copyObject(ctx, *file, to); err != nil {
			return o.settle(ctx, m.ID, fovea.Copying, func(m *fovea.Model) error {
				return m.Fail(CannotWrite, false, o.now())
			}, err)
		}
	}
	return o.settle(ctx, m.ID, fovea.Copying, func(m *fovea.Model) error {
		m.Result, m.Progress = &result, 1
		return m.Move(fovea.Copied, o.now())
	}, nil)
}

// CannotWrite is the message of a training or copy whose files could not be
// written (CL-6.73).
const CannotWrite = "Unable to write to output S3 bucket."

// copyObject copies an object, and returns where it is now: nowhere if it is
// gone.
func (o *Ops) copyObject(ctx context.Context, from, to fovea.ObjectRef) (fovea.ObjectRef, error) {
	info, err := o.Objects.Stat(ctx, from)
	if err != nil {
		if fovea.KindOf(err) == fovea.BadObject {
			return fovea.ObjectRef{}, nil
		}
		return from, err
	}
	body, err := o.Objects.Read(ctx, info, 0, info.Size)
	if err != nil {
		return from, err
	}
	defer body.Close()
	if _, err = o.Objects.Write(ctx, to, contentType(path.Ext(to.Key)), body, info.Size); err != nil {
		return from, err
	}
	return to, nil
}

func contentType(ext string) string {
	if ext == ".png" {
		return "image/png"
	}
	return "application/json"
}

// FailCopy gives up a copy whose job failed too often.
func (o *Ops) FailCopy(ctx context.Context, job fovea.CopyModelJob) error {
	_, err := o.giveUp(ctx, job.Model, fovea.Copying)
	return err
}

// giveUp makes a model fail for a reason that is ours, and returns its service:
// "" if it is not in the status any more.
func (o *Ops) giveUp(ctx context.Context, id fovea.ModelID, from fovea.ModelStatus) (service fovea.Service, err error) {
	err = o.Store.Update(ctx, func(tx fovea.Tx) error {
		service = ""
		m, err := tx.Model(id)
		if err != nil || m.Status != from {
			return ignoreNotFound(err)
		}
		p, err := tx.Project(m.Project)
		if err != nil {
			return err
		}
		if err := m.Fail(o.Trainers[p.Service].ServiceIssue(), true, o.now()); err != nil {
			return err
		}
		service = p.Service
		return tx.PutModel(m)
	})
	return service, err
}

// settle ends a status of work with what fn does to the model. A cause that is
// Internal is returned instead: the job is tried again.
func (o *Ops) settle(ctx context.Context, id fovea.ModelID, from fovea.ModelStatus, fn func(*fovea.Model) error, cause error) error {
	if cause != nil && fovea.KindOf(cause) == fovea.Internal {
		return cause
	}
	return o.Store.Update(ctx, func(tx fovea.Tx) error {
		m, err := tx.Model(id)
		if err != nil || m.Status != from {
			return ignoreNotFound(err)
		}
		if err := fn(m); err != nil {
			return err
		}
		return tx.PutModel(m)
	})
}
