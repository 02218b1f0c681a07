package dataset

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"fovea"
)

// ReportName returns the name in Blobs of the report about a dataset's import,
// which exists once the import has ended, also in failure.
func ReportName(id fovea.DatasetID) string {
	return "reports/" + fovea.FormatID(int64(id)) + "/import.jsonl"
}

// Report opens the report about the import of a dataset: JSON Lines, a Summary
// and then Findings. A dataset that was not imported, or not to the end, has
// none: NotFound.
func (o *Ops) Report(ctx context.Context, v *View) (fovea.Blob, error) {
	blob, err := o.Blobs.Open(ctx, ReportName(v.Dataset.ID))
	if err != nil && fovea.KindOf(err) == fovea.NotFound {
		name := v.Project.Name + "/" + string(v.Dataset.Split)
		return nil, fovea.Errorf(fovea.NotFound, "There is no import report about the dataset %s: it is %s and was made from %s.",
			name, v.Dataset.Status, v.Dataset.Source).About(fovea.DatasetResource, name)
	}
	return blob, err
}

// RunImport reads the manifest into segments and commits them as the dataset's
// first revision, or commits the failure. Run again, after a crash or beside
// itself, it finds the ranges that are done and ends in the same state.
func (o *Ops) RunImport(ctx context.Context, job fovea.ImportJob) error {
	v, err := o.importing(ctx, job.Dataset)
	if err != nil || v == nil {
		return err
	}
	s := o.scanOf(ctx, v, job)
	out, err := s.run(ctx)
	if err != nil {
		return fmt.Errorf("import %s into %s/%s: %w", job.Manifest.Ref, v.Project.Name, v.Dataset.Split, err)
	}
	if out.fault == nil {
		if out.fault, err = o.projectLabels(ctx, v, s, out); err != nil {
			return err
		}
	}
	if err := o.putReport(ctx, s, out, v.Dataset.ID); err != nil {
		return fmt.Errorf("write the import report: %w", err)
	}
	if err := o.commitImport(ctx, job, s, out); err != nil {
		return err
	}
	o.tidy(ctx, s, out)
	return nil
}

// FailImport gives up an import whose job failed too often, for a reason that
// is not the manifest's.
func (o *Ops) FailImport(ctx context.Context, job fovea.ImportJob) error {
	return o.Store.Update(ctx, func(tx fovea.Tx) error {
		ds, err := tx.Dataset(job.Dataset)
		if err != nil || ds.Status != fovea.Creating {
			return ignoreNotFound(err)
		}
		p, err := tx.Project(ds.Project)
		if err != nil {
			return err
		}
		_, message := o.Profiles[p.Service].FaultText(fovea.Fault{Kind: fovea.FaultService, Manifest: job.Manifest.Ref.String()})
		if err := ds.Fail(message, true, o.now()); err != nil {
			return err
		}
		return tx.PutDataset(ds)
	})
}

// importing returns the dataset that a job is to fill, nil if it is filled or
// gone: the job has run before.
func (o *Ops) importing(ctx context.Context, id fovea.DatasetID) (*View, error) {
	v := &View{}
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		if v.Dataset, err = tx.Dataset(id); err != nil {
			return err
		}
		v.Project, err = tx.Project(v.Dataset.Project)
		return err
	})
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	if v.Dataset.Status != fovea.Creating {
		return nil, nil
	}
	return v, nil
}

func ignoreNotFound(err error) error {
	if fovea.KindOf(err) == fovea.NotFound {
		return nil
	}
	return err
}

func (o *Ops) scanOf(ctx context.Context, v *View, job fovea.ImportJob) *scan {
	return &scan{
		profile:  o.Profiles[v.Project.Service],
		split:    v.Dataset.Split,
		blobs:    o.Blobs,
		source:   fovea.ObjectReader(ctx, o.Objects, job.Manifest),
		manifest: job.Manifest,
		id:       fovea.FormatID(int64(v.Dataset.ID)),
		imported: v.Dataset.Created,
		segments: true,
		width:    o.ImportRange,
		workers:  o.Workers,
		images:   o.Images,
	}
}

// projectLabels finds whether the labels of the project's datasets together
// are too many (LV-5.85).
func (o *Ops) projectLabels(ctx context.Context, v *View, s *scan, out *outcome) (*fovea.Fault, error) {
	limit := s.profile.Limits.ProjectLabels
	if limit <= 0 {
		return nil, nil
	}
	names := map[string]bool{}
	for _, l := range out.labels {
		names[l.Name] = true
	}
	err := o.Store.View(ctx, func(tx fovea.Tx) error {
		all, err := tx.DatasetsOf(v.Project.ID)
		for _, ds := range all {
			if err != nil || ds.ID == v.Dataset.ID || ds.Revision == 0 {
				continue
			}
			var rev *fovea.Revision
			if rev, err = tx.RevisionStats(ds.ID, ds.Revision); err == nil {
				for _, l := range rev.Labels {
					names[l.Name] = true
				}
			}
		}
		return err
	})
	if err != nil || len(names) <= limit {
		return nil, err
	}
	return s.faultf(fovea.FaultLabels, "%d labels in the project", len(names)), nil
}

func (o *Ops) putReport(ctx context.Context, s *scan, out *outcome, id fovea.DatasetID) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(s.writeReport(ctx, out, w)) }()
	_, err := o.Blobs.Put(ctx, ReportName(id), r)
	r.CloseWithError(err)
	return err
}

// commitImport makes the outcome the dataset's state.
func (o *Ops) commitImport(ctx context.Context, job fovea.ImportJob, s *scan, out *outcome) error {
	return o.Store.Update(ctx, func(tx fovea.Tx) error {
		ds, err := tx.Dataset(job.Dataset)
		if err != nil || ds.Status != fovea.Creating {
			return ignoreNotFound(err)
		}
		now := o.now()
		if out.fault != nil {
			_, message := s.profile.FaultText(*out.fault)
			if err := ds.Fail(message, out.fault.Kind == fovea.FaultService, now); err != nil {
				return err
			}
			return tx.PutDataset(ds)
		}
		if err := ds.Move(fovea.Created, now); err != nil {
			return err
		}
		ds.Revision = 1
		if err := tx.PutDataset(ds); err != nil {
			return err
		}
		return tx.PutRevision(s.revision(out, job, now))
	})
}

// tidy removes what a finished import no longer needs. What it misses the
// sweep finds.
func (o *Ops) tidy(ctx context.Context, s *scan, out *outcome) {
	var names []string
	for _, p := range out.parts {
		names = append(names, p.name)
		if out.fault != nil || p.Segment.Rows == p.Segment.Masked {
			names = append(names, p.Segment.Name)
		}
	}
	if err := o.Blobs.Delete(ctx, names...); err != nil && o.Log != nil {
		o.Log.WarnContext(ctx, "tidying up after an import failed; the sweep will do it", slog.Any("error", err))
	}
}
