package server

import "net/http"

// A JSON service reads the body of a request before it can tell whether the
// signature is good, so anybody who knows an access key's name, which is no
// secret, can have bodies read. Those that are large share a bound.
const (
	smallBody  = 1 << 20 // bytes of a body that waits for nothing
	bodyMemory = 256 << 20
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
	most := s.BodyMemory
	if most <= 0 {
		most = bodyMemory
	}
	return s.bodies.Reserve(r.Context(), most, n)
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
