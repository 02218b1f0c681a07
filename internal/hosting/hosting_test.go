package hosting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fovea"
)

type fake struct {
	name  string
	bytes int64
}

func (f *fake) Bytes() int64 { return f.bytes }

func model(id int64, units int) *fovea.Model {
	return &fovea.Model{ID: fovea.ModelID(id), Name: fmt.Sprint("v", id), Weights: fmt.Sprint("weights/", id), MinUnits: units, Status: fovea.Running}
}

// host returns a host whose models take 100 bytes each, and how often it loads.
func host() (*Host, *atomic.Int64) {
	var loads atomic.Int64
	return &Host{Load: func(_ context.Context, m *fovea.Model) (Predictor, error) {
		loads.Add(1)
		return &fake{m.Weights, 100}, nil
	}}, &loads
}

func TestUseLoadsOnce(t *testing.T) {
	h, loads := host()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			err := h.Use(t.Context(), model(1, 2), func(p Predictor) error {
				if p.(*fake).name != "weights/1" {
					t.Errorf("got %v", p)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := loads.Load(); n != 1 {
		t.Errorf("loaded %d times", n)
	}
	if models, bytes := h.Loaded(); models != 1 || bytes != 100 {
		t.Errorf("%d models of %d bytes are loaded", models, bytes)
	}
	if len(h.lines) != 0 {
		t.Errorf("%d lines are left", len(h.lines))
	}
}

func TestMemory(t *testing.T) {
	h, loads := host()
	h.Memory = 250
	for _, id := range []int64{1, 2, 1, 3, 1, 2} { // 3 displaces 2, then 2 displaces 3
		if err := h.Use(t.Context(), model(id, 1), func(Predictor) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if n := loads.Load(); n != 4 {
		t.Errorf("loaded %d times, want 4", n)
	}
	if models, bytes := h.Loaded(); models != 2 || bytes != 200 {
		t.Errorf("%d models of %d bytes are loaded", models, bytes)
	}
}

func TestIdle(t *testing.T) {
	h, loads := host()
	now := time.Unix(1_800_000_000, 0)
	h.Now = func() time.Time { return now }
	use := func() {
		t.Helper()
		if err := h.Use(t.Context(), model(1, 1), func(Predictor) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	use()
	now = now.Add(defaultIdle)
	h.Tidy()
	if models, _ := h.Loaded(); models != 1 {
		t.Error("forgotten too early")
	}
	now = now.Add(time.Second)
	h.Tidy()
	if models, bytes := h.Loaded(); models != 0 || bytes != 0 {
		t.Errorf("%d models of %d bytes are loaded", models, bytes)
	}
	use()
	if n := loads.Load(); n != 2 {
		t.Errorf("loaded %d times, want 2", n)
	}
}

func TestInUseStays(t *testing.T) {
	h, _ := host()
	h.Memory = 1
	err := h.Use(t.Context(), model(1, 1), func(Predictor) error {
		h.Tidy()
		if models, _ := h.Loaded(); models != 1 {
			t.Error("forgotten while it is used")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if models, _ := h.Loaded(); models != 0 {
		t.Error("still there although it is too large")
	}
}

func TestLoadFails(t *testing.T) {
	broken := errors.New("broken")
	fail := true
	h := &Host{Load: func(context.Context, *fovea.Model) (Predictor, error) {
		if fail {
			return nil, broken
		}
		return &fake{}, nil
	}}
	if err := h.Use(t.Context(), model(1, 1), func(Predictor) error { return nil }); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	fail = false
	if err := h.Use(t.Context(), model(1, 1), func(Predictor) error { return nil }); err != nil {
		t.Fatalf("the next call: %v", err)
	}
}

// Weights that make the loader panic fail the calls that need them, and not the
// whole server.
func TestLoadPanics(t *testing.T) {
	broken := true
	h := &Host{Load: func(context.Context, *fovea.Model) (Predictor, error) {
		if broken {
			panic("index out of range")
		}
		return &fake{}, nil
	}}
	err := h.Use(t.Context(), model(1, 1), func(Predictor) error { return nil })
	if err == nil || fovea.KindOf(err) != fovea.Internal || !strings.Contains(err.Error(), "index out of range") {
		t.Fatalf("got %v", err)
	}
	broken = false
	if err := h.Use(t.Context(), model(1, 1), func(Predictor) error { return nil }); err != nil {
		t.Fatalf("the next call: %v", err)
	}
}

// A unit works on one call at a time; calls beyond the queue are throttled, and
// so are those that wait too long (CL-10.6, LV-7.7).
func TestUnits(t *testing.T) {
	h, _ := host()
	h.Queue, h.Wait = 1, 50*time.Millisecond
	busy, done := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := h.Use(t.Context(), model(1, 1), func(Predictor) error { close(busy); <-done; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-busy
	if err := h.Use(t.Context(), model(1, 1), func(Predictor) error { return nil }); fovea.KindOf(err) != fovea.Throttled {
		t.Errorf("a call that waits too long: %v", err)
	}
	h.Wait = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Use(ctx, model(1, 1), func(Predictor) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that nobody waits for: %v", err)
	}
	refused := make(chan error, 8)
	for range 8 { // two may wait
		wg.Go(func() { refused <- h.Use(t.Context(), model(1, 1), func(Predictor) error { return nil }) })
	}
	for range 6 {
		if err := <-refused; fovea.KindOf(err) != fovea.Throttled {
			t.Errorf("a call beyond the queue: %v", err)
		}
	}
	close(done)
	for range 2 {
		if err := <-refused; err != nil {
			t.Errorf("a call that waited: %v", err)
		}
	}
	wg.Wait()
	if len(h.lines) != 0 {
		t.Errorf("%d lines are left", len(h.lines))
	}
}
