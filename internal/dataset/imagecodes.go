package dataset

// The codes of what is found in images and masks. All are warnings: neither
// service opens an image when it makes a dataset (CL-6.55, LV-5.55). What
// AWS tells at training, and then in one code of Custom Labels for the first
// seven, ERROR_INVALID_IMAGE (CL-6.39), is told by a code for each fact.
const (
	imageMissing    = "WARNING_IMAGE_MISSING"           // there is no such object
	imageUnreadable = "WARNING_IMAGE_UNREADABLE"        // it may not be read, or was replaced meanwhile
	imageFormat     = "WARNING_IMAGE_FORMAT"            // neither PNG nor JPEG, by content (CL-10.11, LV-9.1)
	imageDamaged    = "WARNING_IMAGE_DAMAGED"           // it starts as one and cannot be decoded
	imageTooLarge   = "WARNING_IMAGE_TOO_LARGE"         // the file (CL-12.13, LV-9.4)
	imageDimensions = "WARNING_IMAGE_DIMENSIONS"        // a side is too short or too long (CL-12.12, LV-9.2, LV-9.3)
	imageAspect     = "WARNING_IMAGE_ASPECT_RATIO"      // CL-12.15
	imageSize       = "WARNING_IMAGE_SIZE_MISMATCH"     // image_size says something else
	imageColors     = "WARNING_IMAGE_COLORS"            // colours for printing, which programs read differently
	imageDiffers    = "WARNING_IMAGE_DIMENSIONS_DIFFER" // from the other images of the project (LV-5.51)

	maskMissing    = "WARNING_MASK_MISSING"
	maskUnreadable = "WARNING_MASK_UNREADABLE"
	maskFormat     = "WARNING_MASK_FORMAT" // no PNG, by content (LV-5.40)
	maskDamaged    = "WARNING_MASK_DAMAGED"
	maskTooLarge   = "WARNING_MASK_TOO_LARGE"
	maskDimensions = "WARNING_MASK_DIMENSIONS" // others than those of its image (LV-5.41)
	maskColors     = "WARNING_MASK_COLORS"     // pixels in colours that the map has not (LV-5.42, LV-14.20)
	maskEmpty      = "WARNING_MASK_EMPTY"      // all is background, but the image is anomalous
)

// imageMessages words the codes.
var imageMessages = map[string]string{
	imageMissing:    "The image does not exist.",
	imageUnreadable: "The image cannot be read.",
	imageFormat:     "The image is neither a PNG nor a JPEG.",
	imageDamaged:    "The image is damaged, or of a kind that is not supported.",
	imageTooLarge:   "The image file is too large.",
	imageDimensions: "The image dimension(s) do not conform to allowed dimensions.",
	imageAspect:     "The image is too long for its width.",
	imageSize:       "The size of the image is not what image_size says.",
	imageColors:     "The image has colours for printing.",
	imageDiffers:    "Images in the dataset must have the same dimensions.", // as LV-5.51 has it

	maskMissing:    "The mask does not exist.",
	maskUnreadable: "The mask cannot be read.",
	maskFormat:     "The mask is no PNG.",
	maskDamaged:    "The mask is damaged, or of a kind that is not supported.",
	maskTooLarge:   "The mask is too large.",
	maskDimensions: "The mask has not the size of its image.",
	maskColors:     "The mask has colours that its colour map has not.",
	maskEmpty:      "The image is anomalous, but no pixel of its mask has the colour of a label.",
}

// An imageRole is what an object is looked at for, with the codes for it.
type imageRole struct {
	noun                                           string
	missing, unreadable, format, damaged, tooLarge string
}

var (
	asImage = imageRole{"image", imageMissing, imageUnreadable, imageFormat, imageDamaged, imageTooLarge}
	asMask  = imageRole{"mask", maskMissing, maskUnreadable, maskFormat, maskDamaged, maskTooLarge}
)
