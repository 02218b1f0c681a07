package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"fovea/bench/groundtruth"
	"fovea/integration/process"
	"fovea/internal/pgtest"
)

// callers is how many calls are under way at a time.
const callers = 8

// A subject is what is measured: who answers a call.
type subject struct {
	name string
	best map[string]float64 // answers a second, by call
	send map[string]func(context.Context) error
}

// Sizes of the measurement: how long each load lasts, and what is read.
const (
	loadTime     = 3 * time.Second
	ratedEntries = 200_000
	ratedPages   = 500 // that are drawn from
)

// rates measures answers a second.
func (b *bench) rates(ctx context.Context) (section, error) {
	postgres, err := pgtest.Server()
	if err != nil {
		return section{}, err
	}
	database, err := newDatabase(ctx, postgres, "bench_rates")
	if err != nil {
		return section{}, err
	}
	lite, err := b.serve(ctx)
	if err != nil {
		return section{}, err
	}
	defer lite.close()
	post, err := b.serve(ctx, "--database", database)
	if err != nil {
		return section{}, err
	}
	defer post.close()
	if err := fillBare(ctx, database, groundtruth.Manifest{Lines: ratedEntries}); err != nil {
		return section{}, err
	}
	bare, stop, err := startBare(ctx, database)
	if err != nil {
		return section{}, err
	}
	defer stop()
	subjects := []*subject{bareSubject(lite, bare)}
	for _, s := range []struct {
		name   string
		server *server
	}{{"fovea over SQLite", lite}, {"fovea over PostgreSQL", post}} {
		subject, err := b.foveaSubject(ctx, s.name, s.server)
		if err != nil {
			return section{}, err
		}
		subjects = append(subjects, subject)
	}
	if err := b.takeTurns(ctx, subjects); err != nil {
		return section{}, err
	}
	t := table{head: []string{"answers a second", "DescribeDataset", "of the bare program's", "ListDatasetEntries, pages of 100", "of the bare program's"}}
	for _, s := range subjects {
		describe, list := s.best["describe"], s.best["list"]
		t.add(s.name, fmt.Sprintf("%.0f", describe), ratio(describe, subjects[0].best["describe"]),
			fmt.Sprintf("%.0f", list), ratio(list, subjects[0].best["list"]))
	}
	return section{
		title: "Answers a second",
		text: fmt.Sprintf("%d callers, a dataset of %s entries, random pages. The bare program fetches the same rows by primary key with pgx and writes them as JSON over net/http, "+
			"and checks no signature, although its requests are signed too. Callers, servers and PostgreSQL share the two cores.", callers, count(ratedEntries)),
		table: t,
	}, nil
}

// takeTurns measures every call of every subject, and keeps the best.
func (b *bench) takeTurns(ctx context.Context, subjects []*subject) error {
	for range b.runs {
		for _, call := range []string{"describe", "list"} {
			for _, s := range subjects {
				rate, err := rateOf(ctx, s.send[call])
				if err != nil {
					return fmt.Errorf("%s of %s: %w", call, s.name, err)
				}
				log.Printf("%s of %s: %.0f/s", call, s.name, rate)
				s.best[call] = max(s.best[call], rate)
			}
		}
	}
	return nil
}

// rateOf returns how many calls a second are answered.
func rateOf(ctx context.Context, call func(context.Context) error) (float64, error) {
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	began := time.Now()
	for range callers {
		wg.Go(func() {
			for time.Since(began) < loadTime && failed.Load() == nil {
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

// foveaSubject imports a dataset and returns the calls on it.
func (b *bench) foveaSubject(ctx context.Context, name string, s *server) (*subject, error) {
	f, err := b.manifest("boxes", groundtruth.Manifest{Lines: ratedEntries})
	if err != nil {
		return nil, err
	}
	if err := s.upload(ctx, "rated", f); err != nil {
		return nil, err
	}
	arn, _, err := s.create(ctx, fromManifest("rated"), ratedEntries)
	if err != nil {
		return nil, err
	}
	tokens := []string{""}
	for len(tokens) < ratedPages {
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
			return post(ctx, s.Server, s.URL()+"/", operation, body)
		}
	}
	return &subject{name, map[string]float64{}, map[string]func(context.Context) error{
		"describe": call("DescribeDataset", func() any { return map[string]any{"DatasetArn": arn} }),
		"list": call("ListDatasetEntries", func() any {
			return map[string]any{"DatasetArn": arn, "NextToken": tokens[rand.N(len(tokens))]}
		}),
	}}, nil
}

// bareSubject returns the same calls of the bare program.
func bareSubject(signer *server, url string) *subject {
	return &subject{"bare program: pgx, net/http", map[string]float64{}, map[string]func(context.Context) error{
		"describe": func(ctx context.Context) error { return post(ctx, signer.Server, url+"/describe?dataset=1", "", nil) },
		"list": func(ctx context.Context) error {
			return post(ctx, signer.Server, fmt.Sprintf("%s/list?from=%d", url, 100*rand.N(ratedPages)), "", nil)
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
