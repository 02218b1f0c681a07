package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportPages runs the commands of the pages for those who have data sets in
// files, on such data sets.
func TestImportPages(t *testing.T) {
	t.Parallel()
	server := serve(t)
	for _, tt := range []struct {
		page  string
		files func(t *testing.T, dir string)
		print []string
	}{
		{"from-folders.md", pageFolders, []string{"41 images", "custom-labels/parts/test", "lookout/castings/train  unchanged", "12 images, 0 boxes, 4 masks"}},
		{"from-coco.md", pageCOCO, []string{"6 images", "9 boxes", "custom-labels/boards-train/train", "boards-today: 6 images, 9 boxes"}},
		{"from-voc.md", pageVOC, []string{"4 images", "custom-labels/cells/test", "cells-today: 4 images, 4 boxes"}},
		{"from-yolo.md", pageYOLO, []string{"4 images", "custom-labels/nuts-archive/train", "nuts-today: 4 images, 4 boxes"}},
		{"from-csv.md", pageCSV, []string{"20 images", "custom-labels/leaves-of-may/train", "leaves-today: 20 images"}},
	} {
		t.Run(strings.TrimSuffix(tt.page, ".md"), func(t *testing.T) {
			dir, bin := t.TempDir(), t.TempDir()
			tt.files(t, dir)
			if err := os.Symlink(binary, filepath.Join(bin, "fovea")); err != nil {
				t.Fatal(err)
			}
			out := runPage(t, tt.page, dir, []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "FOVEA_DATA=" + server.Data, "FOVEA_LISTEN=" + server.Addr})
			for _, text := range tt.print {
				if !strings.Contains(out, text) {
					t.Errorf("the commands of %s did not print %q:\n%s", tt.page, text, out)
				}
			}
		})
	}
}

func pageFolders(t *testing.T, dir string) {
	files := map[string][]byte{}
	for i := range 41 {
		name := fmt.Sprintf("parts/%s/%d.png", []string{"good", "scratched"}[i%2], i)
		files[name] = drawn(t, name, 64, 64)
	}
	for i := range 8 {
		files[fmt.Sprintf("castings/normal/%d.png", i)] = drawn(t, fmt.Sprint("n", i), 64, 64)
	}
	for i := range 4 {
		files[fmt.Sprintf("castings/anomaly/a%d.png", i)] = drawn(t, fmt.Sprint("a", i), 64, 64)
		files[fmt.Sprintf("castings/masks/a%d.png", i)] = drawnMask(t, 64, 64)
	}
	writeTree(t, dir, files)
}

func pageCOCO(t *testing.T, dir string) {
	files := map[string][]byte{}
	id := 0
	for split, n := range map[string]int{"train": 3, "val": 3} {
		var images, boxes []string
		for range n {
			id++ // 2, 1, 2, 1, 2, 1 boxes
			name := fmt.Sprintf("%d.png", id)
			files["boards/images/"+name] = drawn(t, name, 80, 70)
			images = append(images, fmt.Sprintf(`{"id":%d,"file_name":%q,"width":80,"height":70}`, id, name))
			for i := range 1 + id%2 {
				boxes = append(boxes, fmt.Sprintf(`{"id":%d,"image_id":%d,"category_id":1,"bbox":[%d,2,10.4,20]}`, 10*id+i, id, 1+12*i))
			}
		}
		files["boards/annotations/instances_"+split+".json"] = fmt.Appendf(nil, `{"images":[%s],"annotations":[%s],"categories":[{"id":1,"name":"relay"}]}`,
			strings.Join(images, ","), strings.Join(boxes, ","))
	}
	writeTree(t, dir, files)
}

func pageVOC(t *testing.T, dir string) {
	files := map[string][]byte{"cells/ImageSets/Main/train.txt": []byte("1\n2\n3\n"), "cells/ImageSets/Main/test.txt": []byte("4\n")}
	for i := 1; i <= 4; i++ {
		files[fmt.Sprintf("cells/JPEGImages/%d.png", i)] = drawn(t, fmt.Sprint(i), 80, 70)
		files[fmt.Sprintf("cells/Annotations/%d.xml", i)] = fmt.Appendf(nil, `<annotation><filename>%d.png</filename><size><width>80</width><height>70</height><depth>1</depth></size>`+
			`<object><name>cell</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object></annotation>`, i)
	}
	writeTree(t, dir, files)
}

func pageYOLO(t *testing.T, dir string) {
	files := map[string][]byte{"data.yaml": []byte("train: images/train\nval: images/val\nnames: [nut, bolt]\n")}
	for i := range 4 {
		split := []string{"train", "train", "train", "val"}[i]
		files[fmt.Sprintf("images/%s/%d.png", split, i)] = drawn(t, fmt.Sprint(i), 80, 80)
		files[fmt.Sprintf("labels/%s/%d.txt", split, i)] = fmt.Appendf(nil, "%d 0.5 0.5 0.25 0.5\n", i%2)
	}
	writeTree(t, filepath.Join(dir, "nuts"), files)
	writeZip(t, filepath.Join(dir, "nuts.zip"), files)
}

func pageCSV(t *testing.T, dir string) {
	files := map[string][]byte{}
	rows := "image,label\n"
	for i := range 20 {
		name := fmt.Sprintf("%d.png", i)
		files["leaves/"+name] = drawn(t, name, 64, 64)
		rows += fmt.Sprintf("%s,%s\n", name, []string{"good", "scratched"}[i%2])
	}
	files["leaves/labels.csv"] = []byte(rows)
	files["may.csv"] = []byte("image,label\n1.png,good\n")
	writeTree(t, dir, files)
}
