// Package project holds the operations on projects of both services.
package project

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"fovea"
)

// Ops are the operations on projects. All fields but Now are required.
type Ops struct {
	Store    fovea.Store
	Profiles map[fovea.Service]fovea.Profile
	Pager    *fovea.Pager
	Now      func() time.Time // nil for time.Now

	stamps fovea.Stamps
}

func (o *Ops) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

// Create makes a project. A name that is taken is Exists (CL-2.11, LV-2.3), a
// project too many Quota. TagsOf returns the name under which its tags are kept.
//
// With a client token in the context the call takes effect once.
func (o *Ops) Create(ctx context.Context, key fovea.ProjectKey, tags map[string]string, tagsOf func(*fovea.Project) string) (*fovea.Project, error) {
	var p fovea.Project
	err := o.Store.Update(ctx, func(tx fovea.Tx) error {
		return fovea.Once(ctx, tx, o.now(), &p, func() error {
			if err := o.vacant(tx, key); err != nil {
				return err
			}
			created := o.stamps.Next(o.now())
			p = fovea.Project{
				ID: fovea.ProjectID(fovea.NewID(created)), Service: key.Service,
				Account: key.Account, Region: key.Region, Name: key.Name, Created: created,
			}
			if len(tags) > 0 {
				if err := tx.PutTags(tagsOf(&p), tags); err != nil {
					return err
				}
			}
			return tx.PutProject(&p)
		})
	})
	return &p, err
}

// vacant reports why no project of that key can be made.
func (o *Ops) vacant(tx fovea.Tx, key fovea.ProjectKey) error {
	switch _, err := tx.ProjectNamed(key); {
	case err == nil:
		return fovea.Errorf(fovea.Exists, "A project named %s already exists.", key.Name).About(fovea.ProjectResource, key.Name)
	case fovea.KindOf(err) != fovea.NotFound:
		return err
	}
	limit := o.Profiles[key.Service].Limits.Projects
	if limit == 0 {
		return nil
	}
	n, err := tx.CountProjects(key)
	if err == nil && n >= limit {
		return fovea.Errorf(fovea.Quota, "The account has %d projects, as many as are allowed. Delete one, or raise the limit.", n).
			About(fovea.ProjectResource, key.Name)
	}
	return err
}

// Find returns a project, or NotFound about it.
func (o *Ops) Find(ctx context.Context, key fovea.ProjectKey) (*fovea.Project, error) {
	var p *fovea.Project
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		p, err = find(tx, key)
		return err
	})
	return p, err
}

func find(tx fovea.Tx, key fovea.ProjectKey) (*fovea.Project, error) {
	p, err := tx.ProjectNamed(key)
	if err != nil && fovea.KindOf(err) == fovea.NotFound {
		return nil, fovea.Errorf(fovea.NotFound, "The project %s does not exist.", key.Name).About(fovea.ProjectResource, key.Name)
	}
	return p, err
}

// A Query asks for a page of projects of the key's service, account and region:
// all, or those of the given names that exist.
type Query struct {
	Key   fovea.ProjectKey // without a name
	Names []string
	Token string // of the page before; "" for the first page
	Max   int    // projects of the page; more than 0
}

// List returns a page of projects, latest first and then by name (CL-2.33,
// LV-2.11), and the token of the next page, "" if there is none.
func (o *Ops) List(ctx context.Context, q Query) ([]*fovea.Project, string, error) {
	scope := fmt.Sprintf("projects %+v %q", q.Key, q.Names)
	var after time.Time
	var name string
	if q.Token != "" {
		pos, err := o.Pager.Open(scope, q.Token)
		if err != nil {
			return nil, "", err
		}
		after, name = time.UnixMilli(int64(binary.BigEndian.Uint64(pos))), string(pos[8:])
	}
	var list []*fovea.Project
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		if len(q.Names) > 0 {
			list, err = named(tx, q, after, name)
		} else {
			list, err = tx.Projects(q.Key, after, name, q.Max+1)
		}
		return err
	})
	if err != nil || len(list) <= q.Max {
		return list, "", err
	}
	list = list[:q.Max]
	last := list[q.Max-1]
	pos := binary.BigEndian.AppendUint64(nil, uint64(last.Created.UnixMilli()))
	return list, o.Pager.Issue(scope, append(pos, last.Name...)), nil
}

// named returns the projects of the query's names that come after a position.
func named(tx fovea.Tx, q Query, after time.Time, name string) ([]*fovea.Project, error) {
	var list []*fovea.Project
	names := slices.Compact(slices.Sorted(slices.Values(q.Names)))
	for _, n := range names {
		key := q.Key
		key.Name = n
		p, err := tx.ProjectNamed(key)
		if err == nil {
			list = append(list, p)
		} else if fovea.KindOf(err) != fovea.NotFound {
			return nil, err
		}
	}
	order := func(a, b *fovea.Project) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Name, b.Name))
	}
	slices.SortFunc(list, order)
	if !after.IsZero() {
		i, found := slices.BinarySearchFunc(list, &fovea.Project{Created: after, Name: name}, order)
		if found {
			i++
		}
		list = list[i:]
	}
	return list, nil
}

// Delete removes a project and returns what it was. One that has a dataset or
// a model, whatever its status, is InUse (CL-2.20, LV-2.12). Match, if not nil, is asked
// whether the project that has the name is the one that is meant; if not, it is
// NotFound.
func (o *Ops) Delete(ctx context.Context, key fovea.ProjectKey, match func(*fovea.Project) bool, tagsOf func(*fovea.Project) string) (*fovea.Project, error) {
	var p fovea.Project
	err := o.Store.Update(ctx, func(tx fovea.Tx) error {
		return fovea.Once(ctx, tx, o.now(), &p, func() error {
			found, err := find(tx, key)
			if err != nil {
				return err
			}
			if p = *found; match != nil && !match(found) {
				return fovea.Errorf(fovea.NotFound, "The project %s does not exist; a newer one has its name.", key.Name).
					About(fovea.ProjectResource, key.Name)
			}
			datasets, err := tx.DatasetsOf(p.ID)
			if err != nil {
				return err
			}
			if len(datasets) > 0 {
				return fovea.Errorf(fovea.InUse, "The project %s has a %s dataset. Delete its datasets first.", p.Name, datasets[0].Split).
					About(fovea.ProjectResource, p.Name)
			}
			switch n, err := tx.CountModelsOf(p.ID); {
			case err != nil:
				return err
			case n > 0:
				return fovea.Errorf(fovea.InUse, "The project %s has %d models. Delete its models first.", p.Name, n).
					About(fovea.ProjectResource, p.Name)
			}
			if tagsOf != nil {
				if err := tx.PutTags(tagsOf(found), nil); err != nil {
					return err
				}
			}
			return tx.DeleteProject(p.ID)
		})
	})
	return &p, err
}
