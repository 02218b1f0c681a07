package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"fovea/bench/groundtruth"
	"fovea/internal/pgtest"
)

// sharedLines is the size of the manifest that nodes import together.
const sharedLines = 400_000

// nodes measures imports on one, two and four nodes with a worker each, over
// one PostgreSQL and the S3 of another process.
func (b *bench) nodes(ctx context.Context) (section, error) {
	postgres, err := pgtest.Server()
	if err != nil {
		return section{}, err
	}
	database, err := newDatabase(ctx, postgres, "bench_nodes")
	if err != nil {
		return section{}, err
	}
	store, err := b.serve(ctx)
	if err != nil {
		return section{}, err
	}
	defer store.close()
	f, err := b.manifest("boxes", groundtruth.Manifest{Lines: sharedLines})
	if err != nil {
		return section{}, err
	}
	if err := store.upload(ctx, "shared", f); err != nil {
		return section{}, err
	}
	if err := store.MakeBucket(ctx, "segments"); err != nil {
		return section{}, err
	}
	args := []string{"--database", database, "--blobs", "s3://segments/one", "--s3-endpoint", store.URL(),
		"--s3-access-key", store.KeyID(), "--s3-secret-key", store.Secret(), "--import-workers", "1", "--import-range", "2097152"}
	t := table{head: []string{"nodes", "time", "times as fast as one"}}
	var first *server
	var alone time.Duration
	for running, want := 0, 1; want <= 4; want *= 2 {
		for ; running < want; running++ {
			node, err := b.serve(ctx, args...)
			if err != nil {
				return section{}, err
			}
			defer node.close()
			if first == nil {
				first = node
			}
		}
		best := time.Duration(0)
		for range b.runs {
			_, took, err := first.create(ctx, fromManifest("shared"), sharedLines)
			if err != nil {
				return section{}, err
			}
			if best == 0 || took < best {
				best = took
			}
		}
		if want == 1 {
			alone = best
		}
		log.Printf("import on %d nodes: %v", want, best)
		t.add(count(int64(want)), seconds(best.Seconds()), ratio(alone.Seconds(), best.Seconds()))
	}
	return section{
		title: "Importing on several nodes",
		text: fmt.Sprintf("%s lines, %s, a worker a node, ranges of 2 MiB; PostgreSQL, the S3 of another fovea and all nodes share the two cores, "+
			"so two workers are what they have room for, less what the S3 takes.", count(sharedLines), megabytes(f.size)),
		table: t,
	}, nil
}
