package hosting

import (
	"cmp"
	"context"
	"time"

	"fovea"
)

// A line is where the calls of a model wait for one of its inference units.
type line struct {
	units   chan struct{} // one element for each call that has a unit
	waiting int           // and those that wait
	present int
}

// enter waits for an inference unit of the model and returns what gives it back.
func (h *Host) enter(ctx context.Context, m *fovea.Model, late <-chan time.Time) (leave func(), err error) {
	l, err := h.join(m)
	if err != nil {
		return nil, err
	}
	if err := take(ctx, l.units, late, m); err != nil {
		h.part(m.ID, l, true)
		return nil, err
	}
	h.mu.Lock()
	l.waiting--
	h.mu.Unlock()
	return func() {
		<-l.units
		h.part(m.ID, l, false)
	}, nil
}

// compute waits for a processor and returns what gives it back.
func (h *Host) compute(ctx context.Context, m *fovea.Model, late <-chan time.Time) (yield func(), err error) {
	h.mu.Lock()
	if h.cores == nil {
		h.cores = make(chan struct{}, h.processors())
	}
	cores := h.cores
	h.mu.Unlock()
	if err := take(ctx, cores, late, m); err != nil {
		return nil, err
	}
	return func() { <-cores }, nil
}

// take puts an element into c, which has room for as many as may be at work.
func take(ctx context.Context, c chan struct{}, late <-chan time.Time, m *fovea.Model) error {
	select {
	case c <- struct{}{}:
		return nil
	default:
	}
	select {
	case c <- struct{}{}:
		return nil
	case <-late:
		return fovea.Errorf(fovea.Throttled, "The %d inference units of the model %s, or all processors, are busy. Try again later, or start it with more.", max(1, m.MinUnits, m.MaxUnits), m.Name)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join puts a call into the line of its model, or refuses it because too many
// wait there.
func (h *Host) join(m *fovea.Model) (*line, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	units := max(1, m.MinUnits, m.MaxUnits)
	if h.lines == nil {
		h.lines = map[fovea.ModelID]*line{}
	}
	l := h.lines[m.ID]
	if l == nil || cap(l.units) != units { // started again with other units
		l = &line{units: make(chan struct{}, units)}
		h.lines[m.ID] = l
	}
	if l.waiting >= units+cmp.Or(h.Queue, defaultQueue)*units {
		return nil, fovea.Errorf(fovea.Throttled, "%d calls wait for the %d inference units of the model %s. Try again later, or start it with more.",
			l.waiting, units, m.Name)
	}
	l.waiting++
	l.present++
	return l, nil
}

// part takes a call out of a line, which goes when it is empty.
func (h *Host) part(id fovea.ModelID, l *line, waited bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if waited {
		l.waiting--
	}
	if l.present--; l.present == 0 && h.lines[id] == l {
		delete(h.lines, id)
	}
}
