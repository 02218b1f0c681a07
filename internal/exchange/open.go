package exchange

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The services, as Options name them.
const (
	CustomLabels = "custom-labels"
	Lookout      = "lookout"
)

// Limits of what is read. What exceeds one is refused by name.
const (
	MaxFiles   = 2_000_000 // files of a folder, of all kinds
	MaxEntries = 500_000   // entries of an archive
)

// Options say how to read a collection. The zero value reads for Custom
// Labels, with the annotations where they usually are.
type Options struct {
	// Service is CustomLabels or Lookout. Lookout reads folders named for
	// normal and anomalous images, and masks.
	Service string

	// Labels is the file of the annotations, or the folder with them, if they
	// are not found by themselves or only some are meant: a path as Open takes
	// one, or one within the collection. Then images that they do not mention
	// are left out.
	Labels string

	MaxFiles   int // 0 is MaxFiles
	MaxEntries int // 0 is MaxEntries
}

// Open returns the annotated images in a folder or a zip archive. Form says
// how they are annotated; Auto is what Detect finds. The annotations of COCO
// and CSV are read at once, the others while the images are yielded.
//
// An error is about the collection as a whole: it cannot be read, is beyond a
// limit, or has no images and annotations of that form. What is wrong with a
// file or an annotation is yielded by Images.
func Open(path string, form Form, opts Options) (Collection, error) {
	c, err := open(path, opts)
	if err != nil {
		return nil, err
	}
	if form == Auto || form == "" {
		form, err = c.detect()
	}
	if err == nil {
		err = c.load(form, opts)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Detect returns the form of the annotations in a folder or zip archive. If
// there are several, or nothing that could be a collection, its error lists
// what was seen.
func Detect(path string, opts Options) (Form, error) {
	c, err := open(path, opts)
	if err != nil {
		return "", err
	}
	defer c.Close()
	form, err := c.detect()
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return form, nil
}

// load reads what is needed of the annotations to yield images.
func (c *collection) load(form Form, opts Options) error {
	switch form {
	case Folder:
		return c.loadFolder(opts.Service)
	case COCO:
		return c.loadCOCO()
	case VOC:
		return c.loadVOC()
	case YOLO:
		return c.loadYOLO()
	case CSV:
		return c.loadCSV(opts.Service)
	}
	return fmt.Errorf("%q is no form of annotated images; use one of %s", form, list(Forms()))
}

// open lists the files of a collection and of its annotations.
func open(path string, opts Options) (*collection, error) {
	switch opts.Service {
	case "", CustomLabels, Lookout:
	default:
		return nil, fmt.Errorf("%q is no service; use %s or %s", opts.Service, CustomLabels, Lookout)
	}
	t, err := openTree(path, opts)
	if err != nil {
		return nil, err
	}
	c := &collection{images: t, notes: t}
	if opts.Labels != "" {
		c.only = true
		if c.notes, err = openLabels(t, path, opts); err != nil {
			t.close()
			return nil, err
		}
	}
	return c, nil
}

// openTree opens a folder or a zip archive.
func openTree(path string, opts Options) (*tree, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s: name the folder or the zip archive that the images are in", path)
	}
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return openDir(path, cmp.Or(opts.MaxFiles, MaxFiles))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is neither a folder nor a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	start := make([]byte, 4)
	if n, _ := f.ReadAt(start, 0); !strings.HasPrefix(string(start[:n]), "PK") {
		f.Close()
		return nil, fmt.Errorf("%s is neither a folder nor a zip archive: name the folder that the images are in, and unpack other archives first", path)
	}
	t, err := openArchive(f, info.Size(), cmp.Or(opts.MaxEntries, MaxEntries))
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("read the archive %s: %w", path, err)
	}
	t.closer = f
	return t, nil
}

// openLabels returns the part of a collection that opts.Labels names, or else
// the files at that path.
func openLabels(t *tree, dir string, opts Options) (*tree, error) {
	within := filepath.ToSlash(filepath.Clean(opts.Labels))
	if s := t.sub(within); s != nil {
		return s, nil
	}
	if rel, err := filepath.Rel(dir, opts.Labels); err == nil {
		if s := t.sub(filepath.ToSlash(rel)); s != nil {
			return s, nil
		}
	}
	info, err := os.Stat(opts.Labels)
	if err != nil {
		return nil, fmt.Errorf("the annotations %s are neither in %s nor a path of their own: %w", opts.Labels, dir, err)
	}
	if info.IsDir() {
		return openDir(opts.Labels, cmp.Or(opts.MaxFiles, MaxFiles))
	}
	return openFile(opts.Labels, info)
}

// openFile returns a single file as a tree.
func openFile(name string, info os.FileInfo) (*tree, error) {
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	base := filepath.Base(name)
	return &tree{
		files:  []file{{name: base, size: info.Size()}},
		closer: root,
		opener: func(*file) (io.ReadCloser, error) { return openIn(root, base) },
	}, nil
}
