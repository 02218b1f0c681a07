package rekognition

import (
	"cmp"
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"fovea"
)

// A call that names an object of S3 is small, and what it names may be large: it
// is read before the line of the model can refuse the call. So the objects of all
// calls share a bound.
const (
	objectMemory = 128 << 20
	objectWait   = 20 * time.Second
)

// reserve waits until there is room for n bytes of an object, and returns what
// gives it back. Where there is none in time, the call is Throttled.
func (s *Server) reserve(ctx context.Context, n int64) (release func(), err error) {
	most := cmp.Or(s.ObjectMemory, objectMemory)
	s.once.Do(func() { s.room = semaphore.NewWeighted(most) })
	n = min(n, most)
	limited, cancel := context.WithTimeout(ctx, objectWait)
	defer cancel()
	if s.room.Acquire(limited, n) != nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, fovea.Errorf(fovea.Throttled, "The server holds as many images from S3 as it has room for. Try again in a moment.")
	}
	return func() { s.room.Release(n) }, nil
}
