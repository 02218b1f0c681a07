package main

import (
	"context"
	"fmt"
	"log"
	"slices"
	"time"

	"fovea/bench/groundtruth"
)

// copied is how often a dataset is copied.
const copied = 50

func (b *bench) copies(ctx context.Context) (section, error) {
	s, err := b.serve(ctx)
	if err != nil {
		return section{}, err
	}
	defer s.close()
	t := table{head: []string{"entries", "size of the manifest", "p50", "p99"}}
	for _, lines := range []int64{5_000, 500_000} {
		f, err := b.manifest("boxes", groundtruth.Manifest{Lines: lines})
		if err != nil {
			return section{}, err
		}
		key := fmt.Sprintf("copied-%d", lines)
		if err := s.upload(ctx, key, f); err != nil {
			return section{}, err
		}
		arn, _, err := s.create(ctx, fromManifest(key), lines)
		if err != nil {
			return section{}, err
		}
		times := make([]time.Duration, copied)
		for i := range times {
			if _, times[i], err = s.create(ctx, fromDataset(arn), lines); err != nil {
				return section{}, err
			}
		}
		slices.Sort(times)
		p50, p99 := times[len(times)/2], times[len(times)*99/100]
		log.Printf("copy of %d entries: p50 %v, p99 %v", lines, p50, p99)
		t.add(count(lines), megabytes(f.size), milliseconds(p50), milliseconds(p99))
	}
	return section{
		title: "Copying a dataset",
		text:  fmt.Sprintf("From the CreateDataset call with the ARN of a dataset to CREATE_COMPLETE of the copy, %d times each.", copied),
		table: t,
	}, nil
}
