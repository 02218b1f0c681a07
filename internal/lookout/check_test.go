package lookout

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/manifest"
)

// Lines as the documentation has them, and as the service's own console writes
// them, which breaks several documented rules (LV-5.29).
const (
	labelLine = `{"source-ref":"s3://bkt/train/anomaly/a-1.jpg","anomaly-label":1,` +
		`"anomaly-label-metadata":{"confidence":1,"job-name":"labeling-job/anomaly-label","class-name":"anomaly",` +
		`"human-annotated":"yes","creation-date":"2022-02-04T22:47:07","type":"groundtruth/image-classification"}}`
	maskLine = `{"source-ref":"s3://bkt/img/7.jpg","anomaly-label":1,` +
		`"anomaly-label-metadata":{"class-name":"anomaly","creation-date":"2021-10-12T14:16:45.668","human-annotated":"yes",` +
		`"job-name":"labeling-job/c","type":"groundtruth/image-classification","confidence":1},` +
		`"anomaly-mask-ref":"s3://bkt/mask/7.png",` +
		`"anomaly-mask-ref-metadata":{"internal-color-map":{` +
		`"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0.0},` +
		`"1":{"class-name":"scratch","hex-color":"#2ca02c","confidence":0.0},` +
		`"2":{"class-name":"dent","hex-color":"#1f77b4","confidence":0.0}},` +
		`"type":"groundtruth/semantic-segmentation","human-annotated":"yes",` +
		`"creation-date":"2021-11-23T20:31:57.758889","job-name":"labeling-job/s"}}`
	consoleLine = `{"source-ref": "s3://bkt/img/anomaly-1.jpg", ` +
		`"anomaly-label-metadata": {"job-name": "anomaly-label", "class-name": "anomaly", "human-annotated": "yes", ` +
		`"creation-date": "2022-08-22T20:52:51.851Z", "type": "groundtruth/image-classification"}, "anomaly-label": 1, ` +
		`"anomaly-mask-ref-metadata": {"internal-color-map": {"0": {"class-name": "cracked", "hex-color": "#23A436"}}, ` +
		`"job-name": "labeling-job/object-mask-ref", "human-annotated": "yes", ` +
		`"creation-date": "Mon Aug 22 2022 13:52:52 GMT-0700 (Pacific Daylight Time)", ` +
		`"type": "groundtruth/semantic-segmentation"}, "anomaly-mask-ref": "s3://bkt/mask/anomaly-1.png"}`
)

// checkLines checks lines with one checker.
func checkLines(lines ...string) (entries []*manifest.Entry) {
	limits := Limits()
	c := Profile(limits).NewChecker()
	for i, line := range lines {
		var doc manifest.Doc
		e := &manifest.Entry{Line: []byte(line), Number: int64(i + 1)}
		c.Check(e, &doc, doc.Parse(e.Line, int(limits.LineChars)))
		entries = append(entries, e)
	}
	return entries
}

// outline writes the problems of an entry in short.
func outline(e *manifest.Entry) (list []string) {
	for _, p := range e.Problems {
		list = append(list, fmt.Sprintf("%s %s %s", p.Severity, p.Code, p.Pointer))
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

// labels writes the labels of an entry in short, those only declared in brackets.
func labels(e *manifest.Entry) string {
	var list []string
	for _, l := range e.Labels {
		if !l.Used {
			l.Name = "(" + l.Name + ")"
		}
		list = append(list, l.Name)
	}
	return strings.Join(list, " ")
}

// A fact is a line and what a checker makes of it.
type fact struct {
	name   string
	line   string
	edits  []string
	want   []string // problems
	class  manifest.Class
	labels string
}

func runFacts(t *testing.T, facts []fact) {
	for _, tt := range facts {
		t.Run(tt.name, func(t *testing.T) {
			e := checkLines(edit(t, tt.line, tt.edits...))[0]
			if diff := cmp.Diff(tt.want, outline(e)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if e.Class != tt.class || e.Labeled != (tt.class != manifest.NoClass) || labels(e) != tt.labels {
				t.Errorf("class %q, labelled %t, labels %q, want %q and %q", e.Class, e.Labeled, labels(e), tt.class, tt.labels)
			}
			fatal := false
			for _, p := range e.Problems {
				if p.Message == "" || p.Found == "" || p.Expected == "" || p.Mend == "" {
					t.Errorf("problem without message, found, expected or mend: %+v", p)
				}
				fatal = fatal || p.Severity == manifest.Fatal
			}
			if e.Dropped != fatal {
				t.Errorf("dropped = %t, fatal problem = %t", e.Dropped, fatal)
			}
		})
	}
}

func TestCheckAccepted(t *testing.T) {
	const anomaly, normal = manifest.Anomaly, manifest.Normal
	type edits = []string
	meta := "warning WARNING_MISSING_METADATA_MEMBER /anomaly-label-metadata/"
	runFacts(t, []fact{
		{name: "LV-5.10 label", line: labelLine, class: anomaly},
		{name: "LV-5.19 mask", line: maskLine, class: anomaly, labels: "scratch dent"},
		{name: "LV-5.29 console", line: consoleLine, class: anomaly, labels: "cracked"},
		{name: "LV-5.11 string value", line: labelLine, edits: edits{`"anomaly-label":1`, `"anomaly-label":"1"`}, class: anomaly},
		{name: "LV-5.30 auto-label is the reverse", line: labelLine, edits: edits{`"anomaly-label":1`, `"auto-label":0`, `"anomaly-label-`, `"auto-label-`}, class: anomaly},
		{name: "LV-5.34 any case", line: labelLine, edits: edits{`"anomaly",`, `"Anomaly",`}, class: anomaly},
		{name: "LV-5.30 dummy mask of a normal image", line: maskLine, edits: edits{`"anomaly-label":1`, `"anomaly-label":0`, `"class-name":"anomaly"`, `"class-name":"normal"`,
			`,"1":{"class-name":"scratch","hex-color":"#2ca02c","confidence":0.0},"2":{"class-name":"dent","hex-color":"#1f77b4","confidence":0.0}`, ``}, class: normal},
		{name: "LV-5.38 mask of a normal image", line: maskLine, edits: edits{`"anomaly-label":1`, `"anomaly-label":0`, `"class-name":"anomaly"`, `"class-name":"normal"`},
			class: normal, labels: "(scratch) (dent)"},
		{name: "LV-5.28 other keys", line: labelLine, edits: edits{`"anomaly-label"`, `"id":7,"cl-metadata":{"is_labeled":true},"image-ref":7,"anomaly-label"`}, class: anomaly},
		{name: "LV-5.28 other keys with metadata", line: labelLine, edits: edits{`"anomaly-label"`, `"page-ref":7,"page-ref-metadata":{"width":3},"job":"x","job-metadata":1,"anomaly-label"`}, class: anomaly},
		{name: "LV-5.80 mask without type", line: maskLine, edits: edits{`"type":"groundtruth/semantic-segmentation",`, ``}, class: anomaly, labels: "scratch dent",
			want: []string{"warning WARNING_MISSING_METADATA_MEMBER /anomaly-mask-ref-metadata/type"}},
		{name: "LV-5.31 value against class", line: labelLine, edits: edits{`"class-name":"anomaly"`, `"class-name":"normal"`}, class: normal,
			want: []string{"warning WARNING_LABEL_VALUE /anomaly-label"}},
		{name: "LV-5.35 another class", line: labelLine, edits: edits{`"class-name":"anomaly"`, `"class-name":"scratch"`},
			want: []string{"warning WARNING_UNKNOWN_CLASS_NAME /anomaly-label-metadata/class-name"}},
		{name: "LV-5.36 only source-ref", line: `{"source-ref":"s3://bkt/a.jpg"}`, want: []string{"warning WARNING_UNANNOTATED_RECORD "}},
		{name: "LV-5.37 mask without class", line: maskLine, edits: edits{`"type":"groundtruth/image-classification"`, `"type":"groundtruth/other"`},
			want: []string{"warning WARNING_UNSUPPORTED_USE_CASE_TYPE /anomaly-label-metadata/type", "warning WARNING_MASK_WITHOUT_CLASS /anomaly-mask-ref"}, labels: "(scratch) (dent)"},
		{name: "LV-5.32 the last label counts", line: labelLine, edits: edits{`"anomaly-label":1`, `"a":0,"a-metadata":{"class-name":"normal","type":"groundtruth/image-classification"},"anomaly-label":1`},
			class: anomaly, want: []string{"warning WARNING_SEVERAL_LABEL_ATTRIBUTES /a"}},
		{name: "LV-5.32 a type counts more than a place", line: labelLine, edits: edits{`"groundtruth/image-classification"}`, `"groundtruth/image-classification"},"b-label":0,"b-label-metadata":{"class-name":"normal"}`},
			class: anomaly, want: []string{"warning WARNING_SEVERAL_LABEL_ATTRIBUTES /b-label"}},
		{name: "LV-5.33 the last mask counts", line: maskLine, edits: edits{`"anomaly-mask-ref":`, `"a-ref":"s3://bkt/a.png","a-ref-metadata":{"type":"groundtruth/semantic-segmentation"},"anomaly-mask-ref":`},
			class: anomaly, labels: "scratch dent", want: []string{"warning WARNING_SEVERAL_LABEL_ATTRIBUTES /a-ref"}},
		{name: "LV-5.80 no class-name", line: labelLine, edits: edits{`"class-name"`, `"x"`}, want: []string{meta + "class-name"}},
		{name: "LV-5.80 no type", line: labelLine, edits: edits{`"type"`, `"x"`}, class: anomaly, want: []string{meta + "type"}},
		{name: "LV-5.80 no human-annotated", line: labelLine, edits: edits{`"human-annotated"`, `"x"`}, class: anomaly, want: []string{meta + "human-annotated"}},
		{name: "LV-5.80 human-annotated true", line: labelLine, edits: edits{`"yes"`, `true`}, class: anomaly, want: []string{"warning WARNING_HUMAN_ANNOTATED /anomaly-label-metadata/human-annotated"}},
		{name: "LV-5.86 no date", line: labelLine, edits: edits{`"creation-date":"2022-02-04T22:47:07",`, ``}, class: anomaly},
		{name: "LV-5.86 bad date", line: labelLine, edits: edits{`2022-02-04T22:47:07`, `yesterday`}, class: anomaly, want: []string{"warning WARNING_CREATION_DATE /anomaly-label-metadata/creation-date"}},
		{name: "LV-5.19 relative mask", line: maskLine, edits: edits{`s3://bkt/mask`, `mask`}, class: anomaly, labels: "scratch dent", want: []string{"warning WARNING_MASK_REF /anomaly-mask-ref"}},
		{name: "LV-5.3 mask in another bucket", line: maskLine, edits: edits{`s3://bkt/mask`, `s3://other/mask`}, class: anomaly, labels: "scratch dent", want: []string{"warning WARNING_MASK_REF /anomaly-mask-ref"}},
		{name: "LV-5.19 mask without -ref", line: maskLine, edits: edits{`"anomaly-mask-ref":`, `"anomaly-mask":`, `"anomaly-mask-ref-`, `"anomaly-mask-`}, class: anomaly, want: []string{"warning WARNING_MASK_ATTRIBUTE_NAME /anomaly-mask"}},
		{name: "LV-5.23 white label", line: maskLine, edits: edits{`#2ca02c`, `#FFFFFF`}, class: anomaly, labels: "dent", want: []string{"warning WARNING_WHITE_LABEL /anomaly-mask-ref-metadata/internal-color-map/1/hex-color"}},
		{name: "LV-5.22 colour without label", line: maskLine, edits: edits{`"class-name":"scratch",`, ``}, class: anomaly, labels: "dent", want: []string{"warning WARNING_COLOR_WITHOUT_LABEL /anomaly-mask-ref-metadata/internal-color-map/1/class-name"}},
		{name: "LV-5.47 one colour, two labels", line: maskLine, edits: edits{`#2ca02c`, `#1f77b4`}, class: anomaly, labels: "scratch dent", want: []string{"warning WARNING_COLOR_LABELS /anomaly-mask-ref-metadata/internal-color-map/2/hex-color"}},
		{name: "mask without labels", line: consoleLine, edits: edits{`cracked`, `Background`}, class: anomaly, want: []string{"warning WARNING_MASK_WITHOUT_LABELS /anomaly-mask-ref-metadata/internal-color-map"}},
		{name: "LV-5.28 a number might be a label", line: `{"source-ref":"s3://bkt/a.jpg","job":1}`, want: []string{"warning WARNING_UNANNOTATED_RECORD ", "warning WARNING_UNPAIRED_METADATA /job"}},
		{name: "misspelt type", line: labelLine, edits: edits{`groundtruth/image-classification`, `groundtruth/image_classification`},
			want: []string{"warning WARNING_UNANNOTATED_RECORD ", "warning WARNING_UNSUPPORTED_USE_CASE_TYPE /anomaly-label-metadata/type"}},
	})
}

// manyLabels returns the edits that give a line with a mask n labels.
func manyLabels(n int) []string {
	var s strings.Builder
	for i := range n - 2 {
		fmt.Fprintf(&s, `"%d":{"class-name":"l%d","hex-color":"#0000%02x"},`, i+10, i, i)
	}
	return []string{`"1":{`, s.String() + `"1":{`}
}

func TestCheckDropped(t *testing.T) {
	const anomaly = manifest.Anomaly
	type edits = []string
	colors := "/anomaly-mask-ref-metadata/internal-color-map"
	names := func(n int) string {
		s := ""
		for i := range n - 2 {
			s += fmt.Sprintf("l%d ", i)
		}
		return s + "scratch dent"
	}
	runFacts(t, []fact{
		{name: "LV-5.74 not UTF-8", line: "{\"a\":\"\xff\"}", want: []string{"fatal ERROR_NOT_UTF8 "}},
		{name: "LV-5.75 not JSON", line: `{'a':1}`, want: []string{"fatal ERROR_INVALID_JSON_LINE "}},
		{name: "LV-5.75 array", line: `[]`, want: []string{"fatal ERROR_INVALID_JSON_LINE "}},
		{name: "LV-5.76 8193 characters", line: `{"source-ref":"s3://bkt/` + strings.Repeat("é", 8193-26) + `"}`, want: []string{"fatal ERROR_LINE_TOO_LONG "}},
		{name: "LV-5.76 8192 characters", line: `{"source-ref":"s3://bkt/` + strings.Repeat("é", 8192-26) + `"}`,
			want: []string{"warning WARNING_UNANNOTATED_RECORD ", "warning WARNING_SOURCE_REF_KEY /source-ref"}},
		{name: "LV-5.77 missing", line: labelLine, edits: edits{"source-ref", "source_ref"}, class: anomaly, want: []string{"fatal ERROR_MISSING_SOURCE_REF /source_ref"}},
		{name: "LV-5.77 not a string", line: labelLine, edits: edits{`"s3://bkt/train/anomaly/a-1.jpg"`, `[]`}, class: anomaly, want: []string{"fatal ERROR_INVALID_SOURCE_REF_FORMAT /source-ref"}},
		{name: "LV-5.77 relative", line: labelLine, edits: edits{`s3://bkt/`, ``}, class: anomaly, want: []string{"fatal ERROR_INVALID_SOURCE_REF_FORMAT /source-ref"}},
		{name: "LV-5.79 label without metadata", line: `{"source-ref":"s3://bkt/a.jpg","anomaly-label":1}`, want: []string{"fatal ERROR_MISSING_METADATA /anomaly-label"}},
		{name: "LV-5.79 metadata without label", line: labelLine, edits: edits{`"anomaly-label":1,`, ``}, want: []string{"fatal ERROR_MISSING_LABEL_ATTRIBUTE /anomaly-label-metadata"}},
		{name: "LV-5.79 metadata no object", line: `{"source-ref":"s3://bkt/a.jpg","anomaly-label":1,"anomaly-label-metadata":"x"}`, want: []string{"fatal ERROR_MISSING_METADATA /anomaly-label-metadata"}},
		{name: "LV-5.81 mask without metadata", line: labelLine, edits: edits{`"anomaly-label":1`, `"anomaly-label":1,"anomaly-mask-ref":"s3://bkt/m.png"`}, class: anomaly,
			want: []string{"fatal ERROR_MISSING_METADATA /anomaly-mask-ref"}},
		{name: "LV-5.81 no colour map", line: maskLine, edits: edits{`internal-color-map`, `internal-colour-map`}, class: anomaly,
			want: []string{"fatal ERROR_MISSING_COLOR_MAP /anomaly-mask-ref-metadata/internal-colour-map"}},
		{name: "LV-5.81 empty colour map", line: consoleLine, edits: edits{`{"0": {"class-name": "cracked", "hex-color": "#23A436"}}`, `{}`}, class: anomaly, want: []string{"fatal ERROR_MISSING_COLOR_MAP " + colors}},
		{name: "LV-5.81 colour map an array", line: consoleLine, edits: edits{`{"0": {"class-name": "cracked", "hex-color": "#23A436"}}`, `[1]`}, class: anomaly, want: []string{"fatal ERROR_MISSING_COLOR_MAP " + colors}},
		{name: "LV-5.82 five digits", line: maskLine, edits: edits{`#2ca02c`, `#2ca02`}, class: anomaly, labels: "dent", want: []string{"fatal ERROR_INVALID_HEX_COLOR " + colors + "/1/hex-color"}},
		{name: "LV-5.82 no sign", line: maskLine, edits: edits{`#2ca02c`, `2ca02c`}, class: anomaly, labels: "dent", want: []string{"fatal ERROR_INVALID_HEX_COLOR " + colors + "/1/hex-color"}},
		{name: "LV-5.82 not hexadecimal", line: maskLine, edits: edits{`#2ca02c`, `#2ca02g`}, class: anomaly, labels: "dent", want: []string{"fatal ERROR_INVALID_HEX_COLOR " + colors + "/1/hex-color"}},
		{name: "LV-5.82 none", line: maskLine, edits: edits{`"hex-color":"#2ca02c"`, `"x":1`}, class: anomaly, labels: "dent", want: []string{"fatal ERROR_INVALID_HEX_COLOR " + colors + "/1/hex-color"}},
		{name: "LV-5.82 no object", line: maskLine, edits: edits{`{"class-name":"scratch","hex-color":"#2ca02c","confidence":0.0}`, `"#2ca02c"`}, class: anomaly, labels: "dent", want: []string{"fatal ERROR_INVALID_HEX_COLOR " + colors + "/1"}},
		{name: "LV-5.85 20 labels", line: maskLine, edits: manyLabels(20), class: anomaly, labels: names(20)},
		{name: "LV-5.85 21 labels", line: maskLine, edits: manyLabels(21), class: anomaly, labels: names(21), want: []string{"fatal ERROR_TOO_MANY_ANOMALY_LABELS " + colors}},
	})
}

func TestCheckColorsOfLines(t *testing.T) {
	other := strings.Replace(consoleLine, "#23A436", "#23a437", 1)
	same := strings.Replace(consoleLine, "#23A436", "#23a436", 1)
	entries := checkLines(consoleLine, same, other, strings.Replace(consoleLine, "cracked", "dent", 1))
	var got [][]string
	for _, e := range entries {
		got = append(got, outline(e))
	}
	const at = " /anomaly-mask-ref-metadata/internal-color-map/0/hex-color"
	want := [][]string{nil, nil, {"warning WARNING_LABEL_COLORS" + at}, {"warning WARNING_COLOR_LABELS" + at}} // LV-5.47
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestCheckDate(t *testing.T) {
	for _, tt := range []struct {
		date string
		want int64
	}{
		{"2022-08-22T20:52:52", 1661201572000}, // LV-14.18
		{"2022-08-22T20:52:52.851Z", 1661201572851},
		{"2022-08-22T20:52:52.851", 1661201572851},
		{"Mon Aug 22 2022 13:52:52 GMT-0700 (Pacific Daylight Time)", 1661201572000},
		{"soon", 0},
	} {
		e := checkLines(edit(t, labelLine, "2022-02-04T22:47:07", tt.date))[0]
		if e.Date != tt.want {
			t.Errorf("date of %q = %d, want %d", tt.date, e.Date, tt.want)
		}
	}
}

// TestCookies checks the manifest of the getting-started guide, where the test
// data has it: it is not part of the project.
func TestCookies(t *testing.T) {
	name := os.Getenv("FOVEA_COOKIES")
	if name == "" {
		name = "../../../shared/data/cookies/dataset-files/manifests/template.manifest"
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Skip("no cookie manifest: ", err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, e := range checkLines(lines...) {
		if !e.Dropped || e.Problems[0].Code != codeSourceRef {
			t.Errorf("line %d, with a relative source-ref: %v", i+1, outline(e))
		}
	}
	for i, line := range lines {
		line = strings.Replace(line, `"training-images/`, `"s3://bkt/training-images/`, 1)
		lines[i] = strings.Replace(line, `"mask-images/`, `"s3://bkt/mask-images/`, 1)
	}
	classes, used := map[manifest.Class]int{}, map[string]int{}
	for i, e := range checkLines(lines...) {
		if len(e.Problems) > 0 {
			t.Errorf("line %d: %v", i+1, outline(e))
		}
		if e.Date == 0 || !bytes.Equal(e.Bucket, []byte("bkt")) {
			t.Errorf("line %d: date %d, bucket %q", i+1, e.Date, e.Bucket)
		}
		classes[e.Class]++
		used[labels(e)]++
	}
	if diff := cmp.Diff(map[manifest.Class]int{manifest.Normal: 31, manifest.Anomaly: 32}, classes); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"": 31, "cracked": 32}, used); diff != "" { // LV-5.65
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}
