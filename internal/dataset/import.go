package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"fovea"
)

// reportName returns the name in Blobs of the report about a dataset's import,
// which exists once the import has ended, also in failure. Failures have a name
// of their own: two runs of an import that come to different ends do not write
// over each other's.
func reportName(id fovea.DatasetID, failed bool) string {
	name := "reports/" + fovea.FormatID(int64(id)) + "/import.jsonl"
	if failed {
		name = strings.Replace(name, "import", "failed-import", 1)
	}
	return name
}

// Report opens the report about the last change of a dataset, its import or an
// update: JSON Lines, a Summary and then Findings. A dataset that was made
// otherwise, or whose import has not ended, has none: NotFound.
func (o *Ops) Report(ctx context.Context, v *View) (fovea.Blob, error) {
	var name string
	switch {
	case v.Dataset.Status == fovea.UpdateFailed:
		name = failedUpdateName(v.Dataset.ID)
	case v.Revision != nil:
		name = v.Revision.Report
	case v.Dataset.Status == fovea.CreateFailed:
		name = reportName(v.Dataset.ID, true)
	}
	var blob fovea.Blob
	err := error(fovea.Errorf(fovea.NotFound, "no report"))
	if name != "" {
		blob, err = o.Blobs.Open(ctx, name)
	}
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
//
// Its errors are of the kind Internal, whatever caused them: what is the
// manifest's fault is committed, and a job that ended with anything else would
// leave the dataset Creating for ever.
func (o *Ops) RunImport(ctx context.Context, job fovea.ImportJob) error {
	if err := o.runImport(ctx, job); err != nil {
		return fmt.Errorf("import %s into dataset %d: %v", job.Manifest.Ref, job.Dataset, err)
	}
	return nil
}

func (o *Ops) runImport(ctx context.Context, job fovea.ImportJob) error {
	v, err := o.importing(ctx, job.Dataset)
	if err != nil || v == nil {
		return err
	}
	s := o.scanOf(ctx, v, job)
	if s.other, err = o.otherDataset(ctx, v); err != nil {
		return err
	}
	out, err := s.run(ctx)
	if err != nil {
		return err
	}
	if out.fault == nil {
		err = o.Store.View(ctx, func(tx fovea.Tx) (err error) {
			out.fault, err = projectLabels(tx, v.Dataset, s, out)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := o.putReport(ctx, s, out, reportName(v.Dataset.ID, out.fault != nil)); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	committed, err := o.commitImport(ctx, job, s, out)
	if committed && err == nil {
		o.tidy(ctx, s, out)
	}
	return err
}

// FailImport gives up an import whose job failed too often, for a reason that
// is not the manifest's.
func (o *Ops) FailImport(ctx context.Context, job fovea.ImportJob) error {
	v, err := o.importing(ctx, job.Dataset)
	if err != nil || v == nil {
		return err
	}
	s := o.scanOf(ctx, v, job)
	out := &outcome{codes: map[string]int64{}, fault: s.faultf(fovea.FaultService, "a fault of the server: its log tells more")}
	if err := o.putReport(ctx, s, out, reportName(v.Dataset.ID, out.fault != nil)); err != nil && o.Log != nil {
		// What made the import fail may be the same that keeps reports out.
		o.Log.WarnContext(ctx, "an import that failed has no report", slog.Any("error", err))
	}
	_, err = o.commitImport(ctx, job, s, out)
	return err
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
		salt:     fovea.FormatID(int64(v.Dataset.ID)),
		imported: v.Dataset.Created,
		segments: true,
		width:    o.ImportRange,
		workers:  o.Workers,
		images:   o.Images,
		whole:    true,
	}
}

// otherDataset returns what was seen when the other dataset of the project was
// imported, nil if there is none.
func (o *Ops) otherDataset(ctx context.Context, v *View) (*Earlier, error) {
	if o.Images == nil || !o.Images.Quality {
		return nil, nil
	}
	all, err := o.OfProject(ctx, v.Project.ID)
	if err != nil {
		return nil, err
	}
	for _, ds := range all {
		if ds.ID != v.Dataset.ID && ds.Revision != 0 {
			return &Earlier{Split: ds.Split, Manifest: v.Project.Name + "/" + string(ds.Split), id: fovea.FormatID(int64(ds.ID)), blobs: o.Blobs}, nil
		}
	}
	return nil, nil
}

// projectLabels finds whether the labels of the project's datasets together
// are too many (LV-5.85).
func projectLabels(tx fovea.Tx, ds *fovea.Dataset, s *scan, out *outcome) (*fovea.Fault, error) {
	limit := s.profile.Limits.ProjectLabels
	if limit <= 0 {
		return nil, nil
	}
	names := map[string]bool{}
	add := func(labels []fovea.LabelCount) {
		for _, l := range labels {
			names[l.Name] = true
		}
	}
	add(out.labels)
	all, err := tx.DatasetsOf(ds.Project)
	if err != nil {
		return nil, err
	}
	for _, other := range all {
		if other.ID == ds.ID || other.Revision == 0 {
			continue
		}
		rev, err := tx.RevisionStats(other.ID, other.Revision)
		if err != nil {
			return nil, err
		}
		add(rev.Labels)
	}
	if len(names) <= limit {
		return nil, nil
	}
	return s.faultf(fovea.FaultLabels, "%d labels in the project", len(names)), nil
}

// putReport stores the report about a scan.
// errLabelsChanged is that a change of another dataset of the project was
// committed since the report was written: the job is tried again.
var errLabelsChanged = errors.New("the labels of the project have changed meanwhile")

func (o *Ops) putReport(ctx context.Context, s *scan, out *outcome, name string) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(s.writeReport(ctx, out, w)) }()
	_, err := o.Blobs.Put(ctx, name, r)
	r.CloseWithError(err)
	return err
}

// commitImport makes the outcome the dataset's state, and reports whether it
// did. A run that comes late, when another one has committed, does not: it must
// not touch what that one left.
func (o *Ops) commitImport(ctx context.Context, job fovea.ImportJob, s *scan, out *outcome) (committed bool, err error) {
	err = o.Store.Update(ctx, func(tx fovea.Tx) error {
		committed = false
		ds, err := tx.Dataset(job.Dataset)
		if err != nil || ds.Status != fovea.Creating {
			return ignoreNotFound(err)
		}
		committed = true
		now := o.now()
		if out.fault != nil {
			_, message := s.profile.FaultText(*out.fault)
			if err := ds.Fail(message, out.fault.Kind == fovea.FaultService, now); err != nil {
				return err
			}
			return tx.PutDataset(ds)
		}
		if f, err := projectLabels(tx, ds, s, out); err != nil || f != nil {
			return cmp.Or(err, errLabelsChanged)
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
	return committed, err
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
	o.remove(ctx, names)
}

// remove removes blobs that are no longer needed. What it misses the sweep
// finds.
func (o *Ops) remove(ctx context.Context, names []string) {
	if err := o.Blobs.Delete(ctx, names...); err != nil && o.Log != nil {
		o.Log.WarnContext(ctx, "tidying up failed; the sweep will do it", slog.Any("error", err))
	}
}
