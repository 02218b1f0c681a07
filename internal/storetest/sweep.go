package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"fovea"
)

func testReachable(t *testing.T, s Store, _ *clock) {
	names := func() []string {
		names := []string{}
		for name, err := range s.Reachable(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	same(t, "reachable from nothing", []string{}, names())

	p := project(1, "a")
	train, test := dataset(10, p, fovea.Train), dataset(11, p, fovea.Test)
	have := func(d *fovea.Dataset, number int64, report string, segments ...string) *fovea.Revision {
		r := &fovea.Revision{Dataset: d.ID, Number: number, Report: report}
		for _, name := range segments {
			r.Segments = append(r.Segments, fovea.SegmentRef{Name: name})
		}
		return r
	}
	update(t, s, func(tx fovea.Tx) error {
		return errors.Join(tx.PutProject(p), tx.PutDataset(train), tx.PutDataset(test),
			tx.PutRevision(have(train, 1, "r/1", "s/a")), tx.PutRevision(have(train, 2, "", "s/a", "s/b")),
			tx.PutRevision(have(test, 1, "r/2")), tx.PutRevision(have(test, 2, "", "s/b", "s/c")))
	})
	same(t, "reachable", []string{"r/1", "r/2", "s/a", "s/b", "s/c"}, names())
	for range s.Reachable(t.Context()) {
		break // and the iterator stops
	}
	update(t, s, func(tx fovea.Tx) error { return tx.DeleteDataset(train.ID) })
	same(t, "reachable after a dataset was deleted", []string{"r/2", "s/b", "s/c"}, names())
}

func testDeleteTokens(t *testing.T, s Store, _ *clock) {
	const n = 5100 // more than one transaction removes
	key := func(i int) fovea.TokenKey { return fovea.TokenKey{Account: "1", Value: fmt.Sprint(i)} }
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Second) }
	token := func(i int) *fovea.Token { return &fovea.Token{Key: key(i), Answer: []byte("{}"), Used: at(i)} }
	update(t, s, func(tx fovea.Tx) error {
		for i := range n {
			if err := tx.PutToken(token(i)); err != nil {
				return err
			}
		}
		return nil
	})
	deleted, err := s.DeleteTokens(t.Context(), at(n-1))
	if deleted != n-1 || err != nil {
		t.Errorf("deleted %d, %v, want %d", deleted, err, n-1)
	}
	left := view(t, s, func(tx fovea.Tx) (*fovea.Token, error) { return tx.Token(key(n - 1)) })
	same(t, "the token that is left", token(n-1), left)
}
