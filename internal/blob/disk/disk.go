// Package disk keeps blobs as files in a folder: the name of a blob is its
// path, so that other programs can read a segment where it lies.
//
// A blob is written to a temporary file in a folder of its own, synced, and
// moved to its place, and the folder it lies in is synced too. So it is there
// whole or not at all, whatever crashes. One process uses a folder at a time.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"fovea"
)

// tempDir holds what is being written. Its name cannot be part of the name of
// a blob.
const tempDir = "@tmp"

// tempAge is how old a temporary file is before Open takes it for the remains
// of a crash.
const tempAge = time.Hour

// Blobs implements fovea.Blobs in a folder. A name cannot be a blob and the
// beginning of another ("a" and "a/b") at once.
type Blobs struct {
	root      *os.Root
	dirs      dirs
	temporary bool // nothing is synced
	readOnly  bool
	path      string // absolute
}

// Open opens a folder of blobs, which it creates if need be, and removes what
// crashes left in it.
func Open(dir string) (*Blobs, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = MakeFolder(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("create the blob folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the blob folder: %w", err)
	}
	b := &Blobs{root: root, dirs: dirs{root: root}, path: dir}
	if err := b.prepare(); err != nil {
		root.Close()
		return nil, err
	}
	return b, nil
}

// OpenTemporary opens a folder of blobs that nobody needs after this process:
// they are not synced, and so need not outlast a crash of the machine.
func OpenTemporary(dir string) (*Blobs, error) {
	b, err := Open(dir)
	if err == nil {
		b.temporary = true
	}
	return b, err
}

// OpenReadOnly opens a folder of blobs that is there, and changes nothing in
// it, now or later: a Put or a Delete fails.
func OpenReadOnly(dir string) (*Blobs, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the blob folder: %w", err)
	}
	return &Blobs{root: root, dirs: dirs{root: root}, readOnly: true}, nil
}

var errReadOnly = errors.New("the folder is open for reading only")

// MakeFolder makes a folder and those above it that are missing, durably.
func MakeFolder(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	above := filepath.Dir(dir)
	if above == dir {
		return fmt.Errorf("%s is not there", dir)
	}
	if err := MakeFolder(above); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncOpened(os.Open(above))
}

// Close ends the use of the folder. Blobs that are open stay readable.
func (b *Blobs) Close() error { return b.root.Close() }

// prepare makes the folder for temporary files and empties it of old ones.
func (b *Blobs) prepare() error {
	if err := b.root.Mkdir(tempDir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("create the folder for temporary files: %w", err)
	}
	entries, err := readDir(b.root, tempDir)
	if err != nil {
		return fmt.Errorf("look for temporary files: %w", err)
	}
	for _, e := range entries {
		name := tempDir + "/" + e.Name()
		info, err := b.root.Lstat(name)
		if err != nil || time.Since(info.ModTime()) < tempAge {
			continue
		}
		if err := b.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove an old temporary file: %w", err)
		}
	}
	return nil
}

// Put implements fovea.Blobs.
func (b *Blobs) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	if err := fovea.CheckBlobName(name); err != nil {
		return 0, err
	}
	if b.readOnly {
		return 0, fmt.Errorf("put blob %s: %w", name, errReadOnly)
	}
	temp := fmt.Sprintf("%s/%016x", tempDir, rand.Uint64())
	n, err := b.write(ctx, temp, r)
	if err == nil {
		err = b.move(temp, name)
	}
	if err == nil {
		err = b.inPlace()
	}
	if err != nil {
		b.root.Remove(temp)
		return 0, fmt.Errorf("put blob %s: %w", name, err)
	}
	return n, nil
}

// buffers are shared by Puts, each of which needs one for a short time.
var buffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// write fills a new file and syncs it.
func (b *Blobs) write(ctx context.Context, temp string, r io.Reader) (n int64, err error) {
	f, err := b.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buf := buffers.Get().(*[256 << 10]byte)
	defer buffers.Put(buf)
	// Hidden behind these, neither side brings its own, smaller buffer.
	n, err = io.CopyBuffer(struct{ io.Writer }{f}, reader{ctx, r}, buf[:])
	if err != nil || b.temporary {
		return n, err
	}
	return n, f.Sync()
}

// A reader reads until its context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// inPlace reports that the folder is no longer where it was: what is written to
// it then would not be found after a restart.
func (b *Blobs) inPlace() error {
	opened, err := b.root.Stat(".")
	if err != nil {
		return err
	}
	now, err := os.Stat(b.path)
	if err == nil && !os.SameFile(opened, now) {
		err = errors.New("another folder is in its place")
	}
	if err != nil {
		return fmt.Errorf("the blob folder was moved or removed; put it back where it was: %w", err)
	}
	return nil
}

// move gives a synced file its name, durably.
func (b *Blobs) move(temp, name string) error {
	dir := path.Dir(name)
	for attempt := 1; ; attempt++ {
		if err := b.dirs.ensure(dir); err != nil {
			return err
		}
		err := b.root.Rename(temp, name)
		if errors.Is(err, fs.ErrNotExist) && attempt < 10 {
			b.dirs.forget(dir) // a Delete emptied it, or somebody removed it by hand
			continue
		}
		if err != nil || b.temporary {
			return err
		}
		return syncDir(b.root, dir)
	}
}

// Open implements fovea.Blobs. The blob stays readable after it is replaced or
// deleted.
func (b *Blobs) Open(ctx context.Context, name string) (fovea.Blob, error) {
	if err := fovea.CheckBlobName(name); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := b.root.Open(name)
	if isMissing(err) {
		return nil, fovea.Errorf(fovea.NotFound, "there is no blob %s: %w", name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", name, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fovea.Errorf(fovea.NotFound, "there is no blob %s, but a folder or something else of that name", name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &blob{f, info.Size()}, nil
}

// Delete implements fovea.Blobs. It also removes the folders that it empties.
func (b *Blobs) Delete(ctx context.Context, names ...string) error {
	if b.readOnly {
		return fmt.Errorf("delete blobs: %w", errReadOnly)
	}
	for _, name := range names {
		if err := fovea.CheckBlobName(name); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := b.remove(name); err != nil {
			return fmt.Errorf("delete blob %s: %w", name, err)
		}
	}
	return nil
}

// remove removes one file. A folder is no blob, and so it is left alone.
func (b *Blobs) remove(name string) error {
	info, err := b.root.Lstat(name)
	if isMissing(err) || err == nil && info.IsDir() {
		return nil
	}
	if err != nil {
		return err
	}
	if err := b.root.Remove(name); err != nil && !isMissing(err) {
		return err
	}
	b.dirs.prune(path.Dir(name))
	return nil
}

type blob struct {
	*os.File
	size int64
}

// Size implements fovea.Blob.
func (b *blob) Size() int64 { return b.size }

// syncDir makes the entries of a folder durable. Windows has no such call and
// needs none.
func syncDir(root *os.Root, dir string) error {
	return syncOpened(root.Open(dir))
}

func syncOpened(dir *os.File, err error) error {
	if err != nil {
		return err
	}
	if runtime.GOOS != "windows" {
		err = dir.Sync()
	}
	return errors.Join(err, dir.Close())
}
