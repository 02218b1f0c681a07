package exchange

import (
	"cmp"
	"encoding/xml"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// testData returns a folder of real images, or skips the test.
func testData(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../../shared/data"), name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no %s here, set FOVEA_TEST_DATA: %v", name, err)
	}
	return dir
}

// tally counts boxes by label and by split.
func tally(images []*Image) (labels map[string]int, splits map[Split]int) {
	labels, splits = map[string]int{}, map[Split]int{}
	for _, img := range images {
		splits[img.Split]++
		for _, b := range img.Boxes {
			labels[b.Label]++
		}
	}
	return labels, splits
}

// countXML counts the objects of annotations token by token, without what the
// reader uses: those of more than one pixel, by label, and the others.
func countXML(t *testing.T, files []string) (labels map[string]int, small int) {
	t.Helper()
	labels = map[string]int{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		object := map[string]string{}
		key := ""
		for d := xml.NewDecoder(f); ; {
			token, err := d.Token()
			if err != nil {
				break
			}
			switch token := token.(type) {
			case xml.StartElement:
				key = token.Name.Local
			case xml.CharData:
				object[key] += strings.TrimSpace(string(token))
			case xml.EndElement:
				key = ""
				if token.Name.Local != "object" {
					continue
				}
				n := func(k string) int { v, _ := strconv.Atoi(object[k]); return v }
				if n("xmax") > n("xmin") && n("ymax") > n("ymin") {
					labels[object["name"]]++
				} else {
					small++
				}
				clear(object)
			}
		}
	}
	return labels, small
}

// TestBloodCells reads a real data set of Pascal VOC, in which two boxes have
// no size, and takes it through every form that holds boxes.
func TestBloodCells(t *testing.T) {
	dir := testData(t, "bccd")
	files, err := filepath.Glob(filepath.Join(dir, "BCCD/Annotations/*.xml"))
	if err != nil || len(files) != 364 {
		t.Fatalf("%d annotations, %v", len(files), err)
	}
	want, small := countXML(t, files)
	if form, err := Detect(dir, Options{}); form != VOC || err != nil {
		t.Fatalf("Detect = %q, %v", form, err)
	}
	images, problems := load(t, dir, VOC, Options{})
	labels, splits := tally(images)
	if diff := gocmp.Diff(want, labels); diff != "" {
		t.Errorf("boxes (-XML +read):\n%s", diff)
	}
	if diff := gocmp.Diff(map[Split]int{Train: 205, Test: 87 + 72}, splits); diff != "" {
		t.Errorf("splits (-ImageSets +read):\n%s", diff)
	}
	if len(problems) != small || small != 2 {
		t.Errorf("problems: %q; want one for each of %d boxes without a size", problems, small)
	}
	for _, p := range problems {
		if !strings.Contains(p, "BloodImage_00338.xml") && !strings.Contains(p, "BloodImage_00343.xml") {
			t.Errorf("problem %q", p)
		}
	}
	for _, form := range []Form{COCO, VOC, YOLO} {
		t.Run(string(form), func(t *testing.T) {
			roundTrip(t, t.TempDir(), form, CustomLabels, images)
		})
	}
}

// TestCookies reads the sample of Lookout for Vision from its folders: the
// names of the files say what they show.
func TestCookies(t *testing.T) {
	dir := testData(t, "cookies")
	if form, err := Detect(dir, Options{Service: Lookout}); form != Folder || err != nil {
		t.Fatalf("Detect = %q, %v", form, err)
	}
	images, problems := load(t, dir, Auto, Options{Service: Lookout})
	if len(problems) > 0 {
		t.Errorf("problems: %q", problems)
	}
	type class struct {
		split  Split
		kind   Kind
		masked bool
	}
	got := map[class]int{}
	colors := map[string]string{}
	for _, img := range images {
		got[class{img.Split, img.Kind, img.Mask != nil}]++
		if img.Mask == nil {
			continue
		}
		maps.Copy(colors, img.Mask.Labels)
		if want := "mask-images/" + strings.TrimSuffix(filepath.Base(img.Name), ".jpg") + ".png"; !strings.HasSuffix(img.Mask.Name, want) {
			t.Errorf("the mask of %s is %s", img.Name, img.Mask.Name)
		}
	}
	want := map[class]int{
		{Train, Normal, false}:   31,
		{Train, Anomalous, true}: 32,
		{Test, Normal, false}:    countFiles(t, dir, "test-images/test-normal-*"),
		{Test, Anomalous, false}: countFiles(t, dir, "test-images/test-anomaly-*"),
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]string{"#23a436"}, slices.Collect(maps.Keys(colors))); diff != "" {
		t.Errorf("colours of masks (-want +got):\n%s", diff)
	}
	roundTrip(t, t.TempDir(), Folder, Lookout, images)
}

func countFiles(t *testing.T, dir, glob string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, glob))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s: %v", glob, err)
	}
	return len(files)
}
