package main

import (
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/qualitytest"
)

// TestFix: a mended manifest is written beside the old one and never over
// anything, and what was done is told.
func TestFix(t *testing.T) {
	t.Chdir(t.TempDir())
	good := strings.SplitAfter(mixed, "\n")[0]
	old := strings.Replace(good, `"human-annotated":"yes",`, "", 1) + "\n" + strings.Replace(good, "1.jpg", "2.jpg", 1)
	saveText(t, "train.manifest", old)
	out, err := run(t, "check", "--fix", "train.manifest")
	if err != nil {
		t.Fatal(err)
	}
	want := `train.manifest:1: mended: human-annotated at /c-metadata/human-annotated
    added "yes"
train.manifest:2: mended: blank-line
    removed a blank line
`
	if !strings.HasPrefix(out, want) || !strings.Contains(out, "train.manifest: 2 lines of 3, written to train.fixed.manifest\n  2 changes (blank-line 1, human-annotated 1)") {
		t.Errorf("output:\n%s", out)
	}
	fixed := loadText(t, "train.fixed.manifest")
	if diff := cmp.Diff(strings.Replace(old, ":48\"}}\n\n", ":48\",\"human-annotated\":\"yes\"}}\n", 1), fixed); diff != "" {
		t.Errorf("mended (-want +got):\n%s", diff)
	}
	if loadText(t, "train.manifest") != old {
		t.Error("the old manifest has changed")
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--fix", "train.manifest"}, "train.fixed.manifest exists"},
		{[]string{"--fix", "--fixed", "train.manifest", "train.manifest"}, "train.manifest exists"},
		{[]string{"--fix", "-"}, "--fixed FILE"},
		{[]string{"--fix", "a", "b"}, "one manifest at a time"},
		{[]string{"--fix", "--fail-on", "any", "a"}, "--fail-on"},
		{[]string{"--fix", "--format", "sarif", "train.fixed.manifest"}, "text or json"},
		{[]string{"--fixed", "a", "train.manifest"}, "add --fix"},
		{[]string{"--fix", "--fixed", "no/such/folder/m", "train.manifest"}, "no/such/folder"},
	} {
		if _, err := run(t, append([]string{"check"}, tt.args...)...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: err = %v, want %q in it", tt.args, err, tt.want)
		}
	}
	out, err = run(t, "check", "--fix", "--format", "json", "train.fixed.manifest")
	if err != nil || !strings.HasSuffix(out, `"changes":0,"left_alone":0,"changes_by_rule":{}}`+"\n") {
		t.Errorf("%v, %s", err, out)
	}
	files, _ := filepath.Glob("*")
	more, _ := filepath.Glob(".fovea*")
	if diff := cmp.Diff([]string{"train.fixed.manifest", "train.manifest"}, append(files, more...)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestFixFails: a mended manifest of which no dataset can be made fails.
func TestFixFails(t *testing.T) {
	t.Chdir(t.TempDir())
	saveText(t, "m", mixed)
	if out, err := run(t, "check", "--fix", "m"); !errors.Is(err, errFailed) || strings.ContainsRune(out, '\x1b') {
		t.Errorf("%v: %s", err, out)
	}
}

// TestFailOn: what --fail-on names fails a check, in every format, and what it
// does not name does not.
func TestFailOn(t *testing.T) {
	t.Chdir(t.TempDir())
	line := strings.Replace(strings.SplitAfter(mixed, "\n")[0], `\u001b[31m1.jpg`, "KEY", 1)
	for i, seed := range []uint64{1, 2, 1} {
		savePNG(t, filepath.Join("photos", "images", string(rune('a'+i))+".png"), qualitytest.Scene(seed, 80, 64))
	}
	key := func(keys ...string) (text string) {
		for _, k := range keys {
			text += strings.Replace(line, "KEY", k+".png", 1)
		}
		return text
	}
	saveText(t, "train", key("a", "b"))
	saveText(t, "test", key("c"))
	saveText(t, "both", key("a", "b", "c"))
	for _, tt := range []struct {
		name   string
		args   []string
		failed bool
		want   string
	}{
		{"without", []string{"both"}, false, "WARNING_DUPLICATE_IMAGE"},
		{"another rule", []string{"--fail-on", "brightness-outlier", "both"}, false, "WARNING_DUPLICATE_IMAGE"},
		{"short", []string{"--fail-on", "image-missing,duplicate-image", "both"}, true, "It fails, as --fail-on says: duplicate-image (1)."},
		{"code", []string{"--fail-on", "WARNING_DUPLICATE_IMAGE", "both"}, true, "It fails"},
		{"quality", []string{"--fail-on", "quality", "both"}, true, "duplicate-image (1), label-rare (1)"},
		{"any", []string{"--fail-on", "any", "both"}, true, "It fails"},
		{"train and test", []string{"--fail-on", "image-in-both-splits", "train", "test"}, true, "line 1 of the train dataset, train"},
		{"sarif", []string{"--format", "sarif", "--fail-on", "duplicate-image", "both"}, true, `"level": "error"`},
		{"junit", []string{"--format", "junit", "--fail-on", "duplicate-image,near-duplicate", "both"}, true, `<failure message="WARNING_DUPLICATE_IMAGE: 1 finding">`},
		{"junit passes", []string{"--format", "junit", "--fail-on", "near-duplicate", "both"}, false, `<testcase classname="both" name="near-duplicate"></testcase>`},
		{"json", []string{"--format", "json", "train", "test"}, false, `"dataset":"test"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := run(t, append([]string{"check", "--images", "--images-dir", "photos"}, tt.args...)...)
			if errors.Is(err, errFailed) != tt.failed || err != nil && !tt.failed || !strings.Contains(out, tt.want) {
				t.Errorf("err = %v\n%s", err, out)
			}
		})
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--fail-on", "near-duplicat", "both"}, "there is no such rule"},
		{[]string{"--fail-on", "near-duplicate", "both"}, "only found with --images"},
		{[]string{"--fail-on", "image-missing", "both"}, "only found with --images or --check-images"},
		{[]string{"--images-dir", "photos", "both"}, "add --images"},
		{[]string{"--images", "--images-dir", "nowhere", "both"}, "--images-dir"},
		{[]string{"--split", "test", "train", "test"}, "--split is for one manifest"},
	} {
		if _, err := run(t, append([]string{"check"}, tt.args...)...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: err = %v, want %q in it", tt.args, err, tt.want)
		}
	}
}

// TestImagesDir (T03): names that lead out of the folder lead nowhere.
func TestImagesDir(t *testing.T) {
	t.Chdir(t.TempDir())
	savePNG(t, "secret.png", qualitytest.Scene(1, 80, 64))
	savePNG(t, "photos/here.png", qualitytest.Scene(2, 80, 64))
	if err := os.Symlink("../secret.png", "photos/link.png"); err != nil {
		t.Fatal(err)
	}
	line := strings.SplitAfter(mixed, "\n")[0]
	text := ""
	for _, k := range []string{"here.png", "a/b/here.png", "../secret.png", "link.png", "..", "x\\u0000y.png"} {
		text += strings.Replace(line, `\u001b[31m1.jpg`, k, 1)
	}
	saveText(t, "m", text)
	out, err := run(t, "check", "--check-images", "--images-dir", "photos", "m")
	if err != nil || strings.Count(out, "WARNING_IMAGE_MISSING") != 4 {
		t.Errorf("err = %v\n%s", err, out)
	}
}

func saveText(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func loadText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func savePNG(t *testing.T, name string, m image.Image) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
		t.Fatal(err)
	}
}
