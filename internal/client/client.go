// Package client signs and sends calls to the APIs of AWS, fovea's or Amazon's,
// and reads the errors that they answer. Whether to call again is for the
// caller to decide.
package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"fovea/internal/sigv4"
)

// An Endpoint is where the APIs are, and who calls them.
type Endpoint struct {
	URL    string // such as http://127.0.0.1:7373; "" is Amazon's of the region
	Region string // required
	KeyID  string // required
	Secret string // required
	Token  string // of temporary credentials
}

// A Call is a request before it is signed.
type Call struct {
	Service string // that it is signed for, such as "rekognition"
	Method  string
	Path    string // escaped, with the query
	Target  string // X-Amz-Target, "" for none
	Body    []byte
}

// A Refusal is an answer that is an error.
type Refusal struct {
	Code    string // such as ResourceNotFoundException
	Status  int
	Message string
}

// Error returns what the service said.
func (r *Refusal) Error() string { return fmt.Sprintf("%s (%s, %d)", r.Message, r.Code, r.Status) }

// Passes reports whether the same call may be answered later (CL-1.44).
func (r *Refusal) Passes() bool {
	switch r.Code {
	case "ThrottlingException", "ProvisionedThroughputExceededException", "TooManyRequestsException", "InternalServerError":
		return true
	}
	return r.Status >= 500 && r.Status != http.StatusNotImplemented || r.Status == http.StatusTooManyRequests
}

// CodeOf returns the code of the refusal in err's chain, "" if there is none.
func CodeOf(err error) string {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

// A Lost error is the network's, and may be gone the next time.
type Lost struct{ Err error }

// Error returns the text of the error that was met.
func (l *Lost) Error() string { return l.Err.Error() }

// Unwrap returns that error.
func (l *Lost) Unwrap() error { return l.Err }

// httpClient waits for nothing for ever, and follows no redirect: what it
// sends is signed for one host.
var httpClient = &http.Client{
	Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  idle,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// idle is how long to wait for an answer, and for its next bytes.
const idle = 90 * time.Second

// A moving body is one that ends when nothing comes for too long.
type moving struct {
	io.ReadCloser
	timer  *time.Timer
	cancel context.CancelFunc
}

// Read implements io.Reader. What the network spoils is Lost.
func (m *moving) Read(b []byte) (int, error) {
	m.timer.Reset(idle)
	n, err := m.ReadCloser.Read(b)
	if err != nil && err != io.EOF {
		err = &Lost{err}
	}
	return n, err
}

// Close implements io.Closer.
func (m *moving) Close() error {
	m.timer.Stop()
	m.cancel()
	return m.ReadCloser.Close()
}

// Send signs and sends a call once. It returns the body of an answer of status
// 2xx, which the caller closes. Any other answer is a *Refusal, and what the
// network spoils is *Lost.
func (e *Endpoint) Send(ctx context.Context, c Call) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(2*idle, cancel)
	body, err := e.send(ctx, c)
	if err != nil {
		timer.Stop()
		cancel()
		return nil, err
	}
	return &moving{body, timer, cancel}, nil
}

func (e *Endpoint) send(ctx context.Context, c Call) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, c.Method, e.Base(c.Service)+c.Path, bytes.NewReader(c.Body))
	if err != nil {
		return nil, err
	}
	switch {
	case c.Target != "":
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
		req.Header.Set("X-Amz-Target", c.Target)
	case len(c.Body) > 0:
		req.Header.Set("Content-Type", "application/json")
	}
	if e.Token != "" {
		req.Header.Set("X-Amz-Security-Token", e.Token)
	}
	sum := sha256.Sum256(c.Body)
	sigv4.Sign(req, sigv4.Scope{KeyID: e.KeyID, Region: e.Region, Service: c.Service}, e.Secret, hex.EncodeToString(sum[:]), time.Now())
	resp, err := httpClient.Do(req)
	if err != nil {
		return nil, &Lost{err}
	}
	if resp.StatusCode/100 == 2 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	return nil, refusalOf(resp)
}

// Base returns the URL of a service.
func (e *Endpoint) Base(service string) string {
	if e.URL != "" {
		return strings.TrimSuffix(e.URL, "/")
	}
	domain := ".amazonaws.com"
	if strings.HasPrefix(e.Region, "cn-") {
		domain += ".cn"
	}
	return "https://" + service + "." + e.Region + domain
}

// refusalOf reads an answer that is an error, as AWS's clients do (CL-1.30 to
// CL-1.32, LV-1.32).
func refusalOf(resp *http.Response) error {
	var body struct {
		Type    string `json:"__type"`
		Code    string
		Message string
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return &Lost{err}
	}
	json.Unmarshal(text, &body) // what is not JSON has no message
	code := cmp.Or(resp.Header.Get("X-Amzn-Errortype"), body.Code, body.Type, "HTTP error")
	if i := strings.LastIndexByte(code, '#'); i >= 0 {
		code = code[i+1:]
	}
	code, _, _ = strings.Cut(code, ":")
	return &Refusal{code, resp.StatusCode, cmp.Or(body.Message, "the server answered "+resp.Status)}
}
