package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// units is how many inference units a called model has, and how many clients
// call it at most: one of each core.
const units = 2

// warmCalls come before those that are measured: they load the weights.
const warmCalls = 5

// detections measures calls of a model and adds to the table.
func (b *bench) detections(ctx context.Context, t trainee, m *trained, to *table) error {
	if err := m.start(ctx, units); err != nil {
		return err
	}
	images, decoding, err := b.megapixels(ctx, t.album)
	if err != nil {
		return err
	}
	for i := range warmCalls {
		if err := m.detect(ctx, images[i%len(images)]); err != nil {
			return err
		}
	}
	for _, clients := range []int{1, units} {
		times, took, err := callAll(ctx, m.detect, images, b.calls, clients)
		if err != nil {
			return err
		}
		p50, p99 := times[len(times)/2], times[len(times)*99/100]
		rate := float64(len(times)) / took.Seconds()
		log.Printf("%s, %d clients: p50 %v, p99 %v, %.1f/s; decoding %v", t.called, clients, p50, p99, rate, decoding)
		to.add(t.called, fmt.Sprint(clients), milliseconds(p50), milliseconds(p99), fmt.Sprintf("%.1f", rate),
			milliseconds(decoding), fmt.Sprintf("%.0f %%", 100*decoding.Seconds()/p50.Seconds()))
	}
	return nil
}

// callAll makes calls with images in turn, by several clients, and returns the
// times of all, sorted, and how long they took together.
func callAll(ctx context.Context, call func(context.Context, []byte) error, images [][]byte, calls, clients int) ([]time.Duration, time.Duration, error) {
	times := make([]time.Duration, calls)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(clients)
	began := time.Now()
	for i := range times {
		g.Go(func() error {
			start := time.Now()
			err := call(ctx, images[i%len(images)])
			times[i] = time.Since(start)
			return err
		})
	}
	err := g.Wait()
	took := time.Since(began)
	slices.Sort(times)
	return times, took, err
}

// shown is how many images calls are made with.
const shown = 10

// megapixels returns JPEGs of photographs of an album, scaled to a megapixel, and
// the median of the time that decoding one of them takes.
func (b *bench) megapixels(ctx context.Context, a *album) ([][]byte, time.Duration, error) {
	var images [][]byte
	for i := range shown {
		data := a.objects[a.names[i*len(a.names)/shown]]
		m, err := decode(ctx, data)
		if err != nil {
			return nil, 0, err
		}
		if m.W*m.H != megapixelW*megapixelH {
			if data, err = scaledPhoto(ctx, data); err != nil {
				return nil, 0, err
			}
		}
		images = append(images, data)
	}
	times := make([]time.Duration, 5*shown)
	for i := range times {
		start := time.Now()
		if _, err := decode(ctx, images[i%shown]); err != nil {
			return nil, 0, err
		}
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return images, times[len(times)/2], nil
}

// detectAnomalies calls DetectAnomalies of the model of the cookies.
func (s *server) detectAnomalies(ctx context.Context, image []byte) error {
	resp, err := s.Do(ctx, "lookoutvision", "POST", "/2020-11-20/projects/cookies/models/1/detect", http.Header{"Content-Type": {"image/jpeg"}}, image)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %s", resp.StatusCode, text)
	}
	var found struct {
		DetectAnomalyResult struct{ Confidence float64 }
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return err
	}
	if found.DetectAnomalyResult.Confidence < 0.5 {
		return fmt.Errorf("no verdict: %s", text)
	}
	return nil
}
