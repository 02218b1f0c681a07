package s3api

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// A patientBody puts off the read deadline while bytes come.
type patientBody struct {
	io.ReadCloser
	c   *http.ResponseController
	set time.Time
}

// Read implements io.Reader.
func (b *patientBody) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(b.set) > idleTimeout/12 {
		b.set = now
		b.c.SetReadDeadline(now.Add(idleTimeout))
		b.c.SetWriteDeadline(now.Add(2 * idleTimeout))
	}
	return b.ReadCloser.Read(p)
}

// expiresIn is a deadline for a long piece of work that keeps a connection
// open.
func (q *request) expiresIn(d time.Duration) {
	http.NewResponseController(q.w).SetWriteDeadline(time.Now().Add(d))
}

// continueEmpty tells a client to go on that asked for that before a body of
// no bytes. net/http says so only when a body is read, but the AWS CLI and
// boto3 take an answer that comes without it for the status of the next one on
// the connection, and then wait for a minute.
func continueEmpty(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 && r.ProtoAtLeast(1, 1) && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		w.WriteHeader(http.StatusContinue)
	}
}
