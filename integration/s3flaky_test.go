package integration

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"fovea/internal/pgtest"
)

// TestS3Flaky (T20): everything on one S3 that fails all the time: manifests
// and the segments, --s3-endpoint and --blobs s3://. Datasets are imported,
// updated, distributed, listed and verified as on a sound one.
func TestS3Flaky(t *testing.T) {
	t.Parallel()
	store := serve(t)
	if err := store.MakeBucket(t.Context(), "segments"); err != nil {
		t.Fatal(err)
	}
	proxy := newFaulty(t, store)
	flags := []string{"--database", pgtest.New(t), "--blobs", "s3://segments/one", "--s3-endpoint", proxy.URL,
		"--s3-access-key", store.KeyID(), "--s3-secret-key", store.Secret()}
	node := serve(t, append(flags, "--limits", "none", "--import-range", "65536")...)
	upload(t, store, "kill.manifest", manyLines(800))
	_, alone := filled(t, node, "alone")
	want := contentOf(t, node, alone)

	breakOff := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "1000000")
		w.WriteHeader(http.StatusPartialContent)
		io.WriteString(w, "{")
		panic(http.ErrAbortHandler)
	}
	var mu sync.Mutex
	asked := map[string]int{}
	for _, tt := range []struct {
		name  string
		fault func(n int64, w http.ResponseWriter, r *http.Request) bool
	}{
		{"one answer in three is 503 SlowDown", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n%3 == 0 {
				slowDown(w)
			}
			return n%3 == 0
		}},
		{"one answer in four is 500", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n%4 == 0 {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return n%4 == 0
		}},
		{"one connection in five breaks", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n%5 == 0 {
				panic(http.ErrAbortHandler)
			}
			return false
		}},
		{"every third body breaks off", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet && n%3 == 0 {
				breakOff(w)
			}
			return false
		}},
		{"a new object is missing for its first two readers", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			if strings.Count(r.URL.Path, "/") < 2 || r.Method != http.MethodGet && r.Method != http.MethodHead || r.URL.Query().Has("list-type") {
				return false
			}
			asked[r.URL.Path]++
			if asked[r.URL.Path] > 2 {
				return false
			}
			w.WriteHeader(http.StatusNotFound)
			return true
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := strings.ReplaceAll(tt.name, " ", "-")
			upload(t, store, "kill.manifest", manyLines(800))
			proxy.set(tt.fault)
			defer proxy.set(nil)
			_, train := filled(t, node, name)
			if got := contentOf(t, node, train); got.Digest != want.Digest || got.Labels != want.Labels || fmt.Sprint(got.Stats) != fmt.Sprint(want.Stats) {
				t.Errorf("the import has\n%+v, want\n%+v", got, want)
			}
			if err := change(t.Context(), node, train, labeled("1", "nut")+labeled("new", "nut")); err != nil {
				t.Errorf("an update: %v", err)
			}
			if got := contentOf(t, node, train); got.Entries != 801 || got.Stats["TotalLabels"] != 2.0 {
				t.Errorf("after the update %+v", got)
			}
			calls := proxy.calls.Load()
			if strings.Contains(tt.name, "new object") {
				proxy.set(nil) // what is verified is not new
			}
			if status, out := command(t, append([]string{"verify"}, flags...)...); status != 0 {
				t.Errorf("verify ended with %d: %s", status, out)
			}
			t.Logf("%d requests to S3 before it was verified", calls)
		})
	}
}
