package disk_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/blob/disk"
	"fovea/internal/blobtest"
)

func open(t *testing.T, dir string) *disk.Blobs {
	t.Helper()
	b, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestBlobs(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) fovea.Blobs { return open(t, filepath.Join(t.TempDir(), "new", "blobs")) })
}

// files returns every path below dir, folders with a slash.
func files(t *testing.T, dir string) []string {
	t.Helper()
	list := []string{}
	err := filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if e.IsDir() {
			rel += "/"
		}
		list = append(list, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestLayout: a blob is the file of its name, readable by its owner only, and
// nothing else stays behind.
func TestLayout(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	blobtest.MustPut(t, b, "segments/1/a.parquet", []byte("PAR1"))
	blobtest.MustPut(t, b, "segments/2/b", nil)
	if data, err := os.ReadFile(filepath.Join(dir, "segments", "1", "a.parquet")); err != nil || string(data) != "PAR1" {
		t.Errorf("file = %q, %v", data, err)
	}
	info, err := os.Stat(filepath.Join(dir, "segments", "1", "a.parquet"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v, want 0600", info.Mode(), err)
	}
	if err := b.Delete(t.Context(), "segments/1/a.parquet"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), "c", &broken{}); err == nil {
		t.Error("put of a broken reader succeeded")
	}
	if diff := cmp.Diff([]string{"@tmp/", "segments/", "segments/2/", "segments/2/b"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }

// TestOldTemporaries: Open removes what a crash left, but not what another
// process may be writing.
func TestOldTemporaries(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "@tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{"old": 2 * time.Hour, "young": time.Minute} {
		file := filepath.Join(dir, "@tmp", name)
		if err := os.WriteFile(file, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if got := blobtest.Names(t, open(t, dir), ""); len(got) > 0 {
		t.Errorf("listed %v", got)
	}
	if diff := cmp.Diff([]string{"@tmp/", "@tmp/young"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestContained: links do not lead out of the folder (T03).
func TestContained(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := open(t, dir)
	for name, target := range map[string]string{"file": secret, "folder": outside} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	for _, name := range []string{"file", "folder/secret"} {
		if blob, err := b.Open(t.Context(), name); err == nil {
			blob.Close()
			t.Errorf("opened %s", name)
		}
	}
	if _, err := b.Put(t.Context(), "folder/new", strings.NewReader("x")); err == nil {
		t.Error("put a blob outside")
	}
	if err := b.Delete(t.Context(), "folder/secret"); err == nil {
		t.Error("deleted a file outside")
	}
	if got := blobtest.Names(t, b, ""); len(got) > 0 {
		t.Errorf("listed %v", got)
	}
	if diff := cmp.Diff([]string{"secret"}, files(t, outside)); diff != "" {
		t.Errorf("outside (-want +got):\n%s", diff)
	}
}

// TestRemovedByHand: a folder that somebody removed is made again.
func TestRemovedByHand(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	blobtest.MustPut(t, b, "a/b/c", nil)
	if err := os.RemoveAll(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	blobtest.MustPut(t, b, "a/b/c", []byte("again"))
	if got := string(blobtest.MustGet(t, b, "a/b/c")); got != "again" {
		t.Errorf("blob = %q", got)
	}
}

// TestNameOfFolder: what disk cannot keep it refuses, and keeps the rest.
func TestNameOfFolder(t *testing.T) {
	b := open(t, t.TempDir())
	blobtest.MustPut(t, b, "a/b", []byte("b"))
	for _, name := range []string{"a", "a/b/c"} {
		if _, err := b.Put(t.Context(), name, strings.NewReader("x")); err == nil {
			t.Errorf("put %s beside a/b", name)
		}
	}
	if got := string(blobtest.MustGet(t, b, "a/b")); got != "b" {
		t.Errorf("blob = %q", got)
	}
}

// TestFull: a Put on a full disk fails, leaves what was there, and takes no
// room (T19).
func TestFull(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	blobtest.MustPut(t, b, "a", []byte("old"))
	lift := limitFileSize(t, 1<<20)
	_, err := b.Put(t.Context(), "a", bytes.NewReader(make([]byte, 2<<20)))
	lift()
	if err == nil || fovea.KindOf(err) != fovea.Internal {
		t.Errorf("put on a full disk = %v, want an Internal error", err)
	}
	if got := string(blobtest.MustGet(t, b, "a")); got != "old" {
		t.Errorf("blob = %.10q", got)
	}
	if diff := cmp.Diff([]string{"@tmp/", "a"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

const childEnv = "FOVEA_DISK_CHILD"

// content returns the content of a blob of the crash test: it begins with its
// own checksum.
func content(n int) []byte {
	data := make([]byte, 500_000+rand.N(1_000_000))
	for i := range data {
		data[i] = byte(i * n)
	}
	sum := sha256.Sum256(data)
	return append(sum[:], data...)
}

// TestCrash kills a process that puts blobs. Those it was told of are there;
// of the others there is nothing or the whole (T17).
func TestCrash(t *testing.T) {
	if dir := os.Getenv(childEnv); dir != "" {
		b := open(t, dir)
		for n := 0; ; n++ {
			name := fmt.Sprintf("%d/blob", n%5) // each replaces an earlier one
			data := content(n)
			blobtest.MustPut(t, b, name, data)
			fmt.Println(name, hex.EncodeToString(data[:sha256.Size]))
		}
	}
	dir := t.TempDir()
	told := map[string]string{}
	for range 8 {
		replaced := 0
		putAndKill(t, dir, told)
		b := open(t, dir)
		for _, name := range blobtest.Names(t, b, "") {
			data := blobtest.MustGet(t, b, name)
			if sum := sha256.Sum256(data[sha256.Size:]); !bytes.Equal(sum[:], data[:sha256.Size]) {
				t.Errorf("%s is not whole", name)
			}
		}
		for name, sum := range told {
			now := hex.EncodeToString(blobtest.MustGet(t, b, name)[:sha256.Size])
			if now != sum {
				replaced++ // by one that was not acknowledged any more
			}
			told[name] = now
		}
		if replaced > 1 {
			t.Errorf("%d acknowledged blobs are others now", replaced)
		}
	}
	if len(told) == 0 {
		t.Error("nothing was put")
	}
}

// putAndKill runs the child, kills it a while after its first blob and notes what
// it was told.
func putAndKill(t *testing.T, dir string, told map[string]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrash$")
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	for s := bufio.NewScanner(out); s.Scan(); {
		once.Do(func() { time.AfterFunc(rand.N(250*time.Millisecond), func() { cmd.Process.Kill() }) })
		name, sum, _ := strings.Cut(s.Text(), " ")
		told[name] = sum
	}
	cmd.Wait() // says that it was killed
}

// BenchmarkPut is the price of a durable blob from few callers and from many.
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{1000, 1 << 20} {
		for _, callers := range []int{2, 16} {
			b.Run(fmt.Sprintf("%d bytes from %d", size, callers), func(b *testing.B) {
				blobs, err := disk.Open(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				defer blobs.Close()
				data := make([]byte, size)
				b.SetBytes(int64(size))
				b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := blobs.Put(b.Context(), fmt.Sprintf("d%d/%x", rand.N(8), rand.Uint64()), bytes.NewReader(data)); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}

// TestReadOnly: a folder that is open for reading stays as it is, old temporary
// files included.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	if _, err := disk.OpenReadOnly(filepath.Join(dir, "none")); err == nil {
		t.Error("opened a folder that is not there")
	}
	blobtest.MustPut(t, open(t, dir), "a/b", []byte("x"))
	old := filepath.Join(dir, "@tmp", "old")
	if err := errors.Join(os.WriteFile(old, nil, 0o600), os.Chtimes(old, time.Time{}, time.Now().Add(-48*time.Hour))); err != nil {
		t.Fatal(err)
	}
	b, err := disk.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got := string(blobtest.MustGet(t, b, "a/b")); got != "x" {
		t.Errorf("blob = %q", got)
	}
	if _, err := b.Put(t.Context(), "c", strings.NewReader("x")); err == nil {
		t.Error("a blob was put")
	}
	if err := b.Delete(t.Context(), "a/b"); err == nil {
		t.Error("a blob was deleted")
	}
	if diff := cmp.Diff([]string{"@tmp/", "@tmp/old", "a/", "a/b"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestMovedAway: what is put in a folder that is no longer where it was is not
// acknowledged; when it is back all goes on (T19).
func TestMovedAway(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	b := open(t, dir)
	blobtest.MustPut(t, b, "a", []byte("x"))
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"nothing", "another folder"} {
		if _, err := b.Put(t.Context(), "b", strings.NewReader("x")); err == nil || !strings.Contains(err.Error(), "put it back") {
			t.Errorf("put with %s in its place = %v", what, err)
		}
		if got := string(blobtest.MustGet(t, b, "a")); got != "x" {
			t.Errorf("blob = %q", got)
		}
		if what == "nothing" {
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(os.Remove(dir), os.Rename(dir+".away", dir)); err != nil {
		t.Fatal(err)
	}
	blobtest.MustPut(t, b, "b", []byte("y"))
}
