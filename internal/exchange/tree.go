package exchange

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"fovea/internal/imaging"
)

// A tree is the files of a folder or an archive, whichever it is.
type tree struct {
	files    []file // sorted by name
	problems problems
	packed   bool // it is an archive, in which people often put one folder with everything
	opener   func(*file) (io.ReadCloser, error)
	closer   io.Closer
}

// A file is a regular file of a tree.
type file struct {
	name string // slash-separated, checked by checkName
	size int64  // in bytes
	at   int    // index in the archive
}

// sort brings the files into the order of their names.
func (t *tree) sort() {
	slices.SortFunc(t.files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
}

// find returns the index of the file of that name, or -1.
func (t *tree) find(name string) int {
	i, ok := slices.BinarySearchFunc(t.files, name, func(f file, name string) int { return cmp.Compare(f.name, name) })
	if !ok {
		return -1
	}
	return i
}

// sub returns the part of the tree that is a file, or a folder and what is
// below it; nil if there is none. Closing it does nothing.
func (t *tree) sub(name string) *tree {
	s := &tree{opener: t.opener}
	for _, f := range t.files {
		if f.name == name || strings.HasPrefix(f.name, name+"/") {
			s.files = append(s.files, f)
		}
	}
	if len(s.files) == 0 {
		return nil
	}
	return s
}

// open returns the bytes of a file.
func (t *tree) open(f *file) (io.ReadCloser, error) { return t.opener(f) }

// read returns all of a file, which may have up to limit bytes.
func (t *tree) read(f *file, limit int64) ([]byte, error) {
	if f.size > limit {
		return nil, fmt.Errorf("%s has %d bytes; such a file may have %d", f.name, f.size, limit)
	}
	r, err := t.open(f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.name, err)
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("%s grew beyond %d bytes; such a file may not have more", f.name, limit)
	}
	return text, nil
}

// start returns the first bytes of a file, n of them at most.
func (t *tree) start(f *file, n int64) ([]byte, error) {
	r, err := t.open(f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, n))
}

// probe returns what the header of an image says.
func (t *tree) probe(f *file) (imaging.Info, error) {
	r, err := t.open(f)
	if err != nil {
		return imaging.Info{}, err
	}
	defer r.Close()
	return probe(r, f.size)
}

// close closes the folder or archive.
func (t *tree) close() error {
	if t.closer == nil {
		return nil
	}
	return t.closer.Close()
}

// having returns the indices of the files that have one of the extensions,
// which begin with a dot and are in lower case.
func (t *tree) having(exts ...string) (found []int) {
	for i, f := range t.files {
		if slices.Contains(exts, extension(f.name)) {
			found = append(found, i)
		}
	}
	return found
}

// extension returns the extension of a name in lower case, with its dot.
func extension(name string) string { return strings.ToLower(path.Ext(name)) }

// stem returns a path without its extension.
func stem(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }
