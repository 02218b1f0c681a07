package server

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Metrics counts what the program does, in the text format of Prometheus.
type Metrics struct{ set *metrics.Set }

// NewMetrics returns empty metrics.
func NewMetrics() *Metrics { return &Metrics{set: metrics.NewSet()} }

// Gauge adds a value that is asked for when the metrics are.
func (m *Metrics) Gauge(name string, value func() float64) { m.set.GetOrCreateGauge(name, value) }

// Job counts an attempt at a job.
func (m *Metrics) Job(kind, state string, took time.Duration) {
	m.set.GetOrCreateCounter(fmt.Sprintf("fovea_jobs_total{kind=%q,state=%q}", kind, state)).Inc()
	m.set.GetOrCreateHistogram(fmt.Sprintf("fovea_job_seconds{kind=%q}", kind)).Update(took.Seconds())
}

// Training counts a training that ended.
func (m *Metrics) Training(service, result string) {
	m.set.GetOrCreateCounter(fmt.Sprintf("fovea_trainings_total{service=%q,result=%q}", service, result)).Inc()
}

// request counts a request. Its labels are names that we know: a client cannot
// make new ones.
func (m *Metrics) request(service, op string, status int, took time.Duration) {
	m.set.GetOrCreateCounter(fmt.Sprintf("fovea_requests_total{service=%q,operation=%q,status=%q}", service, op, strconv.Itoa(status))).Inc()
	m.set.GetOrCreateHistogram(fmt.Sprintf("fovea_request_seconds{service=%q,operation=%q}", service, op)).Update(took.Seconds())
}

// ServeHTTP writes the metrics.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m.set.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}
