package exchange

import (
	"bytes"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// inMemory returns a collection of an image and a file of annotations.
func inMemory(t testing.TB, note string, text []byte) *collection {
	files := map[string][]byte{"images/a.jpg": picture(t, "a.jpg", 100, 80, 0), note: text}
	tr := &tree{opener: func(f *file) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files[f.name])), nil }}
	for name, b := range files {
		tr.files = append(tr.files, file{name: name, size: int64(len(b))})
	}
	tr.sort()
	return &collection{images: tr, notes: tr}
}

// fuzzForm checks that whatever is in a file of annotations, the collection is
// read to its end, and what it says of the image keeps the rules.
func fuzzForm(t *testing.T, form Form, service, note string, text []byte) {
	c := inMemory(t, note, text)
	if err := c.load(form, Options{Service: service}); err != nil {
		return
	}
	seen := 0
	for img, err := range c.Images() {
		if err != nil {
			if img != nil || err.Error() == "" {
				t.Errorf("image %v, error %q", img, err)
			}
			continue
		}
		seen++
		checkRules(t, img)
	}
	if seen != 1 {
		t.Errorf("%d images, want 1", seen)
	}
}

// checkRules checks what is true of every image.
func checkRules(t *testing.T, img *Image) {
	t.Helper()
	for _, b := range img.Boxes {
		if label, err := checkLabel(b.Label); err != nil || label != b.Label {
			t.Errorf("label %q: %v", b.Label, err)
		}
		if b.Left < 0 || b.Top < 0 || b.Width < minSide || b.Height < minSide || b.Left+b.Width > img.Width || b.Top+b.Height > img.Height {
			t.Errorf("box %+v in %d x %d", b, img.Width, img.Height)
		}
	}
	if (img.Kind == Classification) != (len(img.Labels) > 0) || img.Kind != Detection && len(img.Boxes) > 0 {
		t.Errorf("kind %d with labels %q and %d boxes", img.Kind, img.Labels, len(img.Boxes))
	}
	if !slices.IsSorted(img.Labels) || len(slices.Compact(slices.Clone(img.Labels))) != len(img.Labels) {
		t.Errorf("labels %q", img.Labels)
	}
}

// seedsOf returns the annotations of a sample.
func seedsOf(form Form, exts ...string) (seeds []string) {
	for _, name := range slices.Sorted(maps.Keys(samples[form])) {
		if slices.Contains(exts, extension(name)) {
			seeds = append(seeds, samples[form][name])
		}
	}
	return seeds
}

func FuzzCOCO(f *testing.F) {
	for _, s := range append(seedsOf(COCO, ".json"), hostileCOCO...) {
		f.Add([]byte(strings.ReplaceAll(s, "1.jpg", "a.jpg")))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fuzzForm(t, COCO, CustomLabels, "annotations/instances_val.json", text)
	})
}

func FuzzVOC(f *testing.F) {
	for _, s := range append(seedsOf(VOC, ".xml"), hostileVOC...) {
		f.Add([]byte(s))
	}
	f.Add([]byte("\xff\xfe<\x00a\x00n\x00n\x00o\x00t\x00a\x00t\x00i\x00o\x00n\x00/\x00>\x00"))
	f.Fuzz(func(t *testing.T, text []byte) { fuzzForm(t, VOC, CustomLabels, "Annotations/a.xml", text) })
}

func FuzzYOLO(f *testing.F) {
	f.Add([]byte("0 0.5 0.5 1 1\n\n1 0.1 0.1 0.3 0.1 0.3 0.4\n"), []byte("names: [a, 'b c']\ntrain: images\n"))
	f.Add([]byte("0 nan 0.5 1e400 1 0.9"), []byte("names:\n  0: x # first\n  1: \"y\\\"\"\nval: [../images, x]\nkpt_shape: [17, 3]"))
	f.Add([]byte("-1 0 0 0 0\n1e9 1 1 1 1"), []byte("names:\n- a\n- b: c\n{"))
	f.Fuzz(func(t *testing.T, labels, yaml []byte) {
		c := inMemory(t, "labels/a.txt", labels)
		c.images.files = append(c.images.files, file{name: "data.yaml", size: int64(len(yaml))})
		opener := c.images.opener
		c.images.opener = func(f *file) (io.ReadCloser, error) {
			if f.name == "data.yaml" {
				return io.NopCloser(bytes.NewReader(yaml)), nil
			}
			return opener(f)
		}
		c.images.sort()
		if c.load(YOLO, Options{}) != nil {
			return
		}
		for img, err := range c.Images() {
			if err == nil {
				checkRules(t, img)
			}
		}
	})
}

func FuzzCSV(f *testing.F) {
	for _, s := range append(seedsOf(CSV, ".csv"), hostileCSV...) {
		f.Add([]byte(strings.ReplaceAll(s, "1.jpg", "a.jpg")))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fuzzForm(t, CSV, CustomLabels, "labels.csv", text)
		fuzzForm(t, CSV, Lookout, "labels.csv", text)
	})
}

// FuzzArchive: whatever the bytes, an archive is refused, or its files have
// names that lead nowhere else and no more bytes than they say.
func FuzzArchive(f *testing.F) {
	for _, items := range [][]packed{{{name: "cat/a.jpg", text: "image"}, {name: "cat/b.txt", text: "xxxxxxxx", method: 8}}, {{name: "../a.jpg"}}, {}} {
		b, err := os.ReadFile(pack(f, items...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		tr, err := openArchive(bytes.NewReader(raw), int64(len(raw)), 100)
		if err != nil {
			return
		}
		for i := range tr.files {
			f := &tr.files[i]
			if err := checkName(f.name); err != nil {
				t.Error(err)
			}
			r, err := tr.open(f)
			if err != nil {
				continue
			}
			if n, _ := io.Copy(io.Discard, r); n > f.size {
				t.Errorf("%s has %d bytes, and says %d", f.name, n, f.size)
			}
			r.Close()
		}
	})
}
