package exchange

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A flat is what is compared of an image.
type flat struct {
	Name                 string
	Size                 int64
	Split                Split
	Width, Height, Depth int
	Kind                 Kind
	Labels               []string
	Boxes                []Box
	Content              string
	Mask                 string
	MaskLabels           map[string]string
}

// flatten returns what is compared of images: under the names that they were
// written to, if there are some.
func flatten(t testing.TB, images []*Image, names map[string]string) []flat {
	var all []flat
	for _, img := range images {
		f := flat{
			Name: cmp.Or(names[img.Name], img.Name), Size: img.Size, Split: img.Split,
			Width: img.Width, Height: img.Height, Depth: img.Depth,
			Kind: img.Kind, Labels: img.Labels, Boxes: img.Boxes, Content: sum(t, img.Open),
		}
		if img.Mask != nil {
			f.Mask, f.MaskLabels = sum(t, img.Mask.Open), img.Mask.Labels
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b flat) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func sum(t testing.TB, open func() (io.ReadCloser, error)) string {
	return fmt.Sprintf("%x", sha256.Sum256(bytesOf(t, open)))
}

// roundTrip writes images, reads them again and compares.
func roundTrip(t testing.TB, dir string, form Form, service string, images []*Image) {
	t.Helper()
	names := map[string]string{}
	opts := WriteOptions{Written: func(name, path string) { names[name] = path }}
	if err := Write(dir, form, sequence(images), opts); err != nil {
		t.Fatal(err)
	}
	if found, err := Detect(dir, Options{Service: service}); err != nil || found != form {
		t.Fatalf("Detect = %q, %v; want %q", found, err, form)
	}
	again, problems := load(t, dir, form, Options{Service: service})
	if diff := gocmp.Diff(flatten(t, images, names), flatten(t, again, nil)); diff != "" {
		t.Errorf("out and in (-out +in):\n%s", diff)
	}
	if len(problems) > 0 {
		t.Errorf("problems: %q", problems)
	}
	clear(names)
	if err := Write(dir, form, sequence(again), opts); err != nil {
		t.Fatal(err)
	}
	for from, to := range names {
		if from != to {
			t.Errorf("the second time, %s was written to %s", from, to)
		}
	}
}

// elems are elements of names that give trouble.
var elems = []string{
	"a", "b", "A", "images", "labels", "Annotations", "JPEGImages", "train", "test2", "val", "x.y", " lead", "trail ",
	"ümläut", "日本", "a&b<c>", `q"uo'te`, "c,omma", "semi;colon", "#hash", "%41", "[b]", "{c}", "- d", "e: f", "masks", "normal", "img", "ImageSets",
}

// names are labels that give trouble.
var names = []string{
	"cat", "dog", "a b", `say "x"`, "it's", "<tag> & more", "x, y", "1; 2", "日本語", "naïve", "# no comment", "- item", "key: value",
	"[list]", "{map}", "null", "0", "true", "~", "!tag", "&anchor", "*alias", "a\\b", "tab-less", "=1+1", "'", `"`, "%", "good", "🍪",
}

// drawName draws the name of an image.
func drawName(t *rapid.T) string {
	dirs := rapid.SliceOfN(rapid.SampledFrom(elems), 1, 4).Draw(t, "name")
	return path.Join(dirs...) + rapid.SampledFrom([]string{".jpg", ".png", ".JPG", ".jpeg"}).Draw(t, "ext")
}

// drawBox draws a box in an image, often on its border.
func drawBox(t *rapid.T, width, height int) Box {
	left := rapid.OneOf(rapid.Just(0), rapid.IntRange(0, width-2)).Draw(t, "left")
	top := rapid.OneOf(rapid.Just(0), rapid.IntRange(0, height-2)).Draw(t, "top")
	return Box{
		Label: rapid.SampledFrom(names).Draw(t, "label"), Left: left, Top: top,
		Width:  rapid.OneOf(rapid.Just(width-left), rapid.IntRange(2, width-left)).Draw(t, "width"),
		Height: rapid.OneOf(rapid.Just(height-top), rapid.IntRange(2, height-top)).Draw(t, "height"),
	}
}

// drawImages draws images whose kind and labels fill sets.
func drawImages(t *rapid.T, tb testing.TB, fill func(t *rapid.T, img *Image)) (images []*Image) {
	seen := map[string]bool{}
	for range rapid.IntRange(1, 6).Draw(t, "images") {
		name := drawName(t)
		key := strings.ToLower(stem(name))
		key = strings.TrimPrefix(strings.TrimPrefix(key, "images/"), "jpegimages/") // where it is written to
		if seen[key] || inTheWay(seen, key) {
			continue
		}
		seen[key] = true
		width, height := rapid.IntRange(2, 200).Draw(t, "w"), rapid.IntRange(2, 200).Draw(t, "h")
		ext := ".jpg"
		if strings.HasSuffix(name, ".png") {
			ext = ".png"
		}
		b := picture(tb, "x"+ext, width, height, byte(len(images)))
		img := &Image{Name: name, Size: int64(len(b)), Width: width, Height: height, Depth: 1, Open: opener(b)}
		fill(t, img)
		images = append(images, img)
	}
	return images
}

// inTheWay tells whether one path goes through another.
func inTheWay(seen map[string]bool, key string) bool {
	for other := range seen {
		if strings.HasPrefix(other, key+".") || strings.HasPrefix(key, other+".") {
			return true
		}
	}
	return false
}

func drawSplit(t *rapid.T) Split {
	return rapid.SampledFrom([]Split{NoSplit, Train, Test}).Draw(t, "split")
}

func TestBoxesRoundTrip(t *testing.T) {
	for _, form := range []Form{COCO, VOC, YOLO} {
		t.Run(string(form), func(t *testing.T) {
			n := 0
			rapid.Check(t, func(r *rapid.T) {
				images := drawImages(r, t, func(r *rapid.T, img *Image) {
					img.Kind = rapid.SampledFrom([]Kind{Detection, Detection, Unlabeled}).Draw(r, "kind")
					img.Split = drawSplit(r)
					if img.Kind == Unlabeled {
						if form == COCO {
							img.Split = NoSplit
						}
						return
					}
					for range rapid.IntRange(0, 5).Draw(r, "boxes") {
						img.Boxes = append(img.Boxes, drawBox(r, img.Width, img.Height))
					}
				})
				if !slices.ContainsFunc(images, func(img *Image) bool { return img.Kind == Detection }) {
					r.Skip("nothing to tell the form by")
				}
				n++
				dir := filepath.Join(t.TempDir(), fmt.Sprint(n))
				roundTrip(r2{t, r}, dir, form, CustomLabels, images)
				os.RemoveAll(dir)
			})
		})
	}
}

// r2 reports failures to rapid, so that it makes the example smaller, and
// takes the rest from the test.
type r2 struct {
	*testing.T
	r *rapid.T
}

func (t r2) Errorf(format string, args ...any) { t.r.Errorf(format, args...) }
func (t r2) Fatalf(format string, args ...any) { t.r.Fatalf(format, args...) }
func (t r2) Fatal(args ...any)                 { t.r.Fatal(args...) }

func TestFolderRoundTrip(t *testing.T) {
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		parted := rapid.Bool().Draw(r, "parted")
		images := drawImages(r, t, func(r *rapid.T, img *Image) {
			if parted {
				img.Split = rapid.SampledFrom([]Split{Train, Test}).Draw(r, "split")
			}
			if rapid.IntRange(0, 3).Draw(r, "unlabeled") > 0 {
				img.Kind, img.Labels = Classification, []string{rapid.SampledFrom(names).Draw(r, "label")}
			}
		})
		for _, img := range images {
			if img.Kind == Classification && (strings.ContainsAny(img.Labels[0], `/\`)) {
				img.Labels[0] = "other"
			}
		}
		n++
		dir := filepath.Join(t.TempDir(), fmt.Sprint(n))
		roundTrip(r2{t, r}, dir, Folder, CustomLabels, images)
		os.RemoveAll(dir)
	})
}

func TestMasksRoundTrip(t *testing.T) {
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		parted := rapid.Bool().Draw(r, "parted")
		images := drawImages(r, t, func(r *rapid.T, img *Image) {
			if parted {
				img.Split = rapid.SampledFrom([]Split{Train, Test}).Draw(r, "split")
			}
			img.Kind = rapid.SampledFrom([]Kind{Normal, Anomalous, Unlabeled}).Draw(r, "kind")
			if img.Kind != Anomalous || rapid.Bool().Draw(r, "unmasked") {
				return
			}
			b := picture(t, "x.png", img.Width, img.Height, 200)
			img.Mask = &Mask{Name: "m/" + img.Name, Size: int64(len(b)), Open: opener(b), Labels: map[string]string{}}
			for _, c := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"#23a436", "#000000", "#ff0000"}), func(c string) string { return c }).Draw(r, "colors") {
				img.Mask.Labels[c] = rapid.SampledFrom(names).Draw(r, "label")
			}
		})
		n++
		dir := filepath.Join(t.TempDir(), fmt.Sprint(n))
		roundTrip(r2{t, r}, dir, Folder, Lookout, images)
		os.RemoveAll(dir)
	})
}
