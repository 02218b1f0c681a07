package lookout

import (
	"fmt"
	"strings"

	"fovea"
)

// faultText returns the code of a fault for the import report, and the message
// that becomes the dataset's (LV 5.6).
func faultText(f fovea.Fault) (code, message string) {
	switch f.Kind {
	case fovea.FaultUnreadable, fovea.FaultDenied:
		return "ERROR_MANIFEST_UNREADABLE", fmt.Sprintf("The manifest file %s couldn't be read.", f.Manifest)
	case fovea.FaultTooLarge:
		return "ERROR_MANIFEST_SIZE_TOO_LARGE", "The manifest file exceeds the maximum size of 1 GB."
	case fovea.FaultEmpty:
		return "ERROR_EMPTY_MANIFEST", "The manifest file is empty."
	case fovea.FaultNotLines, fovea.FaultLine, fovea.FaultDropped:
		return lineFault(f)
	case fovea.FaultTooMany:
		return "ERROR_MANIFEST_ROWS_EXCEEDS_MAXIMUM", "The dataset exceeds the maximum number of images."
	case fovea.FaultBuckets:
		return "ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS", "All images must be in the same S3 bucket."
	case fovea.FaultLabels:
		return codeAnomalyLabels, messages[codeAnomalyLabels]
	}
	return "ERROR_SERVICE", "The service encountered an internal error."
}

// lineFault words the problem of the line that fails an import, the first one
// if it is not known.
func lineFault(f fovea.Fault) (code, message string) {
	code, message = codeInvalidJSON, messages[codeInvalidJSON]
	if f.Problem != nil {
		code, message = f.Problem.Code, f.Problem.Message
	}
	line := fmt.Sprintf("Line %d", max(f.Line, 1))
	switch rest, ofLine := strings.CutPrefix(message, "The line "); {
	case code == codeNotUTF8, code == codeAnomalyLabels:
		return code, message
	case ofLine:
		return code, line + " " + rest
	}
	return code, line + ": " + message
}
