package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cespare/xxhash/v2"

	"fovea"
	"fovea/internal/manifest"
	"fovea/internal/segment"
)

// testShare is the share of the entries that distributing moves (CL-2.111).
const testShare = 0.2

// Distribute starts to move a fifth of the entries of a project's train dataset
// to its test dataset, which must be empty. Both have changed their status
// before it answers (CL-2.112). A dataset that cannot be changed now is
// NotReady, and a test dataset with entries Invalid (CL-2.113).
func (o *Ops) Distribute(ctx context.Context, key fovea.ProjectKey, match func(train, test *View) error) error {
	return o.Store.Update(ctx, func(tx fovea.Tx) error {
		train, err := distributable(tx, key, fovea.Train)
		if err != nil {
			return err
		}
		test, err := distributable(tx, key, fovea.Test)
		if err != nil {
			return err
		}
		if err := match(train, test); err != nil {
			return err
		}
		for _, v := range []*View{train, test} {
			if !v.Dataset.Usable() {
				return fovea.Errorf(fovea.NotReady, "The %s dataset of project %s is %s. Both datasets must be ready.",
					v.Dataset.Split, key.Name, v.Dataset.Status)
			}
		}
		if n := test.Revision.Stats.Entries; n > 0 {
			return fovea.Errorf(fovea.Invalid, "The test dataset of project %s has %d entries. It must be empty to distribute entries to it.", key.Name, n)
		}
		since := o.stamps.Next(o.now())
		for _, v := range []*View{train, test} {
			if err := v.Dataset.Move(fovea.Updating, since); err != nil {
				return err
			}
			if err := tx.PutDataset(v.Dataset); err != nil {
				return err
			}
		}
		return tx.Enqueue(fovea.DistributeJob{Train: train.Dataset.ID, Test: test.Dataset.ID, Since: since, Caller: fovea.CallerOf(ctx).KeyID})
	})
}

func distributable(tx fovea.Tx, key fovea.ProjectKey, split fovea.Split) (*View, error) {
	v, err := find(tx, key, split)
	if err == nil && v.Dataset.Revision != 0 {
		v.Revision, err = tx.RevisionStats(v.Dataset.ID, v.Dataset.Revision)
	}
	return v, err
}

// A tooFew is a sentence that says why entries cannot be distributed (CL-7.63).
type tooFew string

// Error returns the sentence.
func (e tooFew) Error() string { return string(e) }

// RunDistribute moves the entries and commits both datasets' new revisions
// together, or both failures. Its errors are Internal, as those of RunImport.
func (o *Ops) RunDistribute(ctx context.Context, job fovea.DistributeJob) error {
	if err := o.runDistribute(ctx, job); err != nil {
		return fmt.Errorf("distribute dataset %d to %d: %v", job.Train, job.Test, err)
	}
	return nil
}

// FailDistribute gives up a distribution whose job failed too often.
func (o *Ops) FailDistribute(ctx context.Context, job fovea.DistributeJob) error {
	return o.failChange(ctx, job.Since, job.Train, job.Test)
}

// A distribution is under way from one dataset to the other.
type distribution struct {
	ops         *Ops
	job         fovea.DistributeJob
	profile     fovea.Profile
	train, test *fovea.Revision
}

func (o *Ops) runDistribute(ctx context.Context, job fovea.DistributeJob) error {
	d, err := o.openDistribution(ctx, job)
	if err != nil || d == nil {
		return err
	}
	var few tooFew
	if err := d.move(ctx); err != nil && !errors.As(err, &few) {
		return err
	}
	return d.commit(ctx, few)
}

func (o *Ops) openDistribution(ctx context.Context, job fovea.DistributeJob) (*distribution, error) {
	d := &distribution{ops: o, job: job}
	err := o.Store.View(ctx, func(tx fovea.Tx) error {
		train, err := updating(tx, job.Train, job.Since)
		if err != nil || train == nil {
			return err
		}
		test, err := updating(tx, job.Test, job.Since)
		if err != nil || test == nil {
			return err
		}
		p, err := tx.Project(train.Project)
		if err != nil {
			return err
		}
		d.profile = o.Profiles[p.Service]
		if d.train, err = tx.Revision(train.ID, train.Revision); err != nil {
			return err
		}
		d.test, err = tx.Revision(test.ID, test.Revision)
		return err
	})
	if err != nil || d.test == nil {
		return nil, err
	}
	return d, nil
}

// A candidate is an entry that may be moved.
type candidate struct {
	segment, row int32
	labels       []int32
	order        uint64 // by which the choice is made: a hash of its source-ref
	chosen       bool
}

// move chooses the entries, and makes the revisions that come of moving them.
func (d *distribution) move(ctx context.Context) error {
	candidates, labels, err := d.candidates(ctx)
	if err != nil {
		return err
	}
	if err := choose(candidates, labels); err != nil {
		return err
	}
	rows := map[int][]int{}
	for _, c := range candidates {
		if c.chosen {
			rows[int(c.segment)] = append(rows[int(c.segment)], int(c.row))
		}
	}
	return d.moveRows(ctx, rows)
}

// candidates returns the labelled entries without line-level errors (CL-7.62),
// and the names of their labels.
func (d *distribution) candidates(ctx context.Context) (list []candidate, labels []string, err error) {
	index := map[string]int32{}
	err = d.ops.Reader.Each(ctx, d.train.Segments, func(at segment.Place, sourceRef []byte, f segment.Fact, problems []segment.Problem) {
		if !f.Labeled || slices.ContainsFunc(problems, func(p segment.Problem) bool { return p.At == "" }) {
			return
		}
		c := candidate{segment: int32(at.Segment), row: int32(at.Row), order: xxhash.Sum64(sourceRef)}
		for _, l := range f.Labels {
			if !l.Used {
				continue
			}
			id, ok := index[l.Name]
			if !ok {
				id = int32(len(labels))
				index[l.Name] = id
				labels = append(labels, l.Name)
			}
			c.labels = append(c.labels, id)
		}
		list = append(list, c)
	})
	return list, labels, err
}

// choose marks a representative fifth of the candidates: of each label about a
// fifth of its entries, at least one and not all (CL-7.62, CL-7.65). Labels are
// served the rarest first, and entries in the order of a hash, so that the same
// entries are always divided the same way. Its error is a tooFew that names the
// label that cannot be in both datasets.
func choose(list []candidate, names []string) error {
	if len(list) < 2 {
		return tooFew(fmt.Sprintf("The train dataset needs 2 labeled images without errors or more; it has %d.", len(list)))
	}
	labels := len(names)
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.segment, b.segment), cmp.Compare(a.row, b.row))
	})
	have, taken := make([]int, labels), make([]int, labels)
	byLabel := make([][]int32, labels)
	for i, c := range list {
		for _, l := range c.labels {
			have[l]++
			byLabel[l] = append(byLabel[l], int32(i))
		}
	}
	order := make([]int, labels)
	for l := range order {
		order[l] = l
		if have[l] < 2 {
			return tooFew(fmt.Sprintf("The label %s has 1 image; every label needs 2 or more.", quoted(names[l])))
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return have[a] - have[b] })
	least := func(l int) int { return max(1, int(testShare*float64(have[l]))) }
	most := func(l int) int { return int(math.Ceil(testShare * float64(have[l]))) }
	total, target := 0, max(1, int(testShare*float64(len(list))+0.5))
	take := func(c *candidate) {
		c.chosen = true
		total++
		for _, l := range c.labels {
			taken[l]++
		}
	}
	// spare reports whether every label of c keeps an entry in train.
	spare := func(c *candidate) bool {
		return !slices.ContainsFunc(c.labels, func(l int32) bool { return taken[l] >= have[l]-1 })
	}
	for _, l := range order {
		for _, i := range byLabel[l] {
			if taken[l] >= least(l) {
				break
			}
			if c := &list[i]; !c.chosen && spare(c) {
				take(c)
			}
		}
		if taken[l] == 0 {
			return tooFew(fmt.Sprintf("All images of the label %s are needed in the train dataset for their other labels.", quoted(names[l])))
		}
	}
	for i := range list {
		if total >= target {
			break
		}
		if c := &list[i]; !c.chosen && spare(c) && !slices.ContainsFunc(c.labels, func(l int32) bool { return taken[l] >= most(int(l)) }) {
			take(c)
		}
	}
	for i := range list { // then whatever keeps every label in train
		if total >= target {
			break
		}
		if c := &list[i]; !c.chosen && spare(c) {
			take(c)
		}
	}
	return nil
}

// quoted returns a label's name in quotes, its beginning if it is long.
func quoted(name string) string { return fmt.Sprintf("%q", manifest.Excerpt([]byte(name), maxFound)) }

// moveRows masks the rows in the train dataset's segments and writes their
// entries into segments of the test dataset.
func (d *distribution) moveRows(ctx context.Context, rows map[int][]int) error {
	train, test := *d.train, *d.test
	train.Number++
	test.Number++
	train.Segments = slices.Clone(train.Segments)
	test.Segments, test.Bucket = nil, train.Bucket
	gone, come := newTally(&train), newTally(&test)
	w := &rewriter{ops: d.ops, imported: d.job.Since,
		prefix: "segments/" + fovea.FormatID(int64(d.job.Test)) + "/" + fovea.FormatID(d.job.Since.UnixMilli())}
	var chosen []fovea.SegmentRef
	for i := range train.Segments {
		if len(rows[i]) == 0 {
			continue
		}
		ref := &train.Segments[i]
		only, err := onlyRows(*ref, rows[i])
		if err != nil {
			return err
		}
		chosen = append(chosen, only)
		if err := maskRows(ref, rows[i]); err != nil {
			return err
		}
	}
	// In the order of the train dataset, which is not that of its segments:
	// those of updates hold entries that lie between those of others.
	err := d.ops.Reader.Merge(ctx, chosen, func(e *manifest.Entry) error {
		f := segment.Fact{Labeled: e.Labeled, Errors: len(e.Problems) > 0, Class: e.Class, Labels: e.Labels}
		gone.remove(f)
		come.add(f)
		e.Offset = test.NextSeq
		test.NextSeq++
		return w.add(ctx, e)
	})
	if err != nil {
		return err
	}
	train.Segments = slices.DeleteFunc(train.Segments, func(s fovea.SegmentRef) bool { return s.Rows == s.Masked })
	if test.Segments, err = w.finish(ctx); err != nil {
		return err
	}
	gone.finish(&train)
	come.finish(&test)
	d.train, d.test = &train, &test
	return nil
}

// onlyRows returns a segment with all rows masked but the given ones.
func onlyRows(ref fovea.SegmentRef, rows []int) (fovea.SegmentRef, error) {
	others := roaring.New()
	others.AddRange(0, uint64(ref.Rows))
	for _, row := range rows {
		others.Remove(uint32(row))
	}
	b, err := others.ToBytes()
	ref.Deleted, ref.Masked = b, ref.Rows-int64(len(rows))
	return ref, err
}

// commit makes the outcome the state of both datasets: the revisions, or that
// there are too few entries, and why.
func (d *distribution) commit(ctx context.Context, few tooFew) error {
	o := d.ops
	return o.Store.Update(ctx, func(tx fovea.Tx) error {
		now := o.now()
		for _, r := range []*fovea.Revision{d.train, d.test} {
			ds, err := updating(tx, r.Dataset, d.job.Since)
			if err != nil || ds == nil {
				return err // the other one is not Updating either
			}
			if few != "" {
				_, message := d.profile.FaultText(fovea.Fault{Kind: fovea.FaultTooFew, Found: string(few)})
				if err := ds.Fail(message, false, now); err != nil {
					return err
				}
			} else {
				if err := ds.Move(fovea.Updated, now); err != nil {
					return err
				}
				ds.Revision = r.Number
				r.Created, r.Caller, r.Cause, r.Report = now, d.job.Caller, "distribute", ""
				if err := tx.PutRevision(r); err != nil {
					return err
				}
			}
			if err := tx.PutDataset(ds); err != nil {
				return err
			}
		}
		return nil
	})
}
