// Package blobtest holds what every implementation of fovea.Blobs must pass.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
)

// Run runs the suite. open returns an empty Blobs; it registers what cleans up
// behind it with t.
func Run(t *testing.T, open func(t *testing.T) fovea.Blobs) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, b fovea.Blobs)
	}{
		{"put and open", testPutOpen},
		{"large", testLarge},
		{"replace", testReplace},
		{"failed put", testFailedPut},
		{"names", testNames},
		{"missing", testMissing},
		{"list", testList},
		{"delete", testDelete},
		{"delete beside put", testDeleteBesidePut},
		{"parallel puts", testParallel},
		{"one name in parallel", testOneName},
		{"context", testContext},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

// MustPut stores data under name or fails the test.
func MustPut(t *testing.T, b fovea.Blobs, name string, data []byte) {
	t.Helper()
	n, err := b.Put(t.Context(), name, bytes.NewReader(data))
	if err != nil {
		t.Fatalf("put %s: %v", name, err)
	}
	if n != int64(len(data)) {
		t.Fatalf("put %s = %d bytes, want %d", name, n, len(data))
	}
}

// MustGet returns the whole blob or fails the test.
func MustGet(t *testing.T, b fovea.Blobs, name string) []byte {
	t.Helper()
	data, err := get(t.Context(), b, name)
	if err != nil {
		t.Fatalf("get %s: %v", name, err)
	}
	return data
}

func get(ctx context.Context, b fovea.Blobs, name string) ([]byte, error) {
	blob, err := b.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	data := make([]byte, blob.Size())
	if n, err := blob.ReadAt(data, 0); n < len(data) {
		return nil, err
	}
	return data, nil
}

// Names returns the names of the blobs under prefix as they are listed.
func Names(t *testing.T, b fovea.Blobs, prefix string) []string {
	t.Helper()
	names := []string{}
	for info, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("list %q: %v", prefix, err)
		}
		names = append(names, info.Name)
	}
	return names
}

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n)})
	r.Read(b)
	return b
}

func testPutOpen(t *testing.T, b fovea.Blobs) {
	for _, n := range []int{0, 1, 100, 300_000} {
		name := fmt.Sprintf("folder/of/blob-%d.bin", n)
		data := random(n)
		MustPut(t, b, name, data)
		if got := MustGet(t, b, name); !bytes.Equal(got, data) {
			t.Errorf("blob of %d bytes came back as %d other bytes", n, len(got))
		}
	}
	blob, err := b.Open(t.Context(), "folder/of/blob-100.bin")
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	data := random(100)
	for _, tt := range []struct {
		off, n int
		want   []byte
		err    error
	}{
		{0, 10, data[:10], nil},
		{90, 10, data[90:], nil},
		{95, 10, data[95:], io.EOF},
		{100, 10, nil, io.EOF},
		{1000, 10, nil, io.EOF},
	} {
		p := make([]byte, tt.n)
		n, err := blob.ReadAt(p, int64(tt.off))
		if !bytes.Equal(p[:n], tt.want) || err != tt.err && !(err == io.EOF && tt.off+tt.n == 100) {
			t.Errorf("ReadAt(%d bytes, %d) = %d bytes, %v; want %d, %v", tt.n, tt.off, n, err, len(tt.want), tt.err)
		}
	}
}

func testLarge(t *testing.T, b fovea.Blobs) {
	const size = 50<<20 + 13
	data := random(size)
	MustPut(t, b, "large", data)
	blob, err := b.Open(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	if blob.Size() != size {
		t.Fatalf("size = %d, want %d", blob.Size(), size)
	}
	var wg sync.WaitGroup // reads beside each other
	const part = 8 << 20
	for off := 0; off < size; off += part {
		wg.Go(func() {
			p := make([]byte, min(part, size-off))
			if n, err := blob.ReadAt(p, int64(off)); n != len(p) || err != nil && err != io.EOF {
				t.Errorf("ReadAt(%d) = %d, %v", off, n, err)
			} else if !bytes.Equal(p, data[off:off+n]) {
				t.Errorf("ReadAt(%d) = other bytes", off)
			}
		})
	}
	wg.Wait()
}

func testReplace(t *testing.T, b fovea.Blobs) {
	old, next := random(200_000), random(100_001)
	MustPut(t, b, "a/x", old)
	reader, err := b.Open(t.Context(), "a/x")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	MustPut(t, b, "a/x", next)
	if got := MustGet(t, b, "a/x"); !bytes.Equal(got, next) {
		t.Errorf("after a replacing Put the blob is not the new one")
	}
	// Who had it open goes on with the old one, or is told.
	p := make([]byte, len(old))
	if n, err := reader.ReadAt(p, 0); (err == nil || err == io.EOF) && !bytes.Equal(p[:n], old) {
		t.Errorf("a reader of the old blob got %d bytes that are not it", n)
	}
}

// failing gives some bytes and then an error.
type failing struct{ left int }

var errBroken = errors.New("broken pipe")

func (f *failing) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, errBroken
	}
	n := min(len(p), f.left)
	f.left -= n
	return n, nil
}

func testFailedPut(t *testing.T, b fovea.Blobs) {
	MustPut(t, b, "a/kept", []byte("old"))
	for _, name := range []string{"a/kept", "a/new"} {
		if _, err := b.Put(t.Context(), name, &failing{1 << 20}); !errors.Is(err, errBroken) {
			t.Errorf("put of a reader that fails = %v, want its error", err)
		}
	}
	if got := MustGet(t, b, "a/kept"); string(got) != "old" {
		t.Errorf("after a failed Put the blob is %.20q, want the old one", got)
	}
	if diff := cmp.Diff([]string{"a/kept"}, Names(t, b, "")); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func testNames(t *testing.T, b fovea.Blobs) {
	for _, name := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", `a\b`, `..\a`, "a b", "a\x00b", "ä", "a:b", "~", "@tmp/a",
		"C:/a", strings.Repeat("a", 201), strings.Repeat("a/", 500) + "a", "a\nb", "a%2e", "*", "a?b",
	} {
		if _, err := b.Put(t.Context(), name, strings.NewReader("x")); fovea.KindOf(err) != fovea.Invalid {
			t.Errorf("Put(%q) = %v, want an Invalid error", name, err)
		}
		if _, err := b.Open(t.Context(), name); fovea.KindOf(err) != fovea.Invalid {
			t.Errorf("Open(%q) = %v, want an Invalid error", name, err)
		}
		if err := b.Delete(t.Context(), name); fovea.KindOf(err) != fovea.Invalid {
			t.Errorf("Delete(%q) = %v, want an Invalid error", name, err)
		}
	}
	for _, prefix := range []string{"../", "/", "a//", "@tmp/", "..", "@"} {
		if got := Names(t, b, prefix); len(got) > 0 {
			t.Errorf("List(%q) = %v, want nothing", prefix, got)
		}
	}
	for _, name := range []string{"a", "A-b_c.9", "...", "..a", ".a", "-", "b/..c/d", strings.Repeat("x", 200)} {
		MustPut(t, b, name, []byte(name))
		if got := MustGet(t, b, name); string(got) != name {
			t.Errorf("blob %s = %q", name, got)
		}
	}
}

func testMissing(t *testing.T, b fovea.Blobs) {
	MustPut(t, b, "a/b", nil)
	for _, name := range []string{"x", "a", "a/x", "a/b/c", "x/y/z"} {
		if _, err := b.Open(t.Context(), name); err == nil || fovea.KindOf(err) != fovea.NotFound {
			t.Errorf("Open(%q) = %v, want NotFound", name, err)
		}
	}
}

func testList(t *testing.T, b fovea.Blobs) {
	all := []string{"a-b", "a.b", "a/b/c", "a/b0", "a/c", "a/z/1", "a/z/10", "a/z/2", "a0", "aa/x", "b"}
	for _, i := range rand.Perm(len(all)) {
		MustPut(t, b, all[i], random(i))
	}
	for prefix, want := range map[string][]string{
		"":       all,
		"a":      all[:10],
		"a/":     {"a/b/c", "a/b0", "a/c", "a/z/1", "a/z/10", "a/z/2"},
		"a/b":    {"a/b/c", "a/b0"},
		"a/z/1":  {"a/z/1", "a/z/10"},
		"a/z/10": {"a/z/10"},
		"aa":     {"aa/x"},
		"c":      {},
		"b/":     {},
		"a/b0/":  {},
		"x/y":    {},
	} {
		if diff := cmp.Diff(want, Names(t, b, prefix)); diff != "" {
			t.Errorf("List(%q) (-want +got):\n%s", prefix, diff)
		}
	}
	i := 0
	for info, err := range b.List(t.Context(), "a") {
		if err != nil {
			t.Fatal(err)
		}
		if info.Size != int64(i) || info.Modified.IsZero() {
			t.Errorf("info of %s = %d bytes of %v, want %d bytes", info.Name, info.Size, info.Modified, i)
		}
		if i++; i == 3 {
			break // and the iterator stops
		}
	}
}

func testDelete(t *testing.T, b fovea.Blobs) {
	for _, name := range []string{"a/1", "a/2", "a/3", "b/c/d"} {
		MustPut(t, b, name, []byte(name))
	}
	reader, err := b.Open(t.Context(), "a/1")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := b.Delete(t.Context(), "a/1", "missing", "a", "b/c", "a/2/x", "b/c/d"); err != nil {
		t.Fatalf("delete: %v", err)
	}
	p := make([]byte, 3)
	if n, err := reader.ReadAt(p, 0); (err == nil || err == io.EOF) && string(p[:n]) != "a/1" {
		t.Errorf("a reader of the deleted blob got %q", p[:n])
	}
	if err := b.Delete(t.Context()); err != nil {
		t.Errorf("delete of nothing: %v", err)
	}
	if diff := cmp.Diff([]string{"a/2", "a/3"}, Names(t, b, "")); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	many := make([]string, 2500) // more than S3 deletes in one request
	for i := range many {
		many[i] = fmt.Sprintf("many/%d", i)
	}
	MustPut(t, b, many[0], nil)
	MustPut(t, b, many[2499], nil)
	if err := b.Delete(t.Context(), many...); err != nil {
		t.Fatalf("delete many: %v", err)
	}
	if got := Names(t, b, "many"); len(got) > 0 {
		t.Errorf("left after deleting many: %v", got)
	}
}

// testDeleteBesidePut fills and empties one folder from several sides.
func testDeleteBesidePut(t *testing.T, b fovea.Blobs) {
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			name := fmt.Sprintf("deep/er/%d", i)
			for range 25 {
				if _, err := b.Put(t.Context(), name, strings.NewReader(name)); err != nil {
					t.Errorf("put: %v", err)
				}
				if got, err := get(t.Context(), b, name); err != nil || string(got) != name {
					t.Errorf("get = %q, %v", got, err)
				}
				if err := b.Delete(t.Context(), name); err != nil {
					t.Errorf("delete: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if got := Names(t, b, ""); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
}

func testParallel(t *testing.T, b fovea.Blobs) {
	var wg sync.WaitGroup
	const n = 64
	for i := range n {
		wg.Go(func() {
			name := fmt.Sprintf("d%d/%d", i%7, i)
			if _, err := b.Put(t.Context(), name, bytes.NewReader(random(i*1000))); err != nil {
				t.Errorf("put %s: %v", name, err)
			}
		})
	}
	wg.Wait()
	if got := Names(t, b, "d"); len(got) != n {
		t.Errorf("listed %d blobs, want %d", len(got), n)
	}
	for i := range n {
		if got := MustGet(t, b, fmt.Sprintf("d%d/%d", i%7, i)); !bytes.Equal(got, random(i*1000)) {
			t.Errorf("blob %d is not what was put", i)
		}
	}
}

// testOneName replaces a blob from several sides; it is always one of them.
func testOneName(t *testing.T, b fovea.Blobs) {
	MustPut(t, b, "one", bytes.Repeat([]byte{0}, 10_000))
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 10 {
				data := bytes.Repeat([]byte{byte(i)}, 10_000*(i+1))
				if _, err := b.Put(t.Context(), "one", bytes.NewReader(data)); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		})
		wg.Go(func() {
			for range 20 {
				got, err := get(t.Context(), b, "one")
				if err != nil && fovea.KindOf(err) != fovea.NotFound {
					continue // a reader of what was replaced may be told so
				}
				if err != nil || len(got) == 0 || !bytes.Equal(got, bytes.Repeat(got[:1], 10_000*(int(got[0])+1))) {
					t.Errorf("a mixture of %d bytes, %v", len(got), err)
				}
			}
		})
	}
	wg.Wait()
}

func testContext(t *testing.T, b fovea.Blobs) {
	MustPut(t, b, "a", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Put(ctx, "b", strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("put = %v, want %v", err, context.Canceled)
	}
	if _, err := b.Open(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("open = %v, want %v", err, context.Canceled)
	}
	if err := b.Delete(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("delete = %v, want %v", err, context.Canceled)
	}
	for _, err := range b.List(ctx, "") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("list = %v, want %v", err, context.Canceled)
		}
	}
	if diff := cmp.Diff([]string{"a"}, Names(t, b, "")); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
