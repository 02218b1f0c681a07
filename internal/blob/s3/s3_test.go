package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/blob/s3"
	"fovea/internal/blobtest"
)

// open returns the blobs in a fake.
func open(t *testing.T, f *fakeS3) *s3.Blobs {
	t.Helper()
	b, err := s3.Open(t.Context(), config(t, f))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func config(t *testing.T, f *fakeS3) s3.Config {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return s3.Config{URL: "s3://bucket/some/prefix", Endpoint: server.URL, KeyID: "KEY", Secret: "SECRET"}
}

func TestBlobs(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) fovea.Blobs {
		f := newFake(t)
		f.pageSize = 3
		// What else is in the bucket is no blob.
		for _, key := range []string{"a", "some/prefi", "some/prefix", "some/prefix/", "some/prefix/not a name", "some/prefixes/a"} {
			f.put(key, nil)
		}
		return open(t, f)
	})
}

func TestOpen(t *testing.T) {
	good := config(t, newFake(t))
	for _, tt := range []struct {
		name   string
		change func(*s3.Config)
		want   string
	}{
		{"good", func(c *s3.Config) {}, ""},
		{"no prefix", func(c *s3.Config) { c.URL = "s3://bucket" }, ""},
		{"slash", func(c *s3.Config) { c.URL = "s3://bucket/" }, ""},
		{"no URL", func(c *s3.Config) { c.URL = "" }, "not of the form s3://BUCKET/PREFIX"},
		{"other scheme", func(c *s3.Config) { c.URL = "http://bucket/x" }, "not of the form s3://BUCKET/PREFIX"},
		{"no bucket", func(c *s3.Config) { c.URL = "s3:///x" }, "not of the form s3://BUCKET/PREFIX"},
		{"bad prefix", func(c *s3.Config) { c.URL = "s3://bucket/a/../b" }, "two dots"},
		{"no key", func(c *s3.Config) { c.KeyID = "" }, "need an access key"},
		{"no such bucket", func(c *s3.Config) { c.URL = "s3://bouquet" }, "look for the bucket bouquet"},
		{"other key", func(c *s3.Config) { c.KeyID = "OTHER" }, "look for the bucket bucket"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := good
			tt.change(&c)
			_, err := s3.Open(t.Context(), c)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("open = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestPrefix(t *testing.T) {
	f := newFake(t)
	b := open(t, f)
	blobtest.MustPut(t, b, "a/b", []byte("x"))
	if _, ok := f.objects["some/prefix/a/b"]; !ok {
		t.Errorf("objects = %v", f.objects)
	}
}

// busy answers every nth request with SlowDown (T20).
func busy(n int) func(http.ResponseWriter, *http.Request) bool {
	i := 0
	return func(w http.ResponseWriter, r *http.Request) bool {
		if i++; i%n != 0 {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, "<Error><Code>SlowDown</Code><Message>slow down</Message></Error>")
		return true
	}
}

func TestSlowDown(t *testing.T) {
	f := newFake(t)
	b := open(t, f)
	f.fault = busy(5)
	data := bytes.Repeat([]byte("0123456789"), 1<<20) // two parts
	blobtest.MustPut(t, b, "a", data)
	blobtest.MustPut(t, b, "b", data[:100])
	if got := blobtest.MustGet(t, b, "a"); !bytes.Equal(got, data) {
		t.Errorf("got %d other bytes", len(got))
	}
	if diff := cmp.Diff([]string{"a", "b"}, blobtest.Names(t, b, "")); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if err := b.Delete(t.Context(), "a", "b"); err != nil {
		t.Error(err)
	}
}

// TestBrokenBody: a read goes on where its connection broke.
func TestBrokenBody(t *testing.T) {
	f := newFake(t)
	b := open(t, f)
	data := bytes.Repeat([]byte("0123456789"), 10_000)
	blobtest.MustPut(t, b, "a", data)
	broken := 0
	f.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || broken == 3 {
			return false
		}
		broken++
		var first, last int
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last)
		w.Header().Set("Content-Length", fmt.Sprint(last+1-first))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(data[first : first+20_000])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	if got := blobtest.MustGet(t, b, "a"); !bytes.Equal(got, data) {
		t.Errorf("got %d other bytes", len(got))
	}
	broken = -1000
	blob, err := b.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	n, err := blob.ReadAt(make([]byte, len(data)), 0)
	if n != 80_000 || err == nil || err == io.EOF {
		t.Errorf("a read that breaks each time = %d, %v, want 80000 and an error", n, err)
	}
}

// TestWrongRange: what ignores Range is not taken for S3.
func TestWrongRange(t *testing.T) {
	f := newFake(t)
	b := open(t, f)
	blobtest.MustPut(t, b, "a", []byte("0123456789"))
	f.fault = func(w http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("Range")
		return false
	}
	blob, err := b.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := blob.ReadAt(make([]byte, 3), 5); err == nil {
		t.Errorf("read %d bytes of another range", n)
	}
}

// TestAbort: a Put that fails leaves no parts behind, also when its context
// has ended.
func TestAbort(t *testing.T) {
	f := newFake(t)
	b := open(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	body := io.MultiReader(bytes.NewReader(make([]byte, 20<<20)), after(cancel), bytes.NewReader(make([]byte, 20<<20)))
	if _, err := b.Put(ctx, "a", body); !errors.Is(err, context.Canceled) {
		t.Errorf("put = %v, want %v", err, context.Canceled)
	}
	if len(f.uploads) != 0 || len(f.objects) != 0 {
		t.Errorf("left: %d uploads, %d objects", len(f.uploads), len(f.objects))
	}
}

// after is an empty reader that calls a function when it is read.
func after(fn func()) io.Reader { return reader(fn) }

type reader func()

func (r reader) Read([]byte) (int, error) { r(); return 0, io.EOF }

// TestReplacedMeanwhile: who reads a blob that is another one now is told.
func TestReplacedMeanwhile(t *testing.T) {
	b := open(t, newFake(t))
	blobtest.MustPut(t, b, "a", []byte("old"))
	blob, err := b.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(){
		func() { blobtest.MustPut(t, b, "a", []byte("new")) },
		func() { b.Delete(t.Context(), "a") },
	} {
		change()
		if n, err := blob.ReadAt(make([]byte, 3), 0); n != 0 || err == nil || err == io.EOF {
			t.Errorf("read = %d, %v, want an error", n, err)
		}
	}
}

// TestReadAfterContext: a blob may be kept for longer than the request that
// opened it.
func TestReadAfterContext(t *testing.T) {
	b := open(t, newFake(t))
	blobtest.MustPut(t, b, "a", []byte("abc"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	blob, err := b.Open(ctx, "a")
	cancel()
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 3)
	if n, err := blob.ReadAt(p, 0); n != 3 || err != nil {
		t.Errorf("read = %d, %v", n, err)
	}
}

// TestReadEnds: a read that is bound to a context ends with it, however long S3
// takes, and is not begun again.
func TestReadEnds(t *testing.T) {
	f := newFake(t)
	b := open(t, f)
	blobtest.MustPut(t, b, "a", []byte("abc"))
	blob, err := b.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]func(http.ResponseWriter){
		"no answer": func(http.ResponseWriter) {},
		"half an answer": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "3")
			w.WriteHeader(http.StatusPartialContent)
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		requests := 0
		f.fault = func(w http.ResponseWriter, r *http.Request) bool {
			requests++
			answer(w)
			cancel()
			<-r.Context().Done()
			return true
		}
		if _, err := fovea.ReadBlobAt(ctx, blob, make([]byte, 3), 0); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: read = %v", name, err)
		}
		f.mu.Lock() // which the fake has until it has answered
		if requests != 1 {
			t.Errorf("%s: %d requests", name, requests)
		}
		f.mu.Unlock()
	}
}

func TestDeleteDenied(t *testing.T) {
	b := open(t, newFake(t))
	err := b.Delete(t.Context(), "a", "b/locked")
	if err == nil || !strings.Contains(err.Error(), "some/prefix/b/locked: AccessDenied") {
		t.Errorf("delete = %v, want the object that was not deleted", err)
	}
}

// TestFewRequests: a small blob costs one request to put and two to read.
func TestFewRequests(t *testing.T) {
	f := newFake(t)
	b := open(t, f)
	f.requests = 0
	blobtest.MustPut(t, b, "a", make([]byte, 8<<20-1))
	if f.requests != 1 {
		t.Errorf("a put made %d requests, want 1", f.requests)
	}
	f.requests = 0
	blobtest.MustGet(t, b, "a")
	if f.requests != 2 {
		t.Errorf("a read made %d requests, want 2", f.requests)
	}
}

// TestListFaults (T20): a list of ten thousand blobs, of whose pages most fail
// at first with 503, with 500, or in the middle of their body, is whole.
func TestListFaults(t *testing.T) {
	f := newFake(t)
	b := open(t, f)
	var want []string
	for n := range 10_000 {
		name := fmt.Sprintf("segments/%05d", n)
		f.put("some/prefix/"+name, nil)
		want = append(want, name)
	}
	tries := 0
	f.fault = func(w http.ResponseWriter, r *http.Request) bool {
		tries++
		switch tries % 4 {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(w, "<Error><Code>SlowDown</Code></Error>")
		case 2:
			w.WriteHeader(http.StatusInternalServerError)
		case 3:
			w.Header().Set("Content-Length", "100000")
			io.WriteString(w, `<?xml version="1.0"?><ListBucketResult><Contents><Key>some/prefix/seg`)
			panic(http.ErrAbortHandler)
		}
		return tries%4 != 0
	}
	if got := blobtest.Names(t, b, "segments/"); !slices.Equal(got, want) {
		t.Errorf("%d names, want %d", len(got), len(want))
	}
	if tries != 40 {
		t.Errorf("%d requests, want 40", tries)
	}
	f.fault = func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(http.StatusForbidden); return true }
	for _, err := range b.List(t.Context(), "segments/") {
		if err == nil || fovea.KindOf(err) != fovea.Internal {
			t.Errorf("a list that is refused = %v", err)
		}
	}
}

// TestEventual (T20): a blob that a store does not show everywhere at once is
// read all the same once it was opened.
func TestEventual(t *testing.T) {
	f := newFake(t)
	b := open(t, f)
	blobtest.MustPut(t, b, "a", []byte("content"))
	missing := 0
	f.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet {
			return false
		}
		if missing++; missing <= 2 {
			w.WriteHeader(http.StatusNotFound)
		}
		return missing <= 2
	}
	if got := string(blobtest.MustGet(t, b, "a")); got != "content" || missing != 3 {
		t.Errorf("blob = %q after %d requests", got, missing)
	}
}
