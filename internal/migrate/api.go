package migrate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"fovea/internal/client"
)

// An API is an endpoint whose calls are made again while that may help.
type API struct {
	client.Endpoint

	// Patience is how long a call is tried again before it fails; 5 minutes
	// by default. MaxPause is the longest pause between; 20 s by default.
	Patience time.Duration
	MaxPause time.Duration

	// Tell is told now and then why a call is tried again; nil for nobody.
	Tell func(error)
}

// How long a call fails before Tell is told, and how often it is.
const (
	tellAfter = 3 * time.Second
	tellEvery = 30 * time.Second
)

// maxAnswer is more than a page of 100 entries of 100,000 characters has.
const maxAnswer = 64 << 20

// rekognition calls an operation of Custom Labels.
func (a *API) rekognition(ctx context.Context, op string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return a.json(ctx, client.Call{Service: "rekognition", Method: http.MethodPost, Path: "/", Target: "RekognitionService." + op, Body: body}, out)
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
	return a.json(ctx, client.Call{Service: service, Method: method, Path: path, Body: body}, out)
}

// json calls, again and again while that may help, and decodes the answer.
func (a *API) json(ctx context.Context, c client.Call, out any) error {
	return a.retry(ctx, func() error {
		body, err := a.Send(ctx, c)
		if err != nil {
			return err
		}
		defer body.Close()
		text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
		if err != nil {
			return err
		}
		if len(text) > maxAnswer {
			return fmt.Errorf("the answer to %s%s has more than %d bytes", c.Target, c.Path, maxAnswer)
		}
		if out == nil {
			return nil
		}
		if err := json.Unmarshal(text, out); err != nil {
			return fmt.Errorf("the answer to %s%s: %w", c.Target, c.Path, err)
		}
		return nil
	})
}

// retry calls fn until it succeeds, fails for good, or has failed for longer
// than Patience. Pauses double, with full jitter, so that clients that were
// throttled together do not come back together.
func (a *API) retry(ctx context.Context, fn func() error) error {
	patience, longest := cmp.Or(a.Patience, 5*time.Minute), cmp.Or(a.MaxPause, 20*time.Second)
	began := time.Now()
	told := began.Add(tellAfter - tellEvery)
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, longest) {
		err := fn()
		if err == nil || ctx.Err() != nil || !passes(err) {
			return err
		}
		if time.Since(began) > patience {
			return fmt.Errorf("given up after %v: %w", patience, err)
		}
		if a.Tell != nil && time.Since(told) > tellEvery {
			told = time.Now()
			a.Tell(err)
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

// passes reports whether an error may be gone the next time.
func passes(err error) bool {
	var refused *client.Refusal
	var lost *client.Lost
	return errors.As(err, &refused) && refused.Passes() || errors.As(err, &lost)
}
