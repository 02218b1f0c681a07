package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/exchange"
	"fovea/internal/transfer"
)

func TestImportFlags(t *testing.T) {
	for _, tt := range []struct {
		args  []string
		fault string
	}{
		{[]string{"--project", "p"}, "--service"},
		{[]string{"--service", "both", "--project", "p"}, "custom-labels or lookout"},
		{[]string{"--service", "lookout"}, "--project"},
		{[]string{"--service", "lookout", "--project", "p", "--update", "--replace"}, "exclude each other"},
		{[]string{"--service", "lookout", "--project", "p", "--split", "half"}, "80/20"},
		{[]string{"--service", "lookout", "--project", "p", "--jobs", "0"}, "--jobs"},
		{[]string{"--service", "lookout", "--project", "p", "--wait", "-1s"}, "--wait"},
		{[]string{"--service", "lookout", "--project", "p", "--form", "excel"}, "--form"},
		{[]string{"--service", "lookout", "--project", "p", "--output", "xml"}, "--output"},
	} {
		cmd := importCommand()
		cmd.SetArgs(append([]string{t.TempDir(), "--data", t.TempDir()}, tt.args...))
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), tt.fault) {
			t.Errorf("%q: error %v, want one with %q", tt.args, err, tt.fault)
		}
	}
}

func TestExportTask(t *testing.T) {
	good := exportConfig{To: "to", Form: "manifest", transferConfig: transferConfig{Jobs: 1, Attempts: 1}}
	for _, tt := range []struct {
		name   string
		change func(*exportConfig)
		fault  string
	}{
		{"lookout/p/test", func(*exportConfig) {}, ""},
		{"lookout/p", func(*exportConfig) {}, ""},
		{"lookout", func(*exportConfig) {}, "SERVICE/PROJECT/SPLIT"},
		{"lookout//train", func(*exportConfig) {}, "SERVICE/PROJECT/SPLIT"},
		{"s3/p/train", func(*exportConfig) {}, "custom-labels or lookout"},
		{"lookout/p/val", func(*exportConfig) {}, "train or test"},
		{"lookout/p", func(c *exportConfig) { c.At = 2 }, "--at"},
		{"lookout/p/train", func(c *exportConfig) { c.To = "" }, "--to"},
		{"lookout/p/train", func(c *exportConfig) { c.Form = "csv" }, "--form csv"},
		{"lookout/p/train", func(c *exportConfig) { c.RewriteTo = "/x" }, "S3 URI"},
		{"lookout/p/train", func(c *exportConfig) { c.RewriteTo, c.Form = "s3://b", "coco" }, "--rewrite-to"},
		{"lookout/p/train", func(c *exportConfig) { c.Jobs = 1000 }, "--jobs"},
	} {
		c := good
		tt.change(&c)
		task, err := c.task(tt.name)
		if tt.fault != "" {
			if err == nil || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("%s %+v: error %v, want one with %q", tt.name, c, err, tt.fault)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		want := []exchange.Split{exchange.Train, exchange.Test}
		if strings.HasSuffix(tt.name, "/test") {
			want = want[1:]
		}
		if diff := cmp.Diff(want, task.Splits); diff != "" || task.Project != "p" || task.Service != fovea.Lookout {
			t.Errorf("%s: %+v", tt.name, task)
		}
	}
}

// TestTeller tells in lines where there is no terminal, and not of everything.
func TestTeller(t *testing.T) {
	path := filepath.Join(t.TempDir(), "told")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	told := newTeller(f)
	told.progress(transfer.Progress{Stage: transfer.Sending, Done: 1, Total: 9})
	told.last = time.Now().Add(-time.Hour)
	told.progress(transfer.Progress{Stage: transfer.Sending, Done: 5, Total: 9, Bytes: 2 << 20})
	told.progress(transfer.Progress{Stage: transfer.Sending, Done: 6, Total: 9})
	for range maxShown + 3 {
		told.problem(os.ErrInvalid, true)
	}
	told.done()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := "uploading: 5 of 9 images, 2.0 MiB\n" + strings.Repeat("left out: invalid argument\n", maxShown) + "... and 3 more like these\n"
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
}
