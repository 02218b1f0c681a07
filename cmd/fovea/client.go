package main

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
	"net/url"
	"strings"
	"time"

	"fovea/internal/sigv4"
)

// A client calls fovea's own API as the root user.
type client struct {
	base   string // such as http://127.0.0.1:7373
	region string
	key    keyPair
	wait   time.Duration // for the next bytes of an answer; 0 for answerWait
}

// answerWait is how long a command waits for a server to go on: longer than the
// server lets itself take.
const answerWait = 3 * time.Minute

// client returns a client of the server that the config names.
func (c *config) client() (*client, error) {
	key, err := c.existingKey()
	if err != nil {
		return nil, err
	}
	return &client{base: c.url(c.Listen), region: c.Region, key: key}, nil
}

// datasetPath returns the path under which the calls of a dataset are.
func datasetPath(name string) (string, error) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 {
		return "", fmt.Errorf("%q is not of the form SERVICE/PROJECT/SPLIT, such as custom-labels/parts/train", name)
	}
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/fovea/v1/" + strings.Join(parts, "/"), nil
}

// call sends a request and returns the body of the answer, or the error that
// the server answered. It waits for nothing for ever: a server that stops to
// answer is an error.
func (c *client) call(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	p := newPatience(ctx, cmp.Or(c.wait, answerWait))
	req, err := http.NewRequestWithContext(p.ctx, method, target, bytes.NewReader(body))
	if err != nil {
		p.end()
		return nil, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	sum := sha256.Sum256(body)
	sigv4.Sign(req, sigv4.Scope{KeyID: c.key.ID, Region: c.region, Service: "fovea"}, c.key.Secret, hex.EncodeToString(sum[:]), time.Now())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.end()
		err = p.explain(err)
		if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "dial" && ctx.Err() == nil {
			err = fmt.Errorf("no server answers at %s: start it with `fovea serve`, or name its address with --listen: %w", c.base, err)
		}
		return nil, err
	}
	p.timer.Stop() // until the body is read
	answer := &patientBody{resp.Body, p}
	if resp.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer answer.Close()
	var e struct{ Message string }
	if err := json.NewDecoder(io.LimitReader(answer, 1<<20)).Decode(&e); err != nil || e.Message == "" {
		return nil, fmt.Errorf("the server answered %s", resp.Status)
	}
	return nil, errors.New(e.Message)
}

// read calls and decodes the JSON of the answer.
func (c *client) read(ctx context.Context, method, path string, query url.Values, body []byte, answer any) error {
	r, err := c.call(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := json.NewDecoder(r).Decode(answer); err != nil {
		return fmt.Errorf("the server's answer: %w", err)
	}
	return nil
}
