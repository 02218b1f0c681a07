package s3api

import (
	"cmp"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
)

// fail answers an error.
func (q *request) fail(err error) {
	e := asError(err)
	switch {
	case e != nil:
	case errors.Is(err, io.ErrUnexpectedEOF), q.Context().Err() != nil: // the client has gone
		e = errorf("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.")
	case isTimeout(err):
		e = errorf("RequestTimeout", "Your socket connection to the server was not read from or written to within the timeout period of %v.", idleTimeout)
	default:
		cmp.Or(q.s.Log, slog.Default()).Error("S3 request failed", "request_id", q.id, "method", q.Method, "bucket", q.bucket, "key", q.key, "err", err)
		e = errorf("InternalError", "We encountered an internal error. Please try again. The server's log has it under the request ID.")
	}
	if q.wrote { // the answer is under way: all that is left is not to end it well
		panic(http.ErrAbortHandler)
	}
	q.dropHeaders(e.Status == http.StatusNotModified)
	for name, v := range e.Header {
		q.w.Header()[name] = v
	}
	if e.Status == http.StatusNotModified || q.Method == http.MethodHead {
		q.w.WriteHeader(e.Status)
		return
	}
	q.writeXML(e.Status, errorXML{Code: e.Code, Message: e.Message, Resource: "/" + strings.TrimSuffix(q.bucket+"/"+q.key, "/"),
		BucketName: q.bucket, Key: q.key, RequestID: q.id, HostID: q.id})
}

// dropHeaders removes what was said of an object that is not sent after all.
// An answer of 304 keeps what describes the object and not the body.
func (q *request) dropHeaders(notModified bool) {
	h := q.w.Header()
	for _, name := range []string{"Content-Length", "Content-Type", "Content-Range", "Content-Encoding"} {
		h.Del(name)
	}
	if notModified {
		return
	}
	for name := range h {
		if _, ok := q.before[name]; !ok && name != "Vary" && !strings.HasPrefix(name, "Access-Control-") {
			delete(h, name)
		}
	}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
