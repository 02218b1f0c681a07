package rekognition

import (
	"strings"
	"testing"
)

func TestCheckImage(t *testing.T) {
	const (
		none  = "error ERROR_NO_VALID_LABEL_ATTRIBUTES  at "
		value = "error ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT /leaves at "
		meta  = "error ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT /leaves-metadata/"
		at    = " at /leaves-metadata"
	)
	type edits = []string
	without := func(member string) edits { return edits{member, `"x":1`} }
	runCheckTests(t, []checkTest{
		{name: "clean", line: imageLine},
		{name: "string value", line: imageLine, edits: edits{`"leaves":1`, `"leaves":"0"`}},
		{name: "any integer", line: imageLine, edits: edits{`"leaves":1`, `"leaves":-123456789012345678901234567890`}},
		{name: "1.0 is an integer", line: imageLine, edits: edits{`"leaves":1`, `"leaves":1.0`}},
		{name: "CL-6.33 CL-6.58 fraction", line: imageLine, edits: edits{`"leaves":1`, `"leaves":1.5`}, want: []string{none, value}},
		{name: "CL-6.33 CL-6.58 null", line: imageLine, edits: edits{`"leaves":1`, `"leaves":null`}, want: []string{none, value}},
		{name: "CL-6.33 CL-6.58 array", line: imageLine, edits: edits{`"leaves":1`, `"leaves":[1]`}, want: []string{none, value}},
		{name: "CL-6.33 object", line: imageLine, edits: edits{`"leaves":1`, `"leaves":{}`}, want: []string{none, value + "/leaves"}},
		{name: "CL-6.34 no confidence", line: imageLine, edits: without(`"confidence":1`), want: []string{none, meta + "confidence" + at}},
		{name: "CL-6.34 confidence a string", line: imageLine, edits: edits{`"confidence":1`, `"confidence":"1"`}, want: []string{none, meta + "confidence" + at}},
		{name: "T13 confidence 1e999", line: imageLine, edits: edits{`"confidence":1`, `"confidence":1e999`}, want: []string{none, meta + "confidence" + at}},
		{name: "confidence of more than 1", line: imageLine, edits: edits{`"confidence":1`, `"confidence":99`}, want: []string{"warning WARNING_CONFIDENCE_RANGE /leaves-metadata/confidence"}},
		{name: "CL-6.34 no class-name", line: imageLine, edits: without(`"class-name":"with_leaves"`), want: []string{none, meta + "class-name" + at}},
		{name: "CL-6.34 misspelt class-name", line: imageLine, edits: edits{"class-name", "class_name"}, want: []string{none, meta + "class_name" + at}},
		{name: "CL-6.34 class-name a number", line: imageLine, edits: edits{`"with_leaves"`, "7"}, want: []string{none, meta + "class-name" + at}},
		{name: "CL-6.34 no human-annotated", line: imageLine, edits: without(`"human-annotated":"yes"`), want: []string{none, meta + "human-annotated" + at}},
		{name: "CL-6.34 human-annotated true", line: imageLine, edits: edits{`"yes"`, "true"}, want: []string{none, meta + "human-annotated" + at}},
		{name: "CL-6.34 human-annotated perhaps", line: imageLine, edits: edits{`"yes"`, `"perhaps"`}, want: []string{none, meta + "human-annotated" + at}},
		{name: "human-annotated no", line: imageLine, edits: edits{`"yes"`, `"no"`}},
		{name: "human-annotated Yes", line: imageLine, edits: edits{`"yes"`, `"Yes"`}, want: []string{"warning WARNING_HUMAN_ANNOTATED /leaves-metadata/human-annotated"}},
		{name: "CL-6.34 no creation-date", line: imageLine, edits: without(`"creation-date":"2021-07-11T03:32:13.456Z"`), want: []string{none, meta + "creation-date" + at}},
		{name: "CL-6.34 no type", line: imageLine, edits: without(`"type":"groundtruth/image-classification"`), want: []string{none, meta + "type" + at}},
		{name: "CL-6.34 type a number", line: imageLine, edits: edits{`"groundtruth/image-classification"`, "5"}, want: []string{none, meta + "type" + at}},
		{name: "CL-6.34 all that is wrong", line: imageLine, edits: edits{`"yes"`, "1", `"confidence":1`, `"confidence":null`},
			want: []string{none, meta + "confidence" + at, meta + "human-annotated" + at}},
		{name: "CL-6.46 256 characters", line: imageLine, edits: edits{"with_leaves", strings.Repeat("ü", 256)}},
		{name: "CL-6.46 257 characters", line: imageLine, edits: edits{"with_leaves", strings.Repeat("ü", 257)},
			want: []string{none, "error ERROR_INVALID_LABEL_NAME_LENGTH /leaves-metadata/class-name at /leaves-metadata"}},
		{name: "CL-6.46 empty", line: imageLine, edits: edits{"with_leaves", ""},
			want: []string{none, "error ERROR_INVALID_LABEL_NAME_LENGTH /leaves-metadata/class-name at /leaves-metadata"}},
		{name: "CL-6.50 the value stops the metadata", line: imageLine, edits: edits{`"leaves":1`, `"leaves":[]`, `"yes"`, `1`},
			want: []string{none, value, "warning ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT /leaves-metadata/human-annotated"}},
		{name: "CL-6.50 the metadata stops the label", line: imageLine, edits: edits{"with_leaves", "", `"yes"`, `1`},
			want: []string{none, "warning ERROR_INVALID_LABEL_NAME_LENGTH /leaves-metadata/class-name", meta + "human-annotated" + at}},
		{name: "a blank in the label", line: imageLine, edits: edits{"with_leaves", "leaves "}, want: []string{"warning WARNING_LABEL_NAME /leaves-metadata/class-name"}},
	})
}

func TestCheckDate(t *testing.T) {
	for _, tt := range []struct {
		date string
		ok   bool
	}{
		{`"2018-10-18T22:18:13.527256"`, true}, // CL-5.40
		{`"2020-03-06T17:46:39.176"`, true},
		{`"2013-11-18T02:53:27"`, true},
		{`"2021-06-22T09:58:34.811Z"`, true},
		{`"2021-01-01T00:00:00.0000"`, true},
		{`"2020-02-25T22:50:05.0000z"`, true},
		{`"2013-11-18 02:53:27"`, true},
		{`"2021-06-22T09:58:34+02:00"`, true},
		{`""`, false}, // CL-5.41
		{`"2013-11-18"`, false},
		{`"Mon Aug 22 2022 13:52:52 GMT-0700 (Pacific Daylight Time)"`, false},
		{`1626000000`, false},
		{`null`, false},
	} {
		t.Run("CL-5.41 "+tt.date, func(t *testing.T) {
			e := checkLine(edit(t, imageLine, `"2021-07-11T03:32:13.456Z"`, tt.date))
			if ok := len(e.Problems) == 0; ok != tt.ok {
				t.Errorf("problems: %v", outline(e))
			}
			if (e.Date != 0) != tt.ok {
				t.Errorf("date = %d", e.Date)
			}
		})
	}
}
