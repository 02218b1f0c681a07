package lookout

import (
	"testing"

	"fovea"
	"fovea/internal/manifest"
)

func TestFaultText(t *testing.T) {
	problem := func(line string) *manifest.Problem { return &checkLines(line)[0].Problems[0] }
	for _, tt := range []struct {
		name    string
		fault   fovea.Fault
		code    string
		message string
	}{
		{"LV-5.70", fovea.Fault{Kind: fovea.FaultUnreadable, Manifest: "s3://b/k"}, "ERROR_MANIFEST_UNREADABLE", "The manifest file s3://b/k couldn't be read."},
		{"LV-5.70 denied", fovea.Fault{Kind: fovea.FaultDenied, Manifest: "s3://b/k"}, "ERROR_MANIFEST_UNREADABLE", "The manifest file s3://b/k couldn't be read."},
		{"LV-5.72", fovea.Fault{Kind: fovea.FaultTooLarge}, "ERROR_MANIFEST_SIZE_TOO_LARGE", "The manifest file exceeds the maximum size of 1 GB."},
		{"LV-5.73", fovea.Fault{Kind: fovea.FaultEmpty}, "ERROR_EMPTY_MANIFEST", "The manifest file is empty."},
		{"LV-5.74", fovea.Fault{Kind: fovea.FaultLine, Line: 7, Problem: problem("\xff")}, "ERROR_NOT_UTF8", "The manifest file isn't UTF-8 encoded."},
		{"LV-5.75", fovea.Fault{Kind: fovea.FaultLine, Line: 7, Problem: problem("x")}, "ERROR_INVALID_JSON_LINE", "Line 7 isn't a valid JSON object."},
		{"LV-5.75 no line", fovea.Fault{Kind: fovea.FaultNotLines}, "ERROR_INVALID_JSON_LINE", "Line 1 isn't a valid JSON object."},
		{"LV-5.76", fovea.Fault{Kind: fovea.FaultLine, Line: 7, Problem: problem(string(make([]byte, 9000)))}, "ERROR_LINE_TOO_LONG", "Line 7 exceeds 8192 characters."},
		{"LV-5.77", fovea.Fault{Kind: fovea.FaultLine, Line: 7, Problem: problem("{}")}, "ERROR_MISSING_SOURCE_REF", "Line 7: source-ref is missing or isn't an S3 URI."},
		{"LV-5.78", fovea.Fault{Kind: fovea.FaultBuckets}, "ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS", "All images must be in the same S3 bucket."},
		{"LV-5.79", fovea.Fault{Kind: fovea.FaultLine, Line: 7, Problem: problem(`{"source-ref":"s3://bkt/k","my-label":1}`)}, "ERROR_MISSING_METADATA", "Line 7: my-label-metadata is missing."},
		{"LV-5.81", fovea.Fault{Kind: fovea.FaultLine, Line: 7, Problem: problem(`{"source-ref":"s3://bkt/k","m-ref":"s3://bkt/m"}`)}, "ERROR_MISSING_METADATA", "Line 7: m-ref-metadata is missing."},
		{"LV-5.84", fovea.Fault{Kind: fovea.FaultTooMany}, "ERROR_MANIFEST_ROWS_EXCEEDS_MAXIMUM", "The dataset exceeds the maximum number of images."},
		{"LV-5.85", fovea.Fault{Kind: fovea.FaultLabels}, "ERROR_TOO_MANY_ANOMALY_LABELS", "Too many anomaly labels."},
		{"our fault", fovea.Fault{Kind: fovea.FaultService}, "ERROR_SERVICE", "The service encountered an internal error."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, message := Profile(Limits()).FaultText(tt.fault)
			if code != tt.code || message != tt.message {
				t.Errorf("FaultText = %s, %q, want %s, %q", code, message, tt.code, tt.message)
			}
		})
	}
}

func TestProfile(t *testing.T) {
	p := Profile(Limits())
	if !p.Strict || !p.KeepLast || p.BlankLines || p.Service != fovea.Lookout {
		t.Errorf("profile = %+v", p)
	}
	if l := p.Limits; l.Entries(fovea.Train) != 16_000 || l.Entries(fovea.Test) != 4_000 || l.LineChars != 8192 { // LV 9
		t.Errorf("limits = %+v", l)
	}
	if l := Limits().Lifted(); l != (fovea.Limits{LineChars: 8192, DropShare: 1}) {
		t.Errorf("lifted limits = %+v", l)
	}
}
