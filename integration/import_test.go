package integration

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"fovea/integration/process"
)

// importCommand returns the command that imports a folder to a server.
func importCommand(server *process.Server, service, project, path string, args ...string) []string {
	return append([]string{"import", path, "--service", service, "--project", project, "--data", server.Data, "--listen", server.Addr}, args...)
}

// exportCommand returns the command that exports datasets of a server.
func exportCommand(server *process.Server, name, to string, args ...string) []string {
	return append([]string{"export", name, "--to", to, "--data", server.Data, "--listen", server.Addr}, args...)
}

// holdings returns what a dataset holds, whatever its images are called: the
// bytes of each image and mask, and what the annotations say, in order.
func holdings(t *testing.T, server *process.Server, name string) (held []string) {
	t.Helper()
	for line := range strings.Lines(ofDataset(t, server, name+"/entries")) {
		var entry map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		said := []string{hashOf(t, server, entry["source-ref"])}
		for key, value := range entry {
			if meta, ok := entry[key+"-metadata"]; ok {
				said = append(said, meaning(t, server, value, meta))
			}
		}
		slices.Sort(said[1:])
		held = append(held, strings.Join(said, " "))
	}
	slices.Sort(held)
	return held
}

// hashOf returns a hash of the object that an S3 URI in JSON names.
func hashOf(t *testing.T, server *process.Server, ref json.RawMessage) string {
	t.Helper()
	var uri string
	if err := json.Unmarshal(ref, &uri); err != nil {
		t.Fatal(err)
	}
	resp, err := server.Do(t.Context(), "s3", http.MethodGet, "/"+escaped(strings.TrimPrefix(uri, "s3://")), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", uri, resp.Status, err)
	}
	return fmt.Sprintf("%.6x", sha256.Sum256(body.Bytes()))
}

// escaped returns a key as it is in the path of a request.
func escaped(key string) string {
	return strings.NewReplacer("%2F", "/", "+", "%20").Replace(url.QueryEscape(key))
}

// meaning returns what an attribute and its metadata say.
func meaning(t *testing.T, server *process.Server, value, meta json.RawMessage) string {
	t.Helper()
	var m struct {
		Class  string            `json:"class-name"`
		Map    map[string]string `json:"class-map"`
		Colors map[string]struct {
			Class string `json:"class-name"`
			Hex   string `json:"hex-color"`
		} `json:"internal-color-map"`
	}
	if err := json.Unmarshal(meta, &m); err != nil {
		t.Fatal(err)
	}
	switch {
	case m.Class != "":
		return fmt.Sprintf("%q", m.Class)
	case m.Colors != nil:
		said := []string{}
		for _, c := range m.Colors {
			if c.Class != "BACKGROUND" {
				said = append(said, strings.ToLower(c.Hex)+" "+c.Class)
			}
		}
		slices.Sort(said)
		return fmt.Sprint("mask ", hashOf(t, server, value), said)
	}
	var boxes struct {
		Size []struct{ Width, Height int } `json:"image_size"`
		List []struct {
			Class                    int `json:"class_id"`
			Left, Top, Width, Height int
		} `json:"annotations"`
	}
	if err := json.Unmarshal(value, &boxes); err != nil {
		t.Fatal(err)
	}
	said := []string{}
	for _, b := range boxes.List {
		said = append(said, fmt.Sprintf("%s at %d,%d of %dx%d", m.Map[fmt.Sprint(b.Class)], b.Left, b.Top, b.Width, b.Height))
	}
	slices.Sort(said)
	return fmt.Sprint(boxes.Size, said)
}

// equal reports how two datasets differ.
func equal(t *testing.T, what string, want, got []string) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s: there is nothing to compare", what)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s: (-before +after)\n%.3000s", what, diff)
	}
}

// drawn returns a PNG of a size whose pixels depend on its name.
func drawn(t *testing.T, name string, w, h int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	sum := sha256.Sum256([]byte(name))
	copy(img.Pix, sum[:])
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// drawnMask returns a mask with a stroke of a colour.
func drawnMask(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(10, 10, 30, 12), image.NewUniform(color.RGBA{R: 35, G: 164, B: 54, A: 255}), image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// classFolders returns the files of a tree of n images in folders named for
// their labels.
func classFolders(t *testing.T, n int) map[string][]byte {
	files := map[string][]byte{}
	for i := range n {
		name := fmt.Sprintf("%s/%03d.png", []string{"leaf", "thorn & bud", "Blüte"}[i%3], i)
		files[name] = drawn(t, name, 64+i%5, 64)
	}
	return files
}

// TestImportCookies takes the cookies in, out and in again: as folders with
// masks, and as a manifest with its images for another bucket.
func TestImportCookies(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../shared/data"), "cookies", "dataset-files")
	photos, err := filepath.Glob(filepath.Join(folder, "training-images", "*.jpg"))
	if err != nil || len(photos) == 0 {
		t.Skipf("no cookies in %s, set FOVEA_TEST_DATA", folder)
	}
	tree := t.TempDir()
	files := map[string][]byte{}
	for _, path := range photos {
		class, _, _ := strings.Cut(filepath.Base(path), "-")
		files[class+"/"+filepath.Base(path)] = readFile(t, path)
	}
	masks, _ := filepath.Glob(filepath.Join(folder, "mask-images", "*.png"))
	for _, path := range masks {
		files["masks/"+filepath.Base(path)] = readFile(t, path)
	}
	writeTree(t, tree, files)
	server := serve(t)
	out := mustCommand(t, importCommand(server, "lookout", "cookies", tree)...)
	for _, text := range []string{"63 images", "32 masks", "95 objects sent", "63 entries, 63 labelled"} {
		if !strings.Contains(out, text) {
			t.Errorf("import did not print %q:\n%s", text, out)
		}
	}
	want := holdings(t, server, "lookout/cookies/train")
	if masked := strings.Count(strings.Join(want, "\n"), "mask "); len(want) != 63 || masked != 32 {
		t.Fatalf("%d images, %d with masks", len(want), masked)
	}

	to := t.TempDir()
	mustCommand(t, exportCommand(server, "lookout/cookies", to, "--form", "folder")...)
	mustCommand(t, importCommand(server, "lookout", "again", to)...)
	equal(t, "folders", want, holdings(t, server, "lookout/again/train"))

	to = t.TempDir()
	mustCommand(t, exportCommand(server, "lookout/cookies/train", to, "--rewrite-to", "s3://elsewhere/c/")...)
	if err := server.MakeBucket(t.Context(), "elsewhere"); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(to, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(to, path)
		data := readFile(t, path)
		return server.Put(t.Context(), "elsewhere", "c/"+filepath.ToSlash(name), bytes.NewReader(data), int64(len(data)))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Lookout(t.Context(), "POST", "/projects", nil, map[string]any{"ProjectName": "moved"}, nil); err != nil {
		t.Fatal(err)
	}
	source := map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": "elsewhere", "Key": "c/train.manifest"}}}
	if err := server.Lookout(t.Context(), "POST", "/projects/moved/datasets", nil, map[string]any{"DatasetType": "train", "DatasetSource": source}, nil); err != nil {
		t.Fatal(err)
	}
	awaitLookout(t, server, "moved")
	equal(t, "a manifest for elsewhere", want, holdings(t, server, "lookout/moved/train"))
}

// awaitLookout waits for the train dataset of a project.
func awaitLookout(t *testing.T, server *process.Server, project string) {
	t.Helper()
	for range 1000 {
		var d struct {
			DatasetDescription struct{ Status, StatusMessage string }
		}
		if err := server.Lookout(t.Context(), "GET", "/projects/"+project+"/datasets/train", nil, nil, &d); err != nil {
			t.Fatal(err)
		}
		switch d.DatasetDescription.Status {
		case "CREATE_COMPLETE":
			return
		case "CREATE_FAILED":
			t.Fatal(d.DatasetDescription.StatusMessage)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the dataset is not finished")
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestImportBloodCells takes a real set of boxes in, out in each form that has
// boxes, and in again.
func TestImportBloodCells(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../shared/data"), "bccd", "BCCD")
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("no blood cells here, set FOVEA_TEST_DATA: %v", err)
	}
	server := serve(t)
	status, out := command(t, importCommand(server, "custom-labels", "bccd", folder)...)
	if status != 1 || !strings.Contains(out, "364 images") || !strings.Contains(out, "4886 boxes") || !strings.Contains(out, "2 left out") {
		t.Fatalf("import ended with %d, which is not 1 with two boxes of one pixel left out:\n%s", status, out)
	}
	train, test := holdings(t, server, "custom-labels/bccd/train"), holdings(t, server, "custom-labels/bccd/test")
	for _, form := range []string{"voc", "coco", "yolo"} {
		to := t.TempDir()
		mustCommand(t, exportCommand(server, "custom-labels/bccd", to, "--form", form)...)
		mustCommand(t, importCommand(server, "custom-labels", form, to, "--form", form)...)
		equal(t, form, train, holdings(t, server, "custom-labels/"+form+"/train"))
		equal(t, form, test, holdings(t, server, "custom-labels/"+form+"/test"))
	}
}

// TestImportForms takes a generated tree of each form in, out and in again, also
// from a zip archive of it.
func TestImportForms(t *testing.T) {
	t.Parallel()
	server := serve(t)
	folders := classFolders(t, 12)
	splits := map[string][]byte{}
	for name, data := range folders {
		splits[[]string{"train/", "test/"}[len(data)%2]+name] = data
	}
	splits["train/leaf/x.png"], splits["test/leaf/y.png"] = drawn(t, "x", 64, 64), drawn(t, "y", 64, 64)
	csv := map[string][]byte{}
	rows := "image,label\n"
	for i := range 6 {
		name := fmt.Sprintf("c%d.png", i)
		csv[name] = drawn(t, name, 70, 71)
		rows += fmt.Sprintf("%s,label%d\n", name, i%2)
	}
	csv["labels.csv"] = []byte(rows)
	for _, tt := range []struct {
		name  string
		form  string // that it is written in
		files map[string][]byte
		train int
	}{
		{"folder", "folder", folders, 12},
		{"splits", "folder", splits, 0},
		{"csv", "folder", csv, 6},
		{"coco", "coco", map[string][]byte{"images/1.png": drawn(t, "1", 80, 70), "images/2.png": drawn(t, "2", 80, 70), "annotations.json": []byte(
			`{"images":[{"id":1,"file_name":"images/1.png","width":80,"height":70},{"id":2,"file_name":"images/2.png","width":80,"height":70}],"categories":[{"id":3,"name":"nut"}],` +
				`"annotations":[{"id":1,"image_id":1,"category_id":3,"bbox":[1,2,30,40]},{"id":2,"image_id":1,"category_id":3,"bbox":[11,12,3,4]}]}`)}, 2},
		{"voc", "voc", map[string][]byte{"JPEGImages/1.png": drawn(t, "1", 80, 70), "Annotations/1.xml": []byte(
			`<annotation><filename>1.png</filename><size><width>80</width><height>70</height><depth>1</depth></size><object><name>nut</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object></annotation>`)}, 1},
		{"yolo", "yolo", map[string][]byte{"images/train/1.png": drawn(t, "1", 80, 70), "labels/train/1.txt": []byte("0 0.5 0.5 0.25 0.5\n"),
			"data.yaml": []byte("path: .\ntrain: images/train\nval: images/train\nnames:\n  0: nut\n")}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := t.TempDir()
			writeTree(t, tree, tt.files)
			plan := mustCommand(t, importCommand(server, "custom-labels", tt.name, tree, "--dry-run")...)
			if status, out := command(t, "log", "custom-labels/"+tt.name+"/train", "--data", server.Data, "--listen", server.Addr); status == 0 {
				t.Fatalf("a dry run made a dataset: %s", out)
			}
			out := mustCommand(t, importCommand(server, "custom-labels", tt.name, tree)...)
			if first, _, _ := strings.Cut(out, "\n"); !strings.Contains(plan, first) {
				t.Errorf("the dry run said\n%s, and the import\n%s", plan, out)
			}
			want := holdings(t, server, "custom-labels/"+tt.name+"/train")
			if tt.train > 0 && len(want) != tt.train {
				t.Fatalf("%d images, want %d", len(want), tt.train)
			}
			archive := filepath.Join(t.TempDir(), "all.zip")
			writeZip(t, archive, tt.files)
			mustCommand(t, importCommand(server, "custom-labels", tt.name+".zip", archive)...)
			equal(t, "zip", want, holdings(t, server, "custom-labels/"+tt.name+".zip/train"))

			to := t.TempDir()
			mustCommand(t, exportCommand(server, "custom-labels/"+tt.name, to, "--form", tt.form)...)
			mustCommand(t, importCommand(server, "custom-labels", tt.name+".again", to)...)
			equal(t, "again", want, holdings(t, server, "custom-labels/"+tt.name+".again/train"))
			if tt.name == "splits" {
				equal(t, "test", holdings(t, server, "custom-labels/splits/test"), holdings(t, server, "custom-labels/splits.again/test"))
			}
		})
	}
}

// writeZip writes files to a zip archive.
func writeZip(t *testing.T, path string, files map[string][]byte) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for name, data := range files {
		e, err := w.Create(name)
		if err == nil {
			_, err = e.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}
