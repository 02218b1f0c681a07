package segment

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/blob/mem"
	"fovea/internal/manifest"
)

// An entry is what a test stores, in the form in which it is checked.
type entry struct {
	seq int64
	manifest.Entry
}

// randomEntry returns a made-up entry with everything that filters look at.
func randomEntry(r *rand.Rand, seq int64) entry {
	e := entry{seq: seq}
	e.SourceRef = fmt.Appendf(nil, "s3://b/cam%d/IMG_%05d.jpg", r.IntN(3), r.IntN(2000))
	e.Line = fmt.Appendf(nil, `{"source-ref":%q,"n":%d,"pad":%q}`, e.SourceRef, seq, strings.Repeat("x", r.IntN(400)))
	e.Labeled = r.IntN(4) > 0
	e.Class = manifest.Class(r.IntN(3))
	if r.IntN(3) > 0 {
		e.Date = 1_600_000_000_000 + r.Int64N(1_000_000)
	}
	for _, name := range []string{"scratch", "dent", "ümlaut \"quoted\""} {
		if r.IntN(3) == 0 {
			e.Labels = append(e.Labels, manifest.Label{Name: name, Used: r.IntN(5) > 0, Boxed: r.IntN(2) == 0})
		}
	}
	for range max(0, r.IntN(20)-17) {
		e.Problems = append(e.Problems, manifest.Problem{Severity: manifest.Severity(r.IntN(2)), Code: "ERROR_X", At: fmt.Sprintf("/BB/%d", r.IntN(9)), Message: "m"})
	}
	return e
}

func build(t testing.TB, blobs fovea.Blobs, name string, entries []entry) fovea.SegmentRef {
	t.Helper()
	b := new(Builder)
	for i := range entries {
		b.Add(entries[i].seq, &entries[i].Entry)
	}
	data, ref, err := b.Build(name, imported)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blobs.Put(context.Background(), name, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return ref
}

var imported = time.UnixMilli(1_650_000_000_000)

// pass is the filter, written the obvious way.
func (f Filter) pass(e *entry) bool {
	date := e.Date
	if date == 0 {
		date = imported.UnixMilli()
	}
	return (f.Labeled == nil || e.Labeled == *f.Labeled) &&
		(f.Class == manifest.NoClass || e.Class == f.Class) &&
		(f.SourceRef == "" || strings.Contains(string(e.SourceRef), f.SourceRef)) &&
		(!f.Errors || slices.ContainsFunc(e.Problems, func(p manifest.Problem) bool { return p.Severity == manifest.Error })) &&
		(f.Before == 0 || date < f.Before) && (f.After == 0 || date > f.After) &&
		(len(f.Labels) == 0 || slices.ContainsFunc(e.Labels, func(l manifest.Label) bool { return l.Used && slices.Contains(f.Labels, l.Name) }))
}

func randomFilter(r *rand.Rand) Filter {
	var f Filter
	if r.IntN(3) == 0 {
		v := r.IntN(2) == 0
		f.Labeled = &v
	}
	if r.IntN(4) == 0 {
		f.Class = manifest.Class(r.IntN(3))
	}
	if r.IntN(3) == 0 {
		f.SourceRef = []string{"cam1/", "s3://b/", "00", "no such thing", "jpgs3"}[r.IntN(5)]
	}
	f.Errors = r.IntN(6) == 0
	if r.IntN(4) == 0 {
		f.Before = 1_600_000_500_000
	}
	if r.IntN(4) == 0 {
		f.After = 1_600_000_200_000
	}
	if r.IntN(3) == 0 {
		f.Labels = [][]string{{"dent"}, {"scratch", "ümlaut \"quoted\""}, {"none"}}[r.IntN(3)]
	}
	return f
}

// TestPage walks random datasets, with segments that overlap and rows that are
// masked, in pages of random size, and compares with a plain list.
func TestPage(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		blobs := new(mem.Blobs)
		var all []entry
		var refs []fovea.SegmentRef
		parts := make([][]entry, 1+r.IntN(4))
		for seq := range int64(1 + r.IntN(1500)) {
			k := int(seq) * len(parts) / 1500 // mostly in runs
			if r.IntN(10) == 0 {
				k = r.IntN(len(parts))
			}
			parts[k] = append(parts[k], randomEntry(r, seq*7))
		}
		for k, part := range parts {
			if len(part) == 0 {
				continue
			}
			ref := build(t, blobs, fmt.Sprintf("s/%d", k), part)
			deleted := roaring.New()
			for i := range part {
				if k%2 == 1 && r.IntN(5) == 0 {
					deleted.Add(uint32(i))
				} else {
					all = append(all, part[i])
				}
			}
			if ref.Masked = int64(deleted.GetCardinality()); ref.Masked > 0 {
				ref.Deleted, _ = deleted.ToBytes()
			}
			refs = append(refs, ref)
		}
		slices.SortFunc(all, func(a, b entry) int { return int(a.seq - b.seq) })
		reader := &Reader{Blobs: blobs, CacheBytes: 1 << 20}
		for range 10 {
			f := randomFilter(r)
			var want, got []string
			for i := range all {
				if f.pass(&all[i]) {
					want = append(want, describe(all[i].seq, all[i].Line, all[i].Labeled, stored(all[i].Problems)))
				}
			}
			after, more := int64(-1), true
			for more {
				var rows []Row
				var err error
				n := 1 + r.IntN(300)
				rows, more, err = reader.Page(context.Background(), refs, after, f, n)
				if err != nil {
					t.Fatal(err)
				}
				if more && len(rows) != n {
					t.Fatalf("seed %d: a page of %d of %d rows says that there are more", seed, len(rows), n)
				}
				for _, row := range rows {
					got = append(got, describe(row.Seq, row.Line, row.Labeled, row.Problems))
					after = row.Seq
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d, filter %+v (-want +got):\n%s", seed, f, diff)
			}
		}
	}
}

func stored(problems []manifest.Problem) []Problem {
	var out []Problem
	for _, p := range problems {
		if p.Severity == manifest.Error {
			out = append(out, Problem{p.Code, p.Message, p.At})
		}
	}
	return out
}

func describe(seq int64, line []byte, labeled bool, problems []Problem) string {
	return fmt.Sprintf("%d %s %v %v", seq, line, labeled, problems)
}

// TestBuildSame: running an import again must write the same bytes to the same
// names.
func TestBuildSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var entries []entry
	for i := range int64(3000) {
		entries = append(entries, randomEntry(r, i))
	}
	a, b := new(mem.Blobs), new(mem.Blobs)
	builder := new(Builder)
	for round, blobs := range []fovea.Blobs{a, b} {
		for i := range entries {
			builder.Add(entries[i].seq, &entries[i].Entry)
		}
		data, ref, err := builder.Build("x", imported)
		if err != nil {
			t.Fatal(err)
		}
		blobs.Put(context.Background(), "x", bytes.NewReader(data))
		if again := build(t, blobs, "y", entries); again.Sum != ref.Sum {
			t.Errorf("round %d: the sums of equal segments are %x and %x", round, ref.Sum, again.Sum)
		}
	}
}

// TestDamage (T18): a flipped bit, a truncated file and a swapped one are
// refused, whatever page they hit.
func TestDamage(t *testing.T) {
	ctx := context.Background()
	blobs := new(mem.Blobs)
	r := rand.New(rand.NewPCG(2, 2))
	var entries []entry
	for i := range int64(500) {
		entries = append(entries, randomEntry(r, i))
	}
	ref := build(t, blobs, "s", entries)
	other := build(t, blobs, "o", entries[:499])
	blob, _ := blobs.Open(ctx, "s")
	data := make([]byte, ref.Size)
	blob.ReadAt(data, 0)

	refused := func(name string, data []byte, ref fovea.SegmentRef) {
		t.Helper()
		blobs.Put(ctx, "s", bytes.NewReader(data))
		_, _, err := (&Reader{Blobs: blobs}).Page(ctx, []fovea.SegmentRef{ref}, -1, Filter{}, 10)
		if err == nil || !strings.Contains(err.Error(), "segment s") {
			t.Errorf("%s: err = %v, want one that names the segment", name, err)
		}
	}
	for range 200 {
		bad := bytes.Clone(data)
		bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
		refused("flipped bit", bad, ref)
	}
	refused("truncated", data[:len(data)-1], ref)
	refused("empty", nil, ref)
	blob, _ = blobs.Open(ctx, "o")
	swapped := make([]byte, other.Size)
	blob.ReadAt(swapped, 0)
	refused("swapped", swapped, ref)
}

// TestCacheBound: the cache stays within its bound, shares loads, and serves
// segments that it had to drop.
func TestCacheBound(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(3, 3))
	blobs := &countingBlobs{Blobs: new(mem.Blobs)}
	var refs []fovea.SegmentRef
	for k := range int64(20) {
		var entries []entry
		for i := range int64(200) {
			entries = append(entries, randomEntry(r, k*1000+i))
		}
		refs = append(refs, build(t, blobs, fmt.Sprintf("s%d", k), entries))
	}
	reader := &Reader{Blobs: blobs, CacheBytes: 1 << 20}
	done := make(chan error)
	for range 8 {
		go func() {
			rows, _, err := reader.Page(ctx, refs, -1, Filter{}, 5000)
			if err == nil && len(rows) != 4000 {
				err = fmt.Errorf("%d rows, want 4000", len(rows))
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if reader.bytes > 1<<20 {
		t.Errorf("the cache holds %d bytes, more than its bound", reader.bytes)
	}
	one := &Reader{Blobs: blobs}
	blobs.opens.Store(0)
	for range 3 {
		if _, _, err := one.Page(ctx, refs[:1], -1, Filter{}, 10); err != nil {
			t.Fatal(err)
		}
	}
	if n := blobs.opens.Load(); n != 1 {
		t.Errorf("a cached segment was opened %d times", n)
	}
}

type countingBlobs struct {
	fovea.Blobs
	opens atomic.Int64
}

func (c *countingBlobs) Open(ctx context.Context, name string) (fovea.Blob, error) {
	c.opens.Add(1)
	return c.Blobs.Open(ctx, name)
}

// FuzzSegment: bytes that are not a segment give an error, never a panic.
func FuzzSegment(f *testing.F) {
	r := rand.New(rand.NewPCG(4, 4))
	b := new(Builder)
	for i := range int64(40) {
		e := randomEntry(r, i)
		b.Add(e.seq, &e.Entry)
	}
	data, _, err := b.Build("s", imported)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Clone(data))
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		seg, err := decode("s", data, 40)
		if err != nil {
			return
		}
		facts, err := seg.facts()
		if err != nil {
			return
		}
		if err := seg.match(newBitset(seg.rows, true), facts, Filter{SourceRef: "cam", Labels: []string{"dent"}}); err != nil {
			return
		}
		seg.lines([]int{0, 7, 39}, func(int, []byte) {})
	})
}

// TestFind: every live entry is found by its source-ref, with what it adds to
// the statistics; a masked one is not.
func TestFind(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(5, 5))
	blobs := new(mem.Blobs)
	var refs []fovea.SegmentRef
	var parts [][]entry
	for k := range int64(3) {
		var entries []entry
		for i := range int64(300) {
			e := randomEntry(r, k*1000+i)
			e.SourceRef = fmt.Appendf(nil, "s3://b/%d/%d.jpg", k, i)
			entries = append(entries, e)
		}
		ref := build(t, blobs, fmt.Sprintf("s%d", k), entries)
		deleted := roaring.BitmapOf(7, 299)
		ref.Deleted, _ = deleted.ToBytes()
		ref.Masked = 2
		refs = append(refs, ref)
		parts = append(parts, entries)
	}
	reader := &Reader{Blobs: blobs}
	var wanted [][]byte
	var want []string
	for i := range 300 {
		k := i % 3
		e := parts[k][i]
		wanted = append(wanted, e.SourceRef, fmt.Appendf(nil, "s3://b/none/%d", i))
		if i != 7 && i != 299 {
			want = append(want, fmt.Sprintf("%s %d %d %d", e.SourceRef, k, i, e.seq))
		}
	}
	var got []string
	err := reader.Find(ctx, refs, wanted, func(i int, at Place) {
		got = append(got, fmt.Sprintf("%s %d %d %d", wanted[i], at.Segment, at.Row, at.Seq))
	})
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for row := range 300 {
		e := parts[1][row]
		slices.SortStableFunc(e.Labels, func(a, b manifest.Label) int { // used ones come first
			if a.Used == b.Used {
				return 0
			}
			if a.Used {
				return -1
			}
			return 1
		})
		for i := range e.Labels {
			e.Labels[i].Boxed = e.Labels[i].Boxed && e.Labels[i].Used
		}
		want := Fact{Labeled: e.Labeled, Errors: len(stored(e.Problems)) > 0, Class: e.Class, Labels: e.Labels}
		err := reader.Facts(ctx, refs[1], []int{row}, func(got Fact) {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("row %d (-want +got):\n%s", row, diff)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
