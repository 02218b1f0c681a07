package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"time"

	"fovea/bench/groundtruth"
)

// Sizes of the listing benchmark.
const (
	listedEntries = 500_000
	listedCalls   = 1000 // for each row
	collectPages  = 400  // tokens that calls are drawn from, with a filter
)

// A query is one way to list entries. It returns the next token.
type query struct {
	name string
	all  bool // draw from all pages, not the first ones only
	call func(ctx context.Context, token string) (next string, entries int, err error)
}

func (b *bench) lists(ctx context.Context) (section, error) {
	s, err := b.serve(ctx)
	if err != nil {
		return section{}, err
	}
	defer s.close()
	boxes, err := b.manifest("listed", groundtruth.Manifest{Lines: listedEntries, Errors: 0.02})
	if err != nil {
		return section{}, err
	}
	if err := s.upload(ctx, "boxes.manifest", boxes); err != nil {
		return section{}, err
	}
	arn, _, err := s.create(ctx, fromManifest("boxes.manifest"), listedEntries)
	if err != nil {
		return section{}, err
	}
	if err := b.lookoutDataset(ctx, s); err != nil {
		return section{}, err
	}

	t := table{head: []string{"entries that", "calls", "entries a page", "p50", "p99"}}
	for _, q := range slices.Concat(s.customLabelsQueries(arn), s.lookoutQueries()) {
		if err := measureQuery(ctx, q, &t); err != nil {
			return section{}, fmt.Errorf("%s: %w", q.name, err)
		}
	}
	return section{
		title: "Listing entries",
		text: fmt.Sprintf("Datasets of %s entries, one signed call of ListDatasetEntries after another over one connection, up to 100 entries an answer, "+
			"each at a random page among all pages (of the first %d with a filter). Client and server share the two cores.", count(listedEntries), collectPages),
		table: t,
	}, nil
}

// lookoutDataset imports the dataset that Lookout's filters are measured on.
func (b *bench) lookoutDataset(ctx context.Context, s *server) error {
	f, err := b.manifest("anomaly", groundtruth.Manifest{Lines: listedEntries, Kind: groundtruth.Anomaly})
	if err != nil {
		return err
	}
	if err := s.upload(ctx, "anomaly.manifest", f); err != nil {
		return err
	}
	return s.lookoutProject(ctx, "bench", "anomaly.manifest")
}

// lookoutProject makes a project of Lookout for Vision with a train dataset, and
// waits until it is complete.
func (s *server) lookoutProject(ctx context.Context, name, manifest string) error {
	if err := s.Lookout(ctx, "POST", "/projects", nil, map[string]any{"ProjectName": name}, nil); err != nil {
		return err
	}
	source := map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": bucket, "Key": manifest}}}
	err := s.Lookout(ctx, "POST", "/projects/"+name+"/datasets", nil, map[string]any{"DatasetType": "train", "DatasetSource": source}, nil)
	for err == nil {
		var found struct {
			DatasetDescription struct{ Status, StatusMessage string }
		}
		if err = s.Lookout(ctx, "GET", "/projects/"+name+"/datasets/train", nil, nil, &found); err != nil {
			break
		}
		switch d := found.DatasetDescription; d.Status {
		case "CREATE_COMPLETE":
			return nil
		case "CREATE_IN_PROGRESS":
			time.Sleep(10 * time.Millisecond)
		default:
			return fmt.Errorf("%s: %s", d.Status, d.StatusMessage)
		}
	}
	return err
}

type page struct {
	DatasetEntries []string
	NextToken      string
}

func (s *server) customLabelsQueries(arn string) []query {
	with := func(name string, filter map[string]any) query {
		return query{name, filter == nil, func(ctx context.Context, token string) (string, int, error) {
			in := map[string]any{"DatasetArn": arn, "NextToken": token}
			for k, v := range filter {
				in[k] = v
			}
			var p page
			err := s.Rekognition(ctx, "ListDatasetEntries", in, &p)
			return p.NextToken, len(p.DatasetEntries), err
		}}
	}
	return []query{
		with("exist: any page", nil),
		with("contain one of two labels", map[string]any{"ContainsLabels": []string{"scratch", "burr"}}),
		with("are labelled", map[string]any{"Labeled": true}),
		with("are not labelled (none)", map[string]any{"Labeled": false}),
		with("have errors (2 %)", map[string]any{"HasErrors": true}),
		with("are of one camera (substring)", map[string]any{"SourceRefContains": "/cam-07/"}),
		with("pass all four filters", map[string]any{"ContainsLabels": []string{"scratch", "burr"}, "Labeled": true, "HasErrors": true, "SourceRefContains": "/cam-0"}),
		with("contain a substring that none has", map[string]any{"SourceRefContains": "/cam-99/"}),
	}
}

func (s *server) lookoutQueries() []query {
	with := func(name string, filter url.Values) query {
		return query{"Lookout: " + name, filter == nil, func(ctx context.Context, token string) (string, int, error) {
			q := url.Values{}
			for k, v := range filter {
				q[k] = v
			}
			if token != "" {
				q.Set("nextToken", token)
			}
			var p page
			err := s.Lookout(ctx, http.MethodGet, "/projects/bench/datasets/train/entries?"+q.Encode(), nil, nil, &p)
			return p.NextToken, len(p.DatasetEntries), err
		}}
	}
	after, before := "2026-01-02T00:00:00Z", "2026-01-05T00:00:00Z"
	return []query{
		with("exist: any page", nil),
		with("are anomalies (20 %)", url.Values{"anomalyClass": {"anomaly"}}),
		with("are of three days", url.Values{"createdAfter": {after}, "createdBefore": {before}}),
		with("pass all filters", url.Values{"labeled": {"true"}, "anomalyClass": {"anomaly"}, "createdAfter": {after}, "createdBefore": {before}, "sourceRefContains": {"/cam-0"}}),
	}
}

// measureQuery collects page tokens, then calls with tokens drawn at random.
func measureQuery(ctx context.Context, q query, t *table) error {
	limit := collectPages
	if q.all {
		limit = listedEntries
	}
	tokens := []string{""}
	for len(tokens) < limit {
		next, _, err := q.call(ctx, tokens[len(tokens)-1])
		if err != nil {
			return err
		}
		if next == "" {
			break
		}
		tokens = append(tokens, next)
	}
	times := make([]time.Duration, listedCalls)
	entries := 0
	for i := range times {
		token := tokens[rand.IntN(len(tokens))]
		start := time.Now()
		_, n, err := q.call(ctx, token)
		if err != nil {
			return err
		}
		times[i] = time.Since(start)
		entries += n
	}
	slices.Sort(times)
	p50, p99 := times[len(times)/2], times[len(times)*99/100]
	log.Printf("%s: p50 %v, p99 %v", q.name, p50, p99)
	t.add(q.name, count(listedCalls), fmt.Sprintf("%.1f", float64(entries)/listedCalls), milliseconds(p50), milliseconds(p99))
	return nil
}
