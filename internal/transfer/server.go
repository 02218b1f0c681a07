package transfer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/aws/smithy-go"

	"fovea/internal/client"
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

// isRefusal reports whether the server answered with an error of one of the
// names.
func isRefusal(err error, names ...string) bool {
	code := client.CodeOf(err)
	return code != "" && slices.Contains(names, code)
}

// call sends a request until it is answered, and decodes the answer into out
// unless that is nil. A request may arrive twice: the server's state, and not
// the answer, says what was done.
func (s *Server) call(ctx context.Context, c client.Call, out any) error {
	return s.retry(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
		defer cancel()
		body, err := s.send(ctx, c)
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
func (s *Server) send(ctx context.Context, c client.Call) (io.ReadCloser, error) {
	e := client.Endpoint{URL: s.URL, Region: s.Region, KeyID: s.KeyID, Secret: s.Secret}
	return e.Send(ctx, c)
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
	var refused *client.Refusal
	if errors.As(err, &refused) {
		return refused.Passes()
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
