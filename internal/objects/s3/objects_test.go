package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fovea"
	"fovea/internal/s3api"
	"fovea/internal/sigv4"
)

// A faulty serves a real S3 with faults in front of it.
type faulty struct {
	next  http.Handler
	calls atomic.Int64
	// fault sees every request by its number, from 1; true means it has
	// answered.
	fault func(n int64, w http.ResponseWriter, r *http.Request) bool
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := f.calls.Add(1)
	if f.fault != nil && f.fault(n, w, r) {
		return
	}
	f.next.ServeHTTP(w, r)
}

func start(t *testing.T, edit ...func(*Config)) (*Objects, *s3api.Store, *faulty) {
	t.Helper()
	store, err := s3api.Open(t.TempDir(), s3api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if err := store.CreateBucket(t.Context(), "bkt", ""); err != nil {
		t.Fatal(err)
	}
	f := &faulty{next: &s3api.Server{Store: store, Verifier: &sigv4.Verifier{
		Secret: func(_ context.Context, id string) (string, error) { return map[string]string{"AK": "secret"}[id], nil }}}}
	hs := httptest.NewServer(f)
	t.Cleanup(hs.Close)
	c := Config{Endpoint: hs.URL, AccessKey: "AK", SecretKey: "secret", PathStyle: true, Backoff: 5 * time.Millisecond, Idle: 200 * time.Millisecond,
		PartSize: minPart}
	for _, e := range edit {
		e(&c)
	}
	o, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return o, store, f
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

func write(t *testing.T, o fovea.Objects, key string, data []byte) fovea.ObjectInfo {
	t.Helper()
	info, err := o.Write(t.Context(), fovea.ObjectRef{Bucket: "bkt", Key: key}, "text/plain", bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func read(t *testing.T, o fovea.Objects, info fovea.ObjectInfo, off, n int64) ([]byte, error) {
	t.Helper()
	r, err := o.Read(t.Context(), info, off, n)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// TestBothObjects: the embedded and the external objects behave alike.
func TestBothObjects(t *testing.T) {
	external, embedded, _ := start(t)
	for name, o := range map[string]fovea.Objects{"external": external, "embedded": embedded} {
		t.Run(name, func(t *testing.T) {
			data := noise(minPart + 12345)
			info := write(t, o, "a b/ü+%.jsonl", data)
			if info.Size != int64(len(data)) || info.ContentType != "text/plain" || info.ETag == "" || info.Modified.IsZero() || info.Ref.Version != "" {
				t.Errorf("info = %+v", info)
			}
			if again, err := o.Stat(t.Context(), info.Ref); err != nil || again != info {
				t.Errorf("Stat = %+v, %v", again, err)
			}
			size := int64(len(data))
			for _, tt := range []struct{ off, n int64 }{{0, size}, {0, 10}, {5, 1 << 62}, {size - 3, 3}, {size - 3, 100}, {size, 1}, {size + 9, 1}, {7, 0}, {minPart - 5, 10}} {
				want := data[min(tt.off, size):min(tt.off+tt.n, size)]
				if got, err := read(t, o, info, tt.off, tt.n); err != nil || !bytes.Equal(got, want) {
					t.Errorf("Read(%d, %d) = %d bytes, %v; want %d", tt.off, tt.n, len(got), err, len(want))
				}
			}
			empty := write(t, o, "empty", nil)
			if got, err := read(t, o, empty, 0, 1); err != nil || len(got) != 0 {
				t.Errorf("empty: %q, %v", got, err)
			}
			write(t, o, "a b/ü+%.jsonl", []byte("other"))
			if _, err := read(t, o, info, 0, 10); fovea.KindOf(err) != fovea.BadObject || !strings.Contains(err.Error(), "replaced") {
				t.Errorf("after it was replaced: %v", err)
			}
			for _, ref := range []fovea.ObjectRef{{Bucket: "bkt", Key: "missing"}, {Bucket: "nobucket", Key: "k"}, {Bucket: "bkt", Key: "empty", Version: "nonsense"}} {
				_, err := o.Stat(t.Context(), ref)
				if fovea.KindOf(err) != fovea.BadObject || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), ref.String()) {
					t.Errorf("Stat(%s): %v", ref, err)
				}
			}
			for _, size := range []int64{-1, 0, 2, 4} {
				_, err := o.Write(t.Context(), fovea.ObjectRef{Bucket: "bkt", Key: "wrong"}, "", strings.NewReader("xxx"), size)
				if err == nil {
					t.Errorf("three bytes were stored as %d", size)
				}
			}
			if _, err := o.Stat(t.Context(), fovea.ObjectRef{Bucket: "bkt", Key: "wrong"}); fovea.KindOf(err) != fovea.BadObject {
				t.Errorf("a failed write left something: %v", err)
			}
		})
	}
}

func TestVersionsArePinned(t *testing.T) {
	external, embedded, _ := start(t)
	if err := embedded.SetVersioning(t.Context(), "bkt", true); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]fovea.Objects{"external": external, "embedded": embedded} {
		t.Run(name, func(t *testing.T) {
			one := write(t, o, "k", []byte("one"))
			two := write(t, o, "k", []byte("two!"))
			if one.Ref.Version == "" || one.Ref.Version == two.Ref.Version {
				t.Fatalf("versions %q and %q", one.Ref.Version, two.Ref.Version)
			}
			if got, err := read(t, o, one, 0, 9); err != nil || string(got) != "one" {
				t.Errorf("first version: %q, %v", got, err)
			}
			if info, err := o.Stat(t.Context(), fovea.ObjectRef{Bucket: "bkt", Key: "k"}); err != nil || info != two {
				t.Errorf("current: %+v, %v; want %+v", info, err, two)
			}
		})
	}
}

func TestForbidden(t *testing.T) {
	o, _, _ := start(t, func(c *Config) { c.SecretKey = "wrong" })
	_, err := o.Stat(t.Context(), fovea.ObjectRef{Bucket: "bkt", Key: "k"})
	if fovea.KindOf(err) != fovea.BadObject || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "s3://bkt/k") {
		t.Errorf("err = %v", err)
	}
}

// cut serves the request and breaks the connection after n bytes of the body.
func cut(next http.Handler, n int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		for name, v := range rec.Header() {
			w.Header()[name] = v
		}
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes()[:min(n, rec.Body.Len())])
		panic(http.ErrAbortHandler)
	}
}

// TestFaults: what S3 does on a bad day (T20).
func TestFaults(t *testing.T) {
	slowDown := func(w http.ResponseWriter) {
		w.WriteHeader(503)
		io.WriteString(w, `<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
	}
	data := noise(1 << 20)
	for _, tt := range []struct {
		name  string
		fault func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool
		kind  fovea.Kind // of the error
		ok    bool
	}{
		{"503 twice", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool {
			if n <= 2 {
				slowDown(w)
			}
			return n <= 2
		}, 0, true},
		{"503 always", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool { slowDown(w); return true }, fovea.Internal, false},
		{"500 once", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				w.WriteHeader(500)
			}
			return n == 1
		}, 0, true},
		{"connection cut three times", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool {
			if n <= 3 {
				cut(f.next, 100_000*int(n))(w, r)
			}
			return n <= 3
		}, 0, true},
		{"connection cut at every 300 kB", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool {
			cut(f.next, 300_000)(w, r)
			return true
		}, 0, true},
		{"connection cut always", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool {
			cut(f.next, 10)(w, r)
			return true
		}, fovea.Internal, false},
		{"hangs in the body", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool {
			if n > 1 {
				return false
			}
			w = &hanging{ResponseWriter: w, left: 5000, r: r}
			f.next.ServeHTTP(w, r)
			return true
		}, 0, true},
		{"hangs before the answer", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				<-r.Context().Done()
			}
			return n == 1
		}, 0, true},
		{"replaced in the middle", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool {
			if n > 1 {
				return false
			}
			defer f.next.(*s3api.Server).Store.Write(context.Background(), fovea.ObjectRef{Bucket: "bkt", Key: "k"}, "", strings.NewReader("new"), 3)
			cut(f.next, 5000)(w, r)
			return true
		}, fovea.BadObject, false},
		{"conditions ignored", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("ETag", `"other"`)
			w.Write(data)
			return true
		}, fovea.BadObject, false},
		{"range ignored", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool {
			rec := httptest.NewRecorder()
			f.next.ServeHTTP(rec, r)
			w.Header().Set("ETag", rec.Header().Get("ETag"))
			w.Write(data)
			return true
		}, fovea.Internal, false},
		{"403", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(403); return true }, fovea.BadObject, false},
		{"404 twice, as of a new object", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool {
			if n <= 2 {
				w.WriteHeader(404)
			}
			return n <= 2
		}, 0, true},
		{"404", func(f *faulty, n int64, w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(404); return true }, fovea.BadObject, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o, _, f := start(t)
			info := write(t, o, "k", data)
			f.calls.Store(0)
			f.fault = func(n int64, w http.ResponseWriter, r *http.Request) bool { return tt.fault(f, n, w, r) }
			got, err := read(t, o, info, 7, info.Size)
			if tt.ok {
				if err != nil || !bytes.Equal(got, data[7:]) {
					t.Errorf("read %d bytes, %v, in %d requests", len(got), err, f.calls.Load())
				}
				return
			}
			if err == nil || errors.Is(err, io.EOF) || fovea.KindOf(err) != tt.kind || !strings.Contains(err.Error(), "s3://bkt/k") {
				t.Errorf("err = %v (%v), want %v", err, fovea.KindOf(err), tt.kind)
			}
			if f.calls.Load() > 40 {
				t.Errorf("%d requests", f.calls.Load())
			}
		})
	}
}

// A hanging stops after some bytes until the client gives up.
type hanging struct {
	http.ResponseWriter
	left int
	r    *http.Request
}

func (h *hanging) Write(p []byte) (int, error) {
	if len(p) <= h.left {
		h.left -= len(p)
		return h.ResponseWriter.Write(p)
	}
	h.ResponseWriter.Write(p[:h.left])
	http.NewResponseController(h.ResponseWriter).Flush()
	<-h.r.Context().Done()
	panic(http.ErrAbortHandler)
}

// TestRedirect: the endpoint cannot send fovea elsewhere (T02).
func TestRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("followed to %s", r.URL)
	}))
	defer elsewhere.Close()
	o, _, f := start(t)
	for _, code := range []int{301, 302, 303, 307, 308} {
		f.fault = func(n int64, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, elsewhere.URL, code)
			return true
		}
		_, err := o.Stat(t.Context(), fovea.ObjectRef{Bucket: "bkt", Key: "k"})
		if fovea.KindOf(err) != fovea.BadObject {
			t.Errorf("%d: %v", code, err)
		}
		if _, err := read(t, o, fovea.ObjectInfo{Ref: fovea.ObjectRef{Bucket: "bkt", Key: "k"}, ETag: `"x"`, Size: 9}, 0, 9); err == nil {
			t.Errorf("%d: read", code)
		}
	}
}

func TestCancelledRead(t *testing.T) {
	o, _, f := start(t)
	info := write(t, o, "k", noise(1<<20))
	f.fault = func(n int64, w http.ResponseWriter, r *http.Request) bool {
		f.next.ServeHTTP(&hanging{ResponseWriter: w, left: 5000, r: r}, r)
		return true
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := o.Read(ctx, info, 0, info.Size)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	r.Close()
	r.Close()
}

func TestConfig(t *testing.T) {
	for _, c := range []Config{{}, {AccessKey: "a"}, {AccessKey: "a", SecretKey: "b", Endpoint: "host:9000"},
		{AccessKey: "a", SecretKey: "b", Endpoint: "file:///etc"}, {AccessKey: "a", SecretKey: "b", Endpoint: "http://u:p@host"}} {
		if _, err := New(c); err == nil {
			t.Errorf("New(%+v) is content", c)
		}
	}
	o, err := New(Config{Endpoint: "http://127.0.0.1:1", AccessKey: "a", SecretKey: "b", Backoff: time.Millisecond, Attempts: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Stat(t.Context(), fovea.ObjectRef{Bucket: "bkt", Key: "k"}); err == nil || fovea.KindOf(err) != fovea.Internal {
		t.Errorf("nobody listens: %v", err)
	}
}
