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
	names map[fovea.ObjectRef]string
	kept  int64
}

// Images returns a reader of images.
func (r *Run) Images() *Images {
	return &Images{run: r, most: r.Limits.Image.Bytes, names: map[fovea.ObjectRef]string{}}
}

// Bytes returns an image as it is stored. One that is too large, missing or
// forbidden is BadObject.
func (i *Images) Bytes(ctx context.Context, ref fovea.ObjectRef) ([]byte, error) {
	i.mu.Lock()
	name, ok := i.names[ref]
	i.mu.Unlock()
	if ok {
		return os.ReadFile(name)
	}
	data, err := i.run.ReadObject(ctx, ref, i.most)
	if err != nil {
		return nil, err
	}
	return data, i.keep(ref, data)
}

func (i *Images) keep(ref fovea.ObjectRef, data []byte) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, ok := i.names[ref]; ok || i.kept+int64(len(data)) > maxKept {
		return nil
	}
	name := filepath.Join(i.run.Dir, fmt.Sprintf("image-%06d", len(i.names)))
	if err := os.WriteFile(name, data, 0o600); err != nil {
		return fmt.Errorf("keep %s for the training: %w", ref, err)
	}
	i.names[ref] = name
	i.kept += int64(len(data))
	return nil
}

// Decode returns an image decoded.
func (i *Images) Decode(ctx context.Context, ref fovea.ObjectRef, d imaging.Decoding) (*imaging.Image, error) {
	data, err := i.Bytes(ctx, ref)
	if err != nil {
		return nil, err
	}
	return imaging.Decode(ctx, bytes.NewReader(data), int64(len(data)), d)
}
