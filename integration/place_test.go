package integration

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fovea/integration/process"
	"fovea/internal/pgtest"
)

// TestNodesApart: nodes over one PostgreSQL whose segments are in a folder of
// each are refused but for the first, also when they start at once, and so is a
// node whose segments are gone.
func TestNodesApart(t *testing.T) {
	t.Parallel()
	args := []string{"--database", pgtest.New(t)}
	nodes := make([]*process.Server, 3)
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i := range nodes {
		nodes[i] = &process.Server{Binary: binary, Data: t.TempDir(), Args: args}
		wg.Go(func() { errs[i] = nodes[i].Start(t.Context()) })
	}
	wg.Wait()
	var first *process.Server
	for i, node := range nodes {
		t.Cleanup(node.Kill)
		switch {
		case errs[i] == nil && first == nil:
			first = node
		case errs[i] == nil:
			t.Error("a second node has started")
		case !strings.Contains(errs[i].Error(), node.Data) || !strings.Contains(errs[i].Error(), "--blobs s3://"):
			t.Errorf("node %d: %v, want it to name the folder and the way out", i, errs[i])
		}
	}
	if first == nil {
		t.Fatal("no node has started")
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	blobs := filepath.Join(first.Data, "blobs")
	if err := os.Rename(blobs, blobs+".away"); err != nil {
		t.Fatal(err)
	}
	if err := first.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "are not in") {
		t.Errorf("starting without the segments: %v", err)
	}
	if err := os.RemoveAll(blobs); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(blobs+".away", blobs); err != nil {
		t.Fatal(err)
	}
	if err := first.Start(t.Context()); err != nil {
		t.Errorf("starting with the segments: %v", err)
	}
}
