package model

import (
	"sync"
	"time"

	"fovea"
)

// An Outcome is how a training of a node ended, for metrics.
type Outcome string

// The outcomes.
const (
	HasTrained   Outcome = "trained"
	HasFailed    Outcome = "failed"    // because of its data
	WasCancelled Outcome = "cancelled" // while it ran
	WasGivenUp   Outcome = "given_up"  // for a fault of the server
)

// Work is what a node tells of the trainings that run on it now.
type Work struct {
	Running  int
	Progress float64       // share that is done, from 0 to 1: of several the mean; 0 of none
	Left     time.Duration // how long they will go on, about: of several the longest; 0 while that is not known
}

// A workList has the trainings that run.
type workList struct {
	mu   sync.Mutex
	runs map[*Run]time.Time // when they began
}

// add notes that a training begins, and returns what is called when it has ended.
func (l *workList) add(r *Run, began time.Time) (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.runs == nil {
		l.runs = map[*Run]time.Time{}
	}
	l.runs[r] = began
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.runs, r)
	}
}

// Working returns what this node trains now.
func (o *Ops) Working() Work {
	now := o.now()
	o.working.mu.Lock()
	defer o.working.mu.Unlock()
	w := Work{Running: len(o.working.runs)}
	for r, began := range o.working.runs {
		share, _ := r.told()
		w.Progress += share / float64(w.Running)
		if left, ok := leftOf(began, share, now); ok {
			w.Left = max(w.Left, left)
		}
	}
	return w
}

// observe tells how a training ended.
func (o *Ops) observe(service fovea.Service, how Outcome) {
	if o.Observe != nil {
		o.Observe(service, how)
	}
}
