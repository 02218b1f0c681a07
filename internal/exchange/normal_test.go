package exchange

import (
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// The same name in the normal forms of annotations and of macOS.
const (
	nfc = "\u00e9t\u00e9"
	nfd = "e\u0301te\u0301"
)

// inForms returns files of which each name begins with the NAME of images, and
// each text with that of annotations.
func inForms(files map[string]string, images, notes string) map[string]string {
	out := map[string]string{}
	for name, text := range files {
		kind := notes
		if isImage(name) {
			kind = images
		}
		out[strings.ReplaceAll(name, "NAME", kind)] = strings.ReplaceAll(text, "NAME", notes)
	}
	return out
}

// Annotations find images whose names are in another normal form.
func TestNormalForms(t *testing.T) {
	for form, files := range map[Form]map[string]string{
		COCO: {
			"images/NAME.jpg":            "image",
			"annotations/instances.json": `{"images":[{"id":1,"file_name":"NAME.jpg","width":100,"height":80}],"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[0,0,10,10]}],"categories":[{"id":1,"name":"cat"}]}`,
		},
		VOC: {
			"JPEGImages/NAME.jpg":         "image",
			"Annotations/NAME.xml":        samples[VOC]["Annotations/1.xml"],
			"ImageSets/Main/trainval.txt": "NAME\n",
		},
		YOLO: {
			"images/NAME.jpg": "image",
			"labels/NAME.txt": "0 0.5 0.5 1 1\n",
			"train.txt":       "images/NAME.jpg\n",
			"data.yaml":       "train: train.txt\nnames: ['cat']\n",
		},
		CSV: {
			"some/NAME.jpg": "image",
			"labels.csv":    "image,xmin,ymin,xmax,ymax,label\nsome/NAME.jpg,0,0,100,80,cat\n",
		},
	} {
		for _, tt := range []struct{ name, images, notes string }{{"images in NFD", nfd, nfc}, {"annotations in NFD", nfc, nfd}} {
			t.Run(string(form)+"/"+tt.name, func(t *testing.T) {
				images, problems := load(t, folder(t, inForms(files, tt.images, tt.notes)), form, Options{})
				checkProblems(t, problems, nil)
				if len(images) != 1 || len(images[0].Boxes) != 1 || !strings.Contains(images[0].Name, tt.images) {
					t.Fatalf("images = %+v, want the one, with its box and its own name", images)
				}
				if form != COCO && form != CSV && images[0].Split != Train {
					t.Errorf("split = %q, want train", images[0].Split)
				}
			})
		}
	}
}

// The very same name wins, and where there is none of two that are alike it is
// said.
func TestNormalFormsOfSeveral(t *testing.T) {
	rows := func(names ...string) string {
		return "image,label\n" + strings.Join(names, ",cat\n") + ",cat\n"
	}
	// The third spelling mixes both forms.
	const mixed = "\u00e9te\u0301"
	for _, tt := range []struct {
		name     string
		rows     string
		labelled []string
		problems []string
	}{
		{"both", rows(nfc+".jpg", nfd+".jpg"), []string{nfd + ".jpg", nfc + ".jpg"}, nil},
		{"one", rows(nfd + ".jpg"), []string{nfd + ".jpg"}, nil},
		{"neither", rows(nfc+".jpg", mixed+".jpg"), []string{nfc + ".jpg"}, []string{`can be "e\u0301te\u0301.jpg" or "\u00e9t\u00e9.jpg", which look the same`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, map[string]string{nfc + ".jpg": "image", nfd + ".jpg": "image", "labels.csv": tt.rows})
			images, problems := load(t, dir, CSV, Options{})
			checkProblems(t, problems, tt.problems)
			var got []string
			for _, img := range images {
				if len(img.Labels) > 0 {
					got = append(got, img.Name)
				}
			}
			if diff := gocmp.Diff(tt.labelled, got); diff != "" {
				t.Errorf("labelled (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMasksInNormalForms(t *testing.T) {
	m := &masks{c: &collection{images: &tree{files: []file{{name: "a" + nfc}, {name: nfd}, {name: "z" + nfd}, {name: nfc}}}}}
	for name, want := range map[string]int{nfc: 3, nfd: 1, "a" + nfd: 0, "z" + nfc: 2, "\u00e9te\u0301": -1, "b": -1, "": -1} {
		if got := m.find(name); got != want {
			t.Errorf("find(%+q) = %d, want %d", name, got, want)
		}
	}
}
