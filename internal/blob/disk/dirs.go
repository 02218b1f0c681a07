package disk

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// dirs makes folders durable before blobs are put in them, and removes them
// when the last blob is gone. It remembers which ones are durable, so that a
// Put costs one sync of a folder and not one for each folder above it.
type dirs struct {
	root    *os.Root
	mu      sync.Mutex
	durable map[string]bool
}

// maxDurable bounds the memory of dirs.
const maxDurable = 10_000

// ensure creates dir and the folders above it, durably.
func (d *dirs) ensure(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.durable[dir] {
		return nil
	}
	if err := d.root.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for above := dir; above != "."; {
		above = path.Dir(above)
		if err := syncDir(d.root, above); err != nil {
			return err
		}
	}
	if d.durable == nil || len(d.durable) >= maxDurable {
		d.durable = make(map[string]bool)
	}
	d.durable[dir] = true
	return nil
}

// forget makes the next ensure look for dir again.
func (d *dirs) forget(dir string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.durable, dir)
}

// prune removes dir and the folders above it as far as they are empty.
func (d *dirs) prune(dir string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for ; dir != "."; dir = path.Dir(dir) {
		if err := d.root.Remove(dir); err != nil {
			return // as a rule because it is not empty
		}
		delete(d.durable, dir)
	}
}

// readDir returns the entries of a folder in the order in which the names of
// blobs sort: a folder sorts as its name with a slash.
func readDir(root *os.Root, dir string) ([]fs.DirEntry, error) {
	f, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	return entries, nil
}

func sortName(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}

// isMissing reports whether an error says that a path leads nowhere, also
// because an element in its middle is a file.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
