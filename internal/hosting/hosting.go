// Package hosting serves models: it loads weights when a call needs them,
// forgets those that have not been used for a while, and lets no more calls at
// a model than its inference units are for.
//
// Every node hosts every running model by itself: what is kept in memory is a
// cache and no state.
package hosting

import (
	"container/list"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"fovea"
)

// A Predictor is a loaded model. Its methods are safe for many goroutines. What
// it predicts is between the protocol package that loads it and the one that
// calls it.
type Predictor interface {
	Bytes() int64 // of memory that it takes
}

// A Host keeps loaded models. All fields but Load have a default.
type Host struct {
	// Load loads the weights of a model.
	Load func(ctx context.Context, m *fovea.Model) (Predictor, error)

	Memory int64         // bytes of loaded models; 0 for a gibibyte
	Idle   time.Duration // after which a model that nobody calls is forgotten; 0 for ten minutes
	Wait   time.Duration // that a call waits for its turn; 0 for 30 seconds
	Queue  int           // calls of a model that may wait for an inference unit; 0 for 32
	Now    func() time.Time

	mu     sync.Mutex
	loaded map[key]*list.Element // of *slot
	recent list.List             // of *slot, the one that was used last first
	used   int64                 // bytes of the slots that are loaded
	lines  map[fovea.ModelID]*line
	cores  chan struct{} // of the machine, shared by all models
}

// Defaults.
const (
	defaultMemory = 1 << 30
	defaultIdle   = 10 * time.Minute
	defaultWait   = 30 * time.Second
	defaultQueue  = 32
)

// A key names loaded weights. Copies of a model have the same ones.
type key string

// A slot is a model that is loaded, or being loaded.
type slot struct {
	key       key
	ready     chan struct{} // closed when it is loaded
	predictor Predictor
	err       error
	calls     int // that use it now
	last      time.Time
}

// Use calls fn with the model, loaded, when it is its turn. Every inference unit
// works on one call at a time; more than Queue waiting calls a unit, or a wait
// that is too long, are Throttled (CL-10.6, LV-7.7).
func (h *Host) Use(ctx context.Context, m *fovea.Model, fn func(Predictor) error) error {
	leave, err := h.enter(ctx, m)
	if err != nil {
		return err
	}
	defer leave()
	s, err := h.acquire(ctx, m)
	if err != nil {
		return err
	}
	defer h.release(s)
	return fn(s.predictor)
}

// acquire returns the loaded model, which stays loaded until it is released.
func (h *Host) acquire(ctx context.Context, m *fovea.Model) (*slot, error) {
	h.mu.Lock()
	k := key(m.Weights)
	if h.loaded == nil {
		h.loaded = map[key]*list.Element{}
	}
	e, ok := h.loaded[k]
	if !ok {
		s := &slot{key: k, ready: make(chan struct{})}
		e = h.recent.PushFront(s)
		h.loaded[k] = e
		go h.load(context.WithoutCancel(ctx), m, s)
	}
	s := e.Value.(*slot)
	s.calls++
	s.last = h.now()
	h.recent.MoveToFront(e)
	h.mu.Unlock()
	select {
	case <-s.ready:
	case <-ctx.Done():
		h.release(s)
		return nil, ctx.Err()
	}
	if s.err != nil {
		h.release(s)
		return nil, s.err
	}
	return s, nil
}

// load loads a model for all who wait for it. One that cannot be loaded is
// forgotten, so that the next call tries again.
func (h *Host) load(ctx context.Context, m *fovea.Model, s *slot) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	p, err := h.try(ctx, m)
	h.mu.Lock()
	defer h.mu.Unlock()
	s.predictor, s.err = p, err
	if err != nil {
		h.forget(s)
	} else {
		h.used += p.Bytes()
		h.shrink()
	}
	close(s.ready)
}

// try calls Load. A panic is an error: weights may be damaged in ways that
// nobody thought of, and this goroutine has no caller who could recover.
func (h *Host) try(ctx context.Context, m *fovea.Model) (p Predictor, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("load the model %s: panic: %v\n%s", m.Name, v, debug.Stack())
		}
	}()
	return h.Load(ctx, m)
}

func (h *Host) release(s *slot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.calls--
	s.last = h.now()
	h.shrink()
}

// shrink forgets models that nobody uses: those that were not used for long,
// and the least recently used ones while all together take too much memory.
func (h *Host) shrink() {
	memory, idle := h.Memory, h.Idle
	if memory <= 0 {
		memory = defaultMemory
	}
	if idle <= 0 {
		idle = defaultIdle
	}
	for e := h.recent.Back(); e != nil; {
		s, before := e.Value.(*slot), e.Prev()
		if s.calls == 0 && s.predictor != nil && (h.used > memory || h.now().Sub(s.last) > idle) {
			h.used -= s.predictor.Bytes()
			h.forget(s)
		}
		e = before
	}
}

// forget removes a slot from what is loaded.
func (h *Host) forget(s *slot) {
	if e, ok := h.loaded[s.key]; ok && e.Value == s {
		h.recent.Remove(e)
		delete(h.loaded, s.key)
	}
}

// Tidy forgets the models that were not used for long. It is called from time to
// time.
func (h *Host) Tidy() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.shrink()
}

// Loaded returns how many models are in memory and how many bytes they take.
func (h *Host) Loaded() (models int, bytes int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.loaded), h.used
}

func (h *Host) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

// processors returns how many calls may be computed at a time, of all models.
func (h *Host) processors() int { return max(1, runtime.GOMAXPROCS(0)) }
