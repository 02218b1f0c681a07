package server

import (
	"testing"
	"time"
)

// TestLimiter: each operation of a service has its own allowance, which fills
// again, and never above that of a second.
func TestLimiter(t *testing.T) {
	now := time.Now()
	l := Limiter{Rates: map[string]float64{"lookoutvision": 5, "rekognition": 0.5}, Now: func() time.Time { return now }}
	taken := func(service, op string) (n int) {
		for l.wait(service, op) == 0 {
			if n++; n > 1000 {
				return n
			}
		}
		return n
	}
	for _, tt := range []struct {
		after       time.Duration
		service, op string
		want        int
	}{
		{0, "lookoutvision", "ListProjects", 5},
		{0, "lookoutvision", "ListProjects", 0},
		{0, "lookoutvision", "ListModels", 5},
		{400 * time.Millisecond, "lookoutvision", "ListProjects", 2},
		{time.Hour, "lookoutvision", "ListProjects", 5},
		{0, "rekognition", "CreateProject", 1},
		{time.Second, "rekognition", "CreateProject", 0},
		{time.Second, "rekognition", "CreateProject", 1},
		{-time.Hour, "rekognition", "CreateProject", 0},
		{0, "s3", "GET", 1001},
		{0, "lookoutvision", "DetectAnomalies", 1001},
	} {
		now = now.Add(tt.after)
		if got := taken(tt.service, tt.op); got != tt.want {
			t.Errorf("%s %s after %v: %d calls, want %d", tt.service, tt.op, tt.after, got, tt.want)
		}
	}
	if wait := l.wait("rekognition", "CreateProject"); wait < time.Second || wait > 4*time.Second {
		t.Errorf("wait = %v, want about two seconds", wait)
	}
}
