package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fovea"
)

var tokenKey = fovea.TokenKey{Account: "111122223333", Region: "us-east-1", Operation: "lookout.CreateDataset", Value: "abc-1"}

func testToken(t *testing.T, s fovea.Store) {
	get := func(tx fovea.Tx) (*fovea.Token, error) { return tx.Token(tokenKey) }
	absent(t, s, "token", get)
	want := &fovea.Token{Key: tokenKey, Params: "digest", Answer: []byte(`{"a":1}`), Used: start}
	update(t, s, func(tx fovea.Tx) error { return tx.PutToken(want) })
	same(t, "token", want, view(t, s, get))
	want.Params, want.Answer, want.Used = "other", []byte("null"), start.Add(time.Second)
	update(t, s, func(tx fovea.Tx) error { return tx.PutToken(want) })
	same(t, "replaced token", want, view(t, s, get))

	// The scope is account, region and operation (LV-4.8).
	for _, change := range []func(*fovea.TokenKey){
		func(k *fovea.TokenKey) { k.Account = "444455556666" },
		func(k *fovea.TokenKey) { k.Region = "eu-west-1" },
		func(k *fovea.TokenKey) { k.Operation = "lookout.DeleteDataset" },
		func(k *fovea.TokenKey) { k.Value = "ABC-1" },
	} {
		k := tokenKey
		change(&k)
		absent(t, s, fmt.Sprintf("token %v", k), func(tx fovea.Tx) (*fovea.Token, error) { return tx.Token(k) })
	}
}

// create makes a project as an operation does: it looks, it writes, and the
// call's client token makes it do so once.
func create(ctx context.Context, s fovea.Store, id int64, name string, now time.Time) (int64, error) {
	var made int64
	err := s.Update(ctx, func(tx fovea.Tx) error {
		return fovea.Once(ctx, tx, now, &made, func() error {
			p := project(id, name)
			_, err := tx.ProjectNamed(p.Key())
			if err == nil {
				return fovea.Errorf(fovea.Exists, "there is a project %s", name)
			}
			if fovea.KindOf(err) != fovea.NotFound {
				return err
			}
			made = id
			return tx.PutProject(p)
		})
	})
	return made, err
}

func withToken(ctx context.Context, params string) context.Context {
	return fovea.WithToken(ctx, fovea.Token{Key: tokenKey, Params: params})
}

func testOnce(t *testing.T, s fovea.Store) {
	ctx := withToken(t.Context(), "p")
	replay := func(ctx context.Context, now time.Time) (int64, bool, error) {
		var made int64
		done, err := fovea.Replay(ctx, s, now, &made)
		return made, done, err
	}
	if _, done, err := replay(ctx, start); done || err != nil {
		t.Fatalf("replay of a new token = %v, %v", done, err)
	}
	if id, err := create(ctx, s, 1, "a", start); id != 1 || err != nil {
		t.Fatalf("first = %d, %v", id, err)
	}
	// The project goes, and the replay still answers and does nothing (LV-4.15).
	update(t, s, func(tx fovea.Tx) error { return tx.DeleteProject(1) })
	late := start.Add(fovea.TokenLife - time.Millisecond)
	if id, err := create(ctx, s, 2, "a", late); id != 1 || err != nil {
		t.Errorf("second = %d, %v, want the first answer", id, err)
	}
	if id, done, err := replay(ctx, late); id != 1 || !done || err != nil {
		t.Errorf("replay = %d, %v, %v", id, done, err)
	}
	absent(t, s, "project 2", func(tx fovea.Tx) (*fovea.Project, error) { return tx.Project(2) })
	// Other parameters are an error (LV-4.5).
	if _, err := create(withToken(t.Context(), "q"), s, 2, "a", start); fovea.KindOf(err) != fovea.Invalid {
		t.Errorf("other parameters = %v, want Invalid", err)
	}
	// After eight hours the token is as if never seen (LV-4.7).
	after := start.Add(fovea.TokenLife)
	if _, done, err := replay(ctx, after); done || err != nil {
		t.Errorf("replay after eight hours = %v, %v", done, err)
	}
	if id, err := create(withToken(t.Context(), "q"), s, 3, "a", after); id != 3 || err != nil {
		t.Errorf("after eight hours = %d, %v", id, err)
	}
	// A call that fails is not remembered (LV-4.11).
	failed := fovea.WithToken(t.Context(), fovea.Token{Key: fovea.TokenKey{Value: "x"}})
	if _, err := create(failed, s, 4, "a", after); fovea.KindOf(err) != fovea.Exists {
		t.Errorf("second project of the name = %v, want Exists", err)
	}
	if id, err := create(failed, s, 4, "b", after); id != 4 || err != nil {
		t.Errorf("after a failure = %d, %v", id, err)
	}
}

// testOnceAtOnce: a hundred calls with one token have one effect (T21,
// LV-4.12).
func testOnceAtOnce(t *testing.T, s fovea.Store) {
	ctx := withToken(t.Context(), "p")
	ids := make([]int64, 100)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			var err error
			if ids[i], err = create(ctx, s, int64(i+1), "a", start); err != nil {
				t.Errorf("create: %v", err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] || id == 0 {
			t.Fatalf("answers differ: %v", ids)
		}
	}
	n := view(t, s, func(tx fovea.Tx) (int, error) { return tx.CountProjects(project(1, "a").Key()) })
	same(t, "projects", 1, n)
}

// testOneOfHundred: of a hundred calls that make one name, one wins.
func testOneOfHundred(t *testing.T, s fovea.Store) {
	var wg sync.WaitGroup
	var won, lost atomic.Int32
	for i := range 100 {
		wg.Go(func() {
			_, err := create(t.Context(), s, int64(i+1), "a", start)
			switch {
			case err == nil:
				won.Add(1)
			case fovea.KindOf(err) == fovea.Exists:
				lost.Add(1)
			default:
				t.Errorf("create: %v", err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 99 {
		t.Errorf("%d won and %d lost, want 1 and 99", won.Load(), lost.Load())
	}
}

// testCounter: no update is lost.
func testCounter(t *testing.T, s fovea.Store) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if err := s.Update(t.Context(), increment("n")); err != nil {
					t.Errorf("increment: %v", err)
				}
			}
		})
	}
	wg.Wait()
	same(t, "counter", "80", view(t, s, func(tx fovea.Tx) (string, error) { return tx.Setting("n") }))
}

func increment(name string) func(fovea.Tx) error {
	return func(tx fovea.Tx) error {
		n := 0
		value, err := tx.Setting(name)
		if err == nil {
			_, err = fmt.Sscan(value, &n)
		}
		if err != nil && fovea.KindOf(err) != fovea.NotFound {
			return err
		}
		return tx.PutSetting(name, fmt.Sprint(n+1))
	}
}

func testRollback(t *testing.T, s fovea.Store) {
	stop := errors.New("stop")
	err := s.Update(t.Context(), func(tx fovea.Tx) error {
		return errors.Join(tx.PutProject(project(1, "a")), tx.PutSetting("x", "1"), stop)
	})
	if !errors.Is(err, stop) {
		t.Errorf("update = %v, want %v", err, stop)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Errorf("the panic did not come out")
			}
		}()
		s.Update(t.Context(), func(tx fovea.Tx) error {
			if err := tx.PutSetting("x", "2"); err != nil {
				t.Error(err)
			}
			panic("a mistake")
		})
	}()
	absent(t, s, "project", func(tx fovea.Tx) (*fovea.Project, error) { return tx.Project(1) })
	absent(t, s, "setting", func(tx fovea.Tx) (string, error) { return tx.Setting("x") })
	update(t, s, put(project(1, "a"))) // nothing is locked
}

// testIsolation: a View sees one state, from its first read to its end.
func testIsolation(t *testing.T, s fovea.Store) {
	update(t, s, increment("n"))
	err := s.View(t.Context(), func(tx fovea.Tx) error {
		for range 3 {
			if v, err := tx.Setting("n"); v != "1" || err != nil {
				t.Errorf("in the view n = %s, %v, want 1", v, err)
			}
			update(t, s, func(in fovea.Tx) error {
				if err := increment("n")(in); err != nil {
					return err
				}
				// Beside a transaction that has written, readers go on.
				before := view(t, s, func(tx fovea.Tx) (string, error) { return tx.Setting("n") })
				if after, err := in.Setting("n"); err != nil || after == before {
					t.Errorf("n is %s for others, %s in the transaction, %v", before, after, err)
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "n", "4", view(t, s, func(tx fovea.Tx) (string, error) { return tx.Setting("n") }))
}

func testReadOnly(t *testing.T, s fovea.Store) {
	err := s.View(t.Context(), func(tx fovea.Tx) error { return tx.PutSetting("x", "1") })
	if err == nil || fovea.KindOf(err) != fovea.Internal {
		t.Errorf("writing in a View = %v, want an Internal error", err)
	}
	absent(t, s, "setting", func(tx fovea.Tx) (string, error) { return tx.Setting("x") })
}

func testContext(t *testing.T, s fovea.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, func(tx fovea.Tx) error {
		err := tx.PutSetting("x", "1")
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("update whose context ended = %v, want %v", err, context.Canceled)
	}
	for name, run := range map[string]func(context.Context, func(fovea.Tx) error) error{"View": s.View, "Update": s.Update} {
		err := run(ctx, func(fovea.Tx) error { t.Errorf("%s ran", name); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s after its context ended = %v, want %v", name, err, context.Canceled)
		}
	}
	absent(t, s, "setting", func(tx fovea.Tx) (string, error) { return tx.Setting("x") })

	// Who waits for another's transaction stops waiting.
	update(t, s, func(tx fovea.Tx) error {
		if err := tx.PutSetting("x", "0"); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := s.Update(ctx, func(tx fovea.Tx) error { return tx.PutSetting("x", "1") })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("update that waits too long = %v, want %v", err, context.DeadlineExceeded)
		}
		return nil
	})
}
