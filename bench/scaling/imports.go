package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"fovea/bench/groundtruth"
	"fovea/integration/process"
)

// imports measures imports on one node and on two, with a worker each, over one
// PostgreSQL and the S3 of another process.
func (b *bench) imports(ctx context.Context) error {
	m := groundtruth.Manifest{Lines: b.lines}
	store, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	defer store.Stop()
	if err := store.MakeBucket(ctx, "segments"); err != nil {
		return err
	}
	args := []string{"--database", b.url, "--blobs", "s3://segments/one", "--s3-endpoint", store.URL(),
		"--s3-access-key", store.KeyID(), "--s3-secret-key", store.Secret(), "--import-workers", "1", "--import-range", "2097152"}
	best := [3]time.Duration{}
	for nodes := 1; nodes <= 2; nodes++ {
		node, err := b.startServer(ctx, args...)
		if err != nil {
			return err
		}
		defer node.Stop()
		for run := range b.runs {
			_, took, err := load(ctx, node, store, fmt.Sprintf("import-%d-%d", nodes, run), m)
			if err != nil {
				return err
			}
			if best[nodes] == 0 || took < best[nodes] {
				best[nodes] = took
			}
		}
	}
	fmt.Printf("\nimport of %d lines, a worker a node: 1 node %.2f s, 2 nodes %.2f s (%.2f times as fast)\n", b.lines,
		best[1].Seconds(), best[2].Seconds(), best[1].Seconds()/best[2].Seconds())
	return nil
}

// load uploads the manifest to the S3 of store, if need be, makes a dataset of
// it, and returns its ARN and how long that took.
func load(ctx context.Context, s, store *process.Server, name string, m groundtruth.Manifest) (arn string, took time.Duration, err error) {
	var text bytes.Buffer
	if _, err := m.WriteTo(&text); err != nil {
		return "", 0, err
	}
	if err := store.MakeBucket(ctx, "bench-"+name); err != nil {
		return "", 0, err
	}
	if err := store.Put(ctx, "bench-"+name, "m", &text, int64(text.Len())); err != nil {
		return "", 0, err
	}
	var project struct{ ProjectArn string }
	if err := s.Rekognition(ctx, "CreateProject", map[string]any{"ProjectName": name}, &project); err != nil {
		return "", 0, err
	}
	var made struct{ DatasetArn string }
	source := map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": "bench-" + name, "Name": "m"}}}
	began := time.Now()
	err = s.Rekognition(ctx, "CreateDataset", map[string]any{"ProjectArn": project.ProjectArn, "DatasetType": "TRAIN", "DatasetSource": source}, &made)
	if err != nil {
		return "", 0, err
	}
	for {
		var found struct {
			DatasetDescription struct{ Status, StatusMessage string }
		}
		if err := s.Rekognition(ctx, "DescribeDataset", map[string]any{"DatasetArn": made.DatasetArn}, &found); err != nil {
			return "", 0, err
		}
		switch d := found.DatasetDescription; d.Status {
		case "CREATE_COMPLETE":
			return made.DatasetArn, time.Since(began), nil
		case "CREATE_IN_PROGRESS":
			time.Sleep(10 * time.Millisecond)
		default:
			return "", 0, fmt.Errorf("%s: %s", d.Status, d.StatusMessage)
		}
	}
}
