// Package dataset holds the operations on datasets, and the import that fills
// one from a manifest.
//
// An operation reads, decides and writes in one transaction; what is slow is a
// job that the transaction enqueues. Importing is a scan (see scan): the
// manifest is cut into ranges of bytes that are read, judged and written on
// their own, in any order and again after a crash, and then merged and
// committed as one revision. `fovea check` runs the same scan without writing
// segments, so that it and the server never disagree.
package dataset

import (
	"context"
	"log/slog"
	"time"

	"fovea"
	"fovea/internal/segment"
)

// Ops are the operations on datasets. The fields before Now are required.
type Ops struct {
	Store    fovea.Store
	Blobs    fovea.Blobs
	Objects  fovea.Objects
	Reader   *segment.Reader
	Profiles map[fovea.Service]fovea.Profile
	Pager    *fovea.Pager

	Now         func() time.Time // nil for time.Now
	ImportRange int64            // bytes of a manifest that are one unit of work; 0 for DefaultRange
	Workers     int              // ranges that are worked on at a time; 0 for the number of processors
	Log         *slog.Logger     // nil for none
	SweepAge    time.Duration    // how old a blob is before the sweep looks at it; 0 for DefaultSweepAge, negative for any
	DiffKeys    uint64           // entries that a Diff keeps in memory; 0 for DefaultDiffKeys
	Images      *ImageCheck      // opens the images of imported manifests; nil for not

	stamps fovea.Stamps
}

func (o *Ops) now() time.Time {
	if o.Now == nil {
		return time.Now().UTC().Truncate(time.Millisecond)
	}
	return o.Now().Truncate(time.Millisecond)
}

// A View is a dataset with its project and, once it has one, its revision
// without the segments.
type View struct {
	Project  *fovea.Project
	Dataset  *fovea.Dataset
	Revision *fovea.Revision // nil while the dataset has no content
}

// Find returns the dataset of a project by name, or NotFound about the project
// or the dataset.
func (o *Ops) Find(ctx context.Context, key fovea.ProjectKey, split fovea.Split) (*View, error) {
	var v *View
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		v, err = find(tx, key, split)
		if err == nil && v.Dataset.Revision != 0 {
			v.Revision, err = tx.RevisionStats(v.Dataset.ID, v.Dataset.Revision)
		}
		return err
	})
	return v, err
}

// OfProject returns the datasets of a project, oldest first, without their
// revisions.
func (o *Ops) OfProject(ctx context.Context, id fovea.ProjectID) ([]*fovea.Dataset, error) {
	var list []*fovea.Dataset
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		list, err = tx.DatasetsOf(id)
		return err
	})
	return list, err
}

func find(tx fovea.Tx, key fovea.ProjectKey, split fovea.Split) (*View, error) {
	p, err := projectNamed(tx, key)
	if err != nil {
		return nil, err
	}
	ds, err := tx.DatasetOf(p.ID, split)
	if err != nil && fovea.KindOf(err) == fovea.NotFound {
		return nil, noDataset(p, split)
	}
	return &View{Project: p, Dataset: ds}, err
}

func noDataset(p *fovea.Project, split fovea.Split) error {
	return fovea.Errorf(fovea.NotFound, "The project %s has no %s dataset.", p.Name, split).
		About(fovea.DatasetResource, p.Name+"/"+string(split))
}

func projectNamed(tx fovea.Tx, key fovea.ProjectKey) (*fovea.Project, error) {
	p, err := tx.ProjectNamed(key)
	if err != nil && fovea.KindOf(err) == fovea.NotFound {
		return nil, fovea.Errorf(fovea.NotFound, "The project %s does not exist.", key.Name).
			About(fovea.ProjectResource, key.Name)
	}
	return p, err
}
