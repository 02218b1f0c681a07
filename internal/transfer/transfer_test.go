package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/exchange"
)

// A fakeCollection is images and errors in memory.
type fakeCollection []any // *exchange.Image or error

func (c fakeCollection) Images() iter.Seq2[*exchange.Image, error] {
	return func(yield func(*exchange.Image, error) bool) {
		for _, i := range c {
			img, _ := i.(*exchange.Image)
			err, _ := i.(error)
			if !yield(img, err) {
				return
			}
		}
	}
}

func (c fakeCollection) Close() error { return nil }

// picture returns a PNG of that size.
func picture(t *testing.T, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withBytes gives an image its bytes.
func withBytes(img *exchange.Image, data []byte) *exchange.Image {
	img.Size = int64(len(data))
	img.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	return img
}

var testDate = time.Date(2026, 2, 3, 4, 5, 6, 789e6, time.UTC)

func TestLines(t *testing.T) {
	for _, tt := range []struct {
		name    string
		service fovea.Service
		s       subject
		want    string
	}{
		{"unlabelled (CL-5.12)", fovea.CustomLabels, subject{Image: &exchange.Image{}, key: `p/images/a "b".jpg`},
			`{"source-ref":"s3://b/p/images/a \"b\".jpg"}`},
		{"two labels (CL-5.20)", fovea.CustomLabels, subject{Image: &exchange.Image{Kind: exchange.Classification, Labels: []string{"leaf", "x-ref"}}, key: "k"},
			`{"source-ref":"s3://b/k","leaf":1,"leaf-metadata":{"confidence":1,"job-name":"labeling-job/leaf","class-name":"leaf","human-annotated":"yes","creation-date":"2026-02-03T04:05:06.789Z","type":"groundtruth/image-classification"},` +
				`"label-2":1,"label-2-metadata":{"confidence":1,"job-name":"labeling-job/label-2","class-name":"x-ref","human-annotated":"yes","creation-date":"2026-02-03T04:05:06.789Z","type":"groundtruth/image-classification"}}`},
		{"boxes (CL 5.4)", fovea.CustomLabels, subject{Image: &exchange.Image{Kind: exchange.Detection, Boxes: []exchange.Box{{Label: "z", Left: 1, Top: 2, Width: 3, Height: 4}, {Label: "a", Width: 9, Height: 8}}}, key: "k", width: 64, height: 65},
			`{"source-ref":"s3://b/k","BB":{"image_size":[{"width":64,"height":65,"depth":3}],"annotations":[{"class_id":1,"left":1,"top":2,"width":3,"height":4},{"class_id":0,"left":0,"top":0,"width":9,"height":8}]},` +
				`"BB-metadata":{"objects":[{"confidence":1},{"confidence":1}],"class-map":{"0":"a","1":"z"},"type":"groundtruth/object-detection","human-annotated":"yes","creation-date":"2026-02-03T04:05:06.789Z","job-name":"labeling-job/BB"}}`},
		{"normal (LV 5.2)", fovea.Lookout, subject{Image: &exchange.Image{Kind: exchange.Normal}, key: "k"},
			`{"source-ref":"s3://b/k","anomaly-label":0,"anomaly-label-metadata":{"confidence":1,"job-name":"labeling-job/anomaly-label","class-name":"normal","human-annotated":"yes","creation-date":"2026-02-03T04:05:06.789Z","type":"groundtruth/image-classification"}}`},
		{"mask (LV 5.2)", fovea.Lookout, subject{Image: &exchange.Image{Kind: exchange.Anomalous, Mask: &exchange.Mask{Labels: map[string]string{"#23a436": "dent", "#000001": "scratch"}}}, key: "k", mask: "m"},
			`{"source-ref":"s3://b/k","anomaly-label":1,"anomaly-label-metadata":{"confidence":1,"job-name":"labeling-job/anomaly-label","class-name":"anomaly","human-annotated":"yes","creation-date":"2026-02-03T04:05:06.789Z","type":"groundtruth/image-classification"},` +
				`"anomaly-mask-ref":"s3://b/m","anomaly-mask-ref-metadata":{"internal-color-map":{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0},"1":{"class-name":"dent","hex-color":"#23a436","confidence":0},"2":{"class-name":"scratch","hex-color":"#000001","confidence":0}},` +
				`"type":"groundtruth/semantic-segmentation","human-annotated":"yes","creation-date":"2026-02-03T04:05:06.789Z","job-name":"labeling-job/anomaly-mask-ref"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLiner(tt.service, "b", testDate)
			if diff := cmp.Diff(tt.want+"\n", string(l.append(nil, &tt.s))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLinesReadBack reads what was written: an entry is its image again.
func TestLinesReadBack(t *testing.T) {
	for _, img := range []*exchange.Image{
		{Kind: exchange.Unlabeled},
		{Kind: exchange.Classification, Labels: []string{"", "a b", "cl-errors", "errors", "label-1", "source-ref", "Ä\"\\", "x-metadata"}[1:]},
		{Kind: exchange.Detection, Width: 100, Height: 90, Depth: 1},
		{Kind: exchange.Detection, Width: 100, Height: 90, Depth: 3, Boxes: []exchange.Box{{Label: "z", Left: 1, Top: 2, Width: 3, Height: 4}, {Label: "a", Width: 9, Height: 8}}},
	} {
		slices.Sort(img.Labels)
		l := newLiner(fovea.CustomLabels, "b", testDate)
		line := l.append(nil, &subject{Image: img, key: "k", width: img.Width, height: img.Height})
		e, err := (&reader{service: fovea.CustomLabels}).read(bytes.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		got := &exchange.Image{Kind: e.kind, Labels: e.labels, Boxes: e.boxes, Width: e.width, Height: e.height, Depth: e.depth}
		if diff := cmp.Diff(img, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", line, diff)
		}
	}
}

// TestReadEntries reads lines as others write them.
func TestReadEntries(t *testing.T) {
	for _, tt := range []struct {
		name    string
		service fovea.Service
		line    string
		want    entry
		fails   bool
	}{
		{name: "not JSON", service: fovea.Lookout, line: "x", fails: true},
		{name: "no image", service: fovea.Lookout, line: `{"source-ref":3}`, fails: true},
		{name: "not in S3", service: fovea.Lookout, line: `{"source-ref":"file:///etc/passwd"}`, fails: true},
		{name: "no key", service: fovea.Lookout, line: `{"source-ref":"s3://b/"}`, fails: true},
		{name: "as the console of Lookout writes (LV-5.29)", service: fovea.Lookout,
			line: `{"source-ref":"S3://b/k","anomaly-label-metadata":{"class-name":"Anomaly","type":"groundtruth/image-classification"},"anomaly-label":1,` +
				`"anomaly-mask-ref-metadata":{"internal-color-map":{"0":{"class-name":"cracked","hex-color":"#23A436"},"1":{"class-name":"background","hex-color":"#ffffff"}},"type":"groundtruth/semantic-segmentation"},"anomaly-mask-ref":"s3://b/m"}`,
			want: entry{image: fovea.ObjectRef{Bucket: "b", Key: "k"}, mask: fovea.ObjectRef{Bucket: "b", Key: "m"}, kind: exchange.Anomalous, colors: map[string]string{"#23a436": "cracked"}}},
		{name: "decimals, and image_size as an object (CL-5.31, CL-5.33)", service: fovea.CustomLabels,
			line: `{"source-ref":"s3://b/k","x":{"image_size":{"width":10,"height":20,"depth":3},"annotations":[{"class_id":7,"left":1.6,"top":1e99,"width":2.4,"height":3},{"class_id":8},3]},` +
				`"x-metadata":{"class-map":{"7":"nut"},"type":"groundtruth/object-detection"}}`,
			want: entry{image: fovea.ObjectRef{Bucket: "b", Key: "k"}, kind: exchange.Detection, width: 10, height: 20, depth: 3,
				boxes: []exchange.Box{{Label: "nut", Left: 2, Width: 2, Height: 3}}}},
		{name: "types that lie", service: fovea.CustomLabels,
			line: `{"source-ref":"s3://b/k","x":[],"x-metadata":{"class-map":[],"type":"groundtruth/object-detection"},"y":1,"y-metadata":{"class-name":{},"type":"groundtruth/image-classification"},"z-metadata":7,"z":1}`,
			want: entry{image: fovea.ObjectRef{Bucket: "b", Key: "k"}, kind: exchange.Detection}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := (&reader{service: tt.service}).read([]byte(tt.line))
			if tt.fails {
				var f fault
				if !errors.As(err, &f) {
					t.Fatalf("error %v, want a fault", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got.imageAt, got.maskAt = [2]int{}, [2]int{}
			if diff := cmp.Diff(&tt.want, got, cmp.AllowUnexported(entry{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestRewritten(t *testing.T) {
	line := `{ "m-ref" : "s3://b/m", "m-ref-metadata":{"type":"groundtruth/semantic-segmentation"}, "keep": 1.50, "source-ref":"s3:\/\/b/k" }`
	e, err := (&reader{service: fovea.Lookout}).read([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	want := `{ "m-ref" : "s3://new/masks/m", "m-ref-metadata":{"type":"groundtruth/semantic-segmentation"}, "keep": 1.50, "source-ref":"s3://new/images/k" }`
	if got := string(e.rewritten(nil, []byte(line), "s3://new/images/k", "s3://new/masks/m")); got != want {
		t.Errorf("rewritten:\n%s\nwant\n%s", got, want)
	}
}

func FuzzReadEntry(f *testing.F) {
	f.Add(`{"source-ref":"s3://b/k","x":{"image_size":[{"width":1}],"annotations":[{"class_id":"7"}]},"x-metadata":{"class-map":{"7":"nut"},"type":"groundtruth/object-detection"}}`)
	f.Add(`{"source-ref":"s3://b/../k","a-ref":"s3://b/m","a-ref-metadata":{"internal-color-map":{"1":{"class-name":"a","hex-color":"#FF0000"}},"type":"groundtruth/semantic-segmentation"}}`)
	f.Fuzz(func(t *testing.T, line string) {
		for _, service := range []fovea.Service{fovea.CustomLabels, fovea.Lookout} {
			e, err := (&reader{service: service}).read([]byte(line))
			if err != nil {
				continue
			}
			r := &reader{service: service}
			again, err := r.read(e.rewritten(nil, []byte(line), "s3://x/image", "s3://x/mask"))
			if err != nil || again.image.Key != "image" || again.mask.Bucket != "" && again.mask.Key != "mask" {
				t.Fatalf("rewritten: %v, %+v", err, again)
			}
		}
	})
}

func TestSplitting(t *testing.T) {
	for _, tt := range []struct {
		text  string
		img   exchange.Image
		want  exchange.Split
		fails bool
	}{
		{text: "", want: exchange.Train},
		{text: "auto", img: exchange.Image{Split: exchange.Test}, want: exchange.Test},
		{text: "train", img: exchange.Image{Split: exchange.Test}, want: exchange.Train},
		{text: "test", want: exchange.Test},
		{text: "0/1", want: exchange.Test},
		{text: "0/1", img: exchange.Image{Split: exchange.Train}, want: exchange.Train},
		{text: "1/0", want: exchange.Train},
		{text: "0/0", fails: true},
		{text: "80", fails: true},
		{text: "-1/2", fails: true},
		{text: "99999/1", fails: true},
	} {
		s, err := ParseSplitting(tt.text)
		if (err != nil) != tt.fails {
			t.Errorf("%q: error %v", tt.text, err)
		}
		if got := s.of(&tt.img); err == nil && got != tt.want {
			t.Errorf("%q: %s, want %s", tt.text, got, tt.want)
		}
	}
	s, _ := ParseSplitting("80/20")
	tests := 0
	for i := range 10_000 {
		if s.of(&exchange.Image{Name: fmt.Sprintf("images/%05d.jpg", i)}) == exchange.Test {
			tests++
		}
	}
	if tests < 1850 || tests > 2150 {
		t.Errorf("80/20 puts %d of 10,000 images into test", tests)
	}
}

// TestKeys (T03): names that would lead elsewhere become no key.
func TestKeys(t *testing.T) {
	p := &place{bucket: "b", prefix: "p/"}
	for _, name := range []string{"", ".", "..", "../a", "a/../b", "/a", "a//b", "a/", `a\b`, "a\x00b", "a\nb", "a\xffb", strings.Repeat("a", 1020)} {
		if key, err := p.key(imageFolder, name); err == nil {
			t.Errorf("%q becomes the key %q", name, key)
		}
	}
	if key, err := p.key(imageFolder, "a/Ä b+%.jpg"); err != nil || key != "p/images/a/Ä b+%.jpg" {
		t.Errorf("key %q, %v", key, err)
	}
}

// TestFileNames (T03): keys become different paths below the folder, whatever
// they are.
func TestFileNames(t *testing.T) {
	seen := map[string]string{}
	for _, key := range []string{"a/b.jpg", "a//b.jpg", "/etc/passwd", "../../x", "..", ".", "a/.", "%2E%2E/x", `..\x`, `C:\x`, "a\x00b", "a\nb", "a\xffb", "a\uFFFDb", "a/", "%", "", "con:x",
		strings.Repeat("x", 300) + ".jpg", strings.Repeat("x", 301) + ".jpg", strings.Repeat("ä", 150) + ".jpg"} {
		name := fileName(key)
		if !validPath(name) {
			t.Errorf("%q becomes %q", key, name)
		}
		if other, ok := seen[name]; ok {
			t.Errorf("%q and %q both become %q", key, other, name)
		}
		seen[name] = key
	}
}

func FuzzFileName(f *testing.F) {
	for _, s := range []string{"a/b", "../..", "a//", "%2E", "\xff\x00"} {
		f.Add(s, s+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if x := fileName(a); !validPath(x) {
			t.Errorf("%q becomes %q", a, x)
		}
		if a != b && fileName(a) == fileName(b) {
			t.Errorf("%q and %q become one path", a, b)
		}
	})
}

// validPath reports whether every system takes a path for one below the folder.
func validPath(name string) bool {
	for _, part := range strings.Split(name, "/") {
		if part == "" || part == "." || part == ".." || len(part) > 255 || strings.ContainsAny(part, "\\\x00:") {
			return false
		}
	}
	return true
}

func TestStem(t *testing.T) {
	for _, tt := range []struct {
		name string
		keys []string
		want []string
	}{
		{"as import puts them", []string{"lookout/p/images/a/1.jpg", "lookout/p/images/a/2.jpg"}, []string{"a/1.jpg", "a/2.jpg"}},
		{"elsewhere", []string{"x/y/1.jpg", "x/z/2.jpg"}, []string{"y/1.jpg", "z/2.jpg"}},
		{"one", []string{"x/y/1.jpg"}, []string{"1.jpg"}},
		{"at the top", []string{"1.jpg", "images/1.jpg"}, []string{"1.jpg", "images/1.jpg"}},
		{"not whole folders", []string{"xa/1.jpg", "xb/1.jpg"}, []string{"xa/1.jpg", "xb/1.jpg"}},
		{"two folders images", []string{"images/a/images/1.jpg", "images/a/images/b/2.jpg"}, []string{"1.jpg", "b/2.jpg"}},
	} {
		s := stem{folder: "images"}
		var got []string
		for _, key := range tt.keys {
			s.add(fovea.ObjectRef{Bucket: "b", Key: key})
		}
		for _, key := range tt.keys {
			got = append(got, s.name(fovea.ObjectRef{Bucket: "b", Key: key}))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	s := stem{folder: "images"}
	s.add(fovea.ObjectRef{Bucket: "a", Key: "images/1"})
	s.add(fovea.ObjectRef{Bucket: "b", Key: "images/1"})
	if got := s.name(fovea.ObjectRef{Bucket: "b", Key: "images/1"}); got != "b/images/1" {
		t.Errorf("of two buckets the name is %q", got)
	}
}

func TestInOrder(t *testing.T) {
	numbers := func(yield func(int) bool) {
		for i := range 1000 {
			if !yield(i) {
				return
			}
		}
	}
	slow := func(_ context.Context, i int) int {
		if i%7 == 0 {
			time.Sleep(time.Millisecond)
		}
		return i
	}
	next := 0
	for got := range inOrder(t.Context(), numbers, 8, slow) {
		if got != next {
			t.Fatalf("got %d, want %d", got, next)
		}
		next++
	}
	if next != 1000 {
		t.Errorf("got %d of 1000", next)
	}
	for got := range inOrder(t.Context(), numbers, 8, slow) {
		if got == 20 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range inOrder(ctx, numbers, 8, slow) {
	}
}

// TestCountsOfBoxes: images with boxes of which the service takes none are
// unlabelled, and those of which it is said that they have none are not.
func TestCountsOfBoxes(t *testing.T) {
	boxed := &exchange.Image{Kind: exchange.Detection, Boxes: []exchange.Box{{Label: "nut", Width: 5, Height: 5}}}
	var got Counts
	got.add(boxed, exchange.Train, []string{"nut"})                         // Custom Labels
	got.add(boxed, exchange.Train, nil)                                     // Lookout for Vision
	got.add(&exchange.Image{Kind: exchange.Detection}, exchange.Train, nil) // there are none
	got.add(&exchange.Image{Kind: exchange.Unlabeled}, exchange.Train, nil) // nothing is known
	want := Counts{Images: 4, Train: 4, Boxes: 1, Unlabeled: 2, Labels: map[string]int64{"nut": 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got)\n%s", diff)
	}
}

func TestPlan(t *testing.T) {
	data := picture(t, 70, 80)
	var problems []string
	task := &ImportTask{
		Service: fovea.CustomLabels, Project: "p",
		Problem: func(err error, leftOut bool) { problems = append(problems, fmt.Sprint(leftOut, " ", err)) },
		Collection: fakeCollection{
			withBytes(&exchange.Image{Name: "1.png", Kind: exchange.Classification, Labels: []string{"leaf"}}, data),
			errors.New("x.xml: line 3: broken"),
			withBytes(&exchange.Image{Name: "2.png", Kind: exchange.Detection, Split: exchange.Test, Boxes: []exchange.Box{{Label: "nut", Width: 5, Height: 5}}}, data),
			withBytes(&exchange.Image{Name: "../3.png"}, data),
			withBytes(&exchange.Image{Name: "4.png"}, []byte("GIF89a not what it says")),
			withBytes(&exchange.Image{Name: "5.png", Kind: exchange.Detection, Width: 7, Height: 8}, data),
		},
	}
	plan, err := task.Plan(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	want := Counts{Images: 3, Bytes: 3 * int64(len(data)), Boxes: 1, Train: 2, Test: 1, Labels: map[string]int64{"leaf": 1, "nut": 1}, LeftOut: 3, Warnings: 1}
	if diff := cmp.Diff(want, plan.Counts); diff != "" {
		t.Errorf("counts (-want +got)\n%s", diff)
	}
	for i, text := range []string{"true x.xml: line 3: broken", `true "../3.png" is no path`, "true 4.png cannot be used: It is a GIF", "false 5.png is 70 x 80 pixels"} {
		if i >= len(problems) || !strings.HasPrefix(problems[i], text) {
			t.Errorf("problem %d of %q, want %q", i, problems, text)
		}
	}
	test, err := os.ReadFile(plan.Manifests[exchange.Test])
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(test, []byte(`"source-ref":"s3://fovea-datasets/custom-labels/p/images/2.png"`)) || !bytes.Contains(test, []byte(`{"width":70,"height":80,"depth":3}`)) {
		t.Errorf("the manifest is %s", test)
	}
}

func TestSameLines(t *testing.T) {
	bags := func(a, b string) bool {
		x, err1 := bagOf(strings.NewReader(a))
		y, err2 := bagOf(strings.NewReader(b))
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		return x == y
	}
	if !bags("a\nb\n", "b\r\n\na") || bags("a\na\n", "a\n") || bags("a\nb\n", "a\nc\n") {
		t.Error("lines are not compared as what they are")
	}
	for _, tt := range []struct {
		manifest, entries string
		dropped           int64
		want              bool
	}{
		{"a\nb\nc\n", "a\nc\n", 1, true},
		{"a\nb\nc\n", "a\nb\n", 1, true},
		{"a\nb\nc\n", "a\n", 1, false},
		{"a\nb\nc\n", "c\na\n", 1, false},
		{"a\nb\nc\n", "a\nb\nc\nd\n", 1, false},
	} {
		got, err := without(strings.NewReader(tt.manifest), strings.NewReader(tt.entries), tt.dropped)
		if err != nil || got != tt.want {
			t.Errorf("without(%q, %q, %d) = %v, %v", tt.manifest, tt.entries, tt.dropped, got, err)
		}
	}
	for _, err := range linesOf(strings.NewReader(strings.Repeat("x", maxLine+1))) {
		if !errors.Is(err, errLongLine) {
			t.Errorf("a long line: %v", err)
		}
	}
}
