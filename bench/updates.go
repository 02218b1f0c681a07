package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"slices"
	"time"

	"fovea/bench/groundtruth"
)

// Sizes of the measurements of changes.
const (
	changedEntries = 500_000
	updateBytes    = 5_000_000 // of the lines of one update, the most that the API takes is 5 MiB
	updateCalls    = 10
	editCalls      = 1000
)

// changed is the dataset that changes, and changes its other boxes.
var (
	changed = groundtruth.Manifest{Lines: changedEntries}
	changes = groundtruth.Manifest{Lines: changedEntries, Seed: 7}
)

// serveChanged starts a server with the dataset that changes.
func (b *bench) serveChanged(ctx context.Context) (s *server, arn string, err error) {
	if s, err = b.serve(ctx); err != nil {
		return nil, "", err
	}
	f, err := b.manifest("changed", changed)
	if err == nil {
		err = s.upload(ctx, "changed", f)
	}
	if err == nil {
		arn, _, err = s.create(ctx, fromManifest("changed"), changedEntries)
	}
	if err != nil {
		s.close()
		return nil, "", err
	}
	return s, arn, nil
}

// update sends changes and returns how long it took until UPDATE_COMPLETE.
func (s *server) update(ctx context.Context, arn string, lines []byte) (time.Duration, error) {
	start := time.Now()
	in := map[string]any{"DatasetArn": arn, "Changes": map[string]any{"GroundTruth": lines}}
	if err := s.Rekognition(ctx, "UpdateDatasetEntries", in, nil); err != nil {
		return 0, err
	}
	for {
		var found struct {
			DatasetDescription struct{ Status, StatusMessage string }
		}
		if err := s.Rekognition(ctx, "DescribeDataset", map[string]any{"DatasetArn": arn}, &found); err != nil {
			return 0, err
		}
		switch d := found.DatasetDescription; d.Status {
		case "UPDATE_COMPLETE":
			return time.Since(start), nil
		case "UPDATE_IN_PROGRESS":
			time.Sleep(time.Millisecond)
		default:
			return 0, fmt.Errorf("%s: %s", d.Status, d.StatusMessage)
		}
	}
}

// change returns lines of random entries, of so many bytes at most.
func change(maxBytes int) (lines []byte, n int) {
	seen := map[int64]bool{}
	for {
		i := rand.Int64N(changedEntries)
		if seen[i] {
			continue
		}
		seen[i] = true
		before := len(lines)
		lines = append(changes.AppendLine(lines, i), '\n')
		if len(lines) > maxBytes {
			return lines[:before], n
		}
		n++
	}
}

// updates measures large changes.
func (b *bench) updates(ctx context.Context) (section, error) {
	s, arn, err := b.serveChanged(ctx)
	if err != nil {
		return section{}, err
	}
	defer s.close()
	peer, err := newRows(ctx, changed)
	if err != nil {
		return section{}, err
	}
	defer peer.close(ctx)
	var ours, theirs []time.Duration
	entries := 0
	for range updateCalls {
		lines, n := change(updateBytes)
		entries = n
		took, err := s.update(ctx, arn, lines)
		if err != nil {
			return section{}, err
		}
		start := time.Now()
		if err := peer.update(ctx, lines); err != nil {
			return section{}, err
		}
		ours, theirs = append(ours, took), append(theirs, time.Since(start))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	median := len(ours) / 2
	log.Printf("update of %d entries: fovea %v, PostgreSQL %v", entries, ours[median], theirs[median])
	t := table{head: []string{"program", "median", "slowest", "fovea takes"}}
	t.add("fovea, from the call to UPDATE_COMPLETE: all checks, statistics, a new revision", milliseconds(ours[median]), milliseconds(ours[len(ours)-1]), "1.00")
	t.add("PostgreSQL: copy to a temporary table, insert on conflict update, commit", milliseconds(theirs[median]), milliseconds(theirs[len(theirs)-1]),
		ratio(ours[median].Seconds(), theirs[median].Seconds()))
	return section{
		title: "Updating many entries",
		text: fmt.Sprintf("UpdateDatasetEntries with %s of lines, about %s random entries of a dataset of %s, %d times, one after the other. "+
			"The peer is a table of PostgreSQL with the source-ref as its key and the line as text, nothing checked.",
			megabytes(updateBytes), count(int64(entries/100*100)), count(changedEntries), updateCalls),
		table: t,
	}, nil
}
