package dataset

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"fovea"
	"fovea/internal/imaging"
)

// maxMaskBytes is how large a mask can be: as an image (LV-9.4).
const maxMaskBytes = 8 << 20

// lookAtMask checks the mask of an image: that it is a PNG, and if its pixels
// count, their number and colours.
func (j *imageJudge) lookAtMask(want *fovea.MaskExpectation) error {
	object, err := j.objects.Stat(j.ctx, want.Image)
	if err != nil {
		return j.unread(asMask, want.Image, want.At, err)
	}
	if object.Size > maxMaskBytes {
		j.found(maskTooLarge, want.At, fmt.Sprintf("It has %d bytes.", object.Size), fmt.Sprintf("at most %d bytes", maxMaskBytes),
			"Save the mask as a PNG with a palette.")
		return nil
	}
	if want.Unused {
		info, err := probe(&window{r: fovea.ObjectReader(j.ctx, j.objects, object)}, object.Size)
		if err == nil && info.Format != imaging.PNG {
			err = &imaging.Error{Reason: imaging.OtherFormat, Text: "It is a JPEG."}
		}
		if err != nil {
			return j.unread(asMask, want.Image, want.At, err)
		}
		return nil
	}
	mask, err := j.readMask(object, want)
	if err != nil {
		return j.unread(asMask, want.Image, want.At, err)
	}
	if w, h := j.task.width, j.task.height; w > 0 && (mask.Width != w || mask.Height != h) {
		j.found(maskDimensions, want.At, fmt.Sprintf("It is %s and the image is %dx%d.", pixels(mask.Info), w, h), fmt.Sprintf("%dx%d", w, h),
			"Scale the mask without smoothing, or draw it on the image as it is.")
	}
	j.checkColors(want, mask)
	return nil
}

func (j *imageJudge) readMask(object fovea.ObjectInfo, want *fovea.MaskExpectation) (*imaging.Mask, error) {
	body, err := j.objects.Read(j.ctx, object, 0, object.Size)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	colors := make([]imaging.MapColor, len(want.Colors))
	for i, c := range want.Colors {
		colors[i] = imaging.MapColor{Color: imaging.Color(c.Color), Background: c.Background}
	}
	return imaging.ReadMask(j.ctx, io.LimitReader(body, maxMaskBytes), colors)
}

// maxStray is the share of the pixels that may be in other colours (LV-14.20).
const maxStray = 0.01

// checkColors compares the colours of a mask with its colour map.
func (j *imageJudge) checkColors(want *fovea.MaskExpectation, mask *imaging.Mask) {
	if float64(mask.Unmatched) > maxStray*float64(mask.Pixels) {
		j.found(maskColors, want.Map, "It has "+share(mask.Unmatched, mask.Pixels)+" of its pixels in other colours, most of them "+mask.Others[0].Color.String()+".",
			colorsOf(want), mendColors(want, mask))
		return
	}
	for _, n := range mask.Labels {
		if n > 0 {
			return
		}
	}
	j.found(maskEmpty, want.At, "It has nothing but background.", "pixels in one of "+colorsOf(want),
		"Draw the anomaly, or label the image normal.")
}

// share writes a share of a whole for people.
func share(n, of int64) string {
	return strconv.FormatFloat(100*float64(n)/float64(of), 'g', 3, 64) + " %"
}

// colorsOf names the colours of a colour map, or the first of them.
func colorsOf(want *fovea.MaskExpectation) string {
	const most = 5
	var list []string
	for _, c := range want.Colors {
		if !c.Background && len(list) < most {
			list = append(list, fmt.Sprintf("%s (%s)", imaging.Color(c.Color), c.Label))
		}
	}
	if len(list) == 0 {
		return "a colour of the colour map"
	}
	return "the colours of the colour map: " + strings.Join(list, ", ")
}

// mendColors says what to do about a mask of other colours. If one label has
// no pixel, the most frequent of the others is probably its colour.
func mendColors(want *fovea.MaskExpectation, mask *imaging.Mask) string {
	label, without := "", 0
	for i, c := range want.Colors {
		if !c.Background && mask.Labels[i] == 0 {
			label, without = c.Label, without+1
		}
	}
	if without == 1 {
		return fmt.Sprintf("Write %q as hex-color of %q, if that is its colour in the mask.", mask.Others[0].Color.String(), label)
	}
	return "Correct the colours of the colour map, or those of the mask."
}
