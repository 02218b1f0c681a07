package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
)

// TestFolderNames: an object is looked for by ever shorter ends of its key.
func TestFolderNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		key  string
		want []string
	}{
		{"1.png", []string{"b/1.png", "1.png"}},
		{"a/c/1.png", []string{"b/a/c/1.png", "a/c/1.png", "c/1.png", "1.png"}},
		{"a//1.png", []string{"b/a/1.png", "a//1.png", "/1.png", "1.png"}},
	} {
		if diff := cmp.Diff(test.want, slices.Collect(folderNames(fovea.ObjectRef{Bucket: "b", Key: test.key}))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.key, diff)
		}
	}
}

// TestFolderObjects: images are found where an export puts them, mended masks
// are written beside the old ones, and names that lead out lead nowhere.
func TestFolderObjects(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "images")
	if err := os.MkdirAll(filepath.Join(dir, "masks"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"masks/1.png", "../secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.root.Close()
	if info, err := f.Stat(t.Context(), fovea.ObjectRef{Bucket: "b", Key: "lookout/parts/masks/1.png"}); err != nil || info.Size != 3 {
		t.Errorf("the object is %+v, %v", info, err)
	}
	if _, err := f.Write(t.Context(), fovea.ObjectRef{Bucket: "b", Key: "lookout/parts/masks/1.fixed.png"}, "image/png", strings.NewReader("new"), 3); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "masks/1.fixed.png")); err != nil || string(got) != "new" {
		t.Errorf("the mended mask is %q, %v", got, err)
	}
	for _, key := range []string{"../secret", "a/../../secret", "/../secret", "gone.png"} {
		if _, err := f.Stat(t.Context(), fovea.ObjectRef{Bucket: "b", Key: key}); err == nil {
			t.Errorf("%s is there", key)
		}
	}
}
