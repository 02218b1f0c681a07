package project

import (
	"context"
	"time"

	"fovea"
)

// maxTags is how many tags a resource may have (CL-11.43, LV-2.96).
const maxTags = 200

// A Resource is something that has tags: a project, or a dataset or a model of
// it.
type Resource struct {
	Name    string // under which its tags are kept: its ARN
	Project fovea.ProjectKey
	Split   fovea.Split                  // of a dataset
	Model   string                       // name of a model
	Is      func(created time.Time) bool // whether what has the name is what is meant
}

// Tags returns the tags of a resource; NotFound if it does not exist.
func (o *Ops) Tags(ctx context.Context, r Resource) (map[string]string, error) {
	var tags map[string]string
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		if err = r.exists(tx); err == nil {
			tags, err = tx.Tags(r.Name)
		}
		return err
	})
	return tags, err
}

// Tag adds tags to a resource; a key that it has gets the new value (CL-11.41).
// More tags than a resource may have are Quota, and then none is added.
func (o *Ops) Tag(ctx context.Context, r Resource, add map[string]string) error {
	return o.retag(ctx, r, func(tags map[string]string) error {
		for k, v := range add {
			tags[k] = v
		}
		if len(tags) > maxTags {
			return fovea.Errorf(fovea.Quota, "The resource %s would have %d tags; it may have %d.", r.Name, len(tags), maxTags)
		}
		return nil
	})
}

// Untag removes tags; keys that the resource does not have are passed over.
func (o *Ops) Untag(ctx context.Context, r Resource, keys []string) error {
	return o.retag(ctx, r, func(tags map[string]string) error {
		for _, k := range keys {
			delete(tags, k)
		}
		return nil
	})
}

func (o *Ops) retag(ctx context.Context, r Resource, change func(map[string]string) error) error {
	return o.Store.Update(ctx, func(tx fovea.Tx) error {
		if err := r.exists(tx); err != nil {
			return err
		}
		tags, err := tx.Tags(r.Name)
		if err != nil {
			return err
		}
		if tags == nil {
			tags = map[string]string{}
		}
		if err := change(tags); err != nil {
			return err
		}
		return tx.PutTags(r.Name, tags)
	})
}

func (r Resource) exists(tx fovea.Tx) error {
	p, err := find(tx, r.Project)
	if err != nil {
		return err
	}
	created, err := r.created(tx, p)
	if err != nil && fovea.KindOf(err) != fovea.NotFound {
		return err
	}
	if err != nil || !r.Is(created) {
		return r.notFound()
	}
	return nil
}

// created returns when the resource of that name was made.
func (r Resource) created(tx fovea.Tx, p *fovea.Project) (time.Time, error) {
	switch {
	case r.Split != "":
		ds, err := tx.DatasetOf(p.ID, r.Split)
		if err != nil {
			return time.Time{}, err
		}
		return ds.Created, nil
	case r.Model != "":
		m, err := tx.ModelNamed(p.ID, r.Model)
		if err != nil {
			return time.Time{}, err
		}
		return m.Created, nil
	}
	return p.Created, nil
}

func (r Resource) notFound() error {
	return fovea.Errorf(fovea.NotFound, "The resource %s does not exist.", r.Name)
}
