package cutfs_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"fovea/integration/cutfs"
)

func mount(t *testing.T) (*cutfs.FS, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := cutfs.Mount(dir)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := f.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return f, dir
}

// write makes a file, and syncs what it is told to.
func write(t *testing.T, path, text string, content, folder bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if content {
		err = errors.Join(err, f.Sync())
	}
	err = errors.Join(err, f.Close())
	if folder {
		var d *os.File
		if d, err = os.Open(filepath.Dir(path)); err == nil {
			err = errors.Join(d.Sync(), d.Close())
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func read(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return "none"
	}
	return string(data)
}

// TestCut: a cut leaves what was synced, and nothing else.
func TestCut(t *testing.T) {
	f, dir := mount(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("neither"), "x", false, false)
	write(t, at("content"), "x", true, false)
	write(t, at("name"), "x", false, true) // and those of the two above
	write(t, at("both"), "old", true, true)
	write(t, at("both"), "new and longer", false, false)
	write(t, at("late"), "x", true, false)
	if err := errors.Join(os.Rename(at("neither"), at("renamed")), os.Truncate(at("content"), 0), os.Mkdir(at("folder"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"renamed": "x", "neither": "none", "content": "", "both": "new and longer"} {
		if got := read(at(name)); got != want {
			t.Errorf("before the cut %s = %q, want %q", name, got, want)
		}
	}
	if err := f.Cut(cutfs.All, nil); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"renamed": "none", "neither": "", "content": "x", "name": "", "both": "old", "late": "none", "folder": "none"} {
		if got := read(at(name)); got != want {
			t.Errorf("after the cut %s = %q, want %q", name, got, want)
		}
	}
}

// TestCutSome: of what was not synced a cut may leave any part.
func TestCutSome(t *testing.T) {
	f, dir := mount(t)
	path := filepath.Join(dir, "file")
	write(t, path, "ab", true, true)
	seen := map[string]bool{}
	for seed := range uint64(40) {
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err1 := w.WriteAt([]byte("A"), 0)
		_, err2 := w.WriteAt([]byte("B"), 1)
		if err := errors.Join(err1, err2, w.Close(), f.Cut(cutfs.Some, rand.New(rand.NewPCG(seed, 0)))); err != nil {
			t.Fatal(err)
		}
		seen[read(path)] = true
		write(t, path, "ab", true, true)
	}
	for _, want := range []string{"ab", "Ab", "aB", "AB"} {
		if !seen[want] {
			t.Errorf("no cut left %s: %v", want, seen)
		}
	}
}

// TestFail: what is told to fail does, and a lie is found out by a cut.
func TestFail(t *testing.T) {
	f, dir := mount(t)
	path := filepath.Join(dir, "a")
	f.Fail(func(op cutfs.Op) syscall.Errno {
		if op.Writes() {
			return syscall.EROFS
		}
		return 0
	})
	if err := os.WriteFile(path, nil, 0o600); !errors.Is(err, syscall.EROFS) {
		t.Errorf("write = %v, want EROFS", err)
	}
	f.Fail(nil)
	f.Lie(func(path string) bool { return path == "a" })
	write(t, path, "x", true, true)
	if err := f.Cut(cutfs.All, nil); err != nil {
		t.Fatal(err)
	}
	if got := read(path); got != "" || f.Syncs() != 2 {
		t.Errorf("after %d syncs, one a lie, the file is %q, want it empty", f.Syncs(), got)
	}
}
