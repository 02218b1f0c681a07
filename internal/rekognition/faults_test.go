package rekognition

import (
	"testing"

	"fovea"
)

func TestFaultText(t *testing.T) {
	for _, tt := range []struct {
		name    string
		kind    fovea.FaultKind
		code    string
		message string
	}{
		{"CL-6.1", fovea.FaultUnreadable, "ERROR_MANIFEST_INACCESSIBLE_OR_UNSUPPORTED_FORMAT", "The manifest file extension or contents are invalid."},
		{"CL-6.1 not lines", fovea.FaultNotLines, "ERROR_MANIFEST_INACCESSIBLE_OR_UNSUPPORTED_FORMAT", "The manifest file extension or contents are invalid."},
		{"CL-6.2", fovea.FaultTooLarge, "ERROR_MANIFEST_SIZE_TOO_LARGE", "The manifest file size exceeds the maximum supported size."},
		{"CL-6.3", fovea.FaultTooMany, "ERROR_MANIFEST_ROWS_EXCEEDS_MAXIMUM", "The manifest file has too many rows."},
		{"CL-6.4", fovea.FaultDenied, "ERROR_INVALID_PERMISSIONS_MANIFEST_S3_BUCKET", "The S3 bucket permissions are incorrect."},
		{"CL-6.5", fovea.FaultDropped, "ERROR_TOO_MANY_RECORDS_IN_ERROR", "The manifest file has too many terminal errors."},
		{"CL-6.6", fovea.FaultLabels, "ERROR_MANIFEST_TOO_MANY_LABELS", "The manifest file has too many labels."},
		{"CL-6.7", fovea.FaultTooFew, "ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_DISTRIBUTE", "The manifest file doesn't have enough labeled images to distribute the dataset."},
		{"CL-6.8", fovea.FaultBuckets, "ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS", "The manifest file contains images from multiple S3 buckets."},
		{"CL-6.9", fovea.FaultEmpty, "ERROR_EMPTY_MANIFEST", "The manifest file is empty."},
		{"CL-6.10", fovea.FaultService, "ERROR_SERVICE", "Amazon Rekognition experienced a service issue."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, message := Profile(Limits()).FaultText(fovea.Fault{Kind: tt.kind})
			if code != tt.code || message != tt.message {
				t.Errorf("FaultText = %s, %q, want %s, %q", code, message, tt.code, tt.message)
			}
		})
	}
}

func TestProfile(t *testing.T) {
	p := Profile(Limits())
	if p.Strict || p.KeepLast || !p.BlankLines || p.Service != fovea.CustomLabels {
		t.Errorf("profile = %+v", p)
	}
	if l := p.Limits; l.Entries(fovea.Train) != 250_000 || l.Labels != 250 || l.LineChars != 100_000 || l.DropShare != 0.2 { // CL 12
		t.Errorf("limits = %+v", l)
	}
	if l := Limits().Lifted(); l != (fovea.Limits{LineChars: 100_000, DropShare: 1}) {
		t.Errorf("lifted limits = %+v", l)
	}
}
