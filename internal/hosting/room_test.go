package hosting

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fovea"
)

func nothing(Predictor) error { return nil }

// Calls of a model go on while the weights of another are loaded: loading takes
// an inference unit, and no processor.
func TestLoadingTakesNoProcessor(t *testing.T) {
	loading, goOn := make(chan struct{}), make(chan struct{})
	h := &Host{cores: make(chan struct{}, 1), Load: func(_ context.Context, m *fovea.Model) (Predictor, error) {
		if m.ID == 1 {
			close(loading)
			<-goOn
		}
		return &fake{m.Weights, 100}, nil
	}}
	slow := make(chan error, 1)
	go func() { slow <- h.Use(t.Context(), model(1, 1), nothing) }()
	<-loading
	for range 3 {
		if err := h.Use(t.Context(), model(2, 1), nothing); err != nil {
			t.Fatal(err)
		}
	}
	close(goOn)
	if err := <-slow; err != nil {
		t.Fatal(err)
	}
	if models, bytes := h.Loaded(); models != 2 || bytes != 200 {
		t.Errorf("%d models of %d bytes are loaded", models, bytes)
	}
}

// TestManyAtOnce (T05): however many models are called at once, those in memory
// exceed the bound by no more than what is loaded at a time, and all calls get
// their answer.
func TestManyAtOnce(t *testing.T) {
	var loaded, most atomic.Int64
	h := &Host{Memory: 350, Load: func(_ context.Context, m *fovea.Model) (Predictor, error) {
		time.Sleep(time.Millisecond)
		return &fake{m.Weights, 100}, nil
	}}
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			err := h.Use(t.Context(), model(int64(1+i%40), 1), func(Predictor) error {
				_, bytes := h.Loaded()
				for m := most.Load(); bytes > m && !most.CompareAndSwap(m, bytes); m = most.Load() {
				}
				time.Sleep(time.Millisecond)
				loaded.Add(1)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if loaded.Load() != 200 || most.Load() > 350+MaxLoads*100 {
		t.Errorf("%d answers, at most %d bytes", loaded.Load(), most.Load())
	}
	if _, bytes := h.Loaded(); bytes > 350 || h.loads != 0 || len(h.lines) != 0 {
		t.Errorf("left: %d bytes, %d loads, %d lines", bytes, h.loads, len(h.lines))
	}
}

// A call that finds no room for its model waits as long as for a unit, and what
// nobody waits for any more is not loaded.
func TestNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, loads := host()
		h.Memory = 50
		busy, done := make(chan struct{}), make(chan struct{})
		go h.Use(context.Background(), model(1, 1), func(Predictor) error { close(busy); <-done; return nil })
		<-busy
		began := time.Now()
		if err := h.Use(context.Background(), model(2, 1), nothing); fovea.KindOf(err) != fovea.Throttled || !strings.Contains(err.Error(), "take 100 bytes of the 50 of --model-memory") {
			t.Errorf("without room: %v", err)
		}
		if took := time.Since(began); took != defaultWait {
			t.Errorf("it waited %v", took)
		}
		if err := h.Ready(context.Background(), model(3, 1)); fovea.KindOf(err) != fovea.Throttled || !strings.Contains(err.Error(), "--model-memory") {
			t.Errorf("a start without room: %v", err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := h.Ready(ctx, model(3, 1)); !errors.Is(err, context.Canceled) || fovea.KindOf(err) != fovea.Internal {
			t.Errorf("a start that is cancelled: %v", err)
		}
		close(done)
		synctest.Wait()
		if n := loads.Load(); n != 1 {
			t.Errorf("%d models were loaded", n)
		}
		if models, bytes := h.Loaded(); models != 0 || bytes != 0 || h.loads != 0 {
			t.Errorf("left: %d models of %d bytes, %d loads", models, bytes, h.loads)
		}
		if err := h.Use(context.Background(), model(2, 1), nothing); err != nil {
			t.Errorf("with room: %v", err)
		}
	})
}

// TestSlowLoads: weights that come slowly keep those of others waiting for a
// minute and no longer. Who waits is told what for, and not to raise
// --model-memory. A load that had to wait has its time all the same.
func TestSlowLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Host{Load: func(ctx context.Context, m *fovea.Model) (Predictor, error) {
			takes := map[fovea.ModelID]time.Duration{1: time.Hour, 2: time.Hour, 4: loadTime - 2*time.Second}
			select {
			case <-time.After(takes[m.ID]):
				return &fake{m.Weights, 100}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}}
		use := func(id int64) error { return h.Use(context.Background(), model(id, 1), nothing) }
		slow := make(chan error, MaxLoads)
		for id := range int64(MaxLoads) {
			go func() { slow <- use(1 + id) }()
		}
		synctest.Wait()
		waits := func(what string, err error, text string) {
			t.Helper()
			if err == nil || fovea.KindOf(err) != fovea.Throttled || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "--model-memory") {
				t.Errorf("%s: %v, want %q", what, err, text)
			}
		}
		waits("another model", use(3), "v3 have to wait until those of other models are read")
		waits("one that is read", <-slow, "still being read")
		waits("one that is read", <-slow, "still being read")
		time.Sleep(time.Second)
		started := make(chan error, 1)
		go func() { started <- h.Ready(context.Background(), model(4, 1)) }()
		if err := use(3); err != nil {
			t.Errorf("after a minute: %v", err)
		}
		if err := <-started; err != nil {
			t.Errorf("a start that had to wait: %v", err)
		}
		if h.loads != 0 {
			t.Errorf("left: %d loads", h.loads)
		}
	})
}

// TestHungLoads: loads that a hanging disk keeps for ever are left to themselves,
// and others come in their place, as long as there are few of them.
func TestHungLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mended := make(chan struct{})
		h := &Host{Load: func(_ context.Context, m *fovea.Model) (Predictor, error) {
			if m.ID < 100 {
				<-mended
			}
			return &fake{m.Weights, 100}, nil
		}}
		use := func(id int64) error { return h.Use(context.Background(), model(id, 1), nothing) }
		start := func(id int64) error { return h.Ready(context.Background(), model(id, 1)) }
		for id := int64(1); id <= maxLeft; id++ {
			began := time.Now()
			if err := start(id); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != loadTime {
				t.Errorf("start %d ends after %v: %v", id, time.Since(began), err)
			}
			if err := use(100 + id); id < maxLeft && err != nil {
				t.Errorf("beside %d that hang: %v", id, err)
			}
		}
		if err := start(200); err == nil || fovea.KindOf(err) != fovea.Throttled || !strings.Contains(err.Error(), "8 reads of weights do not end") {
			t.Errorf("beside %d that hang: %v", maxLeft, err)
		}
		if err := use(101); err != nil {
			t.Errorf("one that is in memory: %v", err)
		}
		if h.loads != 0 || h.left != maxLeft {
			t.Errorf("%d loads and %d that are left", h.loads, h.left)
		}
		close(mended)
		synctest.Wait()
		if err := use(1); err != nil || h.left != 0 {
			t.Errorf("when the disk is mended: %v, %d are left", err, h.left)
		}
		if models, bytes := h.Loaded(); models != maxLeft || bytes != 100*maxLeft {
			t.Errorf("%d models of %d bytes are loaded", models, bytes)
		}
	})
}

// TestReady: what a start reads counts as what calls read, is read anew, and
// serves the first call.
func TestReady(t *testing.T) {
	h, loads := host()
	h.Memory = 250
	for id := range int64(4) {
		if err := h.Ready(t.Context(), model(id, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if models, bytes := h.Loaded(); models != 2 || bytes != 200 {
		t.Errorf("%d models of %d bytes are loaded", models, bytes)
	}
	if err := h.Use(t.Context(), model(3, 1), nothing); err != nil || loads.Load() != 4 {
		t.Errorf("the first call: %d loads, %v", loads.Load(), err)
	}
	if err := h.Ready(t.Context(), model(3, 1)); err != nil || loads.Load() != 5 {
		t.Errorf("a second start: %d loads, %v", loads.Load(), err)
	}
	if models, bytes := h.Loaded(); models != 1 || bytes != 100 { // for a moment it was there twice, and another had to go
		t.Errorf("after a second start %d models of %d bytes are loaded", models, bytes)
	}
	broken := errors.New("broken")
	h.Load = func(context.Context, *fovea.Model) (Predictor, error) { return nil, broken }
	if err := h.Ready(t.Context(), model(3, 1)); !errors.Is(err, broken) {
		t.Errorf("weights that are damaged since: %v", err)
	}
	if err := h.Use(t.Context(), model(3, 1), nothing); err != nil {
		t.Errorf("a model that is in memory: %v", err)
	}
}

// TestSpeed: images are counted where they are looked at, and only those that got
// an answer.
func TestSpeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := host()
		if _, ok := h.Speed(1); ok {
			t.Error("there is a speed before the first image")
		}
		takes := func(d time.Duration, n int, err error) {
			for range n {
				h.Detect(context.Background(), model(1, 2), func(Predictor) error { time.Sleep(d); return err })
			}
		}
		takes(time.Second, 1, errors.New("no image"))
		if _, ok := h.Speed(1); ok {
			t.Error("there is a speed of an image that had no answer")
		}
		takes(50*time.Millisecond, 4, nil)
		if v, _ := h.Speed(1); v.Images != 4 || v.PerSecond < 19.9 || v.PerSecond > 20.1 {
			t.Errorf("%+v", v)
		}
		takes(200*time.Millisecond, 100, nil)
		if v, _ := h.Speed(1); v.Images != 104 || v.PerSecond < 4.9 || v.PerSecond > 5.2 {
			t.Errorf("when it became slower: %+v", v)
		}
		if images, seconds := h.Work(); images != 104 || seconds < 20.19 || seconds > 20.21 {
			t.Errorf("%d images in %v seconds", images, seconds)
		}
		time.Sleep(keepFor + time.Second)
		h.Tidy()
		if _, ok := h.Speed(1); ok {
			t.Error("the speed of a model that nobody calls is kept")
		}
	})
}
