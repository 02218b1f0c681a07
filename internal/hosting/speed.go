package hosting

import (
	"context"
	"time"

	"fovea"
)

// A Speed is how fast a model was, on this node since it was started.
type Speed struct {
	Images    int64   // that it was given
	PerSecond float64 // images that one inference unit works on in a second, the latest counting most
}

// A speed is what is measured of a model.
type speed struct {
	images  int64
	seconds float64 // for an image, the latest counting most
	last    time.Time
}

const (
	latest   = 20             // images, about, that make the speed
	keepFor  = 24 * time.Hour // that speeds are kept without calls
	maxKnown = 10_000         // models whose speed is known
)

// Detect is Use for a call that looks at one image, whose time is measured: from
// when the call has a processor to its end.
func (h *Host) Detect(ctx context.Context, m *fovea.Model, fn func(Predictor) error) error {
	return h.Use(ctx, m, func(p Predictor) error {
		began := time.Now()
		err := fn(p)
		if err == nil {
			h.note(m.ID, time.Since(began))
		}
		return err
	})
}

// note notes that a model took so long for an image.
func (h *Host) note(id fovea.ModelID, took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.images++
	h.seconds += took.Seconds()
	v := h.speeds[id]
	if v == nil {
		if len(h.speeds) >= maxKnown {
			return
		}
		if h.speeds == nil {
			h.speeds = map[fovea.ModelID]*speed{}
		}
		v = &speed{}
		h.speeds[id] = v
	}
	v.images++
	v.seconds += (took.Seconds() - v.seconds) / float64(min(v.images, latest))
	v.last = h.now()
}

// Speed returns how fast a model was; false if it had no call that is known.
func (h *Host) Speed(id fovea.ModelID) (Speed, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.speeds[id]
	if v == nil || v.seconds <= 0 {
		return Speed{}, false
	}
	return Speed{v.images, 1 / v.seconds}, true
}

// Work returns how many images all models were given, and how many seconds of a
// processor that took.
func (h *Host) Work() (images int64, seconds float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.images, h.seconds
}

// Waiting returns how many calls wait for an inference unit.
func (h *Host) Waiting() (calls int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.lines {
		calls += l.waiting
	}
	return calls
}

// forgetSpeeds forgets those of models that had no call for long.
func (h *Host) forgetSpeeds() {
	for id, v := range h.speeds {
		if h.now().Sub(v.last) > keepFor {
			delete(h.speeds, id)
		}
	}
}
