package main

import (
	"fmt"
	"os"
	"path/filepath"

	"fovea/bench/groundtruth"
)

// A file is a generated manifest on disk.
type file struct {
	path  string
	size  int64 // bytes
	lines int64
}

// manifest writes a manifest to the bench's folder, unless a run before this
// one did.
func (b *bench) manifest(name string, m groundtruth.Manifest) (file, error) {
	f := file{path: filepath.Join(b.dir, fmt.Sprintf("%s-%d.manifest", name, m.Lines)), lines: m.Lines}
	if info, err := os.Stat(f.path); err == nil {
		f.size = info.Size()
		return f, nil
	}
	part, err := os.CreateTemp(b.dir, "part-")
	if err != nil {
		return f, err
	}
	defer os.Remove(part.Name())
	defer part.Close()
	if f.size, err = m.WriteTo(part); err != nil {
		return f, err
	}
	if err := part.Sync(); err != nil {
		return f, err
	}
	return f, os.Rename(part.Name(), f.path)
}
