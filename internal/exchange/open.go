package exchange

import (
	"errors"
	"iter"
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
	return nil, errors.ErrUnsupported
}

// Detect returns the form of the annotations in a folder or zip archive. If
// there are several, or nothing that could be a collection, its error lists
// what was seen.
func Detect(path string, opts Options) (Form, error) {
	return "", errors.ErrUnsupported
}

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
// one run; annotations are written last. What Open reads from the folder
// equals what was written, as docs/formats.md says.
func Write(dir string, form Form, images iter.Seq2[*Image, error], opts WriteOptions) error {
	return errors.ErrUnsupported
}
