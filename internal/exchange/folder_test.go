package exchange

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestFolders(t *testing.T) {
	labeled := func(name string, split Split, label string) flat {
		return flat{Name: name, Split: split, Kind: Classification, Labels: []string{label}}
	}
	for _, tt := range []struct {
		name     string
		files    []string
		want     []flat
		problems []string
	}{
		{name: "labels", files: []string{"cat/1.jpg", "cat/deep/er/2.jpg", "ein Hund/1.jpg", "loose.jpg"}, want: []flat{
			labeled("cat/1.jpg", "", "cat"), labeled("cat/deep/er/2.jpg", "", "cat"), labeled("ein Hund/1.jpg", "", "ein Hund"), {Name: "loose.jpg"},
		}},
		{name: "splits", files: []string{"training/a/1.jpg", "Validation/a/1.jpg", "test/b/1.jpg", "test/2.jpg"}, want: []flat{
			labeled("Validation/a/1.jpg", Test, "a"), {Name: "test/2.jpg", Split: Test}, labeled("test/b/1.jpg", Test, "b"), labeled("training/a/1.jpg", Train, "a"),
		}},
		{name: "splits in a folder", files: []string{"data/train/a/1.jpg", "data/val/a/1.jpg"}, want: []flat{
			labeled("data/train/a/1.jpg", Train, "a"), labeled("data/val/a/1.jpg", Test, "a"),
		}},
		{name: "a label that is called as a split", files: []string{"train/1.jpg", "car/1.jpg"}, want: []flat{
			labeled("car/1.jpg", "", "car"), labeled("train/1.jpg", "", "train"),
		}},
		{name: "without labels", files: []string{"images/1.jpg", "unlabelled/2.jpg"}, want: []flat{{Name: "images/1.jpg"}, {Name: "unlabelled/2.jpg"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{}
			for _, name := range tt.files {
				files[name] = "image"
			}
			checkRead(t, files, Folder, Options{}, tt.want, tt.problems)
		})
	}
}

func TestLookoutFolders(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		want  []flat
	}{
		{name: "console (LV-5.63)", files: []string{"normal/1.jpg", "anomaly/deep/1.jpg", "other/1.jpg"}, want: []flat{
			{Name: "anomaly/deep/1.jpg", Kind: Anomalous}, {Name: "normal/1.jpg", Kind: Normal}, {Name: "other/1.jpg", Kind: Anomalous},
		}},
		{name: "circuit boards (LV-5.66)", files: []string{"train/normal/1.jpg", "train/anomaly/2.jpg", "test/normal/1.jpg", "test/anomaly/4.jpg", "extra_images/5.jpg"}, want: []flat{
			{Name: "extra_images/5.jpg"},
			{Name: "test/anomaly/4.jpg", Split: Test, Kind: Anomalous}, {Name: "test/normal/1.jpg", Split: Test, Kind: Normal},
			{Name: "train/anomaly/2.jpg", Split: Train, Kind: Anomalous}, {Name: "train/normal/1.jpg", Split: Train, Kind: Normal},
		}},
		{name: "good and bad", files: []string{"data/Good/1.jpg", "data/BAD/1.jpg"}, want: []flat{
			{Name: "data/BAD/1.jpg", Kind: Anomalous}, {Name: "data/Good/1.jpg", Kind: Normal},
		}},
		{name: "names of files (LV-5.65)", files: []string{"training-images/normal-1.jpg", "training-images/anomaly-1.jpg", "test-images/test-normal-1.jpg", "training-images/abnormally.jpg"}, want: []flat{
			{Name: "test-images/test-normal-1.jpg", Split: Test, Kind: Normal},
			{Name: "training-images/abnormally.jpg", Split: Train},
			{Name: "training-images/anomaly-1.jpg", Split: Train, Kind: Anomalous}, {Name: "training-images/normal-1.jpg", Split: Train, Kind: Normal},
		}},
		{name: "no word for normal", files: []string{"a/1.jpg", "b/1.jpg"}, want: []flat{{Name: "a/1.jpg"}, {Name: "b/1.jpg"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{}
			for _, name := range tt.files {
				files[name] = "image"
			}
			checkRead(t, files, Folder, Options{Service: Lookout}, tt.want, nil)
		})
	}
}

// drawing returns a PNG of 100 x 80 pixels of a background with a rectangle of
// 10 x 10 pixels in each colour.
func drawing(t *testing.T, background color.Color, colors ...color.Color) string {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 100, 80))
	if _, gray := background.(color.Gray); gray {
		return encode(t, paint(image.NewGray(img.Rect), background, colors))
	}
	return encode(t, paint(img, background, colors))
}

type canvas interface {
	image.Image
	Set(x, y int, c color.Color)
}

func paint(img canvas, background color.Color, colors []color.Color) image.Image {
	for y := range 80 {
		for x := range 100 {
			img.Set(x, y, background)
			if n := x / 10; n < len(colors) && y < 10 {
				img.Set(x, y, colors[n])
			}
		}
	}
	return img
}

func encode(t *testing.T, img image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	red, green  = color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 128, 0, 255}
	transparent = color.NRGBA{}
)

// TestMVTec reads the layout of MVTec AD: defects by folder, and masks without
// colours, which become masks as Lookout for Vision has them.
func TestMVTec(t *testing.T) {
	dir := folder(t, map[string]string{
		"bottle/train/good/000.png": "image", "bottle/test/good/000.png": "image",
		"bottle/test/broken_large/000.png": "image", "bottle/test/contamination/000.png": "image", "bottle/test/contamination/001.png": "image",
		"bottle/ground_truth/broken_large/000_mask.png":  drawing(t, color.Gray{0}, color.Gray{255}),
		"bottle/ground_truth/contamination/000_mask.png": drawing(t, color.Gray{0}, color.Gray{1}, color.Gray{200}),
		"bottle/ground_truth/contamination/007_mask.png": drawing(t, color.Gray{0}, color.Gray{255}),
		"bottle/license.txt":                             "x",
	})
	images, problems := load(t, dir, Auto, Options{Service: Lookout})
	checkProblems(t, problems, []string{"007_mask.png is in a folder for masks, and there is no anomalous image"})
	var got []string
	for _, img := range images {
		text := img.Name
		if img.Mask != nil {
			for c, label := range img.Mask.Labels {
				text += " " + label + " in " + c
			}
			checkMask(t, img.Mask)
		}
		got = append(got, text)
	}
	want := []string{
		"bottle/test/broken_large/000.png broken_large in " + colorOf(1).String(),
		"bottle/test/contamination/000.png contamination in " + colorOf(2).String(),
		"bottle/test/contamination/001.png",
		"bottle/test/good/000.png", "bottle/train/good/000.png",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
}

// checkMask checks that a mask without colours is white now, but for where it
// was not black.
func checkMask(t *testing.T, m *Mask) {
	t.Helper()
	b := bytesOf(t, m.Open)
	if int64(len(b)) != m.Size {
		t.Errorf("the mask has %d bytes, and says %d", len(b), m.Size)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := img.At(99, 79).RGBA(); r&g&b != 0xffff {
		t.Error("the background is not white")
	}
	r, g, bl, _ := img.At(0, 0).RGBA()
	if c := color.RGBA64Model.Convert(color.RGBA{byte(r >> 8), byte(g >> 8), byte(bl >> 8), 255}); c == color.White {
		t.Error("the defect is white")
	}
}

func TestMasks(t *testing.T) {
	for _, tt := range []struct {
		name, mask string
		want       map[string]string
		problems   []string
	}{
		{name: "a colour on white", mask: drawing(t, color.White, red), want: map[string]string{"#ff0000": "defect"}},
		{name: "a colour on nothing", mask: drawing(t, transparent, green), want: map[string]string{"#008000": "defect"}},
		{name: "two colours", mask: drawing(t, color.White, red, green), want: map[string]string{"#ff0000": "defectff0000", "#008000": "defect008000"}},
		{name: "black and white", mask: drawing(t, color.Gray{0}, color.Gray{255}), want: map[string]string{colorOf(0).String(): "defect"}},
		{name: "nothing", mask: drawing(t, color.White), problems: []string{"masks/1.png marks nothing"}},
		{name: "no PNG", mask: "\xff\xd8\xff\xe0 JPEG", problems: []string{"masks/1.png: "}},
		{name: "another size", mask: string(picture(t, "x.png", 16, 16, 9)), problems: []string{"masks/1.png has 16 x 16 pixels, and its image anomaly/1.jpg has 100 x 80"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkRead(t, map[string]string{"anomaly/1.jpg": "image", "normal/1.jpg": "image", "masks/1.png": tt.mask}, Folder, Options{Service: Lookout}, []flat{
				{Name: "anomaly/1.jpg", Kind: Anomalous, MaskLabels: tt.want}, {Name: "normal/1.jpg", Kind: Normal},
			}, tt.problems)
		})
	}
}

// TestColors: the colours of masks differ, and none is near white.
func TestColors(t *testing.T) {
	seen := map[string]bool{}
	for i := range maxDefects {
		c := colorOf(i)
		if seen[c.String()] || c>>16&255 > 200 || c>>8&255 > 200 || c&255 > 200 {
			t.Errorf("colour %d is %v", i, c)
		}
		seen[c.String()] = true
	}
}

// TestLinks: a link within the folder is followed to a file; others are
// refused by name.
func TestLinks(t *testing.T) {
	outside := folder(t, map[string]string{"secret.jpg": "image"})
	dir := folder(t, map[string]string{"cat/1.jpg": "image"})
	for name, to := range map[string]string{
		"cat/2.jpg": "1.jpg", "cat/out.jpg": filepath.Join(outside, "secret.jpg"), "cat/up.jpg": "../../../../etc/passwd", "loop": ".", "cat/gone.jpg": "nowhere.jpg",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	images, problems := load(t, dir, Folder, Options{})
	checkProblems(t, problems, []string{"cat/gone.jpg cannot be read", "cat/out.jpg cannot be read, or leads out", "cat/up.jpg cannot be read, or leads out", "loop is a link to a folder"})
	if len(images) != 2 {
		t.Errorf("%d images", len(images))
	}
}

// TestMaxFiles: a folder with more files than allowed is refused.
func TestMaxFiles(t *testing.T) {
	if _, err := Open(folder(t, samples[Folder]), Auto, Options{MaxFiles: 2}); err == nil {
		t.Error("no error")
	}
}
