package dataset_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/bench/groundtruth"
	"fovea/internal/rekognition"
)

// TestHelpImport: what helpers and the import do together is what the import
// does alone, and little is done twice.
func TestHelpImport(t *testing.T) {
	ctx := context.Background()
	text := manifestOf(groundtruth.Manifest{Lines: 4000, Errors: 0.1, Dropped: 0.1})
	profile := rekognition.Profile(rekognition.Limits())
	alone := newWorld(t, profile)
	alone.load(t, fovea.Train, text)
	want := alone.state(t, fovea.Train)
	for _, helpers := range []int{1, 3} {
		w := newWorld(t, profile)
		w.ImportRange, w.Workers = 20_000, 1
		job := w.create(t, fovea.Train, text)
		var mu sync.Mutex
		parts, distinct := 0, map[string]bool{}
		w.Blobs = &hooked{w.Blobs, func(name string) {
			mu.Lock()
			defer mu.Unlock()
			if strings.HasSuffix(name, ".part") {
				parts++
				distinct[name] = true
			}
		}}
		var wg sync.WaitGroup
		for range helpers {
			wg.Go(func() {
				if err := w.HelpImport(ctx, job); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if err := w.RunImport(ctx, job); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if diff := cmp.Diff(want, w.state(t, fovea.Train)); diff != "" {
			t.Errorf("%d helpers: differs from an import alone (-want +got):\n%s", helpers, diff)
		}
		t.Logf("%d helpers: %d ranges were done for %d parts", helpers, parts, len(distinct))
		if len(distinct) < 50 || parts > 2*len(distinct) {
			t.Errorf("%d helpers: %d ranges were done for %d parts", helpers, parts, len(distinct))
		}
	}
}

// TestHelpAlone: a helper does every range, the import finds them all, and help
// that comes late does nothing.
func TestHelpAlone(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.ImportRange, w.Workers = 20_000, 2
	job := w.create(t, fovea.Train, manifestOf(groundtruth.Manifest{Lines: 1000}))
	help := func(want int) {
		t.Helper()
		parts, blobs := 0, w.Blobs
		var mu sync.Mutex
		w.Blobs = &hooked{blobs, func(name string) {
			mu.Lock()
			defer mu.Unlock()
			if strings.HasSuffix(name, ".part") {
				parts++
			}
		}}
		if err := w.HelpImport(ctx, job); err != nil {
			t.Fatal(err)
		}
		if w.Blobs = blobs; parts != want {
			t.Errorf("the helper did %d ranges, want %d", parts, want)
		}
	}
	n := int((job.Manifest.Size + w.ImportRange - 1) / w.ImportRange)
	help(n)
	help(0)
	w.Blobs = &hooked{w.Blobs, func(name string) {
		if strings.HasSuffix(name, ".part") {
			t.Errorf("the import did %s again", name)
		}
	}}
	if err := w.RunImport(ctx, job); err != nil {
		t.Fatal(err)
	}
	help(0)
	if got := w.view(t, fovea.Train).Revision.Stats.Entries; got != 1000 {
		t.Errorf("%d entries, want 1000", got)
	}
}
