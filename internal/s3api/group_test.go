package s3api

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

// together runs updates so that they share a commit: they queue up while the
// turn is held.
func together(t *testing.T, s *Store, fns ...func(*tx) error) []error {
	t.Helper()
	errs := make([]error, len(fns))
	s.turn.Lock()
	var all sync.WaitGroup
	for i, fn := range fns {
		all.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[i] = fmt.Errorf("panic: %v", p)
				}
			}()
			errs[i] = s.update(t.Context(), fn)
		})
		for queued := 0; queued <= i; {
			s.queueMu.Lock()
			queued = len(s.queue)
			s.queueMu.Unlock()
		}
	}
	s.turn.Unlock()
	all.Wait()
	return errs
}

// putBucket returns an update that makes a bucket and then fails with an error.
func putBucket(name string, fail error) func(*tx) error {
	return func(t *tx) error {
		_, err := t.exec(`INSERT INTO buckets (name, created, region, versioning) VALUES (?1, 0, '', '')`, name)
		if err == nil {
			err = fail
		}
		return err
	}
}

// TestGroup commits writes together: one that is refused, fails or panics takes
// nothing of the others with it, and sees what those before it did.
func TestGroup(t *testing.T) {
	t.Parallel()
	s := openStore(t, t.TempDir(), Options{})
	refused := errorf("BucketAlreadyExists", "It is there.")
	errs := together(t, s,
		putBucket("first", nil),
		putBucket("refused", refused),
		putBucket("first", nil), // unique
		func(t *tx) error { putBucket("panics", nil)(t); panic("oh") },
		func(t *tx) error {
			var n int
			if err := t.queryRow(`SELECT count(*) FROM buckets`).Scan(&n); err != nil || n != 1 {
				return fmt.Errorf("it sees %d buckets, %v", n, err)
			}
			return nil
		},
		putBucket("last", nil),
	)
	for i, want := range []string{"", "It is there.", "UNIQUE", "panic: oh", "", ""} {
		if err := errs[i]; (err == nil) != (want == "") || want == "UNIQUE" && err == nil {
			t.Errorf("write %d: %v, want %q", i, err, want)
		}
	}
	if !errors.Is(errs[1], refused) {
		t.Errorf("a refusal became %v", errs[1])
	}
	names, err := s.listBuckets(t.Context(), "", "", 100)
	if err != nil || len(names) != 2 {
		t.Errorf("there are %v, %v", names, err)
	}
}

// TestGroupFails fails a whole commit: nobody is told that anything happened,
// nor that it was refused for what has not happened.
func TestGroupFails(t *testing.T) {
	t.Parallel()
	s := openStore(t, t.TempDir(), Options{})
	errs := together(t, s,
		putBucket("a", nil),
		putBucket("b", errorf("BucketAlreadyExists", "It is there.")),
		func(t *tx) error { return t.Rollback() }, // as SQLite does when the disk is full
		putBucket("c", nil),
	)
	for i, err := range errs {
		if err == nil || asError(err) != nil {
			t.Errorf("write %d: %v, want a failure that is nobody's refusal", i, err)
		}
	}
	names, err := s.listBuckets(t.Context(), "", "", 100)
	if err != nil || len(names) != 0 {
		t.Errorf("there are %v, %v", names, err)
	}
	if err := s.CreateBucket(t.Context(), "after", ""); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// TestGroupLarge puts more writes than one commit takes.
func TestGroupLarge(t *testing.T) {
	t.Parallel()
	s := openStore(t, t.TempDir(), Options{})
	var fns []func(*tx) error
	for i := range 2*maxGroup + 10 {
		fns = append(fns, putBucket(fmt.Sprint("bucket-", i), nil))
	}
	for i, err := range together(t, s, fns...) {
		if err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	}
}
