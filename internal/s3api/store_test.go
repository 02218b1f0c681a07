package s3api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fovea"
)

// files counts the blob files of a store.
func files(t *testing.T, s *Store) int {
	t.Helper()
	n := 0
	for i := range blobDirs {
		d, err := s.blobs.root.Open(fmt.Sprintf("%02x", i))
		if err != nil {
			t.Fatal(err)
		}
		names, err := d.Readdirnames(-1)
		d.Close()
		if err != nil {
			t.Fatal(err)
		}
		n += len(names)
	}
	return n
}

func write(t testing.TB, s *Store, key, body string) fovea.ObjectInfo {
	t.Helper()
	info, err := s.Write(context.Background(), fovea.ObjectRef{Bucket: "bkt", Key: key}, "", strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func readAll(t testing.TB, s *Store, info fovea.ObjectInfo) string {
	t.Helper()
	r, err := s.Read(context.Background(), info, 0, info.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Fatalf("opened twice: %v", err)
	}
	s.Close()
	openStore(t, dir, Options{})
}

// TestOpenOddPath: a path is not taken for a URL or a list of parameters.
func TestOpenOddPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%20e&f=g")
	s := openStore(t, dir, Options{})
	if err := s.CreateBucket(t.Context(), "bkt", ""); err != nil {
		t.Fatal(err)
	}
	write(t, s, "k", "x")
	if _, err := os.Stat(filepath.Join(dir, "s3.db")); err != nil {
		t.Error(err)
	}
}

// TestReadOutlivesDelete: a reader keeps its bytes when the object is deleted
// and swept under it.
func TestReadOutlivesDelete(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	s := openStore(t, t.TempDir(), Options{Now: clock, SweepEvery: time.Hour})
	if err := s.CreateBucket(t.Context(), "bkt", ""); err != nil {
		t.Fatal(err)
	}
	info := write(t, s, "k", "content")
	r, err := s.Read(t.Context(), info, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.deleteObject(t.Context(), "bkt", "k", "", condition{}); err != nil {
		t.Fatal(err)
	}
	sweep := func(want int) {
		t.Helper()
		if n, err := s.sweepFreed(t.Context()); n != want || err != nil {
			t.Fatalf("swept %d, %v; want %d", n, err, want)
		}
	}
	sweep(0) // within the grace
	mu.Lock()
	now = now.Add(2 * time.Minute)
	mu.Unlock()
	sweep(0) // being read
	if data, err := io.ReadAll(r); string(data) != "content" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
	r.Close()
	sweep(1)
	if n := files(t, s); n != 0 {
		t.Errorf("%d files left", n)
	}
}

// TestCrashBetweenBlobAndRow: what a crash leaves is removed at the next start,
// and what was acknowledged stays.
func TestCrashBetweenBlobAndRow(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{SweepEvery: time.Hour})
	if err := s.CreateBucket(t.Context(), "bkt", ""); err != nil {
		t.Fatal(err)
	}
	info := write(t, s, "k", "kept")
	st, err := s.stage(strings.NewReader("on disk, and no row names it"), nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.blobs.create()
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("half written"))
	if n, err := s.sweepOrphans(t.Context()); n != 0 || err != nil {
		t.Fatalf("swept %d blobs that are being written, %v", n, err)
	}
	s.Close() // without settling: st and w are forgotten as in a crash
	s = openStore(t, dir, Options{SweepEvery: time.Hour})
	if _, err := s.sweepOrphans(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := files(t, s); n != 1 {
		t.Errorf("%d files left, want 1", n)
	}
	if got := readAll(t, s, info); got != "kept" {
		t.Errorf("got %q", got)
	}
	_ = st
}

// TestFailedWrites leave nothing behind.
func TestFailedWrites(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{SweepEvery: time.Hour})
	if err := s.CreateBucket(t.Context(), "bkt", ""); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the network")
	_, err := s.Write(t.Context(), fovea.ObjectRef{Bucket: "bkt", Key: "k"}, "", io.MultiReader(bytes.NewReader(noise(1<<20)), &failing{broken}), 2<<20)
	if !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
	_, err = s.Write(t.Context(), fovea.ObjectRef{Bucket: "bkt", Key: "k"}, "", io.MultiReader(bytes.NewReader(noise(10)), &failing{io.ErrUnexpectedEOF}), 10)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body that breaks off at its end: %v", err)
	}
	st, err := s.stage(strings.NewReader("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.putObject(t.Context(), &object{bucket: "missing", key: "k"}, st, condition{}); asError(err) == nil {
		t.Errorf("put into no bucket: %v", err)
	}
	if n := files(t, s); n != 0 {
		t.Errorf("%d files left", n)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// TestConcurrentPuts of one key leave one version and one blob.
func TestConcurrentPuts(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{Grace: 50 * time.Millisecond, SweepEvery: time.Hour})
	if err := s.CreateBucket(t.Context(), "bkt", ""); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			body := strings.Repeat(strconv.Itoa(i%10), 1000)
			info, err := s.Write(t.Context(), fovea.ObjectRef{Bucket: "bkt", Key: "k"}, "", strings.NewReader(body), 1000)
			if err != nil {
				t.Error(err)
			}
			if _, err := s.sweepOrphans(t.Context()); err != nil {
				t.Error(err)
			}
			r, err := s.Read(t.Context(), info, 0, 1000)
			if err != nil {
				if fovea.KindOf(err) != fovea.BadObject {
					t.Error(err)
				}
				return
			}
			defer r.Close()
			if data, err := io.ReadAll(r); err != nil || string(data) != body {
				t.Errorf("read %d bytes, %v", len(data), err)
			}
		})
	}
	wg.Wait()
	time.Sleep(60 * time.Millisecond)
	check[int](t)(s.sweepFreed(t.Context()))
	if n := files(t, s); n != 1 {
		t.Errorf("%d files left", n)
	}
	info, err := s.Stat(t.Context(), fovea.ObjectRef{Bucket: "bkt", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, s, info); got != strings.Repeat(got[:1], 1000) {
		t.Error("the object is a mixture")
	}
}

// TestKill kills a process that writes, many times. Every write that it has
// told of must be there and whole, and nothing else may be left on disk.
func TestKill(t *testing.T) {
	if dir := os.Getenv("FOVEA_TEST_KILL_DIR"); dir != "" {
		writeUntilKilled(t, dir)
		return
	}
	dir := t.TempDir()
	acked := map[string]int{}
	for round := range 6 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "FOVEA_TEST_KILL_DIR="+dir, "FOVEA_TEST_KILL_ROUND="+strconv.Itoa(round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); {
			var key string
			var size int
			if k, _ := fmt.Sscanf(lines.Text(), "acked %s %d.", &key, &size); k != 2 || !strings.HasSuffix(lines.Text(), ".") {
				continue
			}
			acked[key] = size
			if n++; n == 5+round {
				time.AfterFunc(time.Duration(round)*3*time.Millisecond, func() { cmd.Process.Kill() })
			}
		}
		cmd.Wait()
	}
	if len(acked) < 30 {
		t.Fatalf("only %d writes were told of", len(acked))
	}
	s := openStore(t, dir, Options{Grace: time.Nanosecond, SweepEvery: time.Hour})
	for key, size := range acked {
		info, err := s.Stat(t.Context(), fovea.ObjectRef{Bucket: "bkt", Key: key})
		if err != nil {
			t.Fatalf("lost: %v", err)
		}
		if got := readAll(t, s, info); got != string(noise(size)) {
			t.Errorf("%s is damaged", key)
		}
	}
	if _, err := s.sweepOrphans(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Millisecond)
	check[int](t)(s.sweepFreed(t.Context()))
	var rows int
	if err := s.read(t.Context()).queryRow(`SELECT count(*) FROM blobs`).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if n := files(t, s); n != rows || rows < len(acked) {
		t.Errorf("%d files, %d rows, %d objects told of", n, rows, len(acked))
	}
}

func writeUntilKilled(t *testing.T, dir string) {
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateBucket(t.Context(), "bkt", ""); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for g := range 4 { // which share commits
		all.Go(func() {
			for i := g; ; i += 4 {
				size := 1 + i*7919%300_000
				key := fmt.Sprintf("%s-%d", os.Getenv("FOVEA_TEST_KILL_ROUND"), i)
				write(t, s, key, string(noise(size)))
				fmt.Printf("acked %s %d.\n", key, size)
			}
		})
	}
	all.Wait()
}

func TestExtents(t *testing.T) {
	es := extents{{1, 10, 5}, {2, 0, 3}, {1, 0, 4}}
	if got, err := decodeExtents(es.encode()); err != nil || fmt.Sprint(got) != fmt.Sprint(es) {
		t.Errorf("decoded %v, %v", got, err)
	}
	for _, tt := range []struct {
		off, n int64
		want   string
	}{{0, 12, "[{1 10 5} {2 0 3} {1 0 4}]"}, {4, 5, "[{1 14 1} {2 0 3} {1 0 1}]"}, {5, 1, "[{2 0 1}]"}, {12, 1, "[]"}, {11, 99, "[{1 3 1}]"}, {0, 0, "[]"}} {
		if got := fmt.Sprint(es.slice(tt.off, tt.n)); got != tt.want {
			t.Errorf("slice(%d, %d) = %s, want %s", tt.off, tt.n, got, tt.want)
		}
	}
	for _, b := range [][]byte{{0x80}, {2, 2}, {1, 2, 2}} {
		if got, err := decodeExtents(b); err == nil {
			t.Errorf("decoded %x as %v", b, got)
		}
	}
}
