package exchange

import (
	"strings"
	"testing"
)

// samples are small collections of each form.
var samples = map[Form]map[string]string{
	Folder: {"train/cat/1.jpg": "image", "train/dog/2.png": "image", "test/cat/3.jpg": "image"},
	COCO: {
		"images/1.jpg": "image", "images/2.jpg": "image", "images/3.jpg": "image",
		"annotations/instances_train2017.json": `{"info":{"year":2017,"deep":[[[{}]]]},
			"annotations":[{"id":1,"image_id":10,"category_id":90,"bbox":[9.6,10.4,20.2,30.0],"iscrowd":0,"segmentation":[[1,2,3,4,5,6]]},
			               {"id":2,"image_id":10,"category_id":90,"bbox":[0,0,100,80],"iscrowd":1}],
			"images":[{"id":10,"file_name":"1.jpg","width":100,"height":80},{"id":11,"file_name":"2.jpg","width":100,"height":80}],
			"categories":[{"id":90,"name":"toothbrush"}]}`,
	},
	VOC: {
		"JPEGImages/1.jpg":             "image",
		"Annotations/1.xml":            `<annotation><filename>1.jpg</filename><size><width>100</width><height>80</height></size><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>100</xmax><ymax>80</ymax></bndbox></object></annotation>`,
		"ImageSets/Main/trainval.txt":  "1\n",
		"ImageSets/Main/cat_train.txt": "1 -1\n",
	},
	YOLO: {
		"images/train/1.jpg": "image", "labels/train/1.txt": "0 0.5 0.5 1 1\n1 0.1 0.1 0.3 0.1 0.3 0.4\n",
		"data.yaml": "train: images/train\nnames: ['cat', \"a dog\"]\n",
	},
	CSV: {
		"1.jpg": "image", "2.jpg": "image",
		"labels.csv": "\ufeffimage,xmin,ymin,xmax,ymax,label\r\n1.jpg,0,0,100,80,\"a, cat\"\r\n2.jpg,,,,,\r\n",
	},
}

// TestSamples reads what the samples say.
func TestSamples(t *testing.T) {
	box := func(label string, left, top, width, height int) Box { return Box{label, left, top, width, height} }
	for form, want := range map[Form][]flat{
		Folder: {
			{Name: "test/cat/3.jpg", Split: Test, Kind: Classification, Labels: []string{"cat"}},
			{Name: "train/cat/1.jpg", Split: Train, Kind: Classification, Labels: []string{"cat"}},
			{Name: "train/dog/2.png", Split: Train, Kind: Classification, Labels: []string{"dog"}},
		},
		COCO: {
			{Name: "images/1.jpg", Split: Train, Kind: Detection, Boxes: []Box{box("toothbrush", 10, 10, 20, 30)}},
			{Name: "images/2.jpg", Split: Train, Kind: Detection},
			{Name: "images/3.jpg"},
		},
		VOC:  {{Name: "JPEGImages/1.jpg", Split: Train, Kind: Detection, Boxes: []Box{box("cat", 0, 0, 100, 80)}}},
		YOLO: {{Name: "images/train/1.jpg", Split: Train, Kind: Detection, Boxes: []Box{box("cat", 0, 0, 100, 80), box("a dog", 10, 8, 20, 24)}}},
		CSV: {
			{Name: "1.jpg", Kind: Detection, Boxes: []Box{box("a, cat", 0, 0, 100, 80)}},
			{Name: "2.jpg", Kind: Detection},
		},
	} {
		t.Run(string(form), func(t *testing.T) {
			checkRead(t, samples[form], form, Options{}, want, nil)
		})
	}
}

// checkRead reads files and compares what they say of the images, and that
// the problems have the texts given.
func checkRead(t *testing.T, files map[string]string, form Form, opts Options, want []flat, problems []string) {
	t.Helper()
	dir := folder(t, files)
	if found, err := Detect(dir, opts); found != form {
		t.Errorf("Detect = %q, %v; want %q", found, err, form)
	}
	images, got := load(t, dir, form, opts)
	said := flatten(t, images, nil)
	for i := range said {
		said[i].Size, said[i].Content, said[i].Width, said[i].Height, said[i].Depth = 0, "", 0, 0, 0
		said[i].Mask = ""
	}
	if diff := diffFlats(want, said); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	checkProblems(t, got, problems)
}

// checkProblems compares errors with parts of their texts.
func checkProblems(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("problems = %q, want %q", got, want)
		return
	}
	for i, p := range want {
		if !strings.Contains(got[i], p) {
			t.Errorf("problem %q, want one with %q", got[i], p)
		}
	}
}

// TestDetect: where there are annotations of several forms, or no images, the
// error lists them.
func TestDetect(t *testing.T) {
	both := map[string]string{}
	for _, form := range []Form{COCO, VOC} {
		for name, text := range samples[form] {
			both[name] = text
		}
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"two forms", both, []string{"coco (annotations/instances_train2017.json)", "voc (Annotations/1.xml)", "say which"}},
		{"no images", map[string]string{"a.pdf": "x", "b.pdf": "x", "README": "x"}, []string{"no images", `2 of ".pdf"`, "1 files without"}},
		{"nothing", nil, []string{"no images", "no files"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Detect(folder(t, tt.files), Options{})
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("err = %v, want %q in it", err, want)
				}
			}
		})
	}
}

// TestImages: files that are no images that the services take are errors that
// name them, and the rest is read (CL-12.16, LV-9.1).
func TestImages(t *testing.T) {
	checkRead(t, map[string]string{
		"cat/1.jpg": "image", "cat/a.bmp": "BM....\x00\x00\x00\x00", "cat/b.jpg": "RIFF....WEBP", "cat/c.png": "", "cat/d.jpg": "<html>", "cat/e.gif": "GIF89a",
		"cat/f.tif": "II*\x00", "cat/notes.txt": "x", "cat/.DS_Store": "x", "__MACOSX/cat/1.jpg": "x",
	}, Folder, Options{}, []flat{{Name: "cat/1.jpg", Kind: Classification, Labels: []string{"cat"}}}, []string{
		"cat/a.bmp: It is a BMP. Both services take PNG and JPEG: convert it",
		"cat/b.jpg: It is a WebP.", "cat/c.png: It is empty.", "cat/d.jpg: It is an HTML page.", "cat/e.gif: It is a GIF.", "cat/f.tif: It is a TIFF",
	})
}
