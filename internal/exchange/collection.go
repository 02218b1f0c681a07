package exchange

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"fovea/internal/imaging"
)

// A collection implements Collection over a tree, whatever the form.
type collection struct {
	images *tree // where the images are
	notes  *tree // where the annotations are: images, a part of it, or another
	only   bool  // images that no annotation mentions are left out

	files    []int32 // the images to yield, as indices of images.files, ascending
	problems problems

	// annotate fills in what the annotations say of an image, whose Width,
	// Height and Depth are those of its header, and returns what is wrong with
	// them. It is called for each file once in an iteration, and sets the
	// fields of a picture that it can and no others.
	annotate func(file int32, img *Image) []error
}

// Close implements Collection.
func (c *collection) Close() error {
	if c.notes == c.images {
		return c.images.close()
	}
	return errors.Join(c.images.close(), c.notes.close())
}

// Images implements Collection.
func (c *collection) Images() iter.Seq2[*Image, error] {
	return func(yield func(*Image, error) bool) {
		for _, p := range c.told() {
			for _, err := range p.all() {
				if !yield(nil, err) {
					return
				}
			}
		}
		for _, i := range c.files {
			img, errs := c.image(i)
			for _, err := range errs {
				if !yield(nil, err) {
					return
				}
			}
			if img != nil && !yield(img, nil) {
				return
			}
		}
	}
}

// told returns the problems that are known before the images are read.
func (c *collection) told() []problems {
	all := []problems{c.images.problems}
	if c.notes != c.images {
		all = append(all, c.notes.problems)
	}
	return append(all, c.problems)
}

// image returns an image with its annotations, and what is wrong with them; no
// image if it is none that the services take.
func (c *collection) image(i int32) (*Image, []error) {
	f := &c.images.files[i]
	info, err := c.images.probe(f)
	if err != nil {
		return nil, []error{explain(f.name, err)}
	}
	img := &Image{
		Name: f.name, Size: f.size,
		Width: info.Width, Height: info.Height, Depth: info.Channels,
		Open: func() (io.ReadCloser, error) { return c.images.open(f) },
	}
	return img, c.annotate(i, img)
}

// explain names the image that is none, and the way out.
func explain(name string, err error) error {
	if bad := new(imaging.Error); errors.As(err, &bad) {
		switch bad.Reason {
		case imaging.OtherFormat, imaging.Unsupported:
			return fmt.Errorf("%s: %w Both services take PNG and JPEG: convert it, or leave it out", name, err)
		}
		return fmt.Errorf("%s: %w Mend it, or leave it out", name, err)
	}
	return fmt.Errorf("%s cannot be read: %w", name, err)
}
