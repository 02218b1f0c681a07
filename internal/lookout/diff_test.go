package lookout

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/manifest"
	"fovea/internal/model"
)

// The tests of this file pin differences of docs/differences.md, whose numbers
// they have in their names.

func TestDiff32ClassNameInAnyCase(t *testing.T) {
	for name, want := range map[string]manifest.Class{
		"Anomaly": manifest.Anomaly, "NORMAL": manifest.Normal, "defect": manifest.NoClass,
	} {
		e := checkLines(edit(t, labelLine, `"class-name":"anomaly"`, `"class-name":"`+name+`"`))[0]
		if e.Class != want || e.Dropped {
			t.Errorf("%s: class %q, dropped %v, want %q", name, e.Class, e.Dropped, want)
		}
	}
}

func TestDiff33WhatAWSLeavesOutIsOptional(t *testing.T) {
	for _, tt := range []struct {
		name  string
		line  string
		edits []string
	}{
		{"no background, no confidence, an index from 1", maskLine, []string{
			`"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0.0},`, "", `,"confidence":0.0`, "", `,"confidence":0.0`, ""}},
		{"the console's line", consoleLine, nil},
		{"no human-annotated, no type", labelLine, []string{`"human-annotated":"yes",`, "", `,"type":"groundtruth/image-classification"`, ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := checkLines(edit(t, tt.line, tt.edits...))[0]
			if e.Dropped || e.Class != manifest.Anomaly {
				t.Errorf("dropped %v, class %q, problems %v", e.Dropped, e.Class, outline(e))
			}
		})
	}
}

func TestDiff36FormsOfCreationDate(t *testing.T) {
	ms := func(text string) int64 {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return at.UnixMilli()
	}
	want := map[string]int64{
		"2022-02-04T22:47:07":                   ms("2022-02-04T22:47:07Z"),
		"2022-02-04 22:47:07.5":                 ms("2022-02-04T22:47:07.5Z"),
		"2022-02-04T22:47:07+0200":              ms("2022-02-04T20:47:07Z"),
		"Mon Aug 22 2022 13:52:52 GMT-0700 (P)": ms("2022-08-22T20:52:52Z"),
		"yesterday":                             0, // the time of the import stands in
	}
	got := map[string]int64{}
	for text := range want {
		e := checkLines(edit(t, labelLine, "2022-02-04T22:47:07", text))[0]
		got[text] = e.Date
		if e.Dropped {
			t.Errorf("%s drops the line", text)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dates (-want +got):\n%s", diff)
	}
}

func TestDiff46AtMost64KindsOfAreas(t *testing.T) {
	kinds := func(n int) (names string) {
		for i := range n {
			names += fmt.Sprintf("k%d ", i)
		}
		return names
	}
	if labels, err := segmentLabels(masked(1, kinds(64), kinds(64))); err != nil || len(labels) != 64 {
		t.Errorf("%d labels, %v", len(labels), err)
	}
	_, err := segmentLabels(masked(1, kinds(65), kinds(65)))
	if failure := (*model.Failure)(nil); !errors.As(err, &failure) || !strings.Contains(err.Error(), "show 65 anomaly labels; a model can learn 64") {
		t.Errorf("of 65: %v", err)
	}
}
