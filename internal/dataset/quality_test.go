package dataset_test

import (
	"context"
	"fmt"
	"image"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/blob/mem"
	"fovea/internal/dataset"
	"fovea/internal/lookout"
	"fovea/internal/qualitytest"
	"fovea/internal/rekognition"
)

// An album is a manifest with its pictures.
type album struct {
	objects
	lines []string
}

// add adds a line with its picture, unless it has none.
func (a *album) add(key, file, line string) {
	if file != "" {
		a.objects[fovea.ObjectRef{Bucket: "imgs", Key: key}] = file
	}
	a.lines = append(a.lines, line)
}

// text returns the manifest.
func (a *album) text() string { return strings.Join(a.lines, "\n") + "\n" }

// imageLine is a line with a label of the whole image.
func imageLine(key, label string) string {
	return fmt.Sprintf(`{"source-ref":"s3://imgs/%s","c":1,"c-metadata":{"class-name":%q,"confidence":1,"type":"groundtruth/image-classification","human-annotated":"yes","creation-date":"2021-06-22T10:10:48"}}`, key, label)
}

// scenes returns an album of n different pictures of 80x64 with one label.
func scenes(n int, label string) *album {
	a := &album{objects: objects{}}
	for i := range n {
		key := fmt.Sprintf("%s/%d.png", label, i)
		a.add(key, pngOf(qualitytest.Scene(uint64(i), 80, 64)), imageLine(key, label))
	}
	return a
}

// changed returns a scene to which a change of qualitytest was made.
func changed(t testing.TB, seed uint64, name string) image.Image {
	t.Helper()
	for _, c := range qualitytest.Changes {
		if c.Name == name {
			return c.Apply(qualitytest.Scene(seed, 80, 64))
		}
	}
	t.Fatalf("there is no change %q", name)
	return nil
}

// doubts returns what was found about quality, in short.
func doubts(t testing.TB, r *dataset.CheckResult) (list []string) {
	t.Helper()
	codes := map[string]bool{}
	for _, c := range dataset.QualityCodes() {
		codes[c] = true
	}
	err := r.Findings(context.Background(), func(f *dataset.Finding) error {
		if codes[f.Code] {
			list = append(list, fmt.Sprintf("%d %s %s", f.Line, strings.TrimPrefix(f.Code, "WARNING_"), f.Found))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func decoding(o fovea.Objects) *dataset.ImageCheck {
	return &dataset.ImageCheck{Objects: o, Quality: true}
}

// TestQualityImages: each thing that is wrong with images is found at its line,
// and nothing else, also where the manifest is cut and only some images are
// compared at a time.
func TestQualityImages(t *testing.T) {
	a := scenes(30, "ok")
	copied := func(seed int) string {
		return a.objects[fovea.ObjectRef{Bucket: "imgs", Key: fmt.Sprintf("ok/%d.png", seed)}]
	}
	a.add("31.png", copied(3), imageLine("31.png", "ok"))
	a.add("32.png", copied(4), imageLine("32.png", "other"))
	a.add("33.jpg", jpegOf(changed(t, 5, "turned by 90°")), imageLine("33.jpg", "ok"))
	a.add("34.png", pngOf(qualitytest.Scene(6, 800, 640)), imageLine("34.png", "ok"))
	a.add("35.png", pngOf(image.NewGray(image.Rect(0, 0, 80, 64))), imageLine("35.png", "ok"))
	a.add("36.png", pngOf(image.NewGray(image.Rect(0, 0, 80, 65))), imageLine("36.png", "ok"))
	a.add("3.png", "", imageLine("ok/3.png", "ok")) // a duplicate line is none of the image's
	want := []string{
		"31 DUPLICATE_IMAGE It has the bytes of the image of line 4.",
		"32 LABEL_UNSPLITTABLE The label \"other\" is on 1 image.",
		"32 LABEL_IMBALANCE The label \"other\" is on 1 image.",
		"32 DUPLICATE_IMAGE It has the bytes of the image of line 5.",
		"32 DUPLICATE_LABELS Its labels are not those of line 5.",
		"33 NEAR_DUPLICATE It is like the image of line 6: similarity",
		"34 SIZE_OUTLIER It is 800x640, 512000 pixels.",
		"34 SHARPNESS_OUTLIER",
		"34 NEAR_DUPLICATE It is like the image of line 7: similarity",
		"35 BRIGHTNESS_OUTLIER Its brightness is 0 of 255.",
		"35 SHARPNESS_OUTLIER Its sharpness is 0.",
		"36 BRIGHTNESS_OUTLIER Its brightness is 0 of 255.",
		"36 SHARPNESS_OUTLIER Its sharpness is 0.",
	}
	var first []string
	for _, width := range []int64{0, 700} {
		for _, stride := range []int{0, 1, 7} {
			c := decoding(a)
			c.SetStride(stride)
			got := doubts(t, check(t, rekognition.Profile(rekognition.Limits()), a.text(), width, c))
			if first == nil {
				first = got
				same := len(got) == len(want)
				for i := 0; same && i < len(got); i++ {
					same = strings.HasPrefix(got[i], want[i])
				}
				if !same {
					t.Fatalf("findings:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
			if diff := gocmp.Diff(first, got); diff != "" {
				t.Errorf("ranges of %d, %d at a time (-want +got):\n%s", width, stride, diff)
			}
		}
	}
}

// TestQualityDamaged: what only a decoder notices is told.
func TestQualityDamaged(t *testing.T) {
	a := scenes(3, "ok")
	file := jpegOf(qualitytest.Scene(9, 200, 160))
	broken := file[:len(file)/2] + file[len(file)-2:] // with its end
	a.add("b.jpg", broken, imageLine("b.jpg", "ok"))
	lines := about(t, check(t, rekognition.Profile(rekognition.Limits()), a.text(), 0, decoding(a)))
	if diff := gocmp.Diff([]string{"4 IMAGE_DAMAGED /source-ref It is a damaged JPEG: invalid JPEG format: missing 0xff00 sequence."}, lines); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if lines := about(t, check(t, rekognition.Profile(rekognition.Limits()), a.text(), 0, &dataset.ImageCheck{Objects: a})); lines != nil {
		t.Errorf("without decoding: %q", lines)
	}
}

// boxes returns a line with boxes of labels at places.
func boxesLine(key string, w, h int, boxes ...string) string {
	var annotations, classes, objects []string
	for i, b := range boxes {
		label, place, _ := strings.Cut(b, " ")
		var l, top, bw, bh int
		fmt.Sscan(place, &l, &top, &bw, &bh)
		annotations = append(annotations, fmt.Sprintf(`{"class_id":%d,"left":%d,"top":%d,"width":%d,"height":%d}`, i, l, top, bw, bh))
		classes = append(classes, fmt.Sprintf(`"%d":%q`, i, label))
		objects = append(objects, `{"confidence":1}`)
	}
	return fmt.Sprintf(`{"source-ref":"s3://imgs/%s","bb":{"image_size":[{"width":%d,"height":%d,"depth":3}],"annotations":[%s]},"bb-metadata":{"objects":[%s],"class-map":{%s},"type":"groundtruth/object-detection","human-annotated":"yes","creation-date":"2021-06-22T10:10:48"}}`,
		key, w, h, strings.Join(annotations, ","), strings.Join(objects, ","), strings.Join(classes, ","))
}

// turnedJPEG returns a JPEG with an EXIF orientation.
func turnedJPEG(m image.Image, orientation byte) string {
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) + "\x00\x00\x00\x00\x00\x00"
	file := jpegOf(m)
	return file[:2] + "\xff\xe1\x00" + string(byte(2+len(exif))) + exif + file[2:]
}

// TestQualityLabels: labels and boxes that do not go together.
func TestQualityLabels(t *testing.T) {
	a := scenes(12, "scratch")
	for i, line := range []string{
		boxesLine("k.jpg", 80, 64, "bolt 5 5 20 20", "nut 5 6 20 20", "nut 6 6 20 20", "nut 40 5 20 20"),
		boxesLine("k.jpg", 80, 64, "scratch 5 5 20 20"),
		boxesLine("k.jpg", 80, 64, "Scratch 5 5 20 20"),
	} {
		key := fmt.Sprintf("%d.jpg", i)
		a.add(key, jpegOf(qualitytest.Scene(uint64(100+i), 80, 64)), strings.Replace(line, "k.jpg", key, 1))
	}
	for i, line := range []string{boxesLine("k.jpg", 64, 80, "bolt 5 5 20 20"), boxesLine("k.jpg", 80, 64, "bolt 5 5 20 20"), imageLine("k.jpg", "scratch")} {
		key := fmt.Sprintf("turned%d.jpg", i)
		a.add(key, turnedJPEG(qualitytest.Scene(uint64(200+i), 80, 64), 6), strings.Replace(line, "k.jpg", key, 1))
	}
	got := doubts(t, check(t, rekognition.Profile(rekognition.Limits()), a.text(), 0, decoding(a)))
	want := []string{
		`1 LABEL_MIXED_USE The label "scratch" is on boxes in 1 images and on the whole image in 13 others.`,
		`13 BOXES_COINCIDE It shares 90 % with the box at /bb/annotations/0, whose label is "bolt".`,
		`13 BOX_TWICE It shares 90 % with the box at /bb/annotations/1, labelled "nut".`,
		`13 MIXED_LABEL_KINDS 5 images have boxes, and 13 have only labels of the whole image.`,
		`13 LABEL_RARE The label "bolt" is on 3 images.`,
		`13 LABEL_UNSPLITTABLE The label "nut" is on 1 image.`,
		`15 LABEL_UNSPLITTABLE The label "Scratch" is on 1 image.`,
		`15 SIMILAR_LABELS There are the labels "scratch" and "Scratch".`,
		`16 EXIF_ORIENTATION Its EXIF orientation is 6: it is stored as 80x64 and shown turned by 90°.`,
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestQualityMasks: Lookout's classes and masks.
func TestQualityMasks(t *testing.T) {
	a := &album{objects: objects{}}
	for i := range 24 {
		key := fmt.Sprintf("%d.png", i)
		line := fmt.Sprintf(`{"source-ref":"s3://imgs/%s","l":0,"l-metadata":{"class-name":"normal","type":"groundtruth/image-classification","human-annotated":"yes"}}`, key)
		if i >= 20 {
			line = strings.Replace(strings.Replace(line, `"l":0`, `"l":1`, 1), "normal", "anomaly", 1)
		}
		if i == 23 {
			line = strings.TrimSuffix(line, "}") + `,"m-ref":"s3://imgs/m.png","m-ref-metadata":{"internal-color-map":{"0":{"class-name":"dent","hex-color":"#ff0000"}},"type":"groundtruth/semantic-segmentation","human-annotated":"yes"}}`
		}
		a.add(key, pngOf(qualitytest.Scene(uint64(i), 80, 64)), line)
	}
	a.objects[fovea.ObjectRef{Bucket: "imgs", Key: "m.png"}] = pngOf(area(80, 64, image.Black.C))
	got := doubts(t, check(t, lookout.Profile(lookout.Limits()), a.text(), 0, decoding(a)))
	want := []string{
		`21 LABEL_RARE The label "anomaly" is on 4 images.`,
		`24 MIXED_MASKS 1 anomalous images have a mask with a label, and 3 have none.`,
		`24 LABEL_UNSPLITTABLE The label "dent" is on 1 image.`,
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestQualityBothSplits: what is in train and test is told of the one that is
// checked, or imported, second.
func TestQualityBothSplits(t *testing.T) {
	train := scenes(25, "ok")
	test := &album{objects: train.objects}
	for i := range 3 {
		key := fmt.Sprintf("new%d.png", i)
		test.add(key, pngOf(qualitytest.Scene(uint64(1000+i), 80, 64)), imageLine(key, "ok"))
	}
	test.add("ok/7.png", "", imageLine("ok/7.png", "ok"))
	test.add("mirrored.jpg", jpegOf(changed(t, 8, "mirrored")), imageLine("mirrored.jpg", "ok"))
	want := []string{
		"4 IMAGE_IN_BOTH_SPLITS It has the bytes of the image of line 8 of the train dataset",
		"5 IMAGE_IN_BOTH_SPLITS It is like the image of line 9 of the train dataset",
	}
	same := func(t *testing.T, got []string) {
		t.Helper()
		n := 0
		for _, f := range got {
			if strings.Contains(f, "BOTH_SPLITS") {
				if n == len(want) || !strings.HasPrefix(f, want[n]) {
					t.Errorf("finding %q", f)
				}
				n++
			}
		}
		if n != len(want) {
			t.Errorf("findings %q", got)
		}
	}
	profile := rekognition.Profile(rekognition.Limits())
	first := check(t, profile, train.text(), 0, decoding(train))
	r, err := dataset.Check(context.Background(), dataset.CheckSpec{
		Profile: profile, Split: fovea.Test, Source: strings.NewReader(test.text()), Blobs: new(mem.Blobs), Images: decoding(train), Other: first.Earlier(),
		Manifest: fovea.ObjectInfo{Ref: fovea.ObjectRef{Key: "test"}, Size: int64(len(test.text()))},
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, doubts(t, r))

	w := newWorld(t, profile)
	w.ImportRange, w.Images = 1000, decoding(train)
	w.load(t, fovea.Train, train.text())
	_, found := w.report(t, w.load(t, fovea.Test, test.text()))
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%d %s %s", f.Line, strings.TrimPrefix(f.Code, "WARNING_"), f.Found))
	}
	same(t, got)
}

// TestQualityUpdate: an update is no dataset, so only its images are opened.
func TestQualityUpdate(t *testing.T) {
	a := scenes(25, "ok")
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.Images = decoding(a)
	w.load(t, fovea.Train, a.text())
	_, found := w.report(t, w.change(t, fovea.Train, imageLine("ok/1.png", "rare")))
	if len(found) != 0 {
		t.Errorf("findings: %+v", found)
	}
}

// TestQualityAgain: an import that breaks off, wherever, and runs again ends as
// one that did not, also if what was seen of a range is lost meanwhile.
func TestQualityAgain(t *testing.T) {
	a := scenes(30, "ok")
	a.add("again.png", a.objects[fovea.ObjectRef{Bucket: "imgs", Key: "ok/3.png"}], imageLine("again.png", "ok"))
	world := func() *world {
		w := newWorld(t, rekognition.Profile(rekognition.Limits()))
		w.ImportRange, w.Workers, w.Images = 2000, 1, decoding(a)
		return w
	}
	clean := world()
	clean.load(t, fovea.Train, a.text())
	want := clean.state(t, fovea.Train)
	for n := int64(1); n < 10; n++ {
		w := world()
		kept := w.Blobs
		f := &faulty{Blobs: kept}
		w.Blobs = f
		f.left.Store(n)
		job := w.create(t, fovea.Train, a.text())
		if err := w.RunImport(context.Background(), job); err == nil {
			t.Fatalf("%d blobs: the import was to be broken off", n)
		}
		w.Blobs = kept
		if n%2 == 0 {
			for info, err := range kept.List(context.Background(), "seen/") {
				if err != nil {
					t.Fatal(err)
				}
				if err := kept.Delete(context.Background(), info.Name); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.RunImport(context.Background(), job); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, w.state(t, fovea.Train)); diff != "" {
			t.Fatalf("%d blobs (-want +got):\n%s", n, diff)
		}
	}
}

// TestQualityOtherLost: a dataset is imported whatever has become of what was
// seen of the other one.
func TestQualityOtherLost(t *testing.T) {
	a := scenes(5, "ok")
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.Images = decoding(a)
	w.load(t, fovea.Train, a.text())
	for info, err := range w.Blobs.List(context.Background(), "seen/") {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Blobs.Put(context.Background(), info.Name, strings.NewReader("fovea.seen.1\n\x00\x00\x00\x01cut")); err != nil {
			t.Fatal(err)
		}
	}
	if v := w.load(t, fovea.Test, a.text()); v.Dataset.Status != fovea.Created {
		t.Errorf("%+v", v.Dataset)
	}
}

// TestQualitySweep: what was seen stays as long as its dataset.
func TestQualitySweep(t *testing.T) {
	a := scenes(3, "ok")
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.Images, w.SweepAge = decoding(a), -1
	w.load(t, fovea.Train, a.text())
	left := func() (n int) {
		if err := w.RunSweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, err := range w.Blobs.List(context.Background(), "seen/") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	if n := left(); n != 1 {
		t.Errorf("%d blobs are left of a dataset", n)
	}
	err := w.Delete(context.Background(), w.project, fovea.Train, nil, func(*fovea.Project, *fovea.Dataset) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	if n := left(); n != 0 {
		t.Errorf("%d blobs are left of no dataset", n)
	}
}
