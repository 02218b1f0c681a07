// Package room bounds what the requests of a server hold in memory together.
package room

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// Wait is how long a request waits for room.
const Wait = 20 * time.Second

// A Room is memory that requests share. The zero value is ready for use.
type Room struct {
	once  sync.Once
	bytes *semaphore.Weighted
}

// Reserve waits until n of the room's bytes are free, or all of them if n is
// more, and returns what gives them back; nil where there are none in time, or
// the context ends. A room has most bytes, the same at every call.
func (r *Room) Reserve(ctx context.Context, most, n int64) (release func()) {
	r.once.Do(func() { r.bytes = semaphore.NewWeighted(most) })
	n = min(n, most)
	ctx, cancel := context.WithTimeout(ctx, Wait)
	defer cancel()
	if r.bytes.Acquire(ctx, n) != nil {
		return nil
	}
	return func() { r.bytes.Release(n) }
}
