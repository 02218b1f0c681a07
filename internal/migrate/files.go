package migrate

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"mime"
	"os"
	"path"
	"path/filepath"

	"fovea"
)

// files are those of a folder or of a bucket, by names with slashes.
type files interface {
	String() string
	all(ctx context.Context) iter.Seq2[file, error]
	// place returns where a file is, as open takes it.
	place(name string) string
	open(ctx context.Context, place string) (io.ReadCloser, fovea.ObjectInfo, error)
	// at returns a file for reading in any order, and its size.
	at(ctx context.Context, name string) (r io.ReaderAt, size int64, close func() error, err error)
}

// A folder is a folder of this machine. Nothing outside of it is reached,
// whatever its links and the manifests in it say (T03).
type folder struct {
	root *os.Root
	dir  string
}

func openFolder(dir string) (*folder, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	return &folder{root, abs}, nil
}

func (f *folder) String() string { return f.dir }

func (f *folder) place(name string) string { return name }

func (f *folder) all(ctx context.Context) iter.Seq2[file, error] {
	return func(yield func(file, error) bool) {
		stopped := errors.New("stopped")
		err := fs.WalkDir(f.root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
			if err = errors.Join(err, ctx.Err()); err != nil || !e.Type().IsRegular() {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			if !yield(file{name, info.Size()}, nil) {
				return stopped
			}
			return nil
		})
		if err != nil && err != stopped {
			yield(file{}, err)
		}
	}
}

func (f *folder) open(_ context.Context, place string) (io.ReadCloser, fovea.ObjectInfo, error) {
	r, size, err := f.file(place)
	if err != nil {
		return nil, fovea.ObjectInfo{}, err
	}
	return r, fovea.ObjectInfo{Ref: fovea.ObjectRef{Key: place}, Size: size, ContentType: mime.TypeByExtension(path.Ext(place))}, nil
}

// file opens a regular file.
func (f *folder) file(name string) (*os.File, int64, error) {
	r, err := f.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, 0, err
	}
	st, err := r.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: errors.New("it is not a file")}
	}
	if err != nil {
		return nil, 0, errors.Join(err, r.Close())
	}
	return r, st.Size(), nil
}

func (f *folder) at(_ context.Context, name string) (io.ReaderAt, int64, func() error, error) {
	r, size, err := f.file(name)
	if err != nil {
		return nil, 0, nil, err
	}
	return r, size, r.Close, nil
}

// A bucket is what a bucket has below a prefix.
type bucket struct {
	s3           *Bucketer
	name, prefix string
}

func (b *bucket) String() string { return "s3://" + b.name + "/" + b.prefix }

func (b *bucket) place(name string) string { return "s3://" + b.name + "/" + name }

func (b *bucket) all(ctx context.Context) iter.Seq2[file, error] {
	return b.s3.list(ctx, b.name, b.prefix)
}

func (b *bucket) open(ctx context.Context, place string) (io.ReadCloser, fovea.ObjectInfo, error) {
	ref, _ := parseRef(place)
	return b.s3.open(ctx, ref)
}

func (b *bucket) at(ctx context.Context, name string) (io.ReaderAt, int64, func() error, error) {
	info, err := b.s3.Stat(ctx, fovea.ObjectRef{Bucket: b.name, Key: name})
	if err != nil {
		return nil, 0, nil, err
	}
	return fovea.ObjectReader(ctx, b.s3, info), info.Size, func() error { return nil }, nil
}
