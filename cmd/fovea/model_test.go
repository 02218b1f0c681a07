package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"fovea/internal/appraisal"
)

func TestThresholdCall(t *testing.T) {
	for _, tt := range []struct {
		name         string
		changes      []string
		reset        bool
		method, body string
		fault        string
	}{
		{name: "show", method: "GET"},
		{name: "reset", reset: true, method: "DELETE"},
		{name: "set", changes: []string{"a=0.5", "mask:b=1", "c="}, method: "PUT", body: `{"a":0.5,"c":null,"mask:b":1}`},
		{name: "an equals sign in the label", changes: []string{"a=b=0.5"}, method: "PUT", body: `{"a=b":0.5}`},
		{name: "both", changes: []string{"a="}, reset: true, fault: "--reset"},
		{name: "no value", changes: []string{"a"}, fault: "LABEL=VALUE"},
		{name: "no label", changes: []string{"=0.5"}, fault: "LABEL=VALUE"},
		{name: "too much", changes: []string{"a=1.5"}, fault: "0 to 1"},
		{name: "no number", changes: []string{"a=NaN"}, fault: "0 to 1"},
		{name: "per cent", changes: []string{"a=50%"}, fault: "0 to 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			method, body, err := thresholdCall(tt.changes, tt.reset)
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("%v, want %s", err, tt.fault)
				}
				return
			}
			if err != nil || method != tt.method || string(body) != tt.body {
				t.Errorf("%s %s %v", method, body, err)
			}
		})
	}
}

func TestModelPath(t *testing.T) {
	if got, err := modelPath("lookout/castings/3"); err != nil || got != "/fovea/v1/lookout/castings/models/3" {
		t.Error(got, err)
	}
	for _, bad := range []string{"", "lookout/castings", "lookout/castings/3/4", "lookout//3"} {
		if got, err := modelPath(bad); err == nil {
			t.Errorf("%q becomes %s", bad, got)
		}
	}
}

func TestPrintModelReport(t *testing.T) {
	e := &appraisal.Evaluation{Labels: []appraisal.Label{{Name: "cup", Count: 3, Threshold: 0.5, F1: 0.75}}, Confusion: [][]int{{2, 1}, {4, 0}}}
	r := &appraisal.Report{
		Kind: "object detection", TrainImages: 10, TestImages: 3, Test: e,
		Hardest: []appraisal.Image{
			{SourceRef: "s3://b/1", Label: "cup", Score: 0.9, By: 0.9},
			{SourceRef: "s3://b/2", Label: "cup", Has: true, Score: 0.1, By: 0.4},
			{SourceRef: "s3://b/3", Label: "cup", Has: true, Suggested: "jug", Score: 0.1},
			{SourceRef: "s3://b/4"},
		},
	}
	var out bytes.Buffer
	if err := printModelReport(&out, r, 3); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{"object detection, trained with 10 images, tested with 3", "cup 3 0.500", `TRUTH\MODEL cup (nothing)`, "(nothing) 4 0",
		"s3://b/1 not cup cup 0.900", "s3://b/2 cup not cup 0.100", "s3://b/3 cup jug 0.100", "(3 of 4)"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(text, "s3://b/4") || strings.Contains(text, "training images, in") {
		t.Errorf("there is too much in\n%s", out.String())
	}
}

func TestFilesOfModels(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readFileUpTo(path, 4); err == nil {
		t.Error("a file that is too long is read")
	}
	if data, err := readFileUpTo(path, 5); err != nil || string(data) != "12345" {
		t.Error(data, err)
	}
	cmd := &cobra.Command{}
	var out bytes.Buffer
	cmd.SetOut(&out)
	for _, to := range []string{"-", filepath.Join(dir, "b")} {
		if err := saveAnswer(cmd, strings.NewReader("x"), to); err != nil {
			t.Error(err)
		}
	}
	if data, err := os.ReadFile(filepath.Join(dir, "b")); err != nil || string(data) != "x" || out.String() != "x" {
		t.Errorf("%q %q %v", data, out.String(), err)
	}
}
