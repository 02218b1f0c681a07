package exchange

import (
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	gocmp "github.com/google/go-cmp/cmp"
)

// taken returns an image of 100 x 80 pixels with a box.
func taken(t testing.TB, name string) *Image {
	b := picture(t, "x"+filepath.Ext(name), 100, 80, 0)
	return &Image{Name: name, Size: int64(len(b)), Kind: Detection, Boxes: []Box{{"cat", 1, 2, 30, 40}}, Open: opener(b)}
}

// skips collects what is skipped.
func skips(texts *[]string) WriteOptions {
	return WriteOptions{Skipped: func(err error) error { *texts = append(*texts, err.Error()); return nil }}
}

// filesIn returns the paths of the files below a folder.
func filesIn(t testing.TB, dir string) (files []string) {
	t.Helper()
	tr, err := openDir(dir, MaxFiles)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.close()
	for _, f := range tr.files {
		files = append(files, f.name)
	}
	return files
}

// TestWriteNames: names that lead out of the folder, or that the file system
// or another image is in the way of, are skipped, and the rest is written (T03).
func TestWriteNames(t *testing.T) {
	outside := t.TempDir()
	for _, form := range []Form{COCO, VOC, YOLO} {
		t.Run(string(form), func(t *testing.T) {
			dir := t.TempDir()
			below := map[Form]string{COCO: "", VOC: "JPEGImages/", YOLO: "images/"}[form]
			if err := os.MkdirAll(filepath.Join(dir, below), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(outside, filepath.Join(dir, below, "link")); err != nil {
				t.Skip(err)
			}
			var images []*Image
			for _, name := range []string{"../a.jpg", "/a.jpg", `..\a.jpg`, "C:/a.jpg", "a\x00.jpg", "", "a/../../b.jpg", strings.Repeat("x", 300) + ".jpg", "link/a.jpg", ".DS_Store", "b.jpg", "B.jpg", "b.jpg/c.jpg"} {
				images = append(images, taken(t, name))
			}
			var skipped []string
			if err := Write(dir, form, sequence(images), skips(&skipped)); err != nil {
				t.Fatal(err)
			}
			if len(skipped) != len(images)-1 {
				t.Errorf("skipped %d of %d: %q", len(skipped), len(images), skipped)
			}
			if !slices.Contains(filesIn(t, dir), below+"b.jpg") {
				t.Errorf("the good image is not written")
			}
			if left := filesIn(t, outside); len(left) > 0 {
				t.Errorf("written outside: %q", left)
			}
		})
	}
}

// TestWriteSkips: what a form cannot hold is skipped with the reason.
func TestWriteSkips(t *testing.T) {
	with := func(change func(img *Image)) *Image {
		img := taken(t, "a.jpg")
		change(img)
		return img
	}
	broken := func() (io.ReadCloser, error) { return nil, errors.New("gone") }
	for _, tt := range []struct {
		name string
		form Form
		img  *Image
		want string
	}{
		{"labels as COCO", COCO, with(func(img *Image) { img.Kind = Classification }), "coco has boxes, and no labels of whole images: write it as folder"},
		{"verdicts as YOLO", YOLO, with(func(img *Image) { img.Kind = Normal }), "yolo does not know normal and anomalous images"},
		{"boxes as folders", Folder, with(func(img *Image) {}), "folders cannot hold boxes"},
		{"two labels as folders", Folder, with(func(img *Image) { img.Kind, img.Labels = Classification, []string{"a", "b"} }), "it has 2 labels"},
		{"a label that is no folder", Folder, with(func(img *Image) { img.Kind, img.Labels = Classification, []string{"../a"} }), `the label "../a" can be no folder`},
		{"a label that is a split", Folder, with(func(img *Image) { img.Kind, img.Labels = Classification, []string{"train"} }), `the label "train" reads as a split`},
		{"a box that leaves the image", VOC, with(func(img *Image) { img.Boxes[0].Width = 200 }), "a.jpg: box 1: the box from (1, 2) to (201, 42) leaves"},
		{"a box that overflows", VOC, with(func(img *Image) { img.Boxes[0].Width = 1 << 62 }), "a.jpg: box 1: the box at (0, 0) has 0 x 0"},
		{"a label with a control character", VOC, with(func(img *Image) { img.Boxes[0].Label = "a\x01" }), "has a character that not every form can hold"},
		{"an image that cannot be read", COCO, with(func(img *Image) { img.Open = broken }), "a.jpg: it cannot be read: gone"},
		{"an image that breaks off", COCO, with(func(img *Image) {
			img.Open = func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(errors.New("reset"))), nil }
		}), "a.jpg: it cannot be read: reset"},
		{"an image of another size", COCO, with(func(img *Image) { img.Size++ }), "bytes where"},
		{"no image", COCO, with(func(img *Image) { img.Size, img.Open = 5, opener([]byte("hello")) }), "a.jpg: It is a text."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var skipped []string
			dir := t.TempDir()
			if err := Write(dir, tt.form, sequence([]*Image{tt.img}), skips(&skipped)); err != nil {
				t.Fatal(err)
			}
			checkProblems(t, skipped, []string{tt.want})
			if err := Write(t.TempDir(), tt.form, sequence([]*Image{tt.img}), WriteOptions{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("without Skipped: err = %v", err)
			}
			for _, name := range filesIn(t, dir) {
				if strings.HasSuffix(name, partSuffix) {
					t.Errorf("%s is left", name)
				}
			}
		})
	}
}

// TestWriteAgain: a writing that was interrupted is continued: what is there is
// kept, what is not complete is written, and nothing else is left.
func TestWriteAgain(t *testing.T) {
	for _, form := range []Form{COCO, VOC, YOLO} {
		t.Run(string(form), func(t *testing.T) {
			var images []*Image
			for _, name := range []string{"a.jpg", "b.jpg", "c.jpg"} {
				images = append(images, taken(t, name))
			}
			whole, dir := t.TempDir(), t.TempDir()
			if err := Write(whole, form, sequence(images), WriteOptions{}); err != nil {
				t.Fatal(err)
			}
			interrupted := errors.New("interrupted")
			var cut iter.Seq2[*Image, error] = func(yield func(*Image, error) bool) {
				_ = yield(images[0], nil) && yield(nil, interrupted)
			}
			if err := Write(dir, form, cut, WriteOptions{}); !errors.Is(err, interrupted) {
				t.Fatalf("err = %v", err)
			}
			first := filepath.Join(dir, map[Form]string{VOC: "JPEGImages", YOLO: "images"}[form], "a.jpg")
			before, err := os.Stat(first)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(filepath.Dir(first), "b.jpg"), []byte("not this"), 0o644); err != nil {
				t.Fatal(err)
			}
			killed := filepath.Join(filepath.Dir(first), ".99"+partSuffix)
			if err := os.WriteFile(killed, []byte("half an ima"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := Write(dir, form, sequence(images), WriteOptions{}); err != nil {
				t.Fatal(err)
			}
			if after, err := os.Stat(first); err != nil || !os.SameFile(before, after) {
				t.Errorf("the image that was there is written again: %v", err)
			}
			if diff := gocmp.Diff(contentsOf(t, whole), contentsOf(t, dir)); diff != "" {
				t.Errorf("the folder (-at once +continued):\n%s", diff)
			}
		})
	}
}

// contentsOf returns all files below a folder.
func contentsOf(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWriteBySize: a file of the same size is taken for the image, without
// reading that.
func TestWriteBySize(t *testing.T) {
	dir := t.TempDir()
	img := taken(t, "a.jpg")
	if err := Write(dir, COCO, sequence([]*Image{img}), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	img.Open = func() (io.ReadCloser, error) { return nil, errors.New("read again") }
	if err := Write(dir, COCO, sequence([]*Image{img}), WriteOptions{BySize: true}); err != nil {
		t.Error(err)
	}
	if err := Write(dir, COCO, sequence([]*Image{img}), WriteOptions{}); err == nil {
		t.Error("without BySize, the image is not read")
	}
}

// TestWriteExtensions: an image whose name does not say so gets the extension
// of its format.
func TestWriteExtensions(t *testing.T) {
	dir := t.TempDir()
	img := taken(t, "key of S3")
	if err := Write(dir, YOLO, sequence([]*Image{img}), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff([]string{"data.yaml", "all.txt", "images/key of S3.jpg", "labels/key of S3.txt"}, filesIn(t, dir), byText); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

var byText = gocmp.Transformer("sorted", func(list []string) map[string]bool {
	m := map[string]bool{}
	for _, s := range list {
		m[s] = true
	}
	return m
})

// TestWriteForms: forms that cannot be written are refused.
func TestWriteForms(t *testing.T) {
	for _, form := range []Form{Auto, CSV, "x"} {
		if err := Write(t.TempDir(), form, sequence(nil), WriteOptions{}); err == nil || !strings.Contains(err.Error(), "is no form that is written") {
			t.Errorf("%s: err = %v", form, err)
		}
	}
}
