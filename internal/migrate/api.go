package migrate

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
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"fovea/internal/sigv4"
)

// An API is an endpoint of AWS's APIs, fovea's or Amazon's, and who calls it.
type API struct {
	Endpoint string // such as http://127.0.0.1:7373; "" is Amazon's of the region
	Region   string // required
	KeyID    string // required
	Secret   string // required
	Token    string // of temporary credentials

	// Patience is how long a call is tried again before it fails; 5 minutes
	// by default. MaxPause is the longest pause between; 20 s by default.
	Patience time.Duration
	MaxPause time.Duration
}

// A Refusal is an answer that is an error.
type Refusal struct {
	Code    string
	Status  int
	Message string
}

// Error returns what the service said.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%s (%d): %s", r.Code, r.Status, r.Message)
}

// passes reports whether the same call may be answered later (CL-1.44).
func (r *Refusal) passes() bool {
	switch r.Code {
	case "ThrottlingException", "ProvisionedThroughputExceededException", "TooManyRequestsException", "InternalServerError":
		return true
	}
	return r.Status >= 500 && r.Status != http.StatusNotImplemented || r.Status == http.StatusTooManyRequests
}

// codeOf returns the code of the refusal in err's chain, "" if there is none.
func codeOf(err error) string {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

// maxAnswer is more than a page of 100 entries of 100,000 characters has.
const maxAnswer = 64 << 20

// A call is a request before it is signed.
type call struct {
	service string // that it is signed for
	method  string
	path    string // escaped, with the query
	target  string // X-Amz-Target, for Custom Labels
	body    []byte
}

// rekognition calls an operation of Custom Labels.
func (a *API) rekognition(ctx context.Context, op string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return a.json(ctx, call{"rekognition", http.MethodPost, "/", "RekognitionService." + op, body}, out)
}

// rest calls by method and path: Lookout, or fovea's own calls. A nil in sends
// no body.
func (a *API) rest(ctx context.Context, service, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	return a.json(ctx, call{service: service, method: method, path: path, body: body}, out)
}

// json calls, again and again while that may help, and decodes the answer.
func (a *API) json(ctx context.Context, c call, out any) error {
	return a.retry(ctx, func() error {
		body, err := a.send(ctx, c)
		if err != nil {
			return err
		}
		defer body.Close()
		text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
		if err != nil {
			return &lost{err}
		}
		if len(text) > maxAnswer {
			return fmt.Errorf("the answer to %s%s has more than %d bytes", c.target, c.path, maxAnswer)
		}
		if out == nil {
			return nil
		}
		if err := json.Unmarshal(text, out); err != nil {
			return fmt.Errorf("the answer to %s%s: %w", c.target, c.path, err)
		}
		return nil
	})
}

// A lost error is the network's, and may be gone the next time.
type lost struct{ err error }

func (l *lost) Error() string { return l.err.Error() }
func (l *lost) Unwrap() error { return l.err }

// retry calls fn until it succeeds, fails for good, or has failed for longer
// than Patience. Pauses double, with full jitter, so that clients that were
// throttled together do not come back together.
func (a *API) retry(ctx context.Context, fn func() error) error {
	patience, longest := cmp.Or(a.Patience, 5*time.Minute), cmp.Or(a.MaxPause, 20*time.Second)
	began := time.Now()
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, longest) {
		err := fn()
		if err == nil || ctx.Err() != nil {
			return err
		}
		var refused *Refusal
		var gone *lost
		if !(errors.As(err, &refused) && refused.passes()) && !errors.As(err, &gone) {
			return err
		}
		if time.Since(began) > patience {
			return fmt.Errorf("given up after %v: %w", patience, err)
		}
		timer := time.NewTimer(rand.N(min(pause, longest)) + time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// httpClient waits for nothing for ever, and follows no redirect: what it
// sends is signed for one host.
var httpClient = &http.Client{
	Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  90 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// idle is how long to wait for the next bytes of an answer.
const idle = 90 * time.Second

// A moving body is one that ends when nothing comes for too long.
type moving struct {
	io.ReadCloser
	timer  *time.Timer
	cancel context.CancelFunc
}

// Read implements io.Reader.
func (m *moving) Read(b []byte) (int, error) {
	m.timer.Reset(idle)
	return m.ReadCloser.Read(b)
}

// Close implements io.Closer.
func (m *moving) Close() error {
	m.timer.Stop()
	m.cancel()
	return m.ReadCloser.Close()
}

// send signs and sends a call once. It returns the body of an answer that is no
// error; whoever takes it closes it.
func (a *API) send(ctx context.Context, c call) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(2*idle, cancel)
	body, err := a.sendOnce(ctx, c)
	if err != nil {
		timer.Stop()
		cancel()
		return nil, err
	}
	return &moving{body, timer, cancel}, nil
}

func (a *API) sendOnce(ctx context.Context, c call) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, c.method, a.base(c.service)+c.path, bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	switch {
	case c.target != "":
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
		req.Header.Set("X-Amz-Target", c.target)
	case len(c.body) > 0:
		req.Header.Set("Content-Type", "application/json")
	}
	if a.Token != "" {
		req.Header.Set("X-Amz-Security-Token", a.Token)
	}
	sum := sha256.Sum256(c.body)
	sigv4.Sign(req, sigv4.Scope{KeyID: a.KeyID, Region: a.Region, Service: c.service}, a.Secret, hex.EncodeToString(sum[:]), time.Now())
	resp, err := httpClient.Do(req)
	if err != nil {
		return nil, &lost{err}
	}
	if resp.StatusCode/100 == 2 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	return nil, refusalOf(resp)
}

// base returns the URL of a service.
func (a *API) base(service string) string {
	if a.Endpoint != "" {
		return strings.TrimSuffix(a.Endpoint, "/")
	}
	domain := ".amazonaws.com"
	if strings.HasPrefix(a.Region, "cn-") {
		domain += ".cn"
	}
	return "https://" + service + "." + a.Region + domain
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
		return &lost{err}
	}
	json.Unmarshal(text, &body) // what is not JSON has no message
	code := cmp.Or(resp.Header.Get("X-Amzn-Errortype"), body.Code, body.Type, "HTTP error")
	if i := strings.LastIndexByte(code, '#'); i >= 0 {
		code = code[i+1:]
	}
	code, _, _ = strings.Cut(code, ":")
	return &Refusal{code, resp.StatusCode, cmp.Or(body.Message, resp.Status)}
}
