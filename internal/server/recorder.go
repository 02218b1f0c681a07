package server

import (
	"cmp"
	"io"
	"net/http"
)

// A recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	code  int
	bytes int64
	quiet bool // not logged: what machines ask every few seconds
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(code int) {
	if r.code == 0 && code >= 200 {
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	r.code = r.status()
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// ReadFrom keeps the fast way from a file to the network.
func (r *recorder) ReadFrom(src io.Reader) (int64, error) {
	r.code = r.status()
	n, err := io.Copy(r.ResponseWriter, src)
	r.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach what is underneath.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) status() int { return cmp.Or(r.code, http.StatusOK) }

// hush keeps a request out of the log.
func hush(w http.ResponseWriter) {
	if r, ok := w.(*recorder); ok {
		r.quiet = true
	}
}
