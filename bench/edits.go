package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"slices"
	"time"
)

// edits measures changes of one entry each, and what they do to reading: after
// each edit a page of the current revision is listed.
func (b *bench) edits(ctx context.Context) (section, error) {
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
	tenth := editCalls / 10
	before := make([]time.Duration, tenth)
	for i := range before {
		if before[i], err = s.page(ctx, arn); err != nil {
			return section{}, err
		}
	}
	ours, theirs, reads := make([]time.Duration, editCalls), make([]time.Duration, editCalls), make([]time.Duration, editCalls)
	for i := range editCalls {
		line := append(changes.AppendLine(nil, rand.Int64N(changedEntries)), '\n')
		if ours[i], err = s.update(ctx, arn, line); err != nil {
			return section{}, err
		}
		if reads[i], err = s.page(ctx, arn); err != nil {
			return section{}, err
		}
		start := time.Now()
		if err := peer.update(ctx, line); err != nil {
			return section{}, err
		}
		theirs[i] = time.Since(start)
	}
	t := table{head: []string{"what", "p50", "p99"}}
	for _, row := range []struct {
		name  string
		times []time.Duration
	}{
		{fmt.Sprintf("an edit, of all %s, from the call to UPDATE_COMPLETE", count(editCalls)), ours},
		{fmt.Sprintf("of the first %d", tenth), ours[:tenth]},
		{fmt.Sprintf("of the last %d", tenth), ours[editCalls-tenth:]},
		{"the same in PostgreSQL", theirs},
		{"a page of 100 entries before the first edit", before},
		{fmt.Sprintf("after each of the first %d", tenth), reads[:tenth]},
		{fmt.Sprintf("after each of the last %d", tenth), reads[editCalls-tenth:]},
	} {
		times := slices.Sorted(slices.Values(row.times))
		p50, p99 := times[len(times)/2], times[len(times)*99/100]
		log.Printf("%s: p50 %v, p99 %v", row.name, p50, p99)
		t.add(row.name, milliseconds(p50), milliseconds(p99))
	}
	return section{
		title: "Editing single entries",
		text: fmt.Sprintf("%s changes of one random entry of %s, one after the other, while small segments are merged as they come. After each, a page is "+
			"listed of a random thousand entries, by a substring of their source-ref. The peer is the table of the section before, a commit each.", count(editCalls), count(changedEntries)),
		table: t,
	}, nil
}

// page lists entries of a random camera, so that its page comes from anywhere
// in the dataset and was not listed just before.
func (s *server) page(ctx context.Context, arn string) (time.Duration, error) {
	var p page
	in := map[string]any{"DatasetArn": arn, "SourceRefContains": fmt.Sprintf("/img-%05d", rand.IntN(changedEntries/1000))}
	start := time.Now()
	err := s.Rekognition(ctx, "ListDatasetEntries", in, &p)
	took := time.Since(start)
	if err == nil && len(p.DatasetEntries) == 0 {
		err = fmt.Errorf("no entries of %v", in["SourceRefContains"])
	}
	return took, err
}
