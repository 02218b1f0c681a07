package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A manifest that nobody's terminal should be led astray by: there are escape
// sequences in file names, of lines that are dropped and of lines that repeat.
const mixed = `{"source-ref":"s3://images/\u001b[31m1.jpg","c":1,"c-metadata":{"class-name":"ok","confidence":1,"type":"groundtruth/image-classification","human-annotated":"yes","creation-date":"2021-06-22T10:10:48"}}
{"source-ref":"\u001b[31mhttp://images/2.jpg","c":1,"c-metadata":{"class-name":"ok","confidence":1,"type":"groundtruth/image-classification","human-annotated":"yes","creation-date":"2021-06-22T10:10:48"}}
{"source-ref":"s3://images/3.jpg",
{"source-ref":"s3://images/\u001b[31m1.jpg","c":1,"c-metadata":{"class-name":"ok","confidence":1,"type":"groundtruth/image-classification","human-annotated":"yes","creation-date":"2021-06-22T10:10:48"}}
`

// TestCheckFormats: what check prints, in each format, is as it was.
func TestCheckFormats(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("mixed.manifest", []byte(mixed), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, service := range []string{"custom-labels", "lookout"} {
		for _, format := range []string{"text", "json", "sarif"} {
			out, err := run(t, "check", "--service", service, "--format", format, "mixed.manifest")
			if !errors.Is(err, errFailed) {
				t.Errorf("%s %s: err = %v", service, format, err)
			}
			if strings.ContainsRune(out, '\x1b') {
				t.Errorf("%s %s: a control character reaches the terminal", service, format)
			}
			compare(t, "check."+service+"."+format, strings.ReplaceAll(out, version(), "VERSION"))
		}
	}
}

// source is where the tests' own files are.
var source, _ = os.Getwd()

// compare holds a text against a golden file.
func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(source, "testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestCheckStatus: 0 if a dataset could be made, 1 if not, 2 if there is no
// telling.
func TestCheckStatus(t *testing.T) {
	good := strings.SplitAfter(mixed, "\n")[0]
	folder := t.TempDir()
	for _, tt := range []struct {
		name   string
		args   []string
		failed bool
		want   string // in the error; "" for none
	}{
		{name: "good", args: []string{write(t, "m", good)}},
		{name: "good, without a line break and after a byte order mark", args: []string{write(t, "m", "\ufeff"+strings.TrimSpace(good))}},
		{name: "bad", args: []string{write(t, "m", mixed)}, failed: true},
		{name: "empty", args: []string{write(t, "m", "")}, failed: true},
		{name: "too many, by a limit", args: []string{"--limit", "custom-labels.train-entries=1", write(t, "m", good+good)}, failed: true},
		{name: "bad, but all may be dropped", args: []string{"--limits", "none", write(t, "m", mixed)}},
		{name: "missing", args: []string{filepath.Join(folder, "m")}, want: "no such file"},
		{name: "a folder", args: []string{folder}, want: "is a folder"},
		{name: "no S3 key", args: []string{"s3://bucket"}, want: "s3://BUCKET/KEY"},
		{name: "no keys", args: []string{"s3://bucket/key"}, want: "AWS_ACCESS_KEY_ID"},
		{name: "service", args: []string{"--service", "x", "m"}, want: "custom-labels or lookout"},
		{name: "split", args: []string{"--split", "x", "m"}, want: "train or test"},
		{name: "format", args: []string{"--format", "x", "m"}, want: "text, json, sarif or junit"},
		{name: "limit", args: []string{"--limit", "lookout.x=1", "m"}, want: "the limits of lookout are"},
		{name: "three manifests", args: []string{"a", "b", "c"}, want: "is called as `fovea check MANIFEST"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} {
				t.Setenv(name, "")
			}
			_, err := run(t, append([]string{"check"}, tt.args...)...)
			switch {
			case tt.want != "":
				if err == nil || errors.Is(err, errFailed) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("err = %v, want %q in it", err, tt.want)
				}
			case errors.Is(err, errFailed) != tt.failed || err != nil && !tt.failed:
				t.Errorf("err = %v, failed = %v", err, tt.failed)
			}
		})
	}
}

// TestCheckAgrees: the report of check is that of the server's import, but for
// where the manifest is.
func TestCheckAgrees(t *testing.T) {
	s := diffServe(t)
	s.upload("m", strings.TrimSuffix(mixed, "\n"))
	s.imported(s.project("parts"), "TRAIN", "m")
	s.casting("train", "m")
	for service, path := range map[string]string{"custom-labels": "parts/train", "lookout": "castings/train"} {
		want := s.do("fovea", "GET", "/fovea/v1/"+service+"/"+path+"/import-report", "", nil)
		out, err := run(t, "check", "--service", service, "--format", "json", write(t, "m", mixed))
		if want.status != 200 || !errors.Is(err, errFailed) {
			t.Fatal(want.status, err)
		}
		if diff := cmp.Diff(findings(t, want.text), findings(t, out)); diff != "" {
			t.Errorf("%s (-server +check):\n%s", service, diff)
		}
	}
}

// findings reads a report, less what names the manifest.
func findings(t *testing.T, report string) (list []map[string]any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader([]byte(report)))
	for dec.More() {
		var m map[string]any
		if err := dec.Decode(&m); err != nil {
			t.Fatal(err)
		}
		delete(m, "manifest")
		delete(m, "etag")
		list = append(list, m)
	}
	return list
}

// TestCheckBuckets: names of buckets are no escape sequences, either.
func TestCheckBuckets(t *testing.T) {
	out, err := run(t, "check", "--limits", "none", write(t, "m", strings.ReplaceAll(mixed, "s3://images/\\u001b[31m1", "s3://\\u001b]0;x/1")+strings.SplitAfter(mixed, "\n")[0]))
	if !errors.Is(err, errFailed) || !strings.Contains(out, `\x1b]0;x and images`) || strings.ContainsRune(out, '\x1b') {
		t.Errorf("err = %v\n%q", err, out)
	}
}

// TestFoundText: sentences and words both follow the word found.
func TestFoundText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ found, want string }{
		{"nothing", "nothing"},
		{"", ""},
		{"not json.", "not json."},
		{`"s3://b/1.png"`, `"s3://b/1.png"`},
		{"It has the bytes of the image of line 2.", "that it has the bytes of the image of line 2"},
		{`The label "good" is on 1 image.`, `that the label "good" is on 1 image`},
		{"3 images have boxes, and 2 have only labels of the whole image.", "that 3 images have boxes, and 2 have only labels of the whole image"},
	} {
		if got := foundText(test.found); got != test.want {
			t.Errorf("foundText(%q) = %q, want %q", test.found, got, test.want)
		}
	}
}
