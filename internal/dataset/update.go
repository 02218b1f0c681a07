package dataset

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"fovea"
)

// A Change says which dataset to update and how: Lines are lines of a manifest,
// each of which replaces the entry with its source-ref or is added.
type Change struct {
	Project fovea.ProjectKey
	Split   fovea.Split
	Match   func(*View) bool // as in CopyOf
	Lines   []byte
}

// Update starts to change entries of a dataset, and returns it with the status
// that it has changed to before it answers (CL-2.101, LV-2.52). A dataset that
// another job changes is InUse, one that failed to be created NotReady; too many
// changes at a time are Limit.
//
// With a client token in the context the call takes effect once.
func (o *Ops) Update(ctx context.Context, c Change) (*View, error) {
	var v View
	if done, err := fovea.Replay(ctx, o.Store, o.now(), &v); done || err != nil {
		return &v, err
	}
	err := o.Store.View(ctx, func(tx fovea.Tx) error {
		_, err := o.updatable(tx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	name, err := o.putChanges(ctx, c)
	if err != nil {
		return nil, err
	}
	err = o.Store.Update(ctx, func(tx fovea.Tx) error {
		return fovea.Once(ctx, tx, o.now(), &v, func() error {
			found, err := o.updatable(tx, c)
			if err != nil {
				return err
			}
			v = *found
			since := o.stamps.Next(o.now())
			if err := v.Dataset.Move(fovea.Updating, since); err != nil {
				return err
			}
			if err := tx.PutDataset(v.Dataset); err != nil {
				return err
			}
			return tx.Enqueue(fovea.UpdateJob{Dataset: v.Dataset.ID, Changes: name, Since: since, Caller: fovea.CallerOf(ctx).KeyID})
		})
	})
	return &v, err
}

// updatable returns the dataset of a change that may start now.
func (o *Ops) updatable(tx fovea.Tx, c Change) (*View, error) {
	v, err := changeable(tx, c.Project, c.Split, c.Match)
	if err != nil {
		return nil, err
	}
	return v, o.mayChange(tx, c.Project, c.Split)
}

// changeable returns a dataset whose content may be changed now.
func changeable(tx fovea.Tx, key fovea.ProjectKey, split fovea.Split, match func(*View) bool) (*View, error) {
	v, err := find(tx, key, split)
	if err != nil {
		return nil, err
	}
	name := v.Project.Name + "/" + string(split)
	switch ds := v.Dataset; {
	case match != nil && !match(v):
		return nil, fovea.Errorf(fovea.NotFound, "The dataset %s does not exist; a newer one has its name.", name).
			About(fovea.DatasetResource, name)
	case ds.InProgress():
		return nil, fovea.Errorf(fovea.InUse, "The dataset %s is %s. Wait until that is done, then change it.", name, ds.Status).
			About(fovea.DatasetResource, name)
	case !ds.Usable():
		return nil, fovea.Errorf(fovea.NotReady, "The dataset %s could not be created, so it cannot be changed. Delete it and create it again.", name).
			About(fovea.DatasetResource, name)
	}
	return v, nil
}

// putChanges stores the lines under a name of their own, which the sweep knows
// as the dataset's.
func (o *Ops) putChanges(ctx context.Context, c Change) (string, error) {
	var random [16]byte
	rand.Read(random[:])
	v, err := o.Find(ctx, c.Project, c.Split)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("changes/%s/%s.jsonl", fovea.FormatID(int64(v.Dataset.ID)), hex.EncodeToString(random[:]))
	_, err = o.Blobs.Put(ctx, name, bytes.NewReader(c.Lines))
	return name, err
}
