package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"

	"fovea"
)

// A folderObjects is a folder in which the images of a manifest are, as they are
// named in S3: BUCKET/KEY below it, or KEY, or KEY without ever more of the folders
// at its start, as an export leaves out those that all keys have. Names and links
// that lead out of it lead nowhere.
type folderObjects struct{ root *os.Root }

// openFolder opens a folder of images.
func openFolder(name string) (*folderObjects, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("--images-dir: %w", err)
	}
	return &folderObjects{root}, nil
}

// open opens the file that an object is.
func (f *folderObjects) open(ref fovea.ObjectRef) (*os.File, string, error) {
	for name := range folderNames(ref) {
		file, err := f.root.Open(name)
		if err != nil {
			continue
		}
		if st, err := file.Stat(); err == nil && st.Mode().IsRegular() {
			return file, name, nil
		}
		file.Close()
	}
	return nil, "", fovea.Errorf(fovea.BadObject, "%s is not in %s: %w", ref, f.root.Name(), fs.ErrNotExist)
}

// folderNames yields the names that an object may have in a folder, the longest
// first.
func folderNames(ref fovea.ObjectRef) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(path.Join(ref.Bucket, ref.Key)) {
			return
		}
		for rest, more := ref.Key, true; more; _, rest, more = strings.Cut(rest, "/") {
			if rest != "" && !yield(rest) {
				return
			}
		}
	}
}

// Stat implements fovea.Objects.
func (f *folderObjects) Stat(_ context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	file, _, err := f.open(ref)
	if err != nil {
		return fovea.ObjectInfo{}, err
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return fovea.ObjectInfo{}, err
	}
	return fovea.ObjectInfo{Ref: ref, Size: st.Size(), Modified: st.ModTime()}, nil
}

// Read implements fovea.Objects.
func (f *folderObjects) Read(_ context.Context, info fovea.ObjectInfo, off, n int64) (io.ReadCloser, error) {
	file, _, err := f.open(info.Ref)
	if err != nil {
		return nil, err
	}
	if st, err := file.Stat(); err != nil || st.Size() != info.Size || !st.ModTime().Equal(info.Modified) {
		file.Close()
		return nil, errors.Join(fovea.Errorf(fovea.BadObject, "%s has changed", info.Ref), err)
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(file, off, n), file}, nil
}

// Write implements fovea.Objects. It writes beside the files that are there, and
// never over one.
func (f *folderObjects) Write(ctx context.Context, ref fovea.ObjectRef, _ string, body io.Reader, _ int64) (fovea.ObjectInfo, error) {
	var name string
	for name = range folderNames(ref) {
		if st, err := f.root.Stat(path.Dir(name)); err == nil && st.IsDir() {
			break
		}
	}
	file, err := f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fovea.ObjectInfo{}, err
	}
	_, err = io.Copy(file, body)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fovea.ObjectInfo{}, errors.Join(err, f.root.Remove(name))
	}
	return f.Stat(ctx, ref)
}
