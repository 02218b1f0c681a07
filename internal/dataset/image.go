package dataset

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
	"fovea/internal/quality"
)

// An imageJudge looks at one image and its mask.
type imageJudge struct {
	ctx     context.Context // of the check
	objects fovea.Objects
	task    *imageTask
	check   *ImageCheck
	file    []byte // of an image that is to be decoded; nil for none
	info    imaging.Info
}

// look fills in what is found. An error is none of the image's.
func (j *imageJudge) look() error {
	want := &j.task.want
	if j.task.decode {
		j.task.problems = append(j.task.problems, boxDoubts(want)...)
	}
	defer j.letGo()
	if err := j.lookAtImage(want); err != nil {
		return err
	}
	if want.Mask != nil {
		if err := j.lookAtMask(want.Mask); err != nil {
			return err
		}
	}
	if j.file == nil {
		return nil
	}
	j.checkTurned(want, j.info)
	return j.unread(asImage, want.Image, want.At, j.see())
}

// found adds a warning about the value at a place.
func (j *imageJudge) found(code string, at fovea.Place, found, expected, mend string) {
	j.task.problems = append(j.task.problems, manifest.Problem{
		Severity: manifest.Warning, Code: code, Message: imageMessages[code], Pointer: at.Pointer, Offset: at.Offset,
		Found: found, Expected: expected, Mend: mend,
	})
}

// lookAtImage checks the object, its header, and that it is whole.
func (j *imageJudge) lookAtImage(want *fovea.ImageExpectation) error {
	object, err := j.objects.Stat(j.ctx, want.Image)
	if err != nil {
		return j.unread(asImage, want.Image, want.At, err)
	}
	if limit := j.task.limits.Bytes; limit > 0 && object.Size > limit {
		j.found(imageTooLarge, want.At, fmt.Sprintf("It has %d bytes.", object.Size), fmt.Sprintf("at most %d bytes", limit),
			"Compress the image more, or scale it and its boxes or mask down.")
	}
	// What is at hand of a small file is not read again.
	var r io.ReaderAt = &window{r: fovea.ObjectReader(j.ctx, j.objects, object)}
	if j.task.decode && object.Size > 0 && object.Size <= maxFileMemory {
		if err := j.readFile(object); err != nil {
			return j.unread(asImage, want.Image, want.At, err)
		}
		r = bytes.NewReader(j.file)
	}
	info, err := probe(r, object.Size)
	if err != nil {
		j.letGo()
		return j.unread(asImage, want.Image, want.At, err)
	}
	j.info = info
	j.task.width, j.task.height = info.Width, info.Height
	j.checkSides(want, info)
	for _, s := range want.Sizes {
		j.checkClaim(s, info)
	}
	if info.Model == imaging.CMYK || info.Model == imaging.YCCK {
		j.found(imageColors, want.At, fmt.Sprintf("It is a %s %s.", info.Model, info.Format), "RGB or grey",
			"Convert the image to RGB: programs show such images in different colours.")
	}
	return nil
}

// readFile reads all of an object, once there is memory for it.
func (j *imageJudge) readFile(object fovea.ObjectInfo) error {
	if err := j.check.files.Acquire(j.ctx, object.Size); err != nil {
		return err
	}
	j.file = make([]byte, object.Size)
	body, err := j.objects.Read(j.ctx, object, 0, object.Size)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.ReadFull(body, j.file)
	return err
}

// letGo gives the memory of the file back.
func (j *imageJudge) letGo() {
	if j.file != nil {
		j.check.files.Release(int64(len(j.file)))
		j.file = nil
	}
}

// decodeTime is how long an image may take to be decoded. One of the largest
// that are takes a second; a small file can be made to take hours (T05).
const decodeTime = 20 * time.Second

// see decodes the file, once there is memory for its pixels.
func (j *imageJudge) see() (err error) {
	need := min(quality.Memory(j.info), maxPixelMemory)
	if err := j.check.pixels.Acquire(j.ctx, need); err != nil {
		return err
	}
	defer j.check.pixels.Release(need)
	ctx, cancel := context.WithTimeout(j.ctx, decodeTime)
	defer cancel()
	j.task.look, err = quality.See(ctx, j.file)
	if err != nil && ctx.Err() != nil && j.ctx.Err() == nil {
		return &imaging.Error{Reason: imaging.TooComplex, Text: fmt.Sprintf("It takes more than %v to decode.", decodeTime)}
	}
	return err
}

// checkTurned doubts labels on an image that viewers turn, unless image_size
// tells that they are for the image as it is stored.
func (j *imageJudge) checkTurned(want *fovea.ImageExpectation, info imaging.Info) {
	if info.Orientation == 1 || len(want.Boxes) == 0 && (want.Mask == nil || want.Mask.Unused) {
		return
	}
	for _, s := range want.Sizes {
		if info.Orientation >= 5 && info.Width != info.Height && s.Width == float64(info.Width) && s.Height == float64(info.Height) {
			return
		}
	}
	p := doubt(exifTurned, fmt.Sprintf("Its EXIF orientation is %d: it is stored as %s and shown %s.", info.Orientation, pixels(info), orientations[info.Orientation]),
		"an image that is stored as it is shown", "Turn the pixels of the image and remove its EXIF orientation, then check the boxes or the mask: training takes it as it is stored.")
	p.Pointer, p.Offset = want.At.Pointer, want.At.Offset
	j.task.problems = append(j.task.problems, p)
}

// orientations says how an image of each EXIF orientation is shown.
var orientations = [9]string{2: "mirrored", 3: "turned by 180°", 4: "mirrored upside down", 5: "mirrored and turned", 6: "turned by 90°", 7: "mirrored and turned", 8: "turned by 270°"}

// probe returns what the header of an image says, if it is whole.
func probe(r io.ReaderAt, size int64) (imaging.Info, error) {
	info, err := imaging.Probe(r, size)
	if err != nil {
		return info, err
	}
	return info, imaging.CheckEnd(r, size, info.Format)
}

// unread sorts an error out: into a finding if it is about this image, into an
// error if it is not.
func (j *imageJudge) unread(as imageRole, ref fovea.ObjectRef, at fovea.Place, err error) error {
	if err == nil {
		return nil
	}
	if j.ctx.Err() != nil {
		return j.ctx.Err()
	}
	bad := (*imaging.Error)(nil)
	kind := fovea.KindOf(err)
	switch {
	case errors.As(err, &bad):
		j.unusable(as, ref, at, bad)
	case errors.Is(err, fs.ErrNotExist), kind == fovea.NotFound:
		j.found(as.missing, at, "The object "+excerpt(ref.String())+" does not exist.", "an object in S3",
			fmt.Sprintf("Upload the %s, or correct its S3 URI: bucket, folder, name and their case.", as.noun))
	case kind == fovea.BadObject, kind == fovea.Denied:
		j.found(as.unreadable, at, excerpt(err.Error()), "an object that fovea may read",
			"Check that the object exists, and that the credentials of fovea allow s3:GetObject on it.")
	default:
		return err
	}
	return nil
}

// unusable adds the finding that an object is no image that can be used.
func (j *imageJudge) unusable(as imageRole, ref fovea.ObjectRef, at fovea.Place, bad *imaging.Error) {
	expected := "a PNG or a JPEG"
	if as == asMask {
		expected = "a PNG"
	}
	code, mend := as.format, fmt.Sprintf("Convert the %s, and write the S3 URI of the result: to rename it is not enough.", as.noun)
	switch bad.Reason {
	case imaging.Empty:
		mend = fmt.Sprintf("Upload the %s again.", as.noun)
		if n := len(ref.Key); n > 0 && ref.Key[n-1] == '/' { // LV-5.55
			mend = "Remove the line: the object is the placeholder of a folder."
		}
	case imaging.Truncated, imaging.Malformed:
		code, mend = as.damaged, fmt.Sprintf("Upload the %s again, in whole and in binary mode.", as.noun)
	case imaging.Unsupported, imaging.LongHeader, imaging.TooComplex:
		code, mend = as.damaged, fmt.Sprintf("Save the %s again with another program, without what is not needed.", as.noun)
	case imaging.TooManyPixels:
		if as == asImage {
			code, expected, mend = imageDimensions, fmt.Sprintf("at most %d pixels in all, to be decoded", imaging.MaxPixels), "Scale the image down and its boxes or mask with it, or cut it into several."
			break
		}
		code, expected, mend = as.tooLarge, fmt.Sprintf("at most %d pixels on each side", imaging.MaxMaskSide), "Scale the mask to the size of its image."
	}
	j.found(code, at, bad.Text, expected, mend)
}

// checkSides checks the sides of the image and their ratio.
func (j *imageJudge) checkSides(want *fovea.ImageExpectation, info imaging.Info) {
	l := j.task.limits
	short, long := min(info.Width, info.Height), max(info.Width, info.Height)
	switch size := "It is " + pixels(info) + "."; {
	case l.MinSide > 0 && short < l.MinSide:
		j.found(imageDimensions, want.At, size, fmt.Sprintf("at least %d pixels on each side", l.MinSide), "Take a larger image, or remove the line.")
	case l.MaxSide > 0 && long > l.MaxSide:
		j.found(imageDimensions, want.At, size, fmt.Sprintf("at most %d pixels on each side", l.MaxSide),
			"Scale the image down and its boxes or mask with it, or cut it into several.")
	}
	if l.Aspect > 0 && long > l.Aspect*short {
		j.found(imageAspect, want.At, "It is "+pixels(info)+".", fmt.Sprintf("a longer side of at most %d times the shorter", l.Aspect),
			"Cut the image into several.")
	}
}

// checkClaim compares the size of the image with what the line says it is.
func (j *imageJudge) checkClaim(s fovea.ImageSize, info imaging.Info) {
	width, height := float64(info.Width), float64(info.Height)
	if s.Width == width && s.Height == height {
		return
	}
	mend := "Correct image_size and the boxes, or the source-ref if it names another image than the one that was labelled."
	switch {
	case s.Width == height && s.Height == width && info.Orientation >= 5:
		mend = fmt.Sprintf("Turn the pixels of the image and remove its EXIF orientation, %d: the boxes were drawn on the turned image, and training takes it as it is stored.", info.Orientation)
	case s.Width == height && s.Height == width:
		mend = "Swap width and height in image_size, or turn the image."
	case s.Width > 0 && s.Height > 0 && s.Width*height == s.Height*width:
		mend = fmt.Sprintf("Multiply the boxes by %s and correct image_size: the image was scaled after it was labelled.", number(width/s.Width))
	}
	j.found(imageSize, s.At, fmt.Sprintf("It is %s and image_size says %sx%s.", pixels(info), number(s.Width), number(s.Height)), pixels(info), mend)
}

func pixels(i imaging.Info) string { return fmt.Sprintf("%dx%d", i.Width, i.Height) }

// number writes a number for people.
func number(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }

// excerpt returns a name or message for people, not too long.
func excerpt(s string) string { return manifest.Excerpt([]byte(s), 300) }

// A window remembers the last bytes that were read.
type window struct {
	r     io.ReaderAt
	start int64
	buf   []byte
}

// ReadAt implements io.ReaderAt.
func (w *window) ReadAt(p []byte, off int64) (int, error) {
	if off >= w.start && off+int64(len(p)) <= w.start+int64(len(w.buf)) {
		return copy(p, w.buf[off-w.start:]), nil
	}
	n, err := w.r.ReadAt(p, off)
	w.start, w.buf = off, append(w.buf[:0], p[:n]...)
	return n, err
}
