package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestSilentServer: a command does not wait for ever, neither for an answer to
// begin nor for it to go on.
func TestSilentServer(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stalls" {
			fmt.Fprint(w, "some")
			http.NewResponseController(w).Flush()
		}
		<-release
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(release) })
	c := &client{base: srv.URL, region: "us-east-1", key: keyPair{ID: "K", Secret: "S"}, wait: 300 * time.Millisecond}
	for _, path := range []string{"/silent", "/stalls"} {
		body, err := c.call(context.Background(), "GET", path, nil, nil)
		if err == nil {
			_, err = io.ReadAll(body)
			body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "the server has sent nothing for 300ms") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestNoServer: where nothing answers, a command says what to do.
func TestNoServer(t *testing.T) {
	const nobody = "http://127.0.0.1:1"
	c := &client{base: nobody, region: "us-east-1", key: keyPair{ID: "K", Secret: "S"}}
	_, err := c.call(t.Context(), "GET", "/", nil, nil)
	if want := "no server answers at " + nobody + ": start it with `fovea serve`, or name its address with --listen"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

// drips is a body that sends a byte a minute, and heeds a context.
type drips struct {
	ctx  context.Context
	left int
}

func (d *drips) Read(b []byte) (int, error) {
	if d.left--; d.left < 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(time.Minute):
		return copy(b, "."), nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

func (d *drips) Close() error { return nil }

// TestPatience: an answer may take as long as it likes, and whoever reads it,
// too, while something comes.
func TestPatience(t *testing.T) {
	for _, tt := range []struct {
		wait time.Duration
		read int
	}{{2 * time.Minute, 20}, {30 * time.Second, 0}} {
		synctest.Test(t, func(t *testing.T) {
			p := newPatience(t.Context(), tt.wait)
			p.timer.Stop()
			body := &patientBody{&drips{p.ctx, 20}, p}
			defer body.Close()
			read := 0
			var err error
			for b := make([]byte, 1); err == nil; {
				time.Sleep(time.Hour) // the reader is slow
				var n int
				n, err = body.Read(b)
				read += n
			}
			if read != tt.read || errors.Is(err, io.EOF) != (tt.read > 0) {
				t.Errorf("with a wait of %v: %d bytes, then %v", tt.wait, read, err)
			}
		})
	}
}
