package imaging

import (
	"context"
	"io"
)

// MaxPixels is how many pixels Decode decodes at most if it is not told: those
// of an image of the greatest size that both services take (CL-12.12, LV-9.3).
const MaxPixels = 4096 * 4096

// Decoding says how an image is decoded. The zero value is right for photographs.
type Decoding struct {
	// MaxPixels bounds the pixels of the image as its header tells them; 0 is
	// the constant MaxPixels. Decoding needs at most 6 bytes a pixel, 20 for a
	// progressive JPEG.
	MaxPixels int

	// Stored leaves the pixels where the file has them, whatever its EXIF
	// orientation, so that they stay where a mask has them (LV-5.53).
	// Otherwise the image is returned upright (CL-10.40).
	Stored bool
}

// Decode decodes the image file r of that size: any PNG, and JPEGs that are
// baseline or progressive, grey, YCbCr, RGB, CMYK or YCCK. Transparent pixels
// are laid over white. The header is read first, and nothing is decoded if it
// tells more pixels than allowed. What is wrong with the file is an *Error; a
// file that is cut off is one, too, and never half an image. Decode ends early,
// with its error, when the context does.
func Decode(ctx context.Context, r io.ReaderAt, size int64, d Decoding) (m *Image, err error) {
	defer contain(&err)
	info, err := Probe(r, size)
	if err != nil {
		return nil, err
	}
	limit := d.MaxPixels
	if limit == 0 {
		limit = MaxPixels
	}
	if int64(info.Width)*int64(info.Height) > int64(limit) {
		return nil, errorf(TooManyPixels, "It has %dx%d pixels, more than the %d that are decoded.", info.Width, info.Height, limit)
	}
	if err := CheckEnd(r, size, info.Format); err != nil {
		return nil, err
	}
	body := io.NewSectionReader(r, 0, size)
	if info.Format == PNG {
		m, err = decodePNG(ctx, body)
	} else {
		m, err = decodeJPEG(ctx, body)
	}
	if err != nil {
		return nil, err
	}
	if d.Stored {
		return m, nil
	}
	return m.upright(info.Orientation), nil
}

// upright returns an image that is stored with an EXIF orientation as it is to
// be seen.
func (m *Image) upright(orientation int) *Image {
	if orientation == 1 {
		return m
	}
	w, h := m.W, m.H
	out := New(w, h)
	if orientation >= 5 {
		out.W, out.H = h, w
	}
	for y := range out.H {
		for x := range out.W {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, h-1-x
			case 7:
				sx, sy = w-1-y, h-1-x
			case 8:
				sx, sy = w-1-y, x
			}
			copy(out.Pix[3*(y*out.W+x):][:3], m.Pix[3*(sy*w+sx):])
		}
	}
	return out
}
