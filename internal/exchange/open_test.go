package exchange

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestLabels: annotations lie in a part of the collection, or elsewhere. Then
// images that they do not mention are left out.
func TestLabels(t *testing.T) {
	files := maps.Clone(samples[COCO])
	files["other/instances_test.json"] = `{"images":[{"id":1,"file_name":"3.jpg"}],"annotations":[],"categories":[]}`
	dir := folder(t, files)
	elsewhere := folder(t, map[string]string{"coco.json": `{"images":[{"id":1,"file_name":"images/2.jpg"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[0,0,5,5]}],"categories":[{"id":1,"name":"x"}]}`})
	voc := folder(t, map[string]string{"1.xml": samples[VOC]["Annotations/1.xml"]})
	for _, tt := range []struct {
		name, labels string
		form         Form
		want         []string
	}{
		{"all", "", COCO, []string{"images/1.jpg", "images/2.jpg", "images/3.jpg"}},
		{"a file within", "other/instances_test.json", COCO, []string{"images/3.jpg"}},
		{"a folder within", "annotations/", COCO, []string{"images/1.jpg", "images/2.jpg"}},
		{"a path into it", filepath.Join(dir, "other"), COCO, []string{"images/3.jpg"}},
		{"a file elsewhere", filepath.Join(elsewhere, "coco.json"), COCO, []string{"images/2.jpg"}},
		{"a folder elsewhere", elsewhere, COCO, []string{"images/2.jpg"}},
		{"another form elsewhere", voc, VOC, []string{"images/1.jpg"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			images, problems := load(t, dir, Auto, Options{Labels: tt.labels})
			checkProblems(t, problems, nil)
			var got []string
			for _, img := range images {
				got = append(got, img.Name)
			}
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
			if form, err := Detect(dir, Options{Labels: tt.labels}); form != tt.form || err != nil {
				t.Errorf("Detect = %q, %v", form, err)
			}
		})
	}
}

// TestOpenErrors: what concerns a whole collection is an error of Open that
// names it.
func TestOpenErrors(t *testing.T) {
	dir := folder(t, map[string]string{"cat/1.jpg": "image"})
	for _, tt := range []struct {
		name, path string
		form       Form
		opts       Options
		want       string
	}{
		{"not there", filepath.Join(dir, "gone"), Auto, Options{}, "gone: name the folder or the zip archive that the images are in"},
		{"an image", filepath.Join(dir, "cat/1.jpg"), Auto, Options{}, "neither a folder nor a zip archive"},
		{"no such form", dir, "pascal", Options{}, `"pascal" is no form of annotated images; use one of auto, folder`},
		{"no such service", dir, Auto, Options{Service: "comprehend"}, `"comprehend" is no service; use custom-labels or lookout`},
		{"no such labels", dir, Auto, Options{Labels: "gone.json"}, "the annotations gone.json are neither in"},
		{"no COCO", dir, COCO, Options{}, "there is no JSON file"},
		{"no VOC", dir, VOC, Options{}, "there is no XML file"},
		{"no YOLO", dir, YOLO, Options{}, "there is no data.yaml with names and no classes.txt"},
		{"no CSV", dir, CSV, Options{}, "there is no .csv"},
		{"no folders", folder(t, nil), Folder, Options{}, "there are no images"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Open(tt.path, tt.form, tt.opts)
			if err == nil {
				c.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestParseForm(t *testing.T) {
	for name, want := range map[string]Form{"": Auto, "auto": Auto, "COCO": COCO, "Voc": VOC, "zip": ""} {
		if got, err := ParseForm(name); got != want || (err == nil) != (want != "") {
			t.Errorf("ParseForm(%q) = %q, %v", name, got, err)
		}
	}
}

// TestNamesakes: where the path of an image is another, its name decides only
// if one file has it.
func TestNamesakes(t *testing.T) {
	dir := folder(t, map[string]string{"x/1.jpg": "image", "y/1.jpg": "image", "train/2.jpg": "image", "test/2.jpg": "image", "val/3.jpg": "image", "a/B/4.JPG": "image",
		"labels.csv": "image,label,split\n1.jpg,a,\ny/1.jpg,b,\n2.jpg,c,train\n3.jpg,d,train\n/home/me/a/b/4.jpg,e,\nq/4.JPG,f,\n"})
	images, problems := load(t, dir, CSV, Options{})
	checkProblems(t, problems, []string{
		`labels.csv:2: the image "1.jpg" can be x/1.jpg or y/1.jpg`, `labels.csv:5: the image "3.jpg" is not in the collection`, `labels.csv:7: the image "q/4.JPG" is not`,
	})
	got := map[string]string{}
	for _, img := range images {
		got[img.Name] = strings.Join(img.Labels, ",")
	}
	want := map[string]string{"a/B/4.JPG": "e", "test/2.jpg": "", "train/2.jpg": "c", "val/3.jpg": "", "x/1.jpg": "", "y/1.jpg": "b"}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}
