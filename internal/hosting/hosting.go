// Package hosting serves models: it loads weights when a call needs them,
// forgets those that have not been used for a while, and lets no more calls at
// a model than its inference units are for.
//
// Every node hosts every running model by itself: what is kept in memory is a
// cache and no state.
package hosting

import (
	"cmp"
	"container/list"
	"context"
	"errors"
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
	// Load loads the weights of a model. It ends when its context does, but for
	// reads of a disk that hangs.
	Load func(ctx context.Context, m *fovea.Model) (Predictor, error)

	Memory int64         // bytes of loaded models; 0 for a gibibyte
	Idle   time.Duration // after which a model that nobody calls is forgotten; 0 for ten minutes
	Wait   time.Duration // that a call waits for its turn; 0 for 30 seconds
	Queue  int           // calls of a model that may wait for an inference unit; 0 for 32
	Now    func() time.Time

	mu      sync.Mutex
	loaded  map[key]*list.Element // of *slot
	recent  list.List             // of *slot, the one that was used last first
	used    int64                 // bytes of the slots that are loaded
	loads   int                   // that are under way and waited for
	left    int                   // that were left to themselves
	changed chan struct{}         // closed when a load may be possible that was not
	lines   map[fovea.ModelID]*line
	cores   chan struct{} // of the machine, shared by all models
	speeds  map[fovea.ModelID]*speed
	images  int64   // that all models were given
	seconds float64 // that these took
}

// Defaults.
const (
	defaultMemory = 1 << 30
	defaultIdle   = 10 * time.Minute
	defaultWait   = 30 * time.Second
	defaultQueue  = 32
)

// MaxLoads is how many models are loaded at a time: by so many the loaded ones
// may take more than Memory, because nobody knows before how large they are.
const MaxLoads = 2

// maxLeft is how many loads may be left to themselves, those included that are
// under way and may come to it. Each holds weights.
const maxLeft = 8

// How long a load may wait for its turn and for room, and how long it may take
// then. One that takes longer would keep others waiting: it is left to itself.
const (
	roomTime = time.Minute
	loadTime = time.Minute
)

// A key names loaded weights. Copies of a model have the same ones.
type key string

// A slot is a model that is loaded, or being loaded.
type slot struct {
	key       key
	ready     chan struct{} // closed when it is loaded
	predictor Predictor
	err       error
	loading   bool // it is its turn
	calls     int  // that use it now
	last      time.Time
}

// Use calls fn with the model, loaded, when it is its turn. Every inference unit
// works on one call at a time; more than Queue waiting calls a unit, or a wait
// that is too long, are Throttled (CL-10.6, LV-7.7). While weights are loaded,
// calls of other models go on: a processor is taken after that.
func (h *Host) Use(ctx context.Context, m *fovea.Model, fn func(Predictor) error) error {
	wait := time.NewTimer(cmp.Or(h.Wait, defaultWait))
	defer wait.Stop()
	leave, err := h.enter(ctx, m, wait.C)
	if err != nil {
		return err
	}
	defer leave()
	s, err := h.acquire(ctx, m, wait.C)
	if err != nil {
		return err
	}
	defer h.release(s)
	yield, err := h.compute(ctx, m, wait.C)
	if err != nil {
		return err
	}
	defer yield()
	return fn(s.predictor)
}

// Ready reports why a model cannot be hosted here. It reads the weights anew, as
// a call would that is the first, and keeps them for the calls that will come.
func (h *Host) Ready(ctx context.Context, m *fovea.Model) error {
	s := &slot{key: key(m.Weights), ready: make(chan struct{}), calls: 1, last: h.now()}
	h.load(ctx, m, s)
	if s.err != nil {
		return s.err
	}
	h.mu.Lock()
	if _, there := h.loaded[s.key]; there { // by another call, or from before
		h.used -= s.predictor.Bytes()
	} else {
		h.insert(s)
	}
	h.mu.Unlock()
	h.release(s)
	return nil
}

// acquire returns the loaded model, which stays loaded until it is released.
func (h *Host) acquire(ctx context.Context, m *fovea.Model, late <-chan time.Time) (*slot, error) {
	h.mu.Lock()
	e, ok := h.loaded[key(m.Weights)]
	if !ok {
		s := &slot{key: key(m.Weights), ready: make(chan struct{})}
		e = h.insert(s)
		go h.load(context.WithoutCancel(ctx), m, s)
	}
	s := e.Value.(*slot)
	s.calls++
	s.last = h.now()
	h.recent.MoveToFront(e)
	h.mu.Unlock()
	select {
	case <-s.ready:
	case <-late:
		defer h.release(s)
		return nil, h.late(m, s)
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

// insert adds a slot to those that are loaded or being loaded.
func (h *Host) insert(s *slot) *list.Element {
	if h.loaded == nil {
		h.loaded = map[key]*list.Element{}
	}
	e := h.recent.PushFront(s)
	h.loaded[s.key] = e
	return e
}

// load loads a model for all who wait for it, once there is memory for it. One
// that cannot be loaded is forgotten, so that the next call tries again.
func (h *Host) load(ctx context.Context, m *fovea.Model, s *slot) {
	var p Predictor
	err := h.awaitRoom(ctx, s)
	switch {
	case err == nil:
		p, err = h.try(ctx, m)
	case errors.Is(err, context.DeadlineExceeded):
		err = h.late(m, s)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loads--
	s.predictor, s.err = p, err
	if err != nil {
		h.forget(s)
	} else {
		h.used += p.Bytes()
		h.shrink()
	}
	h.tell()
	close(s.ready)
}

// late returns the error of a call, or of a start, that has waited too long for
// the weights of a model: it says for what, and advises more memory only where
// that helps.
func (h *Host) late(m *fovea.Model, s *slot) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case s.loading:
		return fovea.Errorf(fovea.Throttled, "The weights of the model %s are still being read. Try again later.", m.Name)
	case h.loads+h.left >= maxLeft:
		return fovea.Errorf(fovea.Throttled, "The weights of the model %s cannot be read: %d reads of weights do not end. See to the disk that holds the data.", m.Name, h.left)
	case h.used > h.memory():
		return fovea.Errorf(fovea.Throttled, "There is no room for the weights of the model %s: those that are in use take %d bytes of the %d of --model-memory. Try again later, or raise it.", m.Name, h.used, h.memory())
	}
	return fovea.Errorf(fovea.Throttled, "The weights of the model %s have to wait until those of other models are read. Try again later.", m.Name)
}

// awaitRoom waits until few others are loaded and those that are in memory leave
// room, and counts a load. Those that are in use cannot be forgotten, so that
// without it calls of many models at once would take any amount of memory.
func (h *Host) awaitRoom(ctx context.Context, s *slot) error {
	ctx, cancel := context.WithTimeout(ctx, roomTime)
	defer cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		h.shrink()
		unwanted := s.calls == 0
		if unwanted || h.loads < MaxLoads && h.loads+h.left < maxLeft && h.used <= h.memory() {
			h.loads++ // which load takes back
			if unwanted {
				h.forget(s) // at once: the next call begins anew
				return errUnwanted
			}
			s.loading = true
			return nil
		}
		if h.changed == nil {
			h.changed = make(chan struct{})
		}
		changed := h.changed
		h.mu.Unlock()
		var err error
		select {
		case <-changed:
		case <-ctx.Done():
			err = ctx.Err()
		}
		h.mu.Lock()
		if err != nil {
			h.loads++
			return err
		}
	}
}

// errUnwanted is why a model is not loaded for which nobody waits any more.
var errUnwanted = errors.New("nobody waits for the model any more")

// tell wakes the loads that wait for room.
func (h *Host) tell() {
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// An outcome is what came of a call of Load.
type outcome struct {
	predictor Predictor
	err       error
}

// try calls Load, and leaves it to itself when its time is over: a read of a disk
// that hangs ends with no context, and must not keep the other models waiting.
func (h *Host) try(ctx context.Context, m *fovea.Model) (Predictor, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	done := make(chan outcome, 1)
	go func() {
		p, err := h.contained(ctx, m)
		done <- outcome{p, err}
	}()
	select {
	case o := <-done:
		return o.predictor, o.err
	case <-ctx.Done():
	}
	h.mu.Lock()
	h.left++
	h.mu.Unlock()
	go func() {
		<-done
		h.mu.Lock()
		defer h.mu.Unlock()
		h.left--
		h.tell()
	}()
	return nil, fmt.Errorf("load the model %s: %w", m.Name, ctx.Err())
}

// contained calls Load. A panic is an error: weights may be damaged in ways that
// nobody thought of, and the goroutine has no caller who could recover.
func (h *Host) contained(ctx context.Context, m *fovea.Model) (p Predictor, err error) {
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
	h.tell()
}

// shrink forgets models that nobody uses: those that were not used for long,
// and the least recently used ones while all together take too much memory.
func (h *Host) shrink() {
	memory, idle := h.memory(), h.Idle
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

func (h *Host) memory() int64 {
	if h.Memory <= 0 {
		return defaultMemory
	}
	return h.Memory
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
	h.forgetSpeeds()
	h.tell()
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
