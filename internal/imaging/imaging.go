// Package imaging looks at image files. It tells what their headers say
// without decoding a pixel, it counts the colours of a mask row by row, and it
// decodes photographs and masks for training and inference: into an Image of
// 8-bit RGB, upright, and from there into the sizes and planes that
// arithmetic wants.
//
// JPEG is decoded by the standard library. gen2brain/jpegn decodes 1.7 times as
// fast and can scale while it decodes, but its version 0.4.0 panics on files
// that are cut off within a header, and writes pixels through unchecked
// pointers: no decoder for what strangers send.
//
// The files are the users', so nothing in them is believed: what is read and
// what is kept is bounded by constants, whatever a header says. Both services
// take PNG and JPEG and nothing else (CL-12.16, LV-9.1), so there are no other
// decoders; other formats are only recognized, to be called by their name.
package imaging

import "fmt"

// A Format is a format of image files.
type Format uint8

// The formats.
const (
	PNG Format = iota + 1
	JPEG
)

// String returns the format's name, "" for none.
func (f Format) String() string {
	switch f {
	case PNG:
		return "PNG"
	case JPEG:
		return "JPEG"
	}
	return ""
}

// A Model is how a file stores colours.
type Model uint8

// The models.
const (
	Gray Model = iota
	GrayAlpha
	RGB
	RGBA
	Palette
	YCbCr
	CMYK
	YCCK
)

// String returns the model's name as people write it.
func (m Model) String() string {
	return [...]string{"grey", "grey with alpha", "RGB", "RGBA", "palette", "YCbCr", "CMYK", "YCCK"}[m]
}

// An Info is what the header of an image says.
type Info struct {
	Format      Format
	Width       int // pixels, as stored: before any rotation by Orientation
	Height      int
	Depth       int // bits of a sample, or of a palette's index
	Channels    int // samples of a pixel, 1 to 4
	Model       Model
	Orientation int  // EXIF orientation, 1 to 8; 1 if the header says none
	Progressive bool // progressive JPEG, or interlaced PNG
}

// A Reason is a reason for which a file cannot be used.
type Reason uint8

// The reasons.
const (
	Empty         Reason = iota // it has no bytes
	OtherFormat                 // it is neither PNG nor JPEG
	Unsupported                 // it is a PNG or JPEG of a kind that is not decoded
	Malformed                   // it breaks the rules of its format
	Truncated                   // it ends too early
	LongHeader                  // its header is longer than MaxHeader
	TooManyPixels               // it has more pixels than may be decoded
	TooComplex                  // decoding it would take much longer than its size explains
)

// An Error says why a file cannot be used. An error of reading it is returned
// as it came, and is none.
type Error struct {
	Reason Reason
	Text   string // a sentence about the file, such as "It is a GIF."
}

// Error returns the sentence.
func (e *Error) Error() string { return e.Text }

func errorf(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Text: fmt.Sprintf(format, args...)}
}

func malformed(f Format, format string, args ...any) *Error {
	return errorf(Malformed, "It is a damaged %s: %s.", f, fmt.Sprintf(format, args...))
}

func truncated(f Format) *Error {
	if f == 0 {
		return errorf(Truncated, "It ends too early.")
	}
	return errorf(Truncated, "It is a %s that ends too early.", f)
}
