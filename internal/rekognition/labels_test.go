package rekognition

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/manifest"
)

func TestCheckLabels(t *testing.T) {
	used := func(name string) manifest.Label { return manifest.Label{Name: name, Used: true} }
	boxed := func(name string) manifest.Label { return manifest.Label{Name: name, Used: true, Boxed: true} }
	declared := func(name string) manifest.Label { return manifest.Label{Name: name} }
	type labels = []manifest.Label
	for _, tt := range []struct {
		name    string
		line    string
		edits   []string
		labels  labels
		labeled bool
	}{
		{name: "CL-5.12 unlabelled", line: `{"source-ref":"s3://bkt/k.jpg"}`},
		{name: "CL-7.40 image level", line: imageLine, labels: labels{used("with_leaves")}, labeled: true},
		{name: "CL-7.40 boxes", line: boxLine, labels: labels{boxed("comparator"), boxed("ir_led")}, labeled: true},
		{name: "OQ-25 declared", line: boxLine, edits: []string{`"class_id":3`, `"class_id":0`}, labels: labels{boxed("comparator"), declared("ir_led")}, labeled: true},
		{name: "CL-6.63 no boxes", line: boxLine, edits: []string{boxesOf(boxLine), ""}, labels: labels{declared("comparator"), declared("ir_led")}},
		{name: "CL-6.53 CL-7.43 an invalid box uses no label", line: boxLine, edits: []string{`"left":10`, `"left":-10`},
			labels: labels{declared("comparator"), boxed("ir_led")}, labeled: true},
		{name: "CL-7.43 invalid attribute", line: boxLine, edits: []string{"object-detection", "x"}, labeled: true},
		{name: "CL-6.63 metadata no object", line: imageLine, edits: []string{metadataOf(imageLine), "1"}, labeled: true},
		{name: "CL-6.63 no pair", line: `{"source-ref":"s3://bkt/k.jpg","a":1}`},
		{name: "CL-6.63 boxes and a label of the whole image", line: boxLine, edits: []string{boxesOf(boxLine), "", `"BB":`, `"a":1,"a-metadata":` + metadataOf(imageLine) + `,"BB":`},
			labels: labels{used("with_leaves"), declared("comparator"), declared("ir_led")}, labeled: true},
		{name: "CL-5.64 one label, both kinds", line: boxLine, edits: []string{`"BB":`, `"a":1,"a-metadata":` + strings.Replace(metadataOf(imageLine), "with_leaves", "ir_led", 1) + `,"BB":`},
			labels: labels{boxed("ir_led"), boxed("comparator")}, labeled: true},
		{name: "CL-6.51 the valid attribute of two", line: boxLine, edits: []string{`"BB":`, `"a":[],"a-metadata":` + metadataOf(imageLine) + `,"BB":`},
			labels: labels{boxed("comparator"), boxed("ir_led")}, labeled: true},
		{name: "CL-7.44 case", line: boxLine, edits: []string{"comparator", "IR_LED"}, labels: labels{boxed("IR_LED"), boxed("ir_led")}, labeled: true},
		{name: "one name, two classes", line: boxLine, edits: []string{"comparator", "ir_led"}, labels: labels{boxed("ir_led")}, labeled: true},
		{name: "dropped", line: imageLine, edits: []string{"s3://", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := checkLine(edit(t, tt.line, tt.edits...))
			if len(e.Labels) == 0 {
				e.Labels = nil
			}
			if diff := cmp.Diff(tt.labels, e.Labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			if e.Labeled != tt.labeled {
				t.Errorf("labeled = %t, want %t", e.Labeled, tt.labeled)
			}
		})
	}
}

// TestCheckReuse checks that nothing of a line is left for the next one.
func TestCheckReuse(t *testing.T) {
	lines := []string{imageLine, boxLine, `{`, `{"source-ref":"s3://bkt/k.jpg"}`, strings.Replace(boxLine, `"3":`, `"4000":`, 1),
		strings.Replace(boxLine, `"BB":`, `"BB":1,"BB":`, 1), `{"source-ref":"s3:\/\/b\/k\u00e9"}`, imageLine, boxLine}
	var doc manifest.Doc
	var e manifest.Entry
	c := Profile(Limits()).NewChecker()
	for _, line := range lines {
		want := checkLine(line)
		e.Line, e.Number = []byte(line), 1
		c.Check(&e, &doc, doc.Parse(e.Line, 0))
		if len(want.Labels) == 0 {
			want.Labels = e.Labels
		}
		if len(want.Problems) == 0 {
			want.Problems = e.Problems
		}
		if diff := cmp.Diff(*want, e); diff != "" {
			t.Errorf("%s (-new checker +used checker):\n%s", line, diff)
		}
	}
}

// TestCheckBounds checks lines that have as much of something as fits.
func TestCheckBounds(t *testing.T) {
	repeat := func(format string, n int) string {
		var s strings.Builder
		for i := range n {
			fmt.Fprintf(&s, format, i)
		}
		return strings.TrimSuffix(s.String(), ",")
	}
	boxes := strings.TrimSuffix(strings.Repeat(`{"class_id":0,"left":-1,"top":-1,"width":9,"height":9},`, 1500), ",")
	for _, tt := range []struct {
		name string
		line string
	}{
		{"invalid boxes", strings.Replace(boxLine, boxesOf(boxLine), boxes, 1)},
		{"attributes", `{"source-ref":"s3://bkt/k",` + repeat(`"%[1]d":1,"%[1]d-metadata":{},`, 3500) + `}`},
		{"halves of attributes", `{"source-ref":"s3://bkt/k",` + repeat(`"%d-metadata":{},`, 4500) + `,"a":1,"a-metadata":1}`},
		{"classes", strings.Replace(boxLine, `"0":"comparator"`, repeat(`"%d":7,`, 9000), 1)},
		{"long keys", `{"source-ref":"s3://bkt/k","` + strings.Repeat("k", 40_000) + `":{},"` + strings.Repeat("k", 40_000) + `-metadata":{"type":"groundtruth/object-detection"}}`},
		{"one key", `{"source-ref":"s3://bkt/k",` + strings.TrimSuffix(strings.Repeat(`"a":1,`, 16000), ",") + `}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := checkLine(tt.line)
			if e.Dropped {
				t.Fatalf("dropped: %v", outline(e))
			}
			size := 0
			for _, p := range e.Problems {
				size += len(p.At) + len(p.Pointer) + len(p.Message) + len(p.Found) + len(p.Expected) + len(p.Mend)
			}
			if len(e.Problems) > 102 || size > 1<<20 {
				t.Errorf("%d problems of %d bytes", len(e.Problems), size)
			}
			if len(e.Problems) >= 100 && e.Problems[len(e.Problems)-1].Code != "WARNING_MORE_PROBLEMS" {
				t.Errorf("last problem = %+v", e.Problems[len(e.Problems)-1])
			}
			if n := count(e, codeNoValid); n != 1 && tt.name != "one key" {
				t.Errorf("%d problems of code %s, want 1", n, codeNoValid)
			}
		})
	}
}

func count(e *manifest.Entry, code string) (n int) {
	for _, p := range e.Problems {
		if p.Code == code {
			n++
		}
	}
	return n
}
