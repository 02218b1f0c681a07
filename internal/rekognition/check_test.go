package rekognition

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/manifest"
)

// Two lines without faults, as Ground Truth and the console write them.
const (
	imageLine = `{"source-ref":"s3://plants/img/0007.jpg",` +
		`"leaves":1,` +
		`"leaves-metadata":{"confidence":1,"job-name":"labeling-job/leaves","class-name":"with_leaves",` +
		`"human-annotated":"yes","creation-date":"2021-07-11T03:32:13.456Z","type":"groundtruth/image-classification"}}`
	boxLine = `{"source-ref":"s3://boards/img/0042.png",` +
		`"BB":{"image_size":[{"width":640,"height":480,"depth":3}],` +
		`"annotations":[{"class_id":0,"left":10,"top":20,"width":100,"height":80},` +
		`{"class_id":3,"left":200,"top":100,"width":60,"height":70}]},` +
		`"BB-metadata":{"objects":[{"confidence":1},{"confidence":0.5}],` +
		`"class-map":{"0":"comparator","3":"ir_led"},` +
		`"type":"groundtruth/object-detection","human-annotated":"yes",` +
		`"creation-date":"2021-06-22T10:10:48.492Z","job-name":"labeling-job/BB"}}`
)

// checkLine checks one line.
func checkLine(line string) *manifest.Entry {
	var doc manifest.Doc
	e := &manifest.Entry{Line: []byte(line), Number: 1}
	limits := Limits()
	c := Profile(limits).NewChecker()
	c.Check(e, &doc, doc.Parse(e.Line, int(limits.LineChars)))
	return e
}

// outline writes the problems of an entry in short.
func outline(e *manifest.Entry) (list []string) {
	for _, p := range e.Problems {
		s := fmt.Sprintf("%s %s %s", p.Severity, p.Code, p.Pointer)
		if p.Severity == manifest.Error {
			s += " at " + p.At
		}
		list = append(list, s)
	}
	return list
}

// edit replaces the first occurrence of each old text by the new one after it.
func edit(t *testing.T, line string, edits ...string) string {
	t.Helper()
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(line, edits[i]) {
			t.Fatalf("the line has no %s", edits[i])
		}
		line = strings.Replace(line, edits[i], edits[i+1], 1)
	}
	return line
}

type checkTest struct {
	name  string
	line  string
	edits []string
	want  []string
}

func runCheckTests(t *testing.T, tests []checkTest) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := checkLine(edit(t, tt.line, tt.edits...))
			if diff := cmp.Diff(tt.want, outline(e)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			for _, p := range e.Problems {
				if p.Message == "" || p.Found == "" || p.Expected == "" || p.Mend == "" {
					t.Errorf("problem without message, found, expected or mend: %+v", p)
				}
			}
		})
	}
}

func TestCheckDropped(t *testing.T) {
	const noRef, badRef = "fatal ERROR_MISSING_SOURCE_REF ", "fatal ERROR_INVALID_SOURCE_REF_FORMAT /source-ref"
	runCheckTests(t, []checkTest{
		{name: "CL-6.38 not JSON", line: `s3://b/k.jpg`, want: []string{"fatal ERROR_INVALID_JSON_LINE "}},
		{name: "CL-6.38 not an object", line: `["s3://b/k.jpg"]`, want: []string{"fatal ERROR_INVALID_JSON_LINE "}},
		{name: "CL-5.6 blank", line: ``, want: []string{"fatal ERROR_INVALID_JSON_LINE "}},
		{name: "T13 not UTF-8", line: "{\"source-ref\":\"s3://b/\xff.jpg\"}", want: []string{"fatal ERROR_INVALID_JSON_LINE "}},
		{name: "T13 deep", line: `{"a":` + strings.Repeat("[", 100_00) + `}`, want: []string{"fatal ERROR_INVALID_JSON_LINE "}},
		{name: "T13 NaN", line: imageLine, edits: []string{`"confidence":1`, `"confidence":NaN`}, want: []string{"fatal ERROR_INVALID_JSON_LINE "}},
		{name: "CL-6.20 too long", line: `{"source-ref":"s3://b/` + strings.Repeat("é", 100_000) + `"}`, want: []string{"fatal ERROR_LINE_TOO_LONG "}},
		{name: "CL-6.30 absent", line: `{"image":1}`, want: []string{noRef + "/source-ref"}},
		{name: "CL-6.30 empty object", line: `{}`, want: []string{noRef + "/source-ref"}},
		{name: "CL-6.30 misspelt source_ref", line: imageLine, edits: []string{"source-ref", "source_ref"}, want: []string{noRef + "/source_ref"}},
		{name: "CL-6.30 misspelt sourceRef", line: imageLine, edits: []string{"source-ref", "sourceRef"}, want: []string{noRef + "/sourceRef"}},
		{name: "CL-6.30 misspelt Source-Ref", line: imageLine, edits: []string{"source-ref", "Source-Ref"}, want: []string{noRef + "/Source-Ref"}},
		{name: "CL-6.30 misspelt sorce-ref", line: imageLine, edits: []string{"source-ref", "sorce-ref"}, want: []string{noRef + "/sorce-ref"}},
		{name: "CL-6.30 another name", line: imageLine, edits: []string{"source-ref", "image"}, want: []string{noRef + "/image"}},
		{name: "CL-6.31 https", line: imageLine, edits: []string{"s3://", "https://"}, want: []string{badRef}},
		{name: "CL-6.31 relative", line: imageLine, edits: []string{"s3://", ""}, want: []string{badRef}},
		{name: "CL-6.31 no key", line: `{"source-ref":"s3://bucket/"}`, want: []string{badRef}},
		{name: "CL-6.31 no slash", line: `{"source-ref":"s3://bucket"}`, want: []string{badRef}},
		{name: "CL-6.31 no bucket", line: `{"source-ref":"s3:///key"}`, want: []string{badRef}},
		{name: "CL-6.31 not a string", line: `{"source-ref":7}`, want: []string{badRef}},
		{name: "CL-6.31 null", line: `{"source-ref":null}`, want: []string{badRef}},
		{name: "CL-6.50 the source-ref stops all", line: imageLine, edits: []string{"s3://", "", "image-classification", "x"}, want: []string{badRef}},
	})
}

func TestCheckAttributes(t *testing.T) {
	runCheckTests(t, []checkTest{
		{name: "CL-5.12 unlabelled", line: `{"source-ref":"s3://bkt/k.jpg"}`, want: []string{"warning WARNING_UNANNOTATED_RECORD "}},
		{name: "CL-5.13 reserved keys are nothing", line: `{"source-ref":"s3://bkt/k.jpg","errors":[],"warnings":[],"cl-errors":[],"cl-warnings":[],"cl-metadata":{}}`,
			want: []string{"warning WARNING_UNANNOTATED_RECORD "}},
		{name: "CL-6.32 no metadata", line: `{"source-ref":"s3://bkt/k.jpg","leaves":1}`, want: []string{"error ERROR_NO_LABEL_ATTRIBUTES /leaves at "}},
		{name: "CL-6.32 only metadata", line: `{"source-ref":"s3://bkt/k.jpg","leaves-metadata":{}}`, want: []string{"error ERROR_NO_LABEL_ATTRIBUTES /leaves-metadata at "}},
		{name: "CL-6.32 misspelt metadata", line: imageLine, edits: []string{"leaves-metadata", "leaves_metadata"}, want: []string{"error ERROR_NO_LABEL_ATTRIBUTES /leaves_metadata at "}},
		{name: "CL-5.10 metadata of nothing", line: imageLine, edits: []string{`"leaves":1`, `"x-metadata":{},"leaves":1`}, want: []string{"warning WARNING_UNPAIRED_METADATA /x-metadata"}},
		{name: "CL-5.10 other keys", line: imageLine, edits: []string{`"leaves":1`, `"id":7,"more":{"errors":1},"leaves":1`}},
		{name: "CL-6.34 metadata no object", line: `{"source-ref":"s3://bkt/k.jpg","a":1,"a-metadata":"x"}`,
			want: []string{"error ERROR_NO_VALID_LABEL_ATTRIBUTES  at ", "error ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT /a-metadata at "}},
		{name: "CL-6.45 unsupported", line: boxLine, edits: []string{"object-detection", "wrongtype"},
			want: []string{"error ERROR_NO_VALID_LABEL_ATTRIBUTES  at ", "error ERROR_UNSUPPORTED_USE_CASE_TYPE /BB-metadata/type at /BB-metadata"}},
		{name: "CL-6.45 only the type of segmentation", line: `{"source-ref":"s3://bkt/k.jpg","m-ref":"s3://b/m.png","m-ref-metadata":{"internal-color-map":{},"type":"groundtruth/semantic-segmentation"}}`,
			want: []string{"error ERROR_NO_VALID_LABEL_ATTRIBUTES  at ", "error ERROR_UNSUPPORTED_USE_CASE_TYPE /m-ref-metadata/type at /m-ref-metadata"}},
		{name: "CL-5.21 OQ-16 multi-label of Ground Truth", line: `{"source-ref":"s3://bkt/k.jpg","a":[0,2],"a-metadata":{"class-map":{"0":"x","2":"y"},"confidence-map":{"0":1},"human-annotated":"yes","creation-date":"2013-11-18T02:53:27","type":"groundtruth/image-classification-multilabel"}}`,
			want: []string{"error ERROR_NO_VALID_LABEL_ATTRIBUTES  at ", "error ERROR_UNSUPPORTED_USE_CASE_TYPE /a-metadata/type at /a-metadata"}},
		{name: "OQ-16 output of the converter", line: imageLine, edits: []string{"image-classification", "image-classification-multilabel"}},
		{name: "CL-6.51 CL-6.52 one of two is valid", line: imageLine, edits: []string{`"leaves":1`, `"a":1,"a-metadata":{"type":"x"},"leaves":1`},
			want: []string{"error ERROR_UNSUPPORTED_USE_CASE_TYPE /a-metadata/type at /a-metadata"}},
		{name: "CL-5.22 a label twice", line: imageLine, edits: []string{`"leaves":1`, `"a":1,"a-metadata":` + metadataOf(imageLine) + `,"leaves":1`},
			want: []string{"warning WARNING_SAME_LABEL /leaves-metadata/class-name"}},
		{name: "a key twice", line: imageLine, edits: []string{`"leaves":1`, `"leaves":0,"leaves":1`, `"confidence":1`, `"confidence":1,"confidence":1`},
			want: []string{"warning WARNING_DUPLICATE_KEY /leaves", "warning WARNING_DUPLICATE_KEY /leaves-metadata/confidence"}},
		{name: "two source-refs", line: imageLine, edits: []string{`{`, `{"source-ref":1,`}, want: []string{"warning WARNING_DUPLICATE_KEY /source-ref"}},
		{name: "escaped keys", line: imageLine, edits: []string{"source-ref", `source\u002dref`, `"leaves-`, `"l\u0065aves-`, "class-name", `cl\u0061ss-name`}},
		{name: "__proto__ is a name", line: imageLine, edits: []string{`"leaves"`, `"__proto__"`, `"leaves-metadata"`, `"__proto__-metadata"`}},
		{name: "CL-5.20 odd attribute names", line: imageLine, edits: []string{`"leaves"`, `"with /~leaves"`, `"leaves-metadata"`, `"with /~leaves-metadata"`}},
	})
}

// metadataOf returns the metadata of the last attribute of a line.
func metadataOf(line string) string {
	_, meta, _ := strings.Cut(line, `-metadata":`)
	return strings.TrimSuffix(meta, "}")
}

func TestCheckSource(t *testing.T) {
	for _, tt := range []struct{ name, ref, code string }{
		{"lower case", "s3://bucket/a.jpg", ""},
		{"CL-6.23 upper case", "S3://bucket/a.jpg", "WARNING_SOURCE_REF_SCHEME"},
		{"bucket", "s3://my bucket/a.jpg", "WARNING_SOURCE_REF_BUCKET"},
		{"folder", "s3://bucket/normal/", "WARNING_SOURCE_REF_KEY"},
		{"blank at the end", "s3://bucket/a.jpg ", "WARNING_SOURCE_REF_KEY"},
		{"blank at the start", "s3://bucket/ a.jpg", "WARNING_SOURCE_REF_KEY"},
		{"format", "s3://bucket/a.tiff", "WARNING_SOURCE_REF_KEY"},
		{"no extension", "s3://bucket/a", ""},
		{"any characters", "s3://bucket/ä b+c%20(1).JPG", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := checkLine(edit(t, imageLine, "s3://plants/img/0007.jpg", tt.ref))
			if e.Dropped || string(e.SourceRef) != tt.ref {
				t.Errorf("dropped %t, source-ref %q", e.Dropped, e.SourceRef)
			}
			var want []string
			if tt.code != "" {
				want = []string{"warning " + tt.code + " /source-ref"}
			}
			if diff := cmp.Diff(want, outline(e)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}
