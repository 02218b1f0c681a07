package exchange

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path"
	"strings"
)

// WriteOptions say how to write a collection.
type WriteOptions struct {
	// BySize takes an image file that exists in the size of the image for
	// written before, without reading the image. Otherwise its bytes are
	// compared. Files get their names when they are complete, so size tells
	// enough, except after a power failure.
	BySize bool

	// Skipped is called for everything that is not written: images that the
	// sequence reports as errors, or that the form cannot hold, and boxes of
	// them. If it is nil, or returns an error, Write ends with that error.
	Skipped func(error) error

	// Written is called after each image, with its name in the collection and
	// the path of its file in the folder. It may be nil.
	Written func(name, path string)
}

// Write writes images and their annotations to a folder, which it makes if it
// is not there. Form is COCO, VOC, YOLO or Folder. Nothing is written outside
// dir, whatever names and links there are.
//
// Each file appears when it is complete. Written again after it was
// interrupted, files that are the same are kept, and the result is that of
// one run; lists of images and annotations are written last. Two may not write
// to one folder at once. What Open reads from the folder
// equals what was written, as docs/formats.md says.
func Write(dir string, form Form, images iter.Seq2[*Image, error], opts WriteOptions) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	w := &writer{out: &output{root: root, bySize: opts.BySize}, opts: opts, taken: map[string]string{}}
	enc, err := w.encoder(form)
	if err == nil {
		err = w.out.sweep()
	}
	if err != nil {
		return err
	}
	defer enc.close()
	for img, err := range images {
		if err == nil {
			err = w.image(enc, img)
		}
		if err != nil {
			if err = w.skip(err); err != nil {
				return err
			}
		}
	}
	if err := enc.finish(); err != nil {
		return fmt.Errorf("write the annotations to %s: %w", dir, err)
	}
	return nil
}

// An encoder writes the annotations of one form.
type encoder interface {
	// place returns the path at which an image is written, or why the form
	// cannot hold it.
	place(img *Image) (string, error)

	// add writes, or keeps, the annotations of an image that was written.
	add(img *Image, path string) error

	// finish writes what concerns all images.
	finish() error

	// close removes what is left of an unfinished collection.
	close()
}

// encoder returns the encoder of a form.
func (w *writer) encoder(form Form) (encoder, error) {
	switch form {
	case COCO:
		return newCOCOEncoder(w), nil
	case VOC:
		return newVOCEncoder(w), nil
	case YOLO:
		return newYOLOEncoder(w), nil
	case Folder:
		return newFolderEncoder(w), nil
	}
	return nil, fmt.Errorf("%q is no form that is written; use %s, %s, %s or %s", form, COCO, VOC, YOLO, Folder)
}

// A writer writes a collection.
type writer struct {
	out   *output
	opts  WriteOptions
	taken map[string]string // paths in lower case to the names of what was written there
}

// A fatal error is one of the place that is written to: it ends Write.
type fatal struct{ err error }

// Error returns the error.
func (f *fatal) Error() string { return f.err.Error() }

// Unwrap returns the error.
func (f *fatal) Unwrap() error { return f.err }

// skip tells of what is not written, and returns an error if that ends Write.
func (w *writer) skip(err error) error {
	if bad := new(fatal); errors.As(err, &bad) {
		return bad.err
	}
	if w.opts.Skipped == nil {
		return err
	}
	return w.opts.Skipped(err)
}

// image writes an image and its annotations.
func (w *writer) image(enc encoder, img *Image) error {
	img, err := w.prepare(img)
	if err != nil {
		return err
	}
	to, err := enc.place(img)
	if err == nil {
		err = w.claim(img.Name, to)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", img.Name, err)
	}
	if err := w.out.copy(to, img.Size, img.Open); err != nil {
		return fmt.Errorf("%s: %w", img.Name, err)
	}
	if err := w.measure(img, to); err != nil {
		return fmt.Errorf("%s: %w", img.Name, err)
	}
	if img.Boxes, err = w.boxes(img); err != nil {
		return err
	}
	if err := enc.add(img, to); err != nil {
		return fmt.Errorf("%s: %w", img.Name, err)
	}
	if w.opts.Written != nil {
		w.opts.Written(img.Name, to)
	}
	return nil
}

// prepare returns a copy of an image whose name can be written and ends with
// the extension of an image.
func (w *writer) prepare(img *Image) (*Image, error) {
	if err := checkPath(img.Name); err != nil {
		return nil, err
	}
	clone := *img
	if isImage(img.Name) {
		return &clone, nil
	}
	r, err := img.Open()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", img.Name, err)
	}
	defer r.Close()
	info, err := probe(r, max(img.Size, 1))
	if err != nil {
		return nil, explain(img.Name, err)
	}
	clone.Name += map[string]string{"PNG": ".png", "JPEG": ".jpg"}[info.Format.String()]
	return &clone, nil
}

// checkPath says why a file cannot be written at a path.
func checkPath(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	for elem := range strings.SplitSeq(name, "/") {
		if len(elem) > maxElem {
			return fmt.Errorf("the name %.60q… has an element of %d bytes, and file systems allow about %d", name, len(elem), maxElem)
		}
		if isJunk(elem) {
			return fmt.Errorf("the name %q is one that systems give to files of their own", name)
		}
	}
	return nil
}

// maxElem is how long a folder's or file's name may be in bytes, with some
// room for extensions.
const maxElem = 240

// claim takes a path for an image. Another may not differ from it in case
// only, as not all systems keep such files apart.
func (w *writer) claim(name, to string) error {
	key := strings.ToLower(to)
	if other, ok := w.taken[key]; ok {
		return fmt.Errorf("its file would be that of %s: rename one of them", other)
	}
	w.taken[key] = name
	return nil
}

// measure sets the size of an image that is not known from the file that was
// written of it.
func (w *writer) measure(img *Image, to string) error {
	if img.Width > 0 && img.Height > 0 && img.Depth > 0 {
		return nil
	}
	f, err := w.out.root.Open(to)
	if err != nil {
		return &fatal{err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return &fatal{err}
	}
	found, err := probe(f, info.Size())
	if err != nil {
		return err
	}
	if img.Width <= 0 || img.Height <= 0 {
		img.Width, img.Height = found.Width, found.Height
	}
	if img.Depth <= 0 {
		img.Depth = found.Channels
	}
	return nil
}

// boxes returns the boxes of an image that can be written, and tells of the
// others.
func (w *writer) boxes(img *Image) (good []Box, err error) {
	for i, b := range img.Boxes {
		label, err := checkLabel(b.Label)
		if err == nil && label != b.Label {
			err = fmt.Errorf("the label %q begins or ends with white space", b.Label)
		}
		if err == nil {
			_, err = b.area().fit(img.Width, img.Height)
		}
		if err == nil {
			good = append(good, b)
			continue
		}
		if err := w.skip(fmt.Errorf("%s: box %d: %w", img.Name, i+1, err)); err != nil {
			return nil, &fatal{err}
		}
	}
	return good, nil
}

// area returns the edges of a box.
func (b Box) area() area {
	a, err := round(float64(b.Left), float64(b.Top), float64(b.Left+b.Width), float64(b.Top+b.Height))
	if err != nil {
		return area{} // too small for fit
	}
	return a
}

// onlyBoxes says why a form of boxes cannot hold an image. Other forms can.
func onlyBoxes(form Form, img *Image) error {
	switch img.Kind {
	case Unlabeled, Detection:
		return nil
	case Classification:
		return fmt.Errorf("%s has boxes, and no labels of whole images: write it as %s", form, Folder)
	}
	return fmt.Errorf("%s does not know normal and anomalous images: write it as %s", form, Folder)
}

// within returns a path that has an element dir: as it is, or below dir. The
// part after that element follows.
func within(name, dir string) string {
	if strings.Contains("/"+path.Dir(name)+"/", "/"+dir+"/") {
		return name
	}
	return dir + "/" + name
}
