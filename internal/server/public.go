package server

import (
	"io"
	"net/http"
	"slices"
	"strings"
)

// public answers what needs no signature, and reports whether it did.
func (s *Server) public(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" && s.ours(r) {
		s.preflight(w, r)
		return true
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead || signed(r) {
		return false
	}
	if r.URL.Path != "/favicon.ico" && !slices.Contains(s.PublicPages, r.URL.Path) {
		return false
	}
	switch r.URL.Path {
	case "/healthz":
		hush(w)
		text(w, http.StatusOK, "ok\n")
	case "/readyz":
		hush(w)
		if err := s.Ready(r.Context()); err != nil {
			text(w, http.StatusServiceUnavailable, "not ready: "+err.Error()+"\n")
		} else {
			text(w, http.StatusOK, "ok\n")
		}
	case "/metrics":
		hush(w)
		s.Metrics.ServeHTTP(w, r)
	case "/", "/favicon.ico":
		s.Console.ServeHTTP(w, r)
	default:
		return false
	}
	return true
}

func signed(r *http.Request) bool {
	q := r.URL.Query()
	return r.Header.Get("Authorization") != "" || q.Has("X-Amz-Signature") || q.Has("X-Amz-Credential") || q.Has("AWSAccessKeyId")
}

func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// ours reports whether a preflight is for one of the JSON services, and not for
// a bucket with rules of its own.
func (s *Server) ours(r *http.Request) bool {
	if s.HostBucket != nil && s.HostBucket(r) != "" {
		return false
	}
	return s.S3 == nil || r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, "/2020-11-20/") || strings.HasPrefix(r.URL.Path, "/fovea/")
}

// The headers of CL-1.14, and those of Lookout.
const (
	allowHeaders = "authorization, content-type, x-amz-target, x-amz-date, x-amz-security-token, x-amz-content-sha256, " +
		"x-amz-user-agent, amz-sdk-invocation-id, amz-sdk-request, x-amzn-client-token"
	exposeHeaders = "x-amzn-requestid, x-amzn-errortype, retry-after"
)

// preflight answers a browser that asks whether a page may call the APIs.
func (s *Server) preflight(w http.ResponseWriter, r *http.Request) {
	hush(w)
	if !s.allowOrigin(w, r) {
		text(w, http.StatusForbidden, "pages of "+r.Header.Get("Origin")+" may not call this server: see --cors-origins\n")
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "POST, GET, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", allowHeaders)
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusOK)
}

// allowOrigin lets the page that sent a request read the answer, if it may.
// That every origin may by default gives nothing away: a request needs a
// signature, which a browser does not add by itself.
func (s *Server) allowOrigin(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	switch {
	case slices.Contains(s.AllowOrigins, "*"):
		h.Set("Access-Control-Allow-Origin", "*")
	case slices.Contains(s.AllowOrigins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
	default:
		return false
	}
	h.Set("Access-Control-Expose-Headers", exposeHeaders)
	return true
}
