package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fovea/bench/groundtruth"
	"fovea/integration/process"
)

// callers is how many calls are under way at a time.
const callers = 8

// A subject is what is measured: who answers a call.
type subject struct {
	name string
	best map[string]float64 // answers a second, by call
	send map[string]func(context.Context) error
}

// rates measures answers a second.
func (b *bench) rates(ctx context.Context) error {
	m := groundtruth.Manifest{Lines: b.lines}
	lite, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	defer lite.Stop()
	post, err := b.startServer(ctx, "--database", b.url)
	if err != nil {
		return err
	}
	defer post.Stop()
	if err := fillPeer(ctx, b.url, m); err != nil {
		return err
	}
	peer, stop, err := b.startPeer(ctx)
	if err != nil {
		return err
	}
	defer stop()
	subjects := []*subject{b.peerSubject(lite, peer)}
	for name, s := range map[string]*process.Server{"fovea over SQLite": lite, "fovea over PostgreSQL": post} {
		subject, err := foveaSubject(ctx, name, s, m)
		if err != nil {
			return err
		}
		subjects = append(subjects, subject)
	}
	slices.SortFunc(subjects[1:], func(a, b *subject) int { return -bytes.Compare([]byte(a.name), []byte(b.name)) })
	for range b.runs {
		for _, call := range []string{"describe", "list"} {
			for _, s := range subjects {
				rate, err := b.rate(ctx, s.send[call])
				if err != nil {
					return fmt.Errorf("%s of %s: %w", call, s.name, err)
				}
				s.best[call] = max(s.best[call], rate)
			}
		}
	}
	fmt.Printf("| answers a second, %d callers | DescribeDataset | pages of 100 of %d entries |\n|---|--:|--:|\n", callers, b.lines)
	for _, s := range subjects {
		fmt.Printf("| %s | %.0f (%.2f) | %.0f (%.2f) |\n", s.name,
			s.best["describe"], s.best["describe"]/subjects[0].best["describe"], s.best["list"], s.best["list"]/subjects[0].best["list"])
	}
	return nil
}

// rate returns how many calls a second are answered.
func (b *bench) rate(ctx context.Context, call func(context.Context) error) (float64, error) {
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	began := time.Now()
	for range callers {
		wg.Go(func() {
			for time.Since(began) < b.load && failed.Load() == nil {
				if err := call(ctx); err != nil {
					failed.Store(&err)
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(began).Seconds(), nil
}

// foveaSubject imports the manifest and returns the calls on what came of it.
func foveaSubject(ctx context.Context, name string, s *process.Server, m groundtruth.Manifest) (*subject, error) {
	arn, _, err := load(ctx, s, s, "rates", m)
	if err != nil {
		return nil, err
	}
	tokens := []string{""}
	for len(tokens) < 500 { // of pages to draw from
		var page struct{ NextToken string }
		in := map[string]any{"DatasetArn": arn, "NextToken": tokens[len(tokens)-1]}
		if err := s.Rekognition(ctx, "ListDatasetEntries", in, &page); err != nil {
			return nil, err
		}
		if page.NextToken == "" {
			break
		}
		tokens = append(tokens, page.NextToken)
	}
	call := func(operation string, in func() any) func(context.Context) error {
		return func(ctx context.Context) error {
			body, err := json.Marshal(in())
			if err != nil {
				return err
			}
			return post(ctx, s, s.URL()+"/", operation, body)
		}
	}
	return &subject{name, map[string]float64{}, map[string]func(context.Context) error{
		"describe": call("DescribeDataset", func() any { return map[string]any{"DatasetArn": arn} }),
		"list": call("ListDatasetEntries", func() any {
			return map[string]any{"DatasetArn": arn, "NextToken": tokens[rand.N(len(tokens))]}
		}),
	}}, nil
}

// peerSubject returns the same calls of the peer.
func (b *bench) peerSubject(signer *process.Server, url string) *subject {
	return &subject{"pgx and net/http, by primary key", map[string]float64{}, map[string]func(context.Context) error{
		"describe": func(ctx context.Context) error { return post(ctx, signer, url+"/describe?dataset=1", "", nil) },
		"list": func(ctx context.Context) error {
			pages := min(500, b.lines/100)
			return post(ctx, signer, fmt.Sprintf("%s/list?from=%d", url, 100*rand.N(pages)), "", nil)
		},
	}}
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}}

// post sends a signed request and reads the answer.
func post(ctx context.Context, signer *process.Server, url, operation string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, "POST", url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "RekognitionService."+operation)
	if err := signer.Sign(req, "rekognition", body); err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", resp.StatusCode, text)
	}
	return err
}
