package server

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A throttled is what a service calls a request too many.
type throttled struct {
	name    string
	status  int
	message string
}

// throttling are the errors of the services that have rates (CL-12.28, LV-9.20).
var throttling = map[string]throttled{
	"rekognition":   {"ProvisionedThroughputExceededException", http.StatusBadRequest, "Provisioned Rate exceeded."},
	"lookoutvision": {"ThrottlingException", http.StatusTooManyRequests, "Rate exceeded."},
}

// A Limiter bounds how often each operation of a service is called: a bucket of
// tokens for each holds those of a second, and at least one. The zero value bounds nothing.
// It may be used by many goroutines.
type Limiter struct {
	Rates map[string]float64 // requests a second, by service; 0 or absent is no bound
	Now   func() time.Time   // nil for time.Now

	mu      sync.Mutex
	buckets map[[2]string]bucket // by service and operation
}

type bucket struct {
	tokens float64
	filled time.Time
}

// wait takes a token, or returns how long it takes until there is one. The
// operation must be the name of one, so that there are few buckets.
func (l *Limiter) wait(service, operation string) time.Duration {
	rate := l.Rates[service]
	// The bound on DetectAnomalies is that of its inference units (LV-9.20).
	if rate <= 0 || operation == "DetectAnomalies" {
		return 0
	}
	now := time.Now()
	if l.Now != nil {
		now = l.Now()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	full := max(rate, 1)
	key := [2]string{service, operation}
	b, ok := l.buckets[key]
	if !ok {
		b = bucket{full, now}
	}
	b.tokens = min(full, b.tokens+rate*max(0, now.Sub(b.filled).Seconds()))
	b.filled = now
	missing := 1 - b.tokens
	if missing <= 0 {
		b.tokens--
	}
	if l.buckets == nil {
		l.buckets = map[[2]string]bucket{}
	}
	l.buckets[key] = b
	return time.Duration(max(0, missing) / rate * float64(time.Second))
}

// throttle refuses a request too many, and reports whether it did.
func (c *call) throttle(w http.ResponseWriter, r *http.Request, api API) bool {
	wait := c.server.Limiter.wait(c.service, c.op)
	if wait <= 0 {
		return false
	}
	e := throttling[c.service]
	w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
	api.WriteError(w, r, e.name, e.status, e.message)
	return true
}
