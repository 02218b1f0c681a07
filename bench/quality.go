package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"fovea/internal/imaging"
	"fovea/internal/quality"
	"fovea/internal/qualitytest"
)

// photograph is a real photograph and what quality sees of it.
type photograph struct {
	name string
	luma *image.Gray
	look quality.Look
}

// quality measures how well near duplicates are found: of all photographs of
// shared/data, each change of each is looked for among all of them, and each is
// looked for among the others.
func (b *bench) quality(ctx context.Context) (section, error) {
	cells, cookies := qualitytest.Photographs(".")
	if len(cells) == 0 || len(cookies) == 0 {
		return section{}, errNoPhotographs
	}
	photos, err := photographs(ctx, slices.Concat(cells, cookies))
	if err != nil {
		return section{}, err
	}
	looks := make([]quality.Look, len(photos))
	for i := range photos {
		looks[i] = photos[i].look
	}
	matcher := quality.NewMatcher(looks)
	t := table{head: []string{"what was done", "pairs", "found", "recall", "least similarity", "taken for another"}}
	for _, c := range qualitytest.Changes {
		row, err := recall(ctx, c, photos, matcher)
		if err != nil {
			return section{}, err
		}
		t.add(row...)
	}
	alarms := 0
	for i := range photos {
		if m, ok := matcher.Match(&photos[i].look, i); ok {
			alarms++
			log.Printf("%s is like %s: %.3f", photos[i].name, photos[m.Index].name, m.Similarity)
		}
	}
	t.add("nothing: different photographs", count(int64(len(photos)*(len(photos)-1)/2)), fmt.Sprint(alarms), "", "", "")
	hashing, decoding, err := lookRates(ctx, cells[:32])
	if err != nil {
		return section{}, err
	}
	return section{
		title: "Near duplicates",
		text: fmt.Sprintf("%d photographs of blood cells and %d of cookies, all of one microscope and of one table, and each of them changed. "+
			"Hashing takes %.0f images a second on one core (640x480), decoding before it %.0f. docs/quality.md tells what the figures mean.",
			len(cells), len(cookies), hashing, decoding),
		table: t,
	}, nil
}

// photographs decodes photographs.
func photographs(ctx context.Context, names []string) ([]photograph, error) {
	photos := make([]photograph, len(names))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for i, name := range names {
		g.Go(func() error {
			file, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			m, err := jpeg.Decode(bytes.NewReader(file))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			luma := qualitytest.Luma(m)
			look := *quality.LookAt(qualitytest.Picture(luma))
			look.Sum = [16]byte{byte(i), byte(i >> 8)}
			photos[i] = photograph{filepath.Base(name), luma, look}
			return ctx.Err()
		})
	}
	return photos, g.Wait()
}

// recall returns the row of a change.
func recall(ctx context.Context, c qualitytest.Change, photos []photograph, matcher *quality.Matcher) ([]string, error) {
	matches := make([]*quality.Match, len(photos))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for i := range photos {
		g.Go(func() error {
			look := quality.LookAt(qualitytest.Picture(c.Apply(photos[i].luma)))
			look.Sum[15] = 1 // another file
			if m, ok := matcher.Match(look, len(photos)); ok {
				matches[i] = &m
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	found, others, least := 0, 0, float32(1)
	for i, m := range matches {
		switch {
		case m == nil:
		case m.Index == i:
			found++
			least = min(least, m.Similarity)
		default:
			others++
			log.Printf("%s: %s is taken for %s", c.Name, photos[i].name, photos[m.Index].name)
		}
	}
	log.Printf("%s: %d of %d", c.Name, found, len(photos))
	return []string{c.Name, fmt.Sprint(len(photos)), fmt.Sprint(found), fmt.Sprintf("%.1f %%", 100*float64(found)/float64(len(photos))),
		fmt.Sprintf("%.3f", least), fmt.Sprint(others)}, nil
}

// lookRates returns how many photographs a second are hashed and decoded, by one
// goroutine.
func lookRates(ctx context.Context, names []string) (hashing, decoding float64, err error) {
	var hashed, decoded time.Duration
	for _, name := range names {
		file, err := os.ReadFile(name)
		if err != nil {
			return 0, 0, err
		}
		start := time.Now()
		m, err := imaging.Decode(ctx, bytes.NewReader(file), int64(len(file)), imaging.Decoding{Stored: true})
		if err != nil {
			return 0, 0, err
		}
		decoded += time.Since(start)
		start = time.Now()
		for range 10 {
			quality.LookAt(m)
		}
		hashed += time.Since(start)
	}
	n := float64(len(names))
	return 10 * n / hashed.Seconds(), n / decoded.Seconds(), nil
}
