package s3api

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"fovea"
)

// blobDirs is the number of folders that share the blobs.
const blobDirs = 256

// blobs is a folder of immutable files, each named by the 16 hexadecimal
// digits of its number and kept in one of blobDirs folders.
type blobs struct {
	root *os.Root
	now  func() time.Time

	mu   sync.Mutex
	pins map[int64]int // blobs that the sweep must leave: being written, or being read
}

func openBlobs(dir string, now func() time.Time) (*blobs, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	b := &blobs{root: root, now: now, pins: map[int64]int{}}
	for i := range blobDirs {
		if err := root.Mkdir(fmt.Sprintf("%02x", i), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	if err := b.syncDir("."); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *blobs) close() error { return b.root.Close() }

func blobName(id int64) string {
	return fmt.Sprintf("%02x/%016x", id%blobDirs, id)
}

// parseBlobName returns the number of the blob whose file has that name.
func parseBlobName(name string) (int64, bool) {
	id, err := strconv.ParseInt(name, 16, 64)
	return id, err == nil && filepath.Base(blobName(id)) == name
}

// syncDir makes the names in a folder durable.
func (b *blobs) syncDir(name string) error {
	d, err := b.root.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (b *blobs) pin(ids ...int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		b.pins[id]++
	}
}

func (b *blobs) unpin(ids ...int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		if b.pins[id]--; b.pins[id] <= 0 {
			delete(b.pins, id)
		}
	}
}

func (b *blobs) pinned(id int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pins[id] > 0
}

// remove deletes the file of a blob that nothing names any more.
func (b *blobs) remove(id int64) error {
	err := b.root.Remove(blobName(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// A blobWriter writes a new blob, which stays pinned until close.
type blobWriter struct {
	blobs *blobs
	id    int64
	f     *os.File
}

func (b *blobs) create() (*blobWriter, error) {
	for {
		id := fovea.NewID(b.now())
		b.pin(id)
		f, err := b.root.OpenFile(blobName(id), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return &blobWriter{b, id, f}, nil
		}
		b.unpin(id)
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
}

// Write implements io.Writer.
func (w *blobWriter) Write(p []byte) (int, error) { return w.f.Write(p) }

// sync makes the blob and its name durable. A row may name it after that.
func (w *blobWriter) sync() error {
	err := errors.Join(w.f.Sync(), w.f.Close())
	if err != nil {
		return err
	}
	return w.blobs.syncDir(filepath.Dir(blobName(w.id)))
}

// discard removes the blob. No row may name it.
func (w *blobWriter) discard() {
	w.f.Close()
	w.blobs.remove(w.id)
	w.close()
}

// close leaves the blob to the rows that name it, and to the sweep if there
// are none.
func (w *blobWriter) close() { w.blobs.unpin(w.id) }

// A blobReader reads extents one after the other. Their blobs stay on disk
// until it is closed.
type blobReader struct {
	blobs  *blobs
	pinned []int64
	rest   extents
	f      *os.File // of rest[0], at the place to read next; nil if not open
}

func (b *blobs) open(es extents) *blobReader {
	r := &blobReader{blobs: b, pinned: es.blobs(), rest: append(extents(nil), es...)}
	b.pin(r.pinned...)
	return r
}

// file returns the open file from which the next bytes come and how many that
// are, io.EOF at the end.
func (r *blobReader) file() (*os.File, int64, error) {
	if len(r.rest) == 0 {
		return nil, 0, io.EOF
	}
	e := r.rest[0]
	if r.f == nil {
		f, err := r.blobs.root.Open(blobName(e.blob))
		if err != nil {
			return nil, 0, err
		}
		if _, err := f.Seek(e.off, io.SeekStart); err != nil {
			f.Close()
			return nil, 0, err
		}
		r.f = f
	}
	return r.f, e.n, nil
}

// advance takes n bytes of the current extent as read.
func (r *blobReader) advance(n int64) {
	r.rest[0].off += n
	r.rest[0].n -= n
	if r.rest[0].n <= 0 {
		r.f.Close()
		r.f, r.rest = nil, r.rest[1:]
	}
}

// Read implements io.Reader.
func (r *blobReader) Read(p []byte) (int, error) {
	f, left, err := r.file()
	if err != nil || len(p) == 0 {
		return 0, err
	}
	n, err := f.Read(p[:min(int64(len(p)), left)])
	if err == io.EOF {
		return n, fmt.Errorf("blob %016x is shorter than its rows say", r.rest[0].blob)
	}
	r.advance(int64(n))
	return n, err
}

// sendTo copies up to max bytes to w, in a way that lets the kernel do it.
func (r *blobReader) sendTo(w io.Writer, max int64) (int64, error) {
	f, left, err := r.file()
	if err != nil {
		return 0, err
	}
	want := min(max, left)
	n, err := io.Copy(w, &io.LimitedReader{R: f, N: want})
	if err == nil && n < want {
		err = fmt.Errorf("blob %016x is shorter than its rows say", r.rest[0].blob)
	}
	if err != nil {
		return n, err
	}
	r.advance(n)
	return n, nil
}

// Close implements io.Closer. It may be called again.
func (r *blobReader) Close() error {
	r.blobs.unpin(r.pinned...)
	r.pinned, r.rest = nil, nil
	if r.f == nil {
		return nil
	}
	f := r.f
	r.f = nil
	return f.Close()
}
