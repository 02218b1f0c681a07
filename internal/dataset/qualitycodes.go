package dataset

import (
	"maps"
	"slices"
	"strings"

	"fovea/internal/manifest"
)

// The codes of what makes data worse to train on than it could be. All are
// warnings, and AWS has none of them: docs/quality.md explains each.
const (
	dupImage      = "WARNING_DUPLICATE_IMAGE"      // the bytes of another image
	nearImage     = "WARNING_NEAR_DUPLICATE"       // what another image shows, perhaps turned, scaled, cut
	bothSplits    = "WARNING_IMAGE_IN_BOTH_SPLITS" // in train and test
	labelsDiffer  = "WARNING_DUPLICATE_LABELS"     // as one of the first two, with other labels
	sizeOutlier   = "WARNING_SIZE_OUTLIER"
	brightOutlier = "WARNING_BRIGHTNESS_OUTLIER"
	sharpOutlier  = "WARNING_SHARPNESS_OUTLIER"
	exifTurned    = "WARNING_EXIF_ORIENTATION"   // boxes or a mask, and an orientation that viewers apply
	boxesCoincide = "WARNING_BOXES_COINCIDE"     // with different labels
	boxTwice      = "WARNING_BOX_TWICE"          // with one label
	labelRare     = "WARNING_LABEL_RARE"         // too few images to learn it from
	labelNoSplit  = "WARNING_LABEL_UNSPLITTABLE" // one image: not for train and test
	imbalance     = "WARNING_LABEL_IMBALANCE"
	mixedUse      = "WARNING_LABEL_MIXED_USE"   // one label on boxes and on whole images (CL-5.64)
	mixedKinds    = "WARNING_MIXED_LABEL_KINDS" // images with boxes and images with labels only (CL-9.31)
	mixedMasks    = "WARNING_MIXED_MASKS"       // anomalies with and without mask (LV-6.24)
	alikeLabels   = "WARNING_SIMILAR_LABELS"    // that differ in case, blanks or signs
)

// qualityMessages words the codes.
var qualityMessages = map[string]string{
	dupImage:      "The image is a copy of another one.",
	nearImage:     "The image shows nearly the same as another one.",
	bothSplits:    "The image is in the train and in the test dataset, so that the model is tested on what it was trained on.",
	labelsDiffer:  "The image is as good as another one, but has other labels.",
	sizeOutlier:   "The image has quite another number of pixels than most.",
	brightOutlier: "The image is much lighter or darker than most.",
	sharpOutlier:  "The image is much more or less sharp than most.",
	exifTurned:    "The image is turned when it is shown, and its labels may be for the turned one.",
	boxesCoincide: "Two boxes nearly coincide and have different labels.",
	boxTwice:      "Two boxes of one label nearly coincide.",
	labelRare:     "The label is on too few images to be learned.",
	labelNoSplit:  "The label is on a single image, so it cannot be in train and test.",
	imbalance:     "The label is on far fewer images than the most frequent one.",
	mixedUse:      "The label is used for boxes and for whole images.",
	mixedKinds:    "Some images have boxes and others only labels of the whole image. Training uses one kind and passes the other over.",
	mixedMasks:    "Some anomalous images have masks and others have none.",
	alikeLabels:   "The label differs from another one only in case, blanks or signs.",
}

// doubt returns the warning of a code about the value at a place.
func doubt(code, found, expected, mend string) manifest.Problem {
	return manifest.Problem{Severity: manifest.Warning, Code: code, Message: qualityMessages[code], Found: found, Expected: expected, Mend: mend}
}

// QualityCodes returns the codes of what makes data worse to train on, sorted.
func QualityCodes() []string { return slices.Sorted(maps.Keys(qualityMessages)) }

// ImageCodes returns the codes of what is wrong with images and masks, sorted.
func ImageCodes() []string { return slices.Sorted(maps.Keys(imageMessages)) }

// RuleName returns the short name of a code, which commands and calls take too:
// WARNING_NEAR_DUPLICATE is near-duplicate.
func RuleName(code string) string {
	for _, severity := range []string{"WARNING_", "ERROR_"} {
		code = strings.TrimPrefix(code, severity)
	}
	return strings.ToLower(strings.ReplaceAll(code, "_", "-"))
}
