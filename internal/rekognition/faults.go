package rekognition

import "fovea"

// A text is what is told of a fault or problem.
type text struct{ code, message string }

// faults words the terminal file errors (CL-6.1 to CL-6.10). Only the message
// reaches a client, in StatusMessage; the code is for the import report.
var faults = map[fovea.FaultKind]text{
	fovea.FaultUnreadable: unsupportedFile,
	fovea.FaultNotLines:   unsupportedFile,
	fovea.FaultDenied:     {"ERROR_INVALID_PERMISSIONS_MANIFEST_S3_BUCKET", "The S3 bucket permissions are incorrect."},
	fovea.FaultTooLarge:   {"ERROR_MANIFEST_SIZE_TOO_LARGE", "The manifest file size exceeds the maximum supported size."},
	fovea.FaultEmpty:      {"ERROR_EMPTY_MANIFEST", "The manifest file is empty."},
	fovea.FaultTooMany:    {"ERROR_MANIFEST_ROWS_EXCEEDS_MAXIMUM", "The manifest file has too many rows."},
	fovea.FaultLine:       tooManyDropped,
	fovea.FaultDropped:    tooManyDropped,
	fovea.FaultBuckets:    {"ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS", "The manifest file contains images from multiple S3 buckets."},
	fovea.FaultTooFew:     {"ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_DISTRIBUTE", "The manifest file doesn't have enough labeled images to distribute the dataset."},
	fovea.FaultLabels:     {"ERROR_MANIFEST_TOO_MANY_LABELS", "The manifest file has too many labels."},
}

var (
	unsupportedFile = text{"ERROR_MANIFEST_INACCESSIBLE_OR_UNSUPPORTED_FORMAT", "The manifest file extension or contents are invalid."}
	tooManyDropped  = text{"ERROR_TOO_MANY_RECORDS_IN_ERROR", "The manifest file has too many terminal errors."}
	serviceIssue    = text{"ERROR_SERVICE", "Amazon Rekognition experienced a service issue."} // CL-6.10
)

// faultText returns the code and message of a fault: the service's own fault
// for a kind that the table does not have. A distribution that cannot be made
// has no report, so its message goes on to say why.
func faultText(f fovea.Fault) (code, message string) {
	t, ok := faults[f.Kind]
	if !ok {
		t = serviceIssue
	}
	if f.Kind == fovea.FaultTooFew && f.Found != "" {
		return t.code, t.message + " " + f.Found
	}
	return t.code, t.message
}
