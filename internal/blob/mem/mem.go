// Package mem keeps blobs in memory, for tests.
package mem

import (
	"bytes"
	"context"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"fovea"
)

// Blobs implements fovea.Blobs in memory. Its zero value is empty and ready.
type Blobs struct {
	mu    sync.RWMutex
	blobs map[string]stored
}

type stored struct {
	data     []byte // never changed
	modified time.Time
}

// Put implements fovea.Blobs.
func (b *Blobs) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	if err := fovea.CheckBlobName(name); err != nil {
		return 0, err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.blobs == nil {
		b.blobs = make(map[string]stored)
	}
	b.blobs[name] = stored{data, time.Now()}
	return int64(len(data)), nil
}

// Open implements fovea.Blobs.
func (b *Blobs) Open(ctx context.Context, name string) (fovea.Blob, error) {
	if err := fovea.CheckBlobName(name); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	s, ok := b.blobs[name]
	if !ok {
		return nil, fovea.Errorf(fovea.NotFound, "there is no blob %s", name)
	}
	return blob{bytes.NewReader(s.data)}, nil
}

// List implements fovea.Blobs.
func (b *Blobs) List(ctx context.Context, prefix string) iter.Seq2[fovea.BlobInfo, error] {
	return func(yield func(fovea.BlobInfo, error) bool) {
		b.mu.RLock()
		all := maps.Clone(b.blobs)
		b.mu.RUnlock()
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if err := ctx.Err(); err != nil {
				yield(fovea.BlobInfo{}, err)
				return
			}
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			s := all[name]
			if !yield(fovea.BlobInfo{Name: name, Size: int64(len(s.data)), Modified: s.modified}, nil) {
				return
			}
		}
	}
}

// Delete implements fovea.Blobs.
func (b *Blobs) Delete(ctx context.Context, names ...string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		if err := fovea.CheckBlobName(name); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		delete(b.blobs, name)
	}
	return nil
}

type blob struct{ *bytes.Reader }

// Close implements fovea.Blob.
func (blob) Close() error { return nil }
