package storetest

import (
	"errors"
	"testing"
	"time"

	"fovea"
)

// testRevisions: revisions come the latest first, below a number, without
// their segments, and one that is deleted is gone with its segments.
func testRevisions(t *testing.T, s fovea.Store) {
	p := project(1, "a")
	d, other := dataset(10, p, fovea.Train), dataset(11, p, fovea.Test)
	update(t, s, func(tx fovea.Tx) error {
		errs := []error{tx.PutProject(p), tx.PutDataset(d), tx.PutDataset(other), tx.PutRevision(revision(other, 1, 1))}
		for n := range int64(5) {
			errs = append(errs, tx.PutRevision(revision(d, n+1, 2)))
		}
		return errors.Join(errs...)
	})
	list := func(below int64, n int) (numbers []int64) {
		revs := view(t, s, func(tx fovea.Tx) ([]*fovea.Revision, error) { return tx.Revisions(d.ID, below, n) })
		for _, r := range revs {
			numbers = append(numbers, r.Number)
			want := revision(d, r.Number, 0)
			same(t, "revision of a list", want, r)
		}
		return numbers
	}
	same(t, "all", []int64{5, 4, 3, 2, 1}, list(0, 10))
	same(t, "below 4", []int64{3, 2, 1}, list(4, 10))
	same(t, "two below 4", []int64{3, 2}, list(4, 2))
	same(t, "below 1", []int64(nil), list(1, 2))

	for range 2 { // the second time there is none
		update(t, s, func(tx fovea.Tx) error { return tx.DeleteRevision(fovea.RevisionKey{Dataset: d.ID, Number: 3}) })
		same(t, "after a deletion", []int64{5, 4, 2, 1}, list(0, 10))
	}
	absent(t, s, "deleted revision", func(tx fovea.Tx) (*fovea.Revision, error) { return tx.Revision(d.ID, 3) })
	update(t, s, func(tx fovea.Tx) error { return tx.PutRevision(revision(d, 3, 1)) })
}

// testOldRevisions: what may be dropped is judged by when the next revision
// came, and never the current one.
func testOldRevisions(t *testing.T, s Store, _ *clock) {
	p := project(1, "a")
	d, other, empty := dataset(10, p, fovea.Train), dataset(20, p, fovea.Test), dataset(30, project(2, "b"), fovea.Test)
	d.Revision, other.Revision = 5, 1
	at := func(n int64) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	update(t, s, func(tx fovea.Tx) error {
		errs := []error{tx.PutProject(p), tx.PutProject(project(2, "b")), tx.PutDataset(d), tx.PutDataset(other), tx.PutDataset(empty)}
		for _, n := range []int64{1, 2, 4, 5, 6} { // 3 is gone; 6 is not there yet for its dataset
			r := revision(d, n, 1)
			r.Created = at(n)
			errs = append(errs, tx.PutRevision(r))
		}
		r := revision(other, 1, 1)
		r.Created = at(1)
		return errors.Join(append(errs, tx.PutRevision(r))...)
	})
	for _, tt := range []struct {
		name      string
		after     int64
		old, sure time.Time
		keep      int64
		n         int
		want      []int64
	}{
		{"all but the current one", 0, at(100), at(100), 0, 10, []int64{1, 2, 4}},
		{"in pages", 1, at(100), at(100), 0, 1, []int64{2}},
		{"replaced before", 0, at(4), at(100), 0, 10, []int64{1}},
		{"when the next that is left came", 0, at(5), at(100), 0, 10, []int64{1, 2}},
		{"by number", 0, at(0), at(100), 3, 10, []int64{1, 2}},
		{"by number, not yet", 0, at(0), at(3), 1, 10, []int64{1}},
		{"none", 0, at(0), at(0), 1, 10, nil},
	} {
		list, err := s.OldRevisions(t.Context(), fovea.RevisionKey{Dataset: d.ID, Number: tt.after}, tt.old, tt.sure, tt.keep, tt.n)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, k := range list {
			if k.Dataset != d.ID {
				t.Errorf("%s: a revision of dataset %d", tt.name, k.Dataset)
			}
			got = append(got, k.Number)
		}
		same(t, tt.name, tt.want, got)
	}
}

// testAllRevisions: more than are read at a time come in order, whole.
func testAllRevisions(t *testing.T, s Store, _ *clock) {
	const n = 130
	p := project(1, "a")
	train, test := dataset(10, p, fovea.Train), dataset(11, p, fovea.Test)
	var want []*fovea.Revision
	update(t, s, func(tx fovea.Tx) error {
		want = nil
		errs := []error{tx.PutProject(p), tx.PutDataset(train), tx.PutDataset(test)}
		for _, d := range []*fovea.Dataset{train, test} {
			for i := range int64(n) {
				r := revision(d, i+1, 3)
				want = append(want, r)
				errs = append(errs, tx.PutRevision(r))
			}
		}
		return errors.Join(errs...)
	})
	var got []*fovea.Revision
	for r, err := range s.AllRevisions(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	same(t, "all revisions", want, got)
	for range s.AllRevisions(t.Context()) {
		break // and the iterator stops
	}
}

// testLiveJobs: the arguments of jobs that are queued or running.
func testLiveJobs(t *testing.T, s Store, _ *clock) {
	update(t, s, func(tx fovea.Tx) error {
		return errors.Join(tx.Enqueue(fovea.UpdateJob{Changes: "changes/1"}), tx.Enqueue(fovea.SweepJob{}), tx.Enqueue(fovea.UpdateJob{Changes: "changes/2"}))
	})
	count := func(want int) {
		t.Helper()
		args, err := s.LiveJobs(t.Context(), fovea.UpdateJob{}.Kind())
		if err != nil || len(args) != want {
			t.Errorf("live jobs: %q, %v; want %d", args, err, want)
		}
	}
	count(2)
	job, err := s.ClaimJob(t.Context(), "w", []string{fovea.UpdateJob{}.Kind()}, nil, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	count(2)
	if err := s.EndJob(t.Context(), job.ID, "w", "done", ""); err != nil {
		t.Fatal(err)
	}
	count(1)
}
