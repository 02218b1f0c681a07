package segment

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fovea"
	"fovea/internal/blob/mem"
	"fovea/internal/manifest"
)

// put stores a segment of one entry with that many errors and that long a
// source-ref.
func put(t *testing.T, blobs fovea.Blobs, name string, errors, refBytes int) fovea.SegmentRef {
	t.Helper()
	e := &manifest.Entry{Line: []byte("{}"), SourceRef: []byte("s3://b/" + strings.Repeat("x", refBytes))}
	for i := range errors {
		e.Problems = append(e.Problems, manifest.Problem{Severity: manifest.Error, Code: "E", Message: "m", At: fmt.Sprintf("/%d", i)})
	}
	var b Builder
	b.Add(1, e)
	data, ref, err := b.Build(name, time.UnixMilli(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blobs.Put(context.Background(), name, strings.NewReader(string(data))); err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestCacheCount: whatever is used beside what, the cache knows what it holds
// and keeps its bound, but for the segment that was loaded last.
func TestCacheCount(t *testing.T) {
	blobs := new(mem.Blobs)
	var refs []fovea.SegmentRef
	for i := range 20 {
		refs = append(refs, put(t, blobs, fmt.Sprintf("segments/%d", i), 0, 10))
	}
	c := &Reader{Blobs: blobs, CacheBytes: 1}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				if _, err := c.segment(context.Background(), refs[i%len(refs)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var held int64
	for el := c.used.Front(); el != nil; el = el.Next() {
		held += el.Value.(*slot).reader.size
	}
	if c.bytes != held || c.used.Len() != len(c.byName) || c.used.Len() > 1 {
		t.Errorf("the cache counts %d bytes of %d segments (%d by name), and holds %d", c.bytes, c.used.Len(), len(c.byName), held)
	}
}

// TestCacheSize: what a hostile manifest can make large once it is decoded
// counts for what it is.
func TestCacheSize(t *testing.T) {
	blobs := new(mem.Blobs)
	c := &Reader{Blobs: blobs}
	for name, ref := range map[string]fovea.SegmentRef{
		"errors": put(t, blobs, "segments/errors", 50_000, 10),
		"refs":   put(t, blobs, "segments/refs", 0, 4<<20),
	} {
		r, err := c.segment(context.Background(), ref)
		if err != nil {
			t.Fatal(err)
		}
		if r.size < 4<<20 {
			t.Errorf("%s: a segment of %d bytes counts as %d", name, ref.Size, r.size)
		}
	}
}

// TestSegmentGone: a segment that is not there is our fault and not the
// caller's, whose dataset exists.
func TestSegmentGone(t *testing.T) {
	blobs := new(mem.Blobs)
	ref := put(t, blobs, "segments/a", 0, 10)
	if err := blobs.Delete(context.Background(), ref.Name); err != nil {
		t.Fatal(err)
	}
	_, _, err := (&Reader{Blobs: blobs}).Page(context.Background(), []fovea.SegmentRef{ref}, -1, Filter{}, 10)
	if err == nil || fovea.KindOf(err) != fovea.Internal {
		t.Errorf("err = %v of kind %s, want internal", err, fovea.KindOf(err))
	}
}
