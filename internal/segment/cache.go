package segment

import (
	"container/list"
	"context"
	"sync"

	"fovea"
)

// DefaultCacheBytes is how much of loaded segments a Reader keeps by default:
// about what a million entries take.
const DefaultCacheBytes = 256 << 20

// A Reader answers pages of entries from segments. It keeps the segments that
// were used last, within a bound. It may be used by many goroutines.
type Reader struct {
	Blobs      fovea.Blobs
	CacheBytes int64 // 0 for DefaultCacheBytes

	mu     sync.Mutex
	byName map[string]*list.Element
	used   list.List // of *slot, most recently used first
	bytes  int64
}

// A slot is a segment of the cache, or one being loaded.
type slot struct {
	name   string
	ready  chan struct{} // closed when reader or err is set
	reader *reader
	err    error
}

// segment returns a loaded segment. Callers that want one at the same time
// share one load; a load that failed is not remembered.
func (c *Reader) segment(ctx context.Context, ref fovea.SegmentRef) (*reader, error) {
	c.mu.Lock()
	if c.byName == nil {
		c.byName = map[string]*list.Element{}
	}
	el, ok := c.byName[ref.Name]
	if !ok {
		s := &slot{name: ref.Name, ready: make(chan struct{})}
		el = c.used.PushFront(s)
		c.byName[ref.Name] = el
		go c.load(context.WithoutCancel(ctx), ref, el)
	}
	c.used.MoveToFront(el)
	c.mu.Unlock()

	s := el.Value.(*slot)
	select {
	case <-s.ready:
		return s.reader, s.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *Reader) load(ctx context.Context, ref fovea.SegmentRef, el *list.Element) {
	s := el.Value.(*slot)
	r, err := load(ctx, c.Blobs, ref)
	c.mu.Lock()
	defer c.mu.Unlock()
	s.reader, s.err = r, err // under the lock: evict looks at slots that are being loaded
	close(s.ready)
	if s.err != nil {
		c.used.Remove(el)
		delete(c.byName, s.name)
		return
	}
	c.bytes += s.reader.size
	c.evict(el)
}

// evict drops the segments that were used longest ago until the bound holds,
// but never the one at keep. The lock is held.
func (c *Reader) evict(keep *list.Element) {
	limit := c.CacheBytes
	if limit == 0 {
		limit = DefaultCacheBytes
	}
	for el := c.used.Back(); el != nil && c.bytes > limit; {
		prev := el.Prev()
		if s := el.Value.(*slot); el != keep && s.reader != nil {
			c.bytes -= s.reader.size
			c.used.Remove(el)
			delete(c.byName, s.name)
		}
		el = prev
	}
}
