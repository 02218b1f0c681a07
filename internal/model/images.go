package model

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"fovea"
	"fovea/internal/imaging"
)

// maxKept bounds the images that a run keeps in its folder; those beyond are
// read again from where they are.
const maxKept = 4 << 30

// Images reads the images of a training: each once from the users' S3, and then
// from the folder of the run. It is safe for many goroutines.
type Images struct {
	run  *Run
	most int64 // bytes of an image; 0 for any number

	mu    sync.Mutex
	names map[fovea.ObjectRef]string // of the files, "" for one that is not whole
	kept  int64                      // bytes of the files, whole or not
}

// Images returns a reader of images.
func (r *Run) Images() *Images {
	return &Images{run: r, most: r.Limits.Image.Bytes, names: map[fovea.ObjectRef]string{}}
}

// Bytes returns an image as it is stored. One that is too large, missing or
// forbidden is BadObject.
func (i *Images) Bytes(ctx context.Context, ref fovea.ObjectRef) ([]byte, error) {
	i.mu.Lock()
	name := i.names[ref]
	i.mu.Unlock()
	if name != "" {
		return os.ReadFile(name)
	}
	data, err := i.run.ReadObject(ctx, ref, i.most)
	if err != nil {
		return nil, err
	}
	return data, i.keep(ref, data)
}

// keep writes an image into the folder of the run, unless somebody does or has
// done so, or there is no room. Only its name is taken under the lock: others
// read and write meanwhile, and read a file when it is whole.
func (i *Images) keep(ref fovea.ObjectRef, data []byte) error {
	name := i.take(ref, int64(len(data)))
	if name == "" {
		return nil
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		return fmt.Errorf("keep %s for the training: %w", ref, err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.names[ref] = name
	return nil
}

// take returns the name of a new file for an image of that many bytes, "" if it
// is not to be written.
func (i *Images) take(ref fovea.ObjectRef, size int64) (name string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, ok := i.names[ref]; ok || i.kept+size > maxKept {
		return ""
	}
	name = filepath.Join(i.run.Dir, fmt.Sprintf("image-%06d", len(i.names)))
	i.names[ref] = ""
	i.kept += size
	return name
}

// Decode returns an image decoded.
func (i *Images) Decode(ctx context.Context, ref fovea.ObjectRef, d imaging.Decoding) (*imaging.Image, error) {
	data, err := i.Bytes(ctx, ref)
	if err != nil {
		return nil, err
	}
	return imaging.Decode(ctx, bytes.NewReader(data), int64(len(data)), d)
}
