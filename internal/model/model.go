// Package model holds the operations on models of both services, and the jobs
// that train, copy, start and stop them.
//
// An operation reads, decides and writes in one transaction; what is slow is a
// job that the transaction enqueues. What a service trains on, and which files
// it writes about it, is the matter of the Trainer that its protocol package
// supplies; the arithmetic is that of internal/ml. Weights are a blob, which
// copies of a model share.
package model

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"fovea"
	"fovea/internal/segment"
)

// Ops are the operations on models. The fields before Now are required.
type Ops struct {
	Store    fovea.Store
	Blobs    fovea.Blobs
	Objects  fovea.Objects
	Reader   *segment.Reader
	Profiles map[fovea.Service]fovea.Profile
	Trainers map[fovea.Service]Trainer
	Pager    *fovea.Pager

	Backbones Backbones // that this node has; nil for the one of the program

	Now      func() time.Time                          // nil for time.Now
	Scratch  string                                    // folder for what trainings keep for a while; "" for that of the system
	Cores    int                                       // that a training may use; 0 for all but one
	Longest  time.Duration                             // that a training may take; 0 for 24 hours (CL-9.15, LV-6.6)
	Tell     time.Duration                             // how often the progress of a training is stored; 0 for two seconds
	Ready    func(context.Context, *fovea.Model) error // reports why a model cannot be hosted; nil for not asking
	Leave    time.Duration                             // how long a start is left to nodes that have the model's backbone where one lacks it; 0 for not at all
	Log      *slog.Logger                              // nil for none
	Version  string                                    // of the program, kept with what it trained
	SweepAge time.Duration                             // how old weights are before the sweep looks at them; 0 for an hour, negative for any

	// Observe is told how trainings of this node ended; nil for nobody.
	Observe func(fovea.Service, Outcome)

	stamps  fovea.Stamps
	working workList
}

func (o *Ops) now() time.Time {
	if o.Now == nil {
		return time.Now().UTC().Truncate(time.Millisecond)
	}
	return o.Now().UTC().Truncate(time.Millisecond)
}

// A View is a model with its project.
type View struct {
	Project *fovea.Project
	Model   *fovea.Model
}

// A Ref names a model. Match, if not nil, is asked whether the model that has
// the name is the one that is meant; if not, it is NotFound. The name Latest
// is that of the model that was made last (LV-2.70).
type Ref struct {
	Project fovea.ProjectKey
	Name    string
	Match   func(*View) bool
}

// Latest is the name of the model that was made last, for the service whose
// models have numbers.
const Latest = "latest"

// Find returns a model, or NotFound about the project or the model.
func (o *Ops) Find(ctx context.Context, ref Ref) (*View, error) {
	var v *View
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		v, err = find(tx, ref)
		return err
	})
	return v, err
}

func find(tx fovea.Tx, ref Ref) (*View, error) {
	p, err := project(tx, ref.Project, nil)
	if err != nil {
		return nil, err
	}
	var m *fovea.Model
	if ref.Name == Latest && p.Service == fovea.Lookout {
		m, err = latest(tx, p)
	} else {
		m, err = tx.ModelNamed(p.ID, ref.Name)
	}
	if err != nil && fovea.KindOf(err) != fovea.NotFound {
		return nil, err
	}
	v := &View{p, m}
	if err != nil || ref.Match != nil && !ref.Match(v) {
		return nil, fovea.Errorf(fovea.NotFound, "The project %s has no model %s.", p.Name, ref.Name).
			About(fovea.ModelResource, resourceID(p, ref.Name))
	}
	return v, nil
}

// latest returns the model of the project that was made last.
func latest(tx fovea.Tx, p *fovea.Project) (*fovea.Model, error) {
	list, err := tx.ModelsOf(p.ID, time.Time{}, 1)
	if err == nil && len(list) == 0 {
		err = fovea.Errorf(fovea.NotFound, "no models")
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func project(tx fovea.Tx, key fovea.ProjectKey, match func(*fovea.Project) bool) (*fovea.Project, error) {
	p, err := tx.ProjectNamed(key)
	if err != nil && fovea.KindOf(err) != fovea.NotFound {
		return nil, err
	}
	if err != nil || match != nil && !match(p) {
		return nil, fovea.Errorf(fovea.NotFound, "The project %s does not exist.", key.Name).About(fovea.ProjectResource, key.Name)
	}
	return p, nil
}

func resourceID(p *fovea.Project, name string) string { return p.Name + "/" + name }

// A Query asks for a page of the models of a project: all, or those of the
// given names that exist.
type Query struct {
	Project fovea.ProjectKey
	Match   func(*fovea.Project) bool
	Names   []string
	Token   string // of the page before; "" for the first page
	Max     int    // models of the page; more than 0
}

// List returns the project, a page of its models, latest first (CL-2.14,
// LV-2.73), and the token of the next page, "" if there is none.
func (o *Ops) List(ctx context.Context, q Query) (*fovea.Project, []*fovea.Model, string, error) {
	scope := fmt.Sprintf("models %+v %q", q.Project, q.Names)
	var before time.Time
	if q.Token != "" {
		pos, err := o.Pager.Open(scope, q.Token)
		if err != nil {
			return nil, nil, "", err
		}
		before = time.UnixMilli(int64(binary.BigEndian.Uint64(pos)))
	}
	var p *fovea.Project
	var list []*fovea.Model
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		if p, err = project(tx, q.Project, q.Match); err != nil {
			return err
		}
		if len(q.Names) > 0 {
			list, err = named(tx, p, q.Names, before)
		} else {
			list, err = tx.ModelsOf(p.ID, before, q.Max+1)
		}
		return err
	})
	if err != nil || len(list) <= q.Max {
		return p, list, "", err
	}
	list = list[:q.Max]
	pos := binary.BigEndian.AppendUint64(nil, uint64(list[q.Max-1].Created.UnixMilli()))
	return p, list, o.Pager.Issue(scope, pos), nil
}

// named returns the models of the given names that exist, made before a time.
func named(tx fovea.Tx, p *fovea.Project, names []string, before time.Time) ([]*fovea.Model, error) {
	var list []*fovea.Model
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		m, err := tx.ModelNamed(p.ID, name)
		switch {
		case err != nil && fovea.KindOf(err) == fovea.NotFound:
		case err != nil:
			return nil, err
		case before.IsZero() || m.Created.Before(before):
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *fovea.Model) int { return b.Created.Compare(a.Created) })
	return list, nil
}
