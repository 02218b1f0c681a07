package fovea_test

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"fovea"
)

// TestStamps (CL-3.9): no two are the same, whatever the clock does.
func TestStamps(t *testing.T) {
	var s fovea.Stamps
	clock := []time.Time{time.UnixMilli(1000), time.UnixMilli(1000).Add(900 * time.Microsecond), time.UnixMilli(500), time.UnixMilli(2000)}
	var got []int64
	for _, now := range clock {
		got = append(got, s.Next(now).UnixMilli())
	}
	if want := []int64{1000, 1001, 1002, 2000}; !slices.Equal(got, want) {
		t.Errorf("stamps = %v, want %v", got, want)
	}
	var mu sync.Mutex
	seen := map[int64]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				ms := s.Next(time.UnixMilli(3000)).UnixMilli()
				mu.Lock()
				if seen[ms] {
					t.Errorf("%d was given twice", ms)
				}
				seen[ms] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// TestMoves (CL-4.2, LV-3.1): what a dataset may become, and nothing else.
func TestMoves(t *testing.T) {
	all := []fovea.DatasetStatus{"", fovea.Creating, fovea.Created, fovea.CreateFailed, fovea.Updating, fovea.Updated, fovea.UpdateFailed}
	allowed := map[fovea.DatasetStatus][]fovea.DatasetStatus{
		"": {fovea.Creating, fovea.Created}, fovea.Creating: {fovea.Created, fovea.CreateFailed}, fovea.Created: {fovea.Updating},
		fovea.Updating: {fovea.Updated, fovea.UpdateFailed}, fovea.Updated: {fovea.Updating}, fovea.UpdateFailed: {fovea.Updating},
	}
	now := time.UnixMilli(1e12)
	for _, from := range all {
		for _, to := range all {
			d := &fovea.Dataset{Split: fovea.Train, Status: from, Message: "old", Ours: true}
			err := d.Move(to, now)
			if slices.Contains(allowed[from], to) {
				if err != nil || d.Status != to || d.Message != "" || d.Ours || !d.Updated.Equal(now) {
					t.Errorf("%q to %q: %v, %+v", from, to, err, d)
				}
			} else if fovea.KindOf(err) != fovea.InUse || d.Status != from || d.Message != "old" {
				t.Errorf("%q to %q: %v, %+v", from, to, err, d)
			}
		}
	}
	for from, to := range map[fovea.DatasetStatus]fovea.DatasetStatus{fovea.Creating: fovea.CreateFailed, fovea.Updating: fovea.UpdateFailed} {
		d := &fovea.Dataset{Status: from}
		if err := d.Fail("why", true, now); err != nil || d.Status != to || d.Message != "why" || !d.Ours || d.InProgress() {
			t.Errorf("%q: %v, %+v", from, err, d)
		}
	}
	for _, from := range []fovea.DatasetStatus{fovea.Created, fovea.CreateFailed, fovea.Updated} {
		d := &fovea.Dataset{Status: from}
		if err := d.Fail("why", false, now); err == nil || d.Status != from || d.Message != "" {
			t.Errorf("%q can fail: %+v", from, d)
		}
	}
}

// TestNewID: identifiers are positive and sort by time, as names of blobs, too.
func TestNewID(t *testing.T) {
	last := int64(0)
	for _, now := range []time.Time{time.UnixMilli(1), time.UnixMilli(1.7e12), time.UnixMilli(1.7e12 + 1), time.Date(2088, 1, 1, 0, 0, 0, 0, time.UTC)} {
		id := fovea.NewID(now)
		if id <= last || fovea.FormatID(id) <= fovea.FormatID(last) || len(fovea.FormatID(id)) != 16 {
			t.Errorf("%v: %d after %d", now, id, last)
		}
		last = id
	}
	if fovea.FormatID(math.MaxInt64) != "7fffffffffffffff" {
		t.Error(fovea.FormatID(math.MaxInt64))
	}
}
