package lookout

// The codes of what fails an import (LV 5.6). AWS has none, so they are ours,
// named as those of Custom Labels where they mean the same.
const (
	codeInvalidJSON   = "ERROR_INVALID_JSON_LINE"
	codeNotUTF8       = "ERROR_NOT_UTF8"
	codeLineTooLong   = "ERROR_LINE_TOO_LONG"
	codeNoSourceRef   = "ERROR_MISSING_SOURCE_REF"
	codeSourceRef     = "ERROR_INVALID_SOURCE_REF_FORMAT"
	codeNoMetadata    = "ERROR_MISSING_METADATA"
	codeNoAttribute   = "ERROR_MISSING_LABEL_ATTRIBUTE"
	codeColorMap      = "ERROR_MISSING_COLOR_MAP"
	codeHexColor      = "ERROR_INVALID_HEX_COLOR"
	codeAnomalyLabels = "ERROR_TOO_MANY_ANOMALY_LABELS"
)

// The codes of what is accepted (LV-5.80, LV-5.83, LV-5.86) and still worth
// knowing.
const (
	warnUnannotated    = "WARNING_UNANNOTATED_RECORD"
	warnDuplicateKey   = "WARNING_DUPLICATE_KEY"
	warnUnpaired       = "WARNING_UNPAIRED_METADATA"
	warnType           = "WARNING_UNSUPPORTED_USE_CASE_TYPE"
	warnMember         = "WARNING_MISSING_METADATA_MEMBER"
	warnSeveral        = "WARNING_SEVERAL_LABEL_ATTRIBUTES"
	warnClass          = "WARNING_UNKNOWN_CLASS_NAME"
	warnValue          = "WARNING_LABEL_VALUE"
	warnHumanAnnotated = "WARNING_HUMAN_ANNOTATED"
	warnDate           = "WARNING_CREATION_DATE"
	warnMaskOnly       = "WARNING_MASK_WITHOUT_CLASS"
	warnMaskRef        = "WARNING_MASK_REF"
	warnMaskName       = "WARNING_MASK_ATTRIBUTE_NAME"
	warnNoLabels       = "WARNING_MASK_WITHOUT_LABELS"
	warnColorName      = "WARNING_COLOR_WITHOUT_LABEL"
	warnWhite          = "WARNING_WHITE_LABEL"
	warnLabelColor     = "WARNING_LABEL_COLORS"
	warnColorLabel     = "WARNING_COLOR_LABELS"
	warnLabelName      = "WARNING_LABEL_NAME"
)

// messages words the codes; the first as LV 5.6 suggests, less the number of
// the line. A verb takes the name of an attribute, or a number.
var messages = map[string]string{
	codeInvalidJSON:   "The line isn't a valid JSON object.",
	codeNotUTF8:       "The manifest file isn't UTF-8 encoded.",
	codeLineTooLong:   "The line exceeds %d characters.",
	codeNoSourceRef:   "source-ref is missing or isn't an S3 URI.",
	codeSourceRef:     "source-ref is missing or isn't an S3 URI.",
	codeNoMetadata:    "%s-metadata is missing.",
	codeNoAttribute:   "%s is missing.",
	codeColorMap:      "%s-metadata has no internal-color-map.",
	codeHexColor:      "the hex-color is invalid.",
	codeAnomalyLabels: "Too many anomaly labels.",

	warnUnannotated:    "The image has no label attribute, so it is unlabelled.",
	warnDuplicateKey:   "A key is written twice in one object. The last one counts.",
	warnUnpaired:       "One half of a label attribute is missing, so the other is ignored.",
	warnType:           "The type of the metadata is none that is used, so the attribute is ignored.",
	warnMember:         "The metadata lacks a member that it should have.",
	warnSeveral:        "The image has several label attributes. This one is ignored; the last one counts.",
	warnClass:          "The class name is neither normal nor anomaly, so the image is unlabelled.",
	warnValue:          "The value of the label attribute does not fit its class name, which counts.",
	warnHumanAnnotated: "The value of human-annotated is not written as it should be.",
	warnDate:           "The creation-date cannot be read. The time of the import is used.",
	warnMaskOnly:       "The image has a mask but no class, so it is unlabelled.",
	warnMaskRef:        "The mask is no S3 URI in the bucket of the image, so training will not find it.",
	warnMaskName:       "The key of a mask attribute does not end in -ref, so the mask is ignored.",
	warnNoLabels:       "The image is anomalous, but its mask has no label other than the background.",
	warnColorName:      "A colour of the mask has no class-name, so what has it is ignored.",
	warnWhite:          "The colour of a label is white, which always is the background.",
	warnLabelColor:     "A label has another colour than before. The first one counts.",
	warnColorLabel:     "Two labels have the same colour.",
	warnLabelName:      "The label name is empty, too long, or hard to tell from others.",
}
