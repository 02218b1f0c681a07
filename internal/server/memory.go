package server

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

// A JSON service reads the body of a request before it can tell whether the
// signature is good, so anybody who knows an access key's name, which is no
// secret, can have bodies read. Those that are large share a bound.
const (
	smallBody  = 1 << 20 // bytes of a body that waits for nothing
	bodyMemory = 256 << 20
	bodyWait   = 20 * time.Second
)

// reserve waits until there is room for the request's body, and returns what
// gives the room back; nil if there is none.
func (s *Server) reserve(r *http.Request, maxBody int64) (release func()) {
	n := r.ContentLength
	if n < 0 || n > maxBody {
		n = maxBody
	}
	if n <= smallBody {
		return func() {}
	}
	s.once.Do(func() {
		s.bodyBytes = s.BodyMemory
		if s.bodyBytes <= 0 {
			s.bodyBytes = bodyMemory
		}
		s.bodies = semaphore.NewWeighted(s.bodyBytes)
	})
	n = min(n, s.bodyBytes)
	ctx, cancel := context.WithTimeout(r.Context(), bodyWait)
	defer cancel()
	if s.bodies.Acquire(ctx, n) != nil {
		return nil
	}
	return func() { s.bodies.Release(n) }
}

// full refuses a request for whose body there is no room.
func (c *call) full(w http.ResponseWriter, r *http.Request, api API) {
	e, ok := throttling[c.service]
	if !ok {
		e = throttled{name: "ServiceUnavailableException", status: http.StatusServiceUnavailable}
	}
	w.Header().Set("Retry-After", "1")
	api.WriteError(w, r, e.name, e.status, "The server is reading as many large requests as it has room for. Try again in a moment.")
}
