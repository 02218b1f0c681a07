// Package server is the one port: it gives every request an identifier, finds
// the service that it is signed for, verifies the signature, and hands it to
// that service's handler with the caller in its context. Unsigned requests reach
// only what is public: the start page, health, readiness and metrics.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"fovea"
	"fovea/internal/room"
	"fovea/internal/sigv4"
)

// An API is one of the AWS services that speak JSON.
type API interface {
	http.Handler
	// WriteError answers a request with an error of the service's form.
	WriteError(w http.ResponseWriter, r *http.Request, code string, status int, message string)
	// Operation names what a request asks for, "" if nothing that there is.
	Operation(r *http.Request) string
}

// A Server is the http.Handler of the whole program.
type Server struct {
	Rekognition API          // required
	Lookout     API          // required
	S3          http.Handler // nil where the users' S3 is an external one
	// HostBucket returns the bucket of S3 that the host of a request names,
	// "" for none; nil where hosts name none.
	HostBucket func(*http.Request) string
	Own        http.Handler // required: fovea's extensions under /fovea/
	Console    http.Handler // required: what a browser sees
	Verifier   *sigv4.Verifier

	Account string // 12 digits
	Region  string // where everything is, whatever region a client signs for
	// ScopeRegions keeps the regions that clients sign for apart, so that
	// each has its own projects (LV-14.45).
	ScopeRegions bool

	PublicPages  []string                    // those of /, /healthz, /readyz and /metrics that need no signature
	Limiter      Limiter                     // bounds how often operations are called
	AllowOrigins []string                    // whose pages may call the APIs (CL-1.14); "*" is every origin
	Ready        func(context.Context) error // why the server cannot serve now, nil if it can
	Metrics      *Metrics
	Log          *slog.Logger

	// Drain is how long a client may go on to send the body of a request
	// that is answered; 10 s by default.
	Drain time.Duration

	// BodyMemory is how many bytes of large bodies of the JSON services are
	// in memory at a time; 256 MiB by default.
	BodyMemory int64

	bodies room.Room // what they hold
}

// The bounds on the time that a request takes to arrive and its answer to
// leave, so that a slow client holds nothing for ever (T14). S3, whose bodies
// may be large, bounds the time between bytes by itself.
const (
	readTime  = time.Minute
	writeTime = 2 * time.Minute
	drainTime = 10 * time.Second
)

// The largest bodies: CL-1.12 asks for 8 MB, and the 10 MiB of an update of
// Lookout are 14 MB in base64 (LV-1.24). Of fovea's own calls one takes models.
const (
	maxRekognition = 10 << 20
	maxLookout     = 16 << 20
	maxOwn         = 64 << 20
	maxOther       = 1 << 20
)

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	c := &call{server: s, id: uuid.NewString(), service: "public"}
	rec := &recorder{ResponseWriter: w}
	continueEmpty(w, r)
	w.Header().Set("X-Amzn-Requestid", c.id)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	r = r.WithContext(fovea.WithCaller(r.Context(), fovea.Caller{Account: s.Account, Region: s.Region, RequestID: c.id}))
	control := http.NewResponseController(w)
	control.SetReadDeadline(started.Add(readTime))
	control.SetWriteDeadline(started.Add(writeTime))
	defer func() {
		cut := false
		if v := recover(); v != nil {
			cut = c.panicked(rec, r, v)
		}
		s.finish(c, rec, r, started)
		if cut {
			panic(http.ErrAbortHandler) // so that the client sees that the answer is not whole
		}
		// What is left of the body is read before the answer is sent.
		control.SetReadDeadline(time.Now().Add(cmp.Or(s.Drain, drainTime)))
		control.SetWriteDeadline(time.Now().Add(writeTime))
	}()
	c.serve(rec, r)
}

// continueEmpty tells a client to go on that asked to be told so before it
// sends a body of no bytes, as boto3 does when it puts an empty object. The
// HTTP server says it only when a body is read; but boto3 takes an answer that
// comes without it for the status of the next answer on the connection, too.
func continueEmpty(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 && r.ProtoAtLeast(1, 1) && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		w.WriteHeader(http.StatusContinue)
	}
}

// A call is one request on its way.
type call struct {
	server  *Server
	id      string
	service string
	op      string
	keyID   string
}

func (c *call) serve(w http.ResponseWriter, r *http.Request) {
	s := c.server
	if s.public(w, r) {
		return
	}
	scope, err := sigv4.Peek(r)
	if err != nil {
		c.unsigned(w, r, err)
		return
	}
	c.service, c.keyID = scope.Service, scope.KeyID
	switch {
	case scope.Service == "rekognition":
		c.json(w, r, s.Rekognition, maxRekognition, rekognitionErrors)
	case scope.Service == "lookoutvision":
		c.json(w, r, s.Lookout, maxLookout, lookoutErrors)
	case scope.Service == "fovea":
		c.json(w, r, ownAPI{s.Own}, maxOwn, lookoutErrors)
	case scope.Service == "sts":
		c.json(w, r, sts{s}, maxOther, lookoutErrors)
	case scope.Service == "s3" && s.S3 != nil:
		c.op = method(r)
		c.s3(w, r)
	default:
		c.service = "unknown"
		c.unknownService(w, r, scope.Service)
	}
}

// json verifies a request to a JSON service and hands it over.
func (c *call) json(w http.ResponseWriter, r *http.Request, api API, maxBody int64, names map[sigv4.Code]signatureError) {
	s := c.server
	s.allowOrigin(w, r)
	c.op = api.Operation(r)
	release := s.reserve(r, maxBody)
	if release == nil {
		c.full(w, r, api)
		return
	}
	defer release()
	scope, _, err := s.Verifier.Verify(r, sigv4.Options{Service: c.service, MaxBody: maxBody})
	var refused *sigv4.Error
	if errors.As(err, &refused) {
		e := cmp.Or(names[refused.Code], names[sigv4.InvalidSignature])
		api.WriteError(w, r, e.name, e.status, e.prefix+refused.Message)
		return
	}
	if err != nil {
		s.Log.ErrorContext(r.Context(), "the signature could not be verified", "request_id", c.id, "error", err)
		api.WriteError(w, r, "InternalFailure", http.StatusInternalServerError, "Internal server error")
		return
	}
	if c.throttle(w, r, api) {
		return
	}
	caller := fovea.CallerOf(r.Context())
	caller.KeyID = scope.KeyID
	if s.ScopeRegions {
		caller.Region = scope.Region
	}
	api.ServeHTTP(w, r.WithContext(fovea.WithCaller(r.Context(), caller)))
}

// unsigned answers a request without a signature in the form that its sender
// will understand.
func (c *call) unsigned(w http.ResponseWriter, r *http.Request, err error) {
	s := c.server
	code, message := sigv4.IncompleteSignature, err.Error()
	if e := (*sigv4.Error)(nil); errors.As(err, &e) {
		code = e.Code
	}
	refuse := func(api API, names map[sigv4.Code]signatureError) {
		s.allowOrigin(w, r)
		e := cmp.Or(names[code], names[sigv4.IncompleteSignature])
		api.WriteError(w, r, e.name, e.status, e.prefix+message)
	}
	switch path := r.URL.Path; {
	case r.Header.Get("X-Amz-Target") != "":
		c.service = "rekognition"
		refuse(s.Rekognition, rekognitionErrors)
	case strings.HasPrefix(path, "/2020-11-20/"):
		c.service = "lookoutvision"
		refuse(s.Lookout, lookoutErrors)
	case strings.HasPrefix(path, "/fovea/"):
		c.service = "fovea"
		refuse(ownAPI{s.Own}, lookoutErrors)
	case s.S3 != nil:
		c.service = "s3"
		c.s3(w, r)
	default:
		refuse(ownAPI{s.Own}, lookoutErrors)
	}
}

func (c *call) unknownService(w http.ResponseWriter, r *http.Request, service string) {
	if service == "s3" {
		writeXML(w, http.StatusBadRequest, s3Elsewhere)
		return
	}
	message := "fovea has no service " + service + ". Sign for rekognition, lookoutvision, s3, sts or fovea."
	ownAPI{}.WriteError(w, r, "UnrecognizedServiceException", http.StatusBadRequest, message)
}

// s3 hands a request over to S3, which has its own bounds on time.
func (c *call) s3(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Time{})
	control.SetWriteDeadline(time.Time{})
	c.server.S3.ServeHTTP(w, r)
}

// panicked answers a request whose handler has panicked, or reports that the
// answer that has begun is to be cut off. One bad request must not end the
// others, nor show anybody a stack.
func (c *call) panicked(w *recorder, r *http.Request, v any) (cut bool) {
	if v == http.ErrAbortHandler {
		return true
	}
	c.server.Log.ErrorContext(r.Context(), "handler panicked", "request_id", c.id, "service", c.service, "operation", c.op,
		"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if w.code != 0 {
		return true
	}
	WriteError(w, "InternalFailure", http.StatusInternalServerError, "Internal server error")
	return false
}

// finish logs and counts a request.
func (s *Server) finish(c *call, rec *recorder, r *http.Request, started time.Time) {
	took := time.Since(started)
	s.Metrics.request(c.service, c.op, rec.status(), took)
	if rec.quiet {
		return
	}
	level := slog.LevelInfo
	if rec.status() >= 500 && rec.status() != http.StatusNotImplemented {
		level = slog.LevelError
	}
	// The path only: a presigned query is a credential (T15).
	s.Log.LogAttrs(r.Context(), level, "request",
		slog.String("request_id", c.id), slog.String("service", c.service), slog.String("operation", c.op),
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", rec.status()),
		slog.Int64("bytes", rec.bytes), slog.Duration("took", took), slog.String("key", c.keyID), slog.String("remote", r.RemoteAddr))
}
