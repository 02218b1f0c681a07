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

// manifest writes a manifest to the bench's folder, unless it is there.
func (b *bench) manifest(name string, m groundtruth.Manifest) (file, error) {
	f := file{path: filepath.Join(b.dir, fmt.Sprintf("%s-%d.manifest", name, m.Lines)), lines: m.Lines}
	if info, err := os.Stat(f.path); err == nil {
		f.size = info.Size()
		return f, nil
	}
	w, err := os.Create(f.path)
	if err != nil {
		return f, err
	}
	defer w.Close()
	if f.size, err = m.WriteTo(w); err != nil {
		return f, err
	}
	return f, w.Sync() // so that nobody's time includes writing it back
}
