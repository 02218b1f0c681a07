package exchange

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"iter"
	"os"
	"path/filepath"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// picture returns a small image file of that size; value makes it different
// from others.
func picture(t testing.TB, name string, width, height int, value byte) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	img.SetGray(0, 0, color.Gray{value})
	var b bytes.Buffer
	var err error
	if filepath.Ext(name) == ".png" {
		err = png.Encode(&b, img)
	} else {
		err = jpeg.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// folder writes files to a new folder. The text "image" stands for an image of
// 100 x 80 pixels.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, contents(t, name, text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// contents returns what folder writes.
func contents(t testing.TB, name, text string) []byte {
	t.Helper()
	if text == "image" {
		return picture(t, name, 100, 80, 0)
	}
	return []byte(text)
}

// diffFlats compares what is said of images.
func diffFlats(want, got []flat) string { return gocmp.Diff(want, got) }

// collect returns the images of a collection, and the texts of the errors.
func collect(t testing.TB, c Collection) (images []*Image, problems []string) {
	t.Helper()
	for img, err := range c.Images() {
		if err != nil {
			if img != nil {
				t.Errorf("%s comes with an error", img.Name)
			}
			problems = append(problems, err.Error())
			continue
		}
		images = append(images, img)
	}
	return images, problems
}

// load opens a collection and returns its images and the texts of its errors.
func load(t testing.TB, path string, form Form, opts Options) (images []*Image, problems []string) {
	t.Helper()
	c, err := Open(path, form, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return collect(t, c)
}

// sequence yields images.
func sequence(images []*Image) iter.Seq2[*Image, error] {
	return func(yield func(*Image, error) bool) {
		for _, img := range images {
			if !yield(img, nil) {
				return
			}
		}
	}
}

// opener returns what Image.Open is for bytes.
func opener(b []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// bytesOf reads what open returns.
func bytesOf(t testing.TB, open func() (io.ReadCloser, error)) []byte {
	t.Helper()
	r, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
