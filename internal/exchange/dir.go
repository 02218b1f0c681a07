package exchange

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// openDir returns the files of a folder and those below it, max at most.
// Nothing outside is ever opened, whatever links there are.
func openDir(dir string, max int) (*tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	t := &tree{closer: root, opener: func(f *file) (io.ReadCloser, error) { return openIn(root, f.name) }}
	if err := t.walk(root, max); err != nil {
		root.Close()
		return nil, fmt.Errorf("read the folder %s: %w", dir, err)
	}
	t.sort()
	return t, nil
}

// walk lists the files below a root.
func (t *tree) walk(root *os.Root, max int) error {
	seen := 0
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && name == ".":
			return err
		case err != nil:
			t.problems.addf("%q cannot be read: %w", name, err)
			return nil
		case d.IsDir() && isJunk(name):
			return fs.SkipDir
		case d.IsDir() || isJunk(name):
			return nil
		}
		if seen++; seen > max {
			return fmt.Errorf("it has more than %d files; take a part of it", max)
		}
		t.problems.add(t.addFile(root, name))
		return nil
	})
}

// addFile adds a file of a folder, or says why it is none.
func (t *tree) addFile(root *os.Root, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	info, err := root.Stat(name)
	switch {
	case err != nil:
		return fmt.Errorf("%s cannot be read, or leads out of the collection: %w", name, err)
	case info.IsDir():
		return fmt.Errorf("%s is a link to a folder, which is not followed: put the folder in its place", name)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", name)
	}
	t.files = append(t.files, file{name: name, size: info.Size()})
	return nil
}

// openIn opens a regular file below a root.
func openIn(root *os.Root, name string) (io.ReadCloser, error) {
	if info, err := root.Stat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("it is no regular file any more")}
	}
	return root.Open(name)
}
