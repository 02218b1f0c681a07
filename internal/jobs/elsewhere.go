package jobs

import (
	"maps"
	"slices"
	"sync"
	"time"

	"fovea"
)

const (
	// elsewhere is how long a process leaves a job to others that it could not
	// do. Not for good: what it lacked may have come, and the job's handler is to
	// see how long nobody has done it.
	elsewhere = 5 * time.Second

	// maxLeft bounds how many such jobs a process keeps in mind.
	maxLeft = 300
)

// left are the jobs that this process could not do a moment ago and does not
// claim. Others, which can do them perhaps, look for jobs once a second, and each
// at its own moment of it: were the jobs kept from all of them for a while and
// free for all after it, the same process would be the first each time.
type left struct {
	mu    sync.Mutex
	until map[fovea.JobID]time.Time
}

// add leaves a job to others and returns how long it is not to be due for
// anybody: not at all, but where no more can be kept in mind.
func (l *left) add(id fovea.JobID) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
	if len(l.until) >= maxLeft {
		return elsewhere
	}
	if l.until == nil {
		l.until = make(map[fovea.JobID]time.Time)
	}
	l.until[id] = time.Now().Add(elsewhere)
	return 0
}

// list returns the jobs that are left to others now.
func (l *left) list() []fovea.JobID {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
	return slices.Collect(maps.Keys(l.until))
}

// forget drops the jobs whose time is over. The caller holds mu.
func (l *left) forget() {
	now := time.Now()
	maps.DeleteFunc(l.until, func(_ fovea.JobID, until time.Time) bool { return !now.Before(until) })
}
