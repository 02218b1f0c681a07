package rekognition

// The codes of lines that are dropped (CL-6.20) and of errors that are stored
// with an entry (CL-6.57). LINE_TOO_LONG is ours, because AWS has none for it.
const (
	codeInvalidJSON      = "ERROR_INVALID_JSON_LINE"
	codeLineTooLong      = "ERROR_LINE_TOO_LONG"
	codeNoSourceRef      = "ERROR_MISSING_SOURCE_REF"
	codeSourceRef        = "ERROR_INVALID_SOURCE_REF_FORMAT"
	codeNoAttributes     = "ERROR_NO_LABEL_ATTRIBUTES"
	codeAttribute        = "ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT"
	codeMetadata         = "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"
	codeNoValid          = "ERROR_NO_VALID_LABEL_ATTRIBUTES"
	codeBoxConfidence    = "ERROR_MISSING_BOUNDING_BOX_CONFIDENCE"
	codeClassID          = "ERROR_MISSING_CLASS_MAP_ID"
	codeDimension        = "ERROR_INVALID_IMAGE_DIMENSION"
	codeSmallBox         = "ERROR_BOUNDING_BOX_TOO_SMALL"
	codeBox              = "ERROR_INVALID_BOUNDING_BOX"
	codeNoAnnotations    = "ERROR_NO_VALID_ANNOTATIONS"
	codeTooManyBoxes     = "ERROR_TOO_MANY_BOUNDING_BOXES"
	codeUseCase          = "ERROR_UNSUPPORTED_USE_CASE_TYPE"
	codeLabelLength      = "ERROR_INVALID_LABEL_NAME_LENGTH"
	codeUnannotated      = "WARNING_UNANNOTATED_RECORD"
	codeWithoutBoxes     = "WARNING_NO_ANNOTATIONS"
	codeAttributeNoBoxes = "WARNING_NO_ATTRIBUTE_ANNOTATIONS"
)

// The codes of warnings that AWS does not have.
const (
	warnDuplicateKey   = "WARNING_DUPLICATE_KEY"
	warnUnpaired       = "WARNING_UNPAIRED_METADATA"
	warnSameLabel      = "WARNING_SAME_LABEL"
	warnSameClass      = "WARNING_SAME_CLASS_NAME"
	warnClassMapKey    = "WARNING_CLASS_MAP_KEY"
	warnConfidence     = "WARNING_CONFIDENCE_RANGE"
	warnHumanAnnotated = "WARNING_HUMAN_ANNOTATED"
	warnObjects        = "WARNING_EXTRA_OBJECTS"
	warnLabelName      = "WARNING_LABEL_NAME"
)

// messages words the codes as AWS does (CL-6.30 to CL-6.49). Those with a verb
// take the name of the label attribute.
var messages = map[string]string{
	codeInvalidJSON:      "The JSON Line has an invalid format.",
	codeLineTooLong:      "The JSON Line is longer than %d characters.",
	codeNoSourceRef:      "The source-ref key is missing.",
	codeSourceRef:        "The format of the source-ref value is invalid.",
	codeNoAttributes:     "No label attributes found.",
	codeAttribute:        "The format of the label attribute %s is invalid.",
	codeMetadata:         "The format of the label attribute metadata is invalid.",
	codeNoValid:          "No valid label attributes found.",
	codeBoxConfidence:    "One or more bounding boxes has a missing confidence value.",
	codeClassID:          "One of more class ids is missing from the class map.",
	codeDimension:        "The image dimension(s) do not conform to allowed dimensions.",
	codeSmallBox:         "The height and width of the bounding box is too small.",
	codeBox:              "The bounding box has off frame values.",
	codeNoAnnotations:    "No valid annotations found.",
	codeTooManyBoxes:     "There are more bounding boxes than the allowed maximum.",
	codeUseCase:          "The use case type of the %s-metadata label attribute metadata is unsupported. Check the type field.",
	codeLabelLength:      "The length of the label name is invalid.",
	codeUnannotated:      "Record is unannotated.",
	codeWithoutBoxes:     "No annotations were found.",
	codeAttributeNoBoxes: "No attribute annotations were found.",
	warnDuplicateKey:     "A key is written twice in one object. The last one counts.",
	warnUnpaired:         "There is metadata without the label attribute that it is for, so it is ignored.",
	warnSameLabel:        "Two label attributes of the image have the same class-name. The label counts once.",
	warnSameClass:        "Two classes of the class map have the same name. They are one label.",
	warnClassMapKey:      "A key of the class map is not a class id, so no annotation can use it.",
	warnConfidence:       "The confidence is not between 0 and 1.",
	warnHumanAnnotated:   "The value of human-annotated is not written as it should be.",
	warnObjects:          "There are more objects in the metadata than annotations. The last ones are ignored.",
	warnLabelName:        "The label name begins or ends with a blank, or has a character that cannot be seen.",
}

// stopsValidation holds the codes after which AWS looks for no other in the
// same label attribute (CL-6.50, CL-6.51).
var stopsValidation = map[string]bool{
	codeAttribute:     true,
	codeMetadata:      true,
	codeBoxConfidence: true,
	codeClassID:       true,
}
