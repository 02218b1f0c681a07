package fovea_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"fovea"
	"fovea/internal/sqlstore"
)

// twice runs every update twice and keeps only the second, as a store does
// that meets a conflict.
type twice struct{ fovea.Store }

var errConflict = errors.New("conflict")

func (s twice) Update(ctx context.Context, fn func(fovea.Tx) error) error {
	err := s.Store.Update(ctx, func(tx fovea.Tx) error { return errors.Join(fn(tx), errConflict) })
	if !errors.Is(err, errConflict) {
		return err
	}
	return s.Store.Update(ctx, fn)
}

func openStore(t *testing.T) fovea.Store {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), "sqlite:"+t.TempDir()+"/fovea.db", sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return twice{s}
}

// A thing is an answer with parts that a replay must not mix.
type thing struct {
	Name string
	List []int
	Next *thing
}

// TestOnce (LV-4): what a token does to a call.
func TestOnce(t *testing.T) {
	s := openStore(t)
	now := time.UnixMilli(1e12)
	key := fovea.TokenKey{Account: "1", Region: "r", Operation: "op", Value: "v"}
	ran := 0
	call := func(k *fovea.TokenKey, params string, fail error) (thing, error) {
		ctx := context.Background()
		if k != nil {
			ctx = fovea.WithToken(ctx, fovea.Token{Key: *k, Params: params})
		}
		var out thing
		err := s.Update(ctx, func(tx fovea.Tx) error {
			return fovea.Once(ctx, tx, now, &out, func() error {
				ran++
				out = thing{Name: "made", List: []int{ran}}
				return fail
			})
		})
		return out, err
	}
	other := key
	other.Operation = "another"
	first, err := call(&key, "p", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		key    *fovea.TokenKey
		params string
		after  time.Duration
		replay bool
		kind   fovea.Kind
	}{
		{name: "the same again (LV-4.3)", key: &key, params: "p", replay: true},
		{name: "other parameters (LV-4.5)", key: &key, params: "q", kind: fovea.Invalid},
		{name: "another operation (LV-4.8)", key: &other, params: "q"},
		{name: "no token (LV-1.13)"},
		{name: "just before the end (LV-4.7)", key: &key, params: "p", after: fovea.TokenLife - time.Millisecond, replay: true},
		{name: "after it", key: &key, params: "q", after: fovea.TokenLife},
		{name: "the new one counts then", key: &key, params: "p", after: fovea.TokenLife, kind: fovea.Invalid},
	} {
		now = time.UnixMilli(1e12).Add(tt.after)
		before := ran
		got, err := call(tt.key, tt.params, nil)
		switch {
		case tt.kind != 0:
			if fovea.KindOf(err) != tt.kind || ran != before {
				t.Errorf("%s: err = %v, ran %d times", tt.name, err, ran-before)
			}
		case err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.replay && (ran != before || got.List[0] != first.List[0] || got.Name != "made"):
			t.Errorf("%s: ran %d times, %+v", tt.name, ran-before, got)
		case !tt.replay && ran == before:
			t.Errorf("%s: did not run", tt.name)
		}
	}
	// A failure is not remembered (LV-4.11).
	key.Value = "w"
	if _, err := call(&key, "p", errors.New("no")); err == nil {
		t.Error("no error")
	}
	before := ran
	if _, err := call(&key, "p", nil); err != nil || ran == before {
		t.Errorf("after a failure: %v, ran %d times", err, ran-before)
	}
}

// TestReplay: before its transaction an operation learns whether there is
// nothing left to do, and then has the whole answer.
func TestReplay(t *testing.T) {
	s := openStore(t)
	ctx := fovea.WithToken(context.Background(), fovea.Token{Key: fovea.TokenKey{Value: "v"}, Params: "p"})
	now := time.UnixMilli(1e12)
	out := thing{}
	if done, err := fovea.Replay(ctx, s, now, &out); done || err != nil {
		t.Errorf("before: %v, %v", done, err)
	}
	made := thing{Name: "x", Next: &thing{List: []int{1, 2}}}
	err := s.Update(ctx, func(tx fovea.Tx) error {
		return fovea.Once(ctx, tx, now, &out, func() error { out = made; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	out = thing{}
	if done, err := fovea.Replay(ctx, s, now, &out); !done || err != nil || out.Name != "x" || out.Next == nil || len(out.Next.List) != 2 {
		t.Errorf("after: %v, %v, %+v", done, err, out)
	}
	if done, err := fovea.Replay(context.Background(), s, now, &out); done || err != nil {
		t.Errorf("without a token: %v, %v", done, err)
	}
}
