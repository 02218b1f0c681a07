package dataset

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"time"

	"fovea"
)

// A Spec says which dataset to create and from what: a manifest, a copy of
// another dataset, or, if both are nil, nothing. Match, if not nil, is asked
// whether the project that has the name is the one that is meant; if not, it is
// NotFound.
type Spec struct {
	Project  fovea.ProjectKey
	Match    func(*fovea.Project) bool
	Split    fovea.Split
	Manifest *fovea.ObjectRef
	Copy     *CopyOf
	Tags     map[string]string
	// TagsOf returns the name under which the dataset's tags are kept.
	TagsOf func(*fovea.Project, *fovea.Dataset) string
}

// CopyOf names the dataset to copy. Match, if not nil, is asked whether the
// dataset that has the name is the one that is meant.
type CopyOf struct {
	Project fovea.ProjectKey
	Split   fovea.Split
	Match   func(*View) bool
}

// Create makes a dataset. From a manifest it starts the import and returns a
// dataset that is Creating; a copy and an empty dataset are Created at once. A
// project has at most one dataset of each split, whatever its status (CL-2.54,
// LV-2.23): a second one is Exists. A manifest that cannot be read is
// BadObject, and then no dataset is made (CL-2.49, LV-2.28).
//
// With a client token in the context the call takes effect once (LV-4.3).
func (o *Ops) Create(ctx context.Context, spec Spec) (*View, error) {
	var v View
	if done, err := fovea.Replay(ctx, o.Store, o.now(), &v); done || err != nil {
		return &v, err
	}
	if err := o.precheck(ctx, spec); err != nil {
		// A call with the same client token may have made it just now.
		if done, e := fovea.Replay(ctx, o.Store, o.now(), &v); done || e != nil {
			return &v, e
		}
		return nil, err
	}
	var manifest fovea.ObjectInfo
	if spec.Manifest != nil {
		var err error
		if manifest, err = o.statNew(ctx, *spec.Manifest); err != nil {
			return nil, err
		}
	}
	err := o.Store.Update(ctx, func(tx fovea.Tx) error {
		return fovea.Once(ctx, tx, o.now(), &v, func() error {
			made, err := o.create(ctx, tx, spec, manifest)
			if err == nil {
				v = *made
			}
			return err
		})
	})
	return &v, err
}

// precheck reports what would make Create fail, before it looks at S3: that a
// project is missing is the better answer when both are.
func (o *Ops) precheck(ctx context.Context, spec Spec) error {
	return o.Store.View(ctx, func(tx fovea.Tx) error {
		_, err := o.vacancy(tx, spec)
		return err
	})
}

// vacancy returns the project of a dataset that may be made.
func (o *Ops) vacancy(tx fovea.Tx, spec Spec) (*fovea.Project, error) {
	p, err := projectNamed(tx, spec.Project)
	if err != nil {
		return nil, err
	}
	if spec.Match != nil && !spec.Match(p) {
		return nil, fovea.Errorf(fovea.NotFound, "The project %s does not exist; a newer one has its name.", p.Name).
			About(fovea.ProjectResource, p.Name)
	}
	switch _, err := tx.DatasetOf(p.ID, spec.Split); {
	case err == nil:
		return nil, fovea.Errorf(fovea.Exists, "The project %s already has a %s dataset. Delete it first to replace it.", p.Name, spec.Split).
			About(fovea.DatasetResource, p.Name+"/"+string(spec.Split))
	case fovea.KindOf(err) != fovea.NotFound:
		return nil, err
	}
	if spec.Manifest == nil {
		return p, nil
	}
	return p, o.mayChange(tx, spec.Project, spec.Split)
}

// mayChange reports Limit where as many datasets of the account are in progress
// as may be at a time (CL-2.105).
func (o *Ops) mayChange(tx fovea.Tx, key fovea.ProjectKey, split fovea.Split) error {
	limit := o.Profiles[key.Service].Limits.Changes
	if limit == 0 {
		return nil
	}
	n, err := tx.CountInProgress(key)
	if err == nil && n >= limit {
		return fovea.Errorf(fovea.Limit, "%d datasets of the account are being imported or changed, as many as may be at a time. Try again when that is done.", n).
			About(fovea.DatasetResource, key.Name+"/"+string(split))
	}
	return err
}

// create makes the dataset in a transaction.
func (o *Ops) create(ctx context.Context, tx fovea.Tx, spec Spec, manifest fovea.ObjectInfo) (*View, error) {
	p, err := o.vacancy(tx, spec)
	if err != nil {
		return nil, err
	}
	now := o.stamps.Next(o.now())
	ds := &fovea.Dataset{ID: fovea.DatasetID(fovea.NewID(now)), Project: p.ID, Split: spec.Split, Created: now}
	v := &View{Project: p, Dataset: ds}
	caller := fovea.CallerOf(ctx).KeyID
	switch {
	case spec.Manifest != nil:
		ds.Source = fovea.FromManifest
		if err := ds.Move(fovea.Creating, now); err != nil {
			return nil, err
		}
		job := fovea.ImportJob{Dataset: ds.ID, Manifest: manifest, Caller: caller}
		if err := tx.Enqueue(job); err != nil {
			return nil, err
		}
	case spec.Copy != nil:
		if v.Revision, err = o.copied(tx, spec, ds); err != nil {
			return nil, err
		}
	default:
		ds.Source = fovea.FromNothing
		v.Revision = &fovea.Revision{Cause: "create"}
	}
	if err := o.complete(tx, v, caller); err != nil {
		return nil, err
	}
	if len(spec.Tags) > 0 {
		if err := tx.PutTags(spec.TagsOf(p, ds), spec.Tags); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// complete stores a new dataset, with its first revision if it has one yet.
func (o *Ops) complete(tx fovea.Tx, v *View, caller string) error {
	ds := v.Dataset
	if v.Revision == nil {
		return tx.PutDataset(ds)
	}
	if err := ds.Move(fovea.Created, ds.Created); err != nil {
		return err
	}
	ds.Revision = 1
	r := v.Revision
	r.Dataset, r.Number, r.Created, r.Caller = ds.ID, 1, ds.Created, caller
	if err := tx.PutDataset(ds); err != nil {
		return err
	}
	err := tx.PutRevision(r)
	r.Segments = nil // the answer, and what a client token remembers, needs none
	return err
}

// copied returns the revision of a dataset that shares the segments of another
// one: it costs the same whatever its size, and later changes to either leave
// the other as it is (CL-8.6).
func (o *Ops) copied(tx fovea.Tx, spec Spec, ds *fovea.Dataset) (*fovea.Revision, error) {
	src, err := find(tx, spec.Copy.Project, spec.Copy.Split)
	if err != nil {
		return nil, err
	}
	name := src.Project.Name + "/" + string(src.Dataset.Split)
	if spec.Copy.Match != nil && !spec.Copy.Match(src) {
		return nil, fovea.Errorf(fovea.NotFound, "The dataset to copy, %s, does not exist; a newer one has its name.", name).
			About(fovea.DatasetResource, name)
	}
	if !src.Dataset.Usable() {
		return nil, fovea.Errorf(fovea.Invalid, "The dataset %s cannot be copied: it is %s.", name, src.Dataset.Status).
			About(fovea.DatasetResource, name)
	}
	rev, err := tx.Revision(src.Dataset.ID, src.Dataset.Revision)
	if err != nil {
		return nil, err
	}
	limit := o.Profiles[src.Project.Service].Limits.Entries(spec.Split)
	if limit > 0 && rev.Stats.Entries > limit {
		return nil, fovea.Errorf(fovea.Limit, "The dataset %s has %d entries; a %s dataset may have %d.",
			name, rev.Stats.Entries, spec.Split, limit)
	}
	ds.Source = fovea.FromDataset
	rev.Cause, rev.Report = "copy of "+name, ""
	return rev, nil
}

// Delete removes a dataset and its content at once. Objects in S3 stay
// (CL-2.63, LV-2.37). While a job changes the dataset it is InUse (CL-2.61,
// LV-2.41), and while a training uses it (CL-2.62). The name of its tags is what
// TagsOf of Spec returned.
func (o *Ops) Delete(ctx context.Context, key fovea.ProjectKey, split fovea.Split, match func(*View) bool, tagsOf func(*fovea.Project, *fovea.Dataset) string) error {
	var done bool // what a client token remembers
	return o.Store.Update(ctx, func(tx fovea.Tx) error {
		return fovea.Once(ctx, tx, o.now(), &done, func() error {
			v, err := find(tx, key, split)
			if err != nil {
				return err
			}
			name := v.Project.Name + "/" + string(split)
			if match != nil && !match(v) {
				return fovea.Errorf(fovea.NotFound, "The dataset %s does not exist; a newer one has its name.", name).
					About(fovea.DatasetResource, name)
			}
			if v.Dataset.InProgress() {
				return fovea.Errorf(fovea.InUse, "The dataset %s is %s. Wait until that is done, then delete it.", name, v.Dataset.Status).
					About(fovea.DatasetResource, name)
			}
			if err := notTrainedOn(tx, v.Dataset.ID, name); err != nil {
				return err
			}
			done = true
			if tagsOf != nil {
				if err := tx.PutTags(tagsOf(v.Project, v.Dataset), nil); err != nil {
					return err
				}
			}
			if err := tx.Enqueue(fovea.SweepJob{}); err != nil {
				return err
			}
			return tx.DeleteDataset(v.Dataset.ID)
		})
	})
}

// notTrainedOn reports a training in progress that uses a dataset (CL-2.62). Its
// revision would go with the dataset, and the training may have to begin again
// from it.
func notTrainedOn(tx fovea.Tx, id fovea.DatasetID, name string) error {
	models, err := tx.ModelsOn(fovea.RevisionKey{Dataset: id})
	if err != nil {
		return err
	}
	for _, m := range models {
		if m.Status == fovea.Training {
			return fovea.Errorf(fovea.InUse, "The model %s is being trained with the dataset %s. Wait until that is done, or cancel it, then delete the dataset.", m.Name, name).
				About(fovea.DatasetResource, name)
		}
	}
	return nil
}

// How often, and with what pause at first, an object is looked for that may
// have been written just now.
const (
	newTries = 3
	newPause = 200 * time.Millisecond
)

// statNew describes an object that may have been written just now, in a store
// that perhaps does not show it everywhere at once.
func (o *Ops) statNew(ctx context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	store, ok := o.Objects.(interface{ Eventual() bool })
	eventual := ok && store.Eventual()
	for try := 1; ; try++ {
		info, err := o.Objects.Stat(ctx, ref)
		if !eventual || !errors.Is(err, fs.ErrNotExist) || try == newTries {
			return info, err
		}
		select {
		case <-time.After(newPause/2*time.Duration(try) + rand.N(newPause)):
		case <-ctx.Done():
			return info, err
		}
	}
}
