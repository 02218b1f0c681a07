package repair

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"

	"fovea"
	"fovea/internal/imaging"
	"fovea/internal/manifest"
)

// imageTime is how long an image and its mask may take.
const imageTime = 2 * time.Minute

// imageEdits looks at the image of the judged line and at its mask.
func (r *repairer) imageEdits() ([]edit, error) {
	ctx, cancel := context.WithTimeout(r.ctx, imageTime)
	defer cancel()
	want := r.spec.Profile.ImageOf(&r.doc, &r.entry)
	list, err := r.sizeEdits(ctx, &want)
	if err != nil || want.Mask == nil || want.Mask.Unused {
		return list, err
	}
	e, ok, err := r.maskEdit(ctx, want.Mask)
	if ok {
		list = append(list, e)
	}
	return list, err
}

// sizeEdits mends sizes in image_size that the image contradicts, where the
// boxes do not depend on which is right.
func (r *repairer) sizeEdits(ctx context.Context, want *fovea.ImageExpectation) ([]edit, error) {
	if len(want.Sizes) == 0 {
		return nil, nil
	}
	info, err := probe(ctx, r.spec.Objects, want.Image)
	if err != nil {
		return nil, r.unread(want.At.Pointer, err)
	}
	var list []edit
	width, height := float64(info.Width), float64(info.Height)
	for _, s := range want.Sizes {
		if s.Width == width && s.Height == height {
			continue
		}
		if why := ambiguous(s, info, want.Boxes); why != "" {
			if err := r.left(r.entry.Number, s.At.Pointer, "WARNING_IMAGE_SIZE_MISMATCH", why); err != nil {
				return nil, err
			}
			continue
		}
		object := r.nodeAt(s.At.Offset)
		if r.doc.Type(object) == manifest.Array {
			object++
		}
		for _, side := range []struct {
			name   string
			pixels int
		}{{"width", info.Width}, {"height", info.Height}} {
			node := r.doc.Member(object, side.name)
			if f, ok := r.doc.Float(node); ok && f != float64(side.pixels) {
				list = append(list, r.replace(node, r.doc.PointerOf(node), ImageSize, strconv.Itoa(side.pixels)))
			}
		}
	}
	return list, nil
}

// ambiguous says why an image_size that the image contradicts cannot be mended,
// "" if it can: then every box is within the image as it is.
func ambiguous(s fovea.ImageSize, info imaging.Info, boxes []fovea.BoxExpectation) string {
	width, height := float64(info.Width), float64(info.Height)
	is := fmt.Sprintf("The image is %s and image_size says %s. ", sizeText(width, height), sizeText(s.Width, s.Height))
	if len(boxes) == 0 {
		return ""
	}
	switch {
	case info.Orientation >= 5:
		return is + fmt.Sprintf("Its EXIF orientation, %d, may have turned it when it was labelled.", info.Orientation)
	case s.Width*height == s.Height*width:
		return is + "It was scaled, and the boxes may have to be, too."
	}
	for _, b := range boxes {
		if !(b.Left >= 0 && b.Top >= 0 && b.Left+b.Width <= width && b.Top+b.Height <= height) {
			return is + fmt.Sprintf("The box at %s is not within the image, so it may be another image than the one that was labelled.", b.At.Pointer)
		}
	}
	return ""
}

// unread tells that an image was left alone because it cannot be read, or
// returns the error if that is not the image's.
func (r *repairer) unread(pointer string, err error) error {
	bad := (*imaging.Error)(nil)
	switch {
	case errors.As(err, &bad):
		return r.left(r.entry.Number, pointer, "WARNING_IMAGE_DAMAGED", bad.Text)
	case errors.Is(err, fs.ErrNotExist), fovea.KindOf(err) == fovea.NotFound:
		return r.left(r.entry.Number, pointer, "WARNING_IMAGE_MISSING", "The object does not exist, so nothing that depends on it was mended.")
	case fovea.KindOf(err) == fovea.BadObject, fovea.KindOf(err) == fovea.Denied:
		return r.left(r.entry.Number, pointer, "WARNING_IMAGE_UNREADABLE", "The object cannot be read: "+manifest.Excerpt([]byte(err.Error()), excerpt))
	}
	return err
}

// probe returns the header of an image.
func probe(ctx context.Context, objects fovea.Objects, ref fovea.ObjectRef) (imaging.Info, error) {
	object, err := objects.Stat(ctx, ref)
	if err != nil {
		return imaging.Info{}, err
	}
	return imaging.Probe(fovea.ObjectReader(ctx, objects, object), object.Size)
}

// readAll returns an object of at most limit bytes.
func readAll(ctx context.Context, objects fovea.Objects, ref fovea.ObjectRef, limit int64) ([]byte, error) {
	object, err := objects.Stat(ctx, ref)
	if err != nil {
		return nil, err
	}
	if object.Size > limit {
		return nil, &imaging.Error{Reason: imaging.TooManyPixels, Text: fmt.Sprintf("It has %d bytes, more than %d.", object.Size, limit)}
	}
	body, err := objects.Read(ctx, object, 0, object.Size)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var b bytes.Buffer
	_, err = io.Copy(&b, io.LimitReader(body, limit))
	return b.Bytes(), err
}
