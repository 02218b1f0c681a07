package transfer

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
	"net/url"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"fovea/internal/sigv4"
)

// A Server is the fovea whose datasets are made or read. URL, Region, KeyID and
// Secret are required.
type Server struct {
	URL    string // such as http://127.0.0.1:7373
	Region string
	KeyID  string
	Secret string

	Attempts int           // tries of one request; default 8
	Backoff  time.Duration // longest pause between tries, default 5 s
}

// answerTimeout bounds the wait for the head of an answer, and for all of a
// short one.
const answerTimeout = time.Minute

// httpClient waits for nothing for ever, but lets a long answer take as long as
// it moves.
var httpClient = &http.Client{
	Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: answerTimeout,
		IdleConnTimeout:       90 * time.Second,
	},
}

// A refusal is an answer that says no. Its text is the server's.
type refusal struct {
	name    string // such as ResourceNotFoundException
	status  int
	message string
}

func (e *refusal) Error() string {
	return cmp.Or(e.message, e.name, fmt.Sprintf("the server answered %d", e.status))
}

// passing reports whether the same request may succeed later.
func (e *refusal) passing() bool {
	return e.status >= 500 || e.status == http.StatusTooManyRequests ||
		e.name == "ThrottlingException" || e.name == "ProvisionedThroughputExceededException"
}

// isRefusal reports whether the server answered with an error of one of the
// names.
func isRefusal(err error, names ...string) bool {
	var e *refusal
	if !errors.As(err, &e) {
		return false
	}
	for _, name := range names {
		if e.name == name {
			return true
		}
	}
	return false
}

// A request is one call of the server's APIs.
type request struct {
	service string // that it is signed for
	method  string
	path    string // escaped, with the query
	target  string // X-Amz-Target; empty for none
	body    []byte
}

// call sends a request until it is answered, and decodes the answer into out
// unless that is nil. A request may arrive twice: the server's state, and not
// the answer, says what was done.
func (s *Server) call(ctx context.Context, r request, out any) error {
	return s.retry(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
		defer cancel()
		body, err := s.send(ctx, r)
		if err != nil {
			return err
		}
		defer body.Close()
		if out == nil {
			return nil
		}
		if err := json.NewDecoder(body).Decode(out); err != nil {
			return fmt.Errorf("the server's answer: %w", err)
		}
		return nil
	})
}

// send sends a request once. The caller closes the body.
func (s *Server) send(ctx context.Context, r request) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, s.URL+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	if len(r.body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.target != "" {
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
		req.Header.Set("X-Amz-Target", r.target)
	}
	sum := sha256.Sum256(r.body)
	sigv4.Sign(req, sigv4.Scope{KeyID: s.KeyID, Region: s.Region, Service: r.service}, s.Secret, hex.EncodeToString(sum[:]), time.Now())
	resp, err := httpClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var said struct{ Message string }
	json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&said) // or the status has to do
	name, _, _ := strings.Cut(resp.Header.Get("X-Amzn-Errortype"), ":")
	return nil, &refusal{name: name, status: resp.StatusCode, message: said.Message}
}

// retry calls fn until it succeeds, or fails for good, or has failed too often.
// The pauses between double, with full jitter, so that many clients whose
// network comes back do not come back at once.
func (s *Server) retry(ctx context.Context, fn func() error) error {
	attempts := cmp.Or(s.Attempts, 8)
	longest := cmp.Or(s.Backoff, 5*time.Second)
	for n := 1; ; n++ {
		err := fn()
		if err == nil || ctx.Err() != nil || !passes(err) {
			return err
		}
		if n >= attempts {
			return fmt.Errorf("tried %d times: %w", n, err)
		}
		pause := min(longest, 100*time.Millisecond<<min(n-1, 10))
		select {
		case <-time.After(rand.N(pause) + pause/4):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// MayGoOn reports whether an error of Import or Export is one of the network, of
// a server in trouble, or of S3, so that the same may succeed later.
func MayGoOn(err error) bool {
	var ofSDK *smithy.OperationError
	return errors.As(err, &ofSDK) || passes(err)
}

// passes reports whether an error may be gone the next time: the network's, and
// those of a server in trouble.
func passes(err error) bool {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.passing()
	}
	var ofSDK *smithy.OperationError
	if errors.As(err, &ofSDK) { // which has tried often enough
		return false
	}
	if errors.Is(err, errCut) {
		return true
	}
	var network *net.OpError
	var broken *url.Error
	return errors.As(err, &network) || errors.As(err, &broken) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}
