package fovea

import (
	"sync/atomic"
	"time"
)

// Stamps gives creation times that differ: an ARN tells two resources of one
// name apart by the millisecond of their creation (CL-3.4, CL-3.9). It knows
// those of its process only: where several nodes may make resources that have
// nothing else to tell them apart, the database is asked, too. The zero value is
// ready, for many goroutines.
type Stamps struct{ last atomic.Int64 }

// Next returns now in whole milliseconds, or a later time that was not given
// before.
func (s *Stamps) Next(now time.Time) time.Time {
	for ms := now.UnixMilli(); ; {
		last := s.last.Load()
		ms = max(ms, last+1)
		if s.last.CompareAndSwap(last, ms) {
			return time.UnixMilli(ms).UTC()
		}
	}
}
