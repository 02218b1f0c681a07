// Package exchange reads and writes the forms in which people keep annotated
// images: folders named for their labels, COCO, Pascal VOC, YOLO, CSV, and zip
// archives of these. All of them become one Collection, which import turns
// into a manifest and export makes from one.
package exchange

import (
	"io"
	"iter"
)

// A Collection is a set of annotated images in any form.
type Collection interface {
	// Images yields the images in a stable order, that of their names. An
	// error that names the file and the place concerns that image or
	// annotation alone, and the rest follows: the caller counts it and goes
	// on. A nil Image comes with such an error.
	Images() iter.Seq2[*Image, error]
	Close() error
}

// An Image is one picture and what its annotations say of it.
type Image struct {
	// Name is the path of the image within the collection: relative,
	// slash-separated, without "." or "..", unique.
	Name  string
	Size  int64 // of the file in bytes
	Split Split

	// Width and Height, in pixels, and Depth, in channels, are those that the
	// annotations state, to which the boxes belong; or else those of the
	// header of the file, before any rotation.
	Width, Height, Depth int

	Kind   Kind
	Labels []string // of the whole image, as Kind says; sorted, unique
	Boxes  []Box
	Mask   *Mask // of an anomalous image; nil if there is none

	// Open returns the bytes of the image. The caller closes it. It may be
	// called again, also by several goroutines at once.
	Open func() (io.ReadCloser, error)
}

// A Kind says what the annotations of an image speak of.
type Kind int

const (
	Unlabeled      Kind = iota // nothing is known of the image
	Classification             // Labels holds the labels of the image: one, or several
	Detection                  // Boxes holds the objects; none is an image without objects
	Normal                     // Lookout for Vision: without a defect
	Anomalous                  // Lookout for Vision: with a defect, Mask may say where
)

// A Split says which dataset of a project an image belongs to.
type Split string

const (
	NoSplit Split = ""
	Train   Split = "train"
	Test    Split = "test" // also what other tools call validation
)

// A Box is an object in an image. Left and Top count from the upper left
// corner, which is (0, 0); all four are in pixels.
type Box struct {
	Label                    string
	Left, Top, Width, Height int
}

// A Mask is a picture of the size of its image whose colours name the kinds of
// defects in it (LV-5).
type Mask struct {
	Name   string            // the path of its file within the collection, like that of an Image
	Size   int64             // of what Open returns, in bytes: the file, or what it became if it had no colours
	Labels map[string]string // "#rrggbb" to the label, without that of the background
	Open   func() (io.ReadCloser, error)
}
