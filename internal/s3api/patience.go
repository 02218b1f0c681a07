package s3api

import (
	"io"
	"net/http"
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
