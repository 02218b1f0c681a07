package dataset

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"fovea"
	"fovea/internal/manifest"
	"fovea/internal/segment"
)

// maxChanges bounds the text of an update, which is held in memory: more than
// either service takes (CL-2.10, LV-2.9).
const maxChanges = 12 << 20

// RunUpdate applies changes to a dataset and commits the revision that comes of
// them, or that the update failed, which leaves the content as it was (CL-7.6,
// LV-2.56). Run again, it finds that the change is committed, or ends in the
// same state. Its errors are Internal, as those of RunImport.
func (o *Ops) RunUpdate(ctx context.Context, job fovea.UpdateJob) error {
	if err := o.runUpdate(ctx, job); err != nil {
		return fmt.Errorf("apply %s to dataset %d: %v", job.Changes, job.Dataset, err)
	}
	return nil
}

// FailUpdate gives up an update whose job failed too often, for a reason that
// is not the data's.
func (o *Ops) FailUpdate(ctx context.Context, job fovea.UpdateJob) error {
	return o.failChange(ctx, job.Since, job.Dataset)
}

// failChange marks the datasets that became Updating at a time as failed by us.
func (o *Ops) failChange(ctx context.Context, since time.Time, ids ...fovea.DatasetID) error {
	return o.Store.Update(ctx, func(tx fovea.Tx) error {
		for _, id := range ids {
			ds, err := updating(tx, id, since)
			if err != nil {
				return err
			}
			if ds == nil {
				continue
			}
			p, err := tx.Project(ds.Project)
			if err != nil {
				return err
			}
			_, message := o.Profiles[p.Service].FaultText(fovea.Fault{Kind: fovea.FaultService})
			if err := ds.Fail(message, true, o.now()); err != nil {
				return err
			}
			if err := tx.PutDataset(ds); err != nil {
				return err
			}
		}
		return nil
	})
}

// updating returns the dataset if it is still Updating since that time, nil if
// not: then the job for it has run before.
func updating(tx fovea.Tx, id fovea.DatasetID, since time.Time) (*fovea.Dataset, error) {
	ds, err := tx.Dataset(id)
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	if ds.Status != fovea.Updating || ds.Updated.UnixMilli() != since.UnixMilli() {
		return nil, nil
	}
	return ds, nil
}

// An update is a change on its way into a dataset.
type update struct {
	*View
	ops  *Ops
	job  fovea.UpdateJob
	text []byte
	scan *scan
	out  *outcome
	rev  *fovea.Revision // the one that is changed, and then the one that comes of it
}

func (o *Ops) runUpdate(ctx context.Context, job fovea.UpdateJob) error {
	u, err := o.openUpdate(ctx, job)
	if err != nil || u == nil {
		return err
	}
	if u.out, err = u.scan.run(ctx); err != nil {
		return err
	}
	if u.out.fault == nil {
		if err := u.apply(ctx); err != nil {
			return err
		}
	}
	if u.out.fault == nil {
		err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
			u.out.fault, err = u.projectLabels(tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := u.putReport(ctx); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := u.commit(ctx); err != nil {
		return err
	}
	u.tidy(ctx)
	return nil
}

// openUpdate loads what an update works on, nil if it is done.
func (o *Ops) openUpdate(ctx context.Context, job fovea.UpdateJob) (*update, error) {
	u := &update{ops: o, job: job, View: &View{}}
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		if u.Dataset, err = updating(tx, job.Dataset, job.Since); err != nil || u.Dataset == nil {
			return err
		}
		if u.Project, err = tx.Project(u.Dataset.Project); err != nil {
			return err
		}
		u.rev, err = tx.Revision(u.Dataset.ID, u.Dataset.Revision)
		return err
	})
	if err != nil || u.Dataset == nil {
		return nil, err
	}
	if u.text, err = o.readBlob(ctx, job.Changes, maxChanges); err != nil {
		return nil, fmt.Errorf("read the changes: %w", err)
	}
	profile := o.Profiles[u.Project.Service]
	profile.Limits.TrainEntries, profile.Limits.TestEntries, profile.Limits.Labels = 0, 0, 0 // are of the whole dataset
	u.scan = &scan{
		profile:  profile,
		split:    u.Dataset.Split,
		blobs:    o.Blobs,
		source:   bytes.NewReader(u.text),
		manifest: fovea.ObjectInfo{Ref: fovea.ObjectRef{Key: "UpdateDatasetEntries"}, Size: int64(len(u.text)), ETag: job.Changes},
		id:       u.name(),
		imported: job.Since,
		changes:  true,
		width:    maxChanges,
		images:   o.Images,
	}
	return u, nil
}

// name returns the first element of the names of the update's blobs: the
// dataset, and when the change was asked for.
func (u *update) name() string {
	return fovea.FormatID(int64(u.Dataset.ID)) + "/" + fovea.FormatID(u.job.Since.UnixMilli())
}

// readBlob returns a whole blob of at most limit bytes.
func (o *Ops) readBlob(ctx context.Context, name string, limit int64) ([]byte, error) {
	blob, err := o.Blobs.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	if blob.Size() > limit {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", name, blob.Size(), limit)
	}
	text := make([]byte, blob.Size())
	_, err = readAt(blob, text, 0)
	return text, err
}

// A changed entry is a line of the changes that counts.
type changedEntry struct {
	offset int64
	ref    []byte
	seq    int64
}

// apply makes the revision that comes of the changes, or finds why there is
// none.
func (u *update) apply(ctx context.Context) error {
	entries, err := u.entries()
	if err != nil {
		return err
	}
	masks, replaced, err := u.place(ctx, entries)
	if err != nil {
		return err
	}
	next := *u.rev
	next.Number++
	next.NextSeq += int64(len(entries) - replaced)
	if next.Bucket == "" {
		next.Bucket = u.out.bucket
	}
	tally := newTally(&next)
	if err := u.mask(ctx, &next, masks, tally); err != nil {
		return err
	}
	tally.addOutcome(u.out)
	tally.finish(&next)
	if u.out.fault = u.judge(&next); u.out.fault != nil {
		return nil
	}
	if err := u.build(ctx, &next, entries); err != nil {
		return err
	}
	u.rev = &next
	return nil
}

// entries returns the lines that count: not dropped, and not displaced by
// another line for their image.
func (u *update) entries() ([]changedEntry, error) {
	var entries []changedEntry
	masked := roaring.New()
	for _, p := range u.out.parts {
		if p.Segment.Deleted != nil {
			if err := masked.UnmarshalBinary(p.Segment.Deleted); err != nil {
				return nil, err
			}
		}
	}
	row := uint32(0)
	err := u.each(func(e *manifest.Entry) error {
		if !masked.Contains(row) {
			entries = append(entries, changedEntry{offset: e.Offset, ref: bytes.Clone(e.SourceRef)})
		}
		row++
		return nil
	})
	return entries, err
}

// each calls fn with the entries of the changes, those that are displaced
// included.
func (u *update) each(fn func(*manifest.Entry) error) error {
	limit := int(u.scan.profile.Limits.LineChars)
	lines := manifest.NewLines(u.scan.source, int64(len(u.text)), 0, int64(len(u.text)), 4*limit)
	checker := u.scan.profile.NewChecker()
	var doc manifest.Doc
	var e manifest.Entry
	for {
		line, ok := lines.Next()
		if !ok {
			return lines.Err()
		}
		bad := line.Bad
		if bad == nil {
			bad = doc.Parse(line.Text, limit)
		}
		if bad != nil && bad.Reason == manifest.Blank {
			continue
		}
		e.Reset()
		e.Line, e.Offset, e.Number = line.Text, line.Offset, line.Number
		checker.Check(&e, &doc, bad)
		if e.Dropped {
			continue
		}
		if err := fn(&e); err != nil {
			return err
		}
	}
}

// place gives every entry its sequence number: that of the entry it replaces,
// or, in the order of the changes, one after all others (CL-7.9). It returns the
// rows that are replaced, by segment, and their number.
func (u *update) place(ctx context.Context, entries []changedEntry) (map[int][]int, int, error) {
	refs := make([][]byte, len(entries))
	for i := range entries {
		refs[i] = entries[i].ref
		entries[i].seq = -1
	}
	masks := map[int][]int{}
	replaced := 0
	err := u.ops.Reader.Find(ctx, u.rev.Segments, refs, func(i int, at segment.Place) {
		entries[i].seq = at.Seq
		masks[at.Segment] = append(masks[at.Segment], at.Row)
		replaced++
	})
	next := u.rev.NextSeq
	for i := range entries {
		if entries[i].seq < 0 {
			entries[i].seq = next
			next++
		}
	}
	return masks, replaced, err
}

// mask takes the replaced rows out of the segments and the statistics.
func (u *update) mask(ctx context.Context, next *fovea.Revision, masks map[int][]int, t *tally) error {
	next.Segments = slices.Clone(next.Segments)
	for i, rows := range masks {
		slices.Sort(rows)
		ref := &next.Segments[i]
		if err := u.ops.Reader.Facts(ctx, *ref, rows, t.remove); err != nil {
			return err
		}
		if err := maskRows(ref, rows); err != nil {
			return err
		}
	}
	next.Segments = slices.DeleteFunc(next.Segments, func(s fovea.SegmentRef) bool { return s.Rows == s.Masked })
	return nil
}

// maskRows adds rows to those that a revision no longer has.
func maskRows(ref *fovea.SegmentRef, rows []int) error {
	deleted, err := deletedRows(*ref)
	if err != nil {
		return err
	}
	for _, row := range rows {
		deleted.Add(uint32(row))
	}
	deleted.RunOptimize()
	b, err := deleted.ToBytes()
	ref.Deleted, ref.Masked = b, int64(deleted.GetCardinality())
	return err
}

// judge finds whether the dataset that comes of the changes is one that may be
// (CL-7.12, LV-2.55).
func (u *update) judge(next *fovea.Revision) *fovea.Fault {
	limits := u.ops.Profiles[u.Project.Service].Limits
	switch limit := limits.Entries(u.Dataset.Split); {
	case limit > 0 && next.Stats.Entries > limit:
		return u.scan.faultf(fovea.FaultTooMany, "%d, more than %d", next.Stats.Entries, limit)
	case u.out.bucket != "" && next.Bucket != u.out.bucket:
		return u.scan.faultf(fovea.FaultBuckets, "%s and %s", manifest.Excerpt([]byte(next.Bucket), maxFound), manifest.Excerpt([]byte(u.out.bucket), maxFound))
	case len(next.Labels) > maxLabels || limits.Labels > 0 && len(next.Labels) > limits.Labels:
		return u.scan.faultf(fovea.FaultLabels, "%d labels", len(next.Labels))
	}
	return nil
}

// build writes the entries, and those of the segments that are merged with them,
// into new segments of next.
func (u *update) build(ctx context.Context, next *fovea.Revision, entries []changedEntry) error {
	list, err := u.placed(entries)
	if err != nil {
		return err
	}
	merged := smallSegments(next.Segments)
	w := &rewriter{ops: u.ops, prefix: "segments/" + u.name(), imported: u.job.Since}
	upTo := func(seq int64) error {
		for ; len(list) > 0 && list[0].Offset < seq; list = list[1:] {
			if err := w.add(ctx, &list[0]); err != nil {
				return err
			}
		}
		return nil
	}
	err = u.ops.Reader.Merge(ctx, merged, func(e *manifest.Entry) error {
		if err := upTo(e.Offset); err != nil {
			return err
		}
		return w.add(ctx, e)
	})
	if err == nil {
		err = upTo(math.MaxInt64)
	}
	if err != nil {
		return err
	}
	made, err := w.finish(ctx)
	if err != nil {
		return err
	}
	next.Segments = slices.DeleteFunc(next.Segments, func(s fovea.SegmentRef) bool {
		return slices.ContainsFunc(merged, func(m fovea.SegmentRef) bool { return m.Name == s.Name })
	})
	next.Segments = append(next.Segments, made...)
	slices.SortFunc(next.Segments, func(a, b fovea.SegmentRef) int {
		return cmp.Or(cmp.Compare(a.MinSeq, b.MinSeq), cmp.Compare(a.Name, b.Name))
	})
	return nil
}

// placed returns the entries of the changes with their sequence numbers as
// offsets, in the order of these.
func (u *update) placed(entries []changedEntry) ([]manifest.Entry, error) {
	seqs := make(map[int64]int64, len(entries))
	for _, e := range entries {
		seqs[e.offset] = e.seq
	}
	var list []manifest.Entry
	err := u.each(func(e *manifest.Entry) error {
		seq, ok := seqs[e.Offset]
		if !ok {
			return nil
		}
		c := *e
		c.Line = u.text[e.Offset : e.Offset+int64(len(e.Line))]
		c.SourceRef, c.Labels, c.Problems = bytes.Clone(e.SourceRef), slices.Clone(e.Labels), slices.Clone(e.Problems)
		c.Offset = seq
		list = append(list, c)
		return nil
	})
	slices.SortFunc(list, func(a, b manifest.Entry) int { return cmp.Compare(a.Offset, b.Offset) })
	return list, err
}

// projectLabels finds whether the change gives the project too many labels.
func (u *update) projectLabels(tx fovea.Tx) (*fovea.Fault, error) {
	return projectLabels(tx, u.Dataset, u.scan, &outcome{labels: u.rev.Labels})
}

// commit makes the outcome the dataset's state.
func (u *update) commit(ctx context.Context) error {
	o := u.ops
	return o.Store.Update(ctx, func(tx fovea.Tx) error {
		ds, err := updating(tx, u.job.Dataset, u.job.Since)
		if err != nil || ds == nil {
			return err
		}
		now := o.now()
		if fault := u.out.fault; fault != nil {
			_, message := u.scan.profile.FaultText(*fault)
			if err := ds.Fail(message, fault.Kind == fovea.FaultService, now); err != nil {
				return err
			}
			return tx.PutDataset(ds)
		}
		if f, err := u.projectLabels(tx); err != nil || f != nil {
			return cmp.Or(err, errLabelsChanged)
		}
		if err := ds.Move(fovea.Updated, now); err != nil {
			return err
		}
		ds.Revision = u.rev.Number
		u.rev.Created, u.rev.Caller, u.rev.Report = now, u.job.Caller, updateReportName(ds.ID, u.rev.Number)
		u.rev.Cause = fmt.Sprintf("update of %d lines", u.out.lines)
		if err := tx.PutDataset(ds); err != nil {
			return err
		}
		return tx.PutRevision(u.rev)
	})
}

// updateReportName returns the name of the report about the update that made a
// revision, and failedUpdateName that about the last one that made none.
func updateReportName(id fovea.DatasetID, number int64) string {
	return fmt.Sprintf("reports/%s/update-%09d.jsonl", fovea.FormatID(int64(id)), number)
}

func failedUpdateName(id fovea.DatasetID) string {
	return "reports/" + fovea.FormatID(int64(id)) + "/failed-update.jsonl"
}

func (u *update) putReport(ctx context.Context) error {
	name := updateReportName(u.Dataset.ID, u.rev.Number)
	if u.out.fault != nil {
		name = failedUpdateName(u.Dataset.ID)
	}
	return u.ops.putReport(ctx, u.scan, u.out, name)
}

// tidy removes what a finished update no longer needs.
func (u *update) tidy(ctx context.Context) {
	names := []string{u.job.Changes}
	for _, p := range u.out.parts {
		names = append(names, p.name)
	}
	u.ops.remove(ctx, names)
}
