package disk

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"strings"

	"fovea"
)

// List implements fovea.Blobs. It holds the names of one folder at each level
// in memory.
func (b *Blobs) List(ctx context.Context, prefix string) iter.Seq2[fovea.BlobInfo, error] {
	return func(yield func(fovea.BlobInfo, error) bool) {
		dir := strings.TrimSuffix(prefix[:strings.LastIndexByte(prefix, '/')+1], "/")
		if dir != "" && fovea.CheckBlobName(dir) != nil {
			return // no blob has a name like that
		}
		l := lister{ctx: ctx, b: b, prefix: prefix, yield: yield}
		l.walk(dir)
	}
}

type lister struct {
	ctx    context.Context
	b      *Blobs
	prefix string
	yield  func(fovea.BlobInfo, error) bool
}

// walk yields the blobs under dir, "" for all, until yield has had enough.
func (l *lister) walk(dir string) bool {
	entries, err := readDir(l.b.root, path.Join(".", dir))
	if isMissing(err) {
		return true // or removed since the folder above it was read
	}
	if err != nil {
		return l.fail(err)
	}
	for _, e := range entries {
		if err := l.ctx.Err(); err != nil {
			return l.fail(err)
		}
		if !l.entry(path.Join(dir, e.Name()), e) {
			return false
		}
	}
	return true
}

func (l *lister) entry(name string, e fs.DirEntry) bool {
	switch {
	case e.IsDir():
		if name == tempDir || !strings.HasPrefix(name+"/", l.prefix) && !strings.HasPrefix(l.prefix, name+"/") {
			return true
		}
		return l.walk(name)
	case !strings.HasPrefix(name, l.prefix) || !e.Type().IsRegular() || fovea.CheckBlobName(name) != nil:
		return true // not asked for, or not ours
	}
	info, err := l.b.root.Lstat(name)
	if isMissing(err) {
		return true
	}
	if err != nil {
		return l.fail(err)
	}
	return l.yield(fovea.BlobInfo{Name: name, Size: info.Size(), Modified: info.ModTime()}, nil)
}

func (l *lister) fail(err error) bool {
	l.yield(fovea.BlobInfo{}, fmt.Errorf("list blobs: %w", err))
	return false
}
