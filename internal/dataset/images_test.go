package dataset_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/blob/mem"
	"fovea/internal/dataset"
	"fovea/internal/lookout"
	"fovea/internal/rekognition"
)

// pictures are objects as an import finds them: slow, and sometimes failing.
type pictures struct {
	objects
	delay time.Duration
	fail  func(call int, ref fovea.ObjectRef) error // may be nil

	mu                sync.Mutex
	calls, open, most int
	reads             map[string]int64 // bytes asked for, by key
}

func (p *pictures) enter(ctx context.Context, ref fovea.ObjectRef, n int64) error {
	p.mu.Lock()
	p.calls++
	p.open++
	p.most = max(p.most, p.open)
	call := p.calls
	if p.reads == nil {
		p.reads = map[string]int64{}
	}
	p.reads[ref.Key] += n
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.open--
		p.mu.Unlock()
	}()
	if p.delay > 0 {
		select {
		case <-time.After(p.delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if p.fail != nil {
		return p.fail(call, ref)
	}
	return nil
}

func (p *pictures) Stat(ctx context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	if err := p.enter(ctx, ref, 0); err != nil {
		return fovea.ObjectInfo{}, err
	}
	if _, ok := p.objects[ref]; !ok {
		return fovea.ObjectInfo{}, fovea.Errorf(fovea.BadObject, "%s: %w", ref, fs.ErrNotExist)
	}
	return p.objects.Stat(ctx, ref)
}

func (p *pictures) Read(ctx context.Context, info fovea.ObjectInfo, off, n int64) (io.ReadCloser, error) {
	if err := p.enter(ctx, info.Ref, n); err != nil {
		return nil, err
	}
	return p.objects.Read(ctx, info, off, n)
}

func pngOf(m image.Image) string {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.String()
}

func jpegOf(m image.Image) string {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		panic(err)
	}
	return b.String()
}

func gray(w, h int) image.Image { return image.NewGray(image.Rect(0, 0, w, h)) }

// area returns a white image whose upper left quarter has a colour.
func area(w, h int, c color.Color) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	for y := range h / 2 {
		for x := range w / 2 {
			m.Set(x, y, c)
		}
	}
	return m
}

// check checks a manifest and its images.
func check(t testing.TB, profile fovea.Profile, text string, width int64, images *dataset.ImageCheck) *dataset.CheckResult {
	t.Helper()
	r, err := dataset.Check(context.Background(), dataset.CheckSpec{
		Profile: profile, Split: fovea.Train, Source: strings.NewReader(text), Blobs: new(mem.Blobs), Images: images, Range: width,
		Manifest: fovea.ObjectInfo{Ref: fovea.ObjectRef{Key: "m"}, Size: int64(len(text))},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// about returns the findings about images and masks, in short.
func about(t testing.TB, r *dataset.CheckResult) (list []string) {
	t.Helper()
	err := r.Findings(context.Background(), func(f *dataset.Finding) error {
		if !strings.HasPrefix(f.Code, "WARNING_IMAGE_") && !isMaskCode(f.Code) {
			return nil
		}
		if f.Severity != "warning" || f.Message == "" || f.Found == "" || f.Expected == "" || f.Mend == "" || f.SourceRef == "" {
			t.Errorf("finding = %+v", f)
		}
		list = append(list, fmt.Sprintf("%d %s %s %s", f.Line, strings.TrimPrefix(f.Code, "WARNING_"), f.Pointer, f.Found))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func isMaskCode(code string) bool {
	for _, s := range []string{"MISSING", "UNREADABLE", "FORMAT", "DAMAGED", "TOO_LARGE", "DIMENSIONS", "COLORS", "EMPTY"} {
		if code == "WARNING_MASK_"+s {
			return true
		}
	}
	return false
}

// TestImagesOfBoxes (CL-6.39, CL-6.40, CL-10.10 to CL-10.14): what is wrong
// with an image is told as a warning, and the dataset is as without it.
func TestImagesOfBoxes(t *testing.T) {
	good := jpegOf(gray(640, 480))
	turned := good[:2] + "\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00" + jpegOf(gray(480, 640))[2:]
	cmyk := strings.Replace(good, "\xff\xc0\x00\x0b\x08\x01\xe0\x02\x80\x01\x01\x11\x00", "\xff\xc0\x00\x14\x08\x01\xe0\x02\x80\x04\x01\x11\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00", 1)
	noise := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for i, x := 0, uint32(1); i < len(noise.Pix); i++ {
		x = x*1664525 + 1013904223
		noise.Pix[i] = byte(x >> 24)
	}
	for _, tt := range []struct {
		name, object string
		fail         error
		want         string
		mend         string
	}{
		{name: "good JPEG", object: good},
		{name: "good PNG, whatever its name", object: pngOf(gray(640, 480))},
		{name: "large and good", object: pngOf(noise)},
		{name: "missing", want: "IMAGE_MISSING /source-ref The object s3://imgs/a.jpg does not exist."},
		{name: "forbidden", object: good, fail: fovea.Errorf(fovea.Denied, "s3://imgs/a.jpg: AccessDenied"), want: "IMAGE_UNREADABLE /source-ref s3://imgs/a.jpg: AccessDenied"},
		{name: "bad object", object: good, fail: fovea.Errorf(fovea.BadObject, "s3://imgs/a.jpg: InvalidObjectState"), want: "IMAGE_UNREADABLE /source-ref s3://imgs/a.jpg: InvalidObjectState"},
		{name: "GIF", object: "GIF89a\x40\x00\x40\x00", want: "IMAGE_FORMAT /source-ref It is a GIF.", mend: "Convert"},
		{name: "empty", object: "", want: "IMAGE_FORMAT /source-ref It is empty.", mend: "Upload the image again."},
		{name: "half", object: pngOf(noise)[:200_000], want: "IMAGE_DAMAGED /source-ref It is a PNG that ends too early.", mend: "Upload the image again, in whole"},
		{name: "12 bits", object: strings.Replace(good, "\xff\xc0\x00\x0b\x08", "\xff\xc1\x00\x0b\x0c", 1), want: "IMAGE_DAMAGED /source-ref It is a JPEG with 12 bits a sample instead of 8.", mend: "Save the image again"},
		{name: "T05 bomb", object: strings.Replace(good, "\xff\xc0\x00\x0b\x08\x01\xe0\x02\x80", "\xff\xc0\x00\x0b\x08\xff\xff\xff\xff", 1), want: "IMAGE_DIMENSIONS /source-ref It is 65535x65535. + IMAGE_SIZE_MISMATCH /BB/image_size It is 65535x65535 and image_size says 640x480."},
		{name: "too many bytes", object: good + strings.Repeat("\xff\x13", 8<<20), want: "IMAGE_TOO_LARGE /source-ref It has 1678"},
		{name: "too small", object: jpegOf(gray(63, 64)), want: "IMAGE_DIMENSIONS /source-ref It is 63x64. + IMAGE_SIZE_MISMATCH"},
		{name: "too large", object: jpegOf(gray(4097, 480)), want: "IMAGE_DIMENSIONS /source-ref It is 4097x480. + IMAGE_SIZE_MISMATCH"},
		{name: "too long", object: jpegOf(gray(1281, 64)), want: "IMAGE_ASPECT_RATIO /source-ref It is 1281x64. + IMAGE_SIZE_MISMATCH"},
		{name: "just not too long", object: jpegOf(gray(1280, 64)), want: "IMAGE_SIZE_MISMATCH /BB/image_size It is 1280x64 and image_size says 640x480."},
		{name: "another size", object: jpegOf(gray(800, 480)), want: "IMAGE_SIZE_MISMATCH /BB/image_size It is 800x480 and image_size says 640x480.", mend: "Correct image_size and the boxes, or the source-ref"},
		{name: "scaled", object: jpegOf(gray(320, 240)), want: "IMAGE_SIZE_MISMATCH /BB/image_size It is 320x240 and image_size says 640x480.", mend: "Multiply the boxes by 0.5"},
		{name: "swapped", object: jpegOf(gray(480, 640)), want: "IMAGE_SIZE_MISMATCH /BB/image_size It is 480x640 and image_size says 640x480.", mend: "Swap width and height"},
		{name: "LV-5.53 turned", object: turned, want: "IMAGE_SIZE_MISMATCH /BB/image_size It is 480x640 and image_size says 640x480.", mend: "Turn the pixels of the image and remove its EXIF orientation, 6"},
		{name: "T05 CMYK", object: cmyk, want: "IMAGE_COLORS /source-ref It is a CMYK JPEG.", mend: "Convert the image to RGB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &pictures{objects: objects{}}
			if tt.want == "" || !strings.Contains(tt.want, "MISSING") {
				p.objects[fovea.ObjectRef{Bucket: "imgs", Key: "a.jpg"}] = tt.object
			}
			if tt.fail != nil {
				p.fail = func(int, fovea.ObjectRef) error { return tt.fail }
			}
			line := boxLine("a.jpg", "bolt")
			profile := rekognition.Profile(rekognition.Limits())
			r := check(t, profile, line, 0, &dataset.ImageCheck{Objects: p})
			var want []string
			if tt.want != "" {
				want = strings.Split(tt.want, " + ")
			}
			got := about(t, r)
			if len(got) != len(want) {
				t.Fatalf("findings = %q, want %q", got, want)
			}
			for i := range want {
				if !strings.HasPrefix(got[i], "1 "+want[i]) {
					t.Errorf("finding = %q, want %q", got[i], want[i])
				}
			}
			r.Findings(context.Background(), func(f *dataset.Finding) error {
				if tt.mend != "" && !strings.HasPrefix(f.Mend, tt.mend) {
					t.Errorf("mend = %q", f.Mend)
				}
				if at := strings.Index(line, f.Pointer[strings.LastIndex(f.Pointer, "/")+1:]) + len(f.Pointer[strings.LastIndex(f.Pointer, "/")+1:]) + 2; f.Column != at+1 || f.Offset != int64(at) {
					t.Errorf("the finding about %s is at column %d, offset %d, want %d", f.Pointer, f.Column, f.Offset, at)
				}
				return nil
			})
			if n := p.reads["a.jpg"]; n > 80<<10 {
				t.Errorf("%d bytes were read", n)
			}
			sum := r.Summary()
			if sum.Entries != 1 || sum.Dropped != 0 || sum.Errors != 0 || sum.Findings != int64(len(want)) || sum.Left != 0 {
				t.Errorf("summary = %+v", sum)
			}
		})
	}
}

// TestImagesLifted: with lifted limits only what is no limit is told.
func TestImagesLifted(t *testing.T) {
	p := &pictures{objects: objects{{Bucket: "imgs", Key: "a.jpg"}: jpegOf(gray(5000, 20)) + strings.Repeat("\xff\x13", 8<<20)}}
	got := about(t, check(t, rekognition.Profile(rekognition.Limits().Lifted()), boxLine("a.jpg", "bolt"), 0, &dataset.ImageCheck{Objects: p}))
	if diff := gocmp.Diff([]string{"1 IMAGE_SIZE_MISMATCH /BB/image_size It is 5000x20 and image_size says 640x480."}, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// maskLine returns a line of Lookout with a mask, "" for none.
func maskLine(key, class, mask string, colors ...string) string {
	line := fmt.Sprintf(`{"source-ref":"s3://imgs/%s","anomaly-label":%d,"anomaly-label-metadata":{"confidence":1,"job-name":"j","class-name":%q,"human-annotated":"yes","creation-date":"2022-02-04T22:47:07","type":"groundtruth/image-classification"}`,
		key, map[string]int{"anomaly": 1}[class], class)
	if mask != "" {
		entries := []string{`"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0}`}
		for i, c := range colors {
			name, hex, _ := strings.Cut(c, " ")
			entries = append(entries, fmt.Sprintf(`"%d":{"class-name":%q,"hex-color":%q,"confidence":0}`, i+1, name, hex))
		}
		line += fmt.Sprintf(`,"anomaly-mask-ref":"s3://imgs/%s","anomaly-mask-ref-metadata":{"internal-color-map":{%s},"type":"groundtruth/semantic-segmentation","human-annotated":"yes","creation-date":"2022-02-04T22:47:07","job-name":"j"}`,
			mask, strings.Join(entries, ","))
	}
	return line + "}"
}

// TestImagesOfMasks (LV-5.40 to LV-5.48, LV-14.20).
func TestImagesOfMasks(t *testing.T) {
	green, red := color.RGBA{0x2c, 0xa0, 0x2c, 255}, color.RGBA{0xff, 0, 0, 255}
	spots := area(100, 100, green).(*image.RGBA)
	for i := range 100 {
		spots.Set(50+i%10, 50+i/10, red) // 1 %
	}
	more := area(100, 100, green).(*image.RGBA)
	for i := range 101 {
		more.Set(50+i%10, 50+i/10, red)
	}
	scratch := []string{"scratch #2CA02C", "dent #1f77b4"}
	for _, tt := range []struct {
		name   string
		class  string
		mask   string // the object; "-" for none
		colors []string
		want   string
		mend   string
	}{
		{name: "good", class: "anomaly", mask: pngOf(area(100, 100, green)), colors: scratch},
		{name: "LV-14.20 few strays", class: "anomaly", mask: pngOf(spots), colors: scratch},
		{name: "LV-14.20 many strays", class: "anomaly", mask: pngOf(more), colors: scratch,
			want: "MASK_COLORS /anomaly-mask-ref-metadata/internal-color-map It has 1.01 % of its pixels in other colours, most of them #ff0000.", mend: `Write "#ff0000" as hex-color of "dent"`},
		{name: "LV-5.42 another colour", class: "anomaly", mask: pngOf(area(100, 100, red)), colors: scratch,
			want: "MASK_COLORS /anomaly-mask-ref-metadata/internal-color-map It has 25 % of its pixels in other colours, most of them #ff0000.", mend: "Correct the colours"},
		{name: "empty", class: "anomaly", mask: pngOf(area(100, 100, color.White)), colors: scratch, want: "MASK_EMPTY /anomaly-mask-ref It has nothing but background."},
		{name: "LV-5.41 another size", class: "anomaly", mask: pngOf(area(100, 90, green)), colors: scratch, want: "MASK_DIMENSIONS /anomaly-mask-ref It is 100x90 and the image is 100x100."},
		{name: "LV-5.30 dummy of a normal image", class: "normal", mask: pngOf(area(16, 16, color.White))},
		{name: "LV-5.38 mask of a normal image", class: "normal", mask: pngOf(area(100, 100, red)), colors: scratch},
		{name: "missing", class: "anomaly", mask: "-", colors: scratch, want: "MASK_MISSING /anomaly-mask-ref The object s3://imgs/m.png does not exist."},
		{name: "missing, normal image", class: "normal", mask: "-", colors: scratch, want: "MASK_MISSING /anomaly-mask-ref The object s3://imgs/m.png does not exist."},
		{name: "LV-5.40 JPEG", class: "anomaly", mask: jpegOf(area(100, 100, green)), colors: scratch, want: "MASK_FORMAT /anomaly-mask-ref It is a JPEG.", mend: "Convert the mask"},
		{name: "LV-5.40 JPEG, normal image", class: "normal", mask: jpegOf(area(100, 100, green)), colors: scratch, want: "MASK_FORMAT /anomaly-mask-ref It is a JPEG."},
		{name: "half", class: "anomaly", mask: pngOf(spots)[:200], colors: scratch, want: "MASK_DAMAGED /anomaly-mask-ref It is a PNG that ends too early."},
		{name: "T05 bomb", class: "anomaly", mask: pngOf(image.NewPaletted(image.Rect(0, 0, 5000, 10), color.Palette{color.White})), colors: scratch, want: "MASK_TOO_LARGE /anomaly-mask-ref It has 5000x10 pixels, more than 4096 in a direction."},
		{name: "too many bytes", class: "anomaly", mask: pngOf(area(100, 100, green)) + strings.Repeat("x", 8<<20), colors: scratch, want: "MASK_TOO_LARGE /anomaly-mask-ref It has 83"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &pictures{objects: objects{{Bucket: "imgs", Key: "a.jpg"}: jpegOf(gray(100, 100))}}
			if tt.mask != "-" {
				p.objects[fovea.ObjectRef{Bucket: "imgs", Key: "m.png"}] = tt.mask
			}
			r := check(t, lookout.Profile(lookout.Limits()), maskLine("a.jpg", tt.class, "m.png", tt.colors...), 0, &dataset.ImageCheck{Objects: p})
			got := about(t, r)
			if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], "1 "+tt.want)) {
				t.Errorf("findings = %q, want %q", got, tt.want)
			}
			r.Findings(context.Background(), func(f *dataset.Finding) error {
				if !strings.HasPrefix(f.Mend, tt.mend) {
					t.Errorf("mend = %q", f.Mend)
				}
				return nil
			})
		})
	}
}

// TestImagesDiffer (LV-5.51): the first images of another size than most are
// told, whatever the ranges; all are counted.
func TestImagesDiffer(t *testing.T) {
	p := &pictures{objects: objects{}}
	var lines []string
	for i := range 60 {
		m := gray(100, 100)
		if i < 5 || i%4 == 0 {
			m = gray(100, 64+i%3)
		}
		key := fmt.Sprintf("%d.jpg", i)
		p.objects[fovea.ObjectRef{Bucket: "imgs", Key: key}] = jpegOf(m)
		lines = append(lines, maskLine(key, "normal", ""))
	}
	var want string
	for _, width := range []int64{0, 5000, 700} {
		r := check(t, lookout.Profile(lookout.Limits()), strings.Join(lines, "\n"), width, &dataset.ImageCheck{Objects: p})
		got := about(t, r)
		if len(got) != 10 || got[0] != "1 IMAGE_DIMENSIONS_DIFFER /source-ref It is 100x64." || got[9] != "25 IMAGE_DIMENSIONS_DIFFER /source-ref It is 100x64." {
			t.Errorf("width %d: findings = %q", width, got)
		}
		if sum := r.Summary(); sum.Codes["WARNING_IMAGE_DIMENSIONS_DIFFER"] != 18 || sum.Findings != 10 || sum.Left != 8 {
			t.Errorf("width %d: summary = %+v", width, sum)
		}
		if s := reportOf(t, r); want == "" {
			want = s
		} else if diff := gocmp.Diff(want, s); diff != "" {
			t.Errorf("width %d: differs from one range (-want +got):\n%s", width, diff)
		}
	}
	profile := lookout.Profile(lookout.Limits())
	profile.SameSize = false
	if got := about(t, check(t, profile, strings.Join(lines, "\n"), 0, &dataset.ImageCheck{Objects: p})); got != nil {
		t.Errorf("where sizes may differ: %q", got)
	}
}

func reportOf(t testing.TB, r *dataset.CheckResult) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteReport(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// mixed returns a manifest of n lines, some of them dropped and some twice,
// and its images, of which some are missing, of the wrong size or no images.
func mixed(n int) (string, objects) {
	o, good, small := objects{}, jpegOf(gray(640, 480)), jpegOf(gray(320, 240))
	var lines []string
	for i := range n {
		key := fmt.Sprintf("%d.jpg", i)
		ref := fovea.ObjectRef{Bucket: "imgs", Key: key}
		switch i % 10 {
		case 3:
		case 5:
			o[ref] = small
		case 7:
			o[ref] = "GIF89a"
		default:
			o[ref] = good
		}
		switch {
		case i%23 == 22:
			lines = append(lines, "{}")
		case i%29 == 28:
			lines = append(lines, boxLine("3.jpg", "bolt"))
		default:
			lines = append(lines, boxLine(key, "bolt"))
		}
	}
	return strings.Join(lines, "\n"), o
}

// TestImagesParallel: so many images are looked at beside each other and no
// more, also by several workers, and what is found is the same in any case.
func TestImagesParallel(t *testing.T) {
	text, o := mixed(2000)
	var want string
	for _, tt := range []struct {
		parallel int
		width    int64
		seconds  float64 // that 3,800 calls of 10 ms take; some more for the last of each range
	}{{0, 0, 2.4}, {1, 0, 38}, {16, 30_000, 3}, {50, 200_000, 1}} {
		synctest.Test(t, func(t *testing.T) {
			p := &pictures{objects: o, delay: 10 * time.Millisecond}
			start := time.Now()
			r := check(t, rekognition.Profile(rekognition.Limits()), text, tt.width, &dataset.ImageCheck{Objects: p, Parallel: tt.parallel})
			if parallel := cmp.Or(tt.parallel, dataset.DefaultParallelImages); p.most != parallel {
				t.Errorf("%+v: %d calls beside each other", tt, p.most)
			}
			if took := time.Since(start).Seconds(); took > tt.seconds {
				t.Errorf("%+v: took %.3f s, %d calls", tt, took, p.calls)
			}
			if s := reportOf(t, r); want == "" {
				want = s
			} else if diff := gocmp.Diff(want, s); diff != "" {
				t.Errorf("%+v: another report (-want +got):\n%s", tt, diff)
			}
		})
	}
	if n := strings.Count(want, "WARNING_IMAGE_MISSING"); n < 200 {
		t.Errorf("%d missing images are told", n)
	}
}

// TestImagesChangeNothing: the dataset is the same with and without the check,
// but for the warnings in the report.
func TestImagesChangeNothing(t *testing.T) {
	text, o := mixed(300)
	var want string
	for _, images := range []*dataset.ImageCheck{nil, {Objects: &pictures{objects: o}}} {
		w := newWorld(t, rekognition.Profile(rekognition.Limits()))
		w.ImportRange, w.Images = 20_000, images
		w.load(t, fovea.Train, text)
		s, _, _ := strings.Cut(w.state(t, fovea.Train), "\n[{\"report\"")
		if want == "" {
			want = s
		} else if diff := gocmp.Diff(want, s); diff != "" {
			t.Errorf("with the check (-without +with):\n%s", diff)
		}
	}
}

// TestImagesOutage: storage that fails makes the import fail in a way that is
// tried again, and then it ends as if nothing had been. Ranges that were done
// are not done again.
func TestImagesOutage(t *testing.T) {
	text, o := mixed(300)
	clean := newWorld(t, rekognition.Profile(rekognition.Limits()))
	p := &pictures{objects: o}
	clean.ImportRange, clean.Workers, clean.Images = 20_000, 1, &dataset.ImageCheck{Objects: p}
	clean.load(t, fovea.Train, text)
	want, calls := clean.state(t, fovea.Train), p.calls

	for _, outage := range []error{errors.New("connection refused"), fovea.Errorf(fovea.Throttled, "slow down")} {
		for _, n := range []int{1, 2, 100, calls - 1, calls} {
			w := newWorld(t, rekognition.Profile(rekognition.Limits()))
			p := &pictures{objects: o, fail: func(call int, _ fovea.ObjectRef) error {
				if call == n {
					return outage
				}
				return nil
			}}
			w.ImportRange, w.Workers, w.Images = 20_000, 1, &dataset.ImageCheck{Objects: p}
			job := w.create(t, fovea.Train, text)
			if err := w.RunImport(context.Background(), job); err == nil || fovea.KindOf(err) != fovea.Internal ||
				!strings.Contains(err.Error(), "s3://imgs/") || !strings.Contains(err.Error(), outage.Error()) {
				t.Fatalf("call %d: err = %v", n, err)
			}
			if s := w.view(t, fovea.Train).Dataset.Status; s != fovea.Creating {
				t.Errorf("call %d: the dataset is %s", n, s)
			}
			done := p.calls
			if err := w.RunImport(context.Background(), job); err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(want, w.state(t, fovea.Train)); diff != "" {
				t.Fatalf("call %d (-want +got):\n%s", n, diff)
			}
			if again := p.calls - done; n >= calls-1 && again > calls/2 {
				t.Errorf("call %d: %d of %d calls were made again", n, again, calls)
			}
		}
	}
}

// TestImagesSwitchedOn: ranges that were done without the check are done again
// with it.
func TestImagesSwitchedOn(t *testing.T) {
	text, o := mixed(100)
	images := &dataset.ImageCheck{Objects: &pictures{objects: o}}
	clean := newWorld(t, rekognition.Profile(rekognition.Limits()))
	clean.ImportRange, clean.Images = 10_000, images
	clean.load(t, fovea.Train, text)

	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.ImportRange, w.Workers = 10_000, 1
	f := &faulty{Blobs: w.Blobs}
	w.Blobs = f
	f.left.Store(8)
	job := w.create(t, fovea.Train, text)
	if err := w.RunImport(context.Background(), job); err == nil {
		t.Fatal("the import was to be broken off")
	}
	w.Images = images
	if err := w.RunImport(context.Background(), job); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(clean.state(t, fovea.Train), w.state(t, fovea.Train)); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

// TestImagesEnd: storage that hangs does not hang the check, and a check that
// is told to end does.
func TestImagesEnd(t *testing.T) {
	text, o := mixed(200)
	spec := dataset.CheckSpec{
		Profile: rekognition.Profile(rekognition.Limits()), Split: fovea.Train, Source: strings.NewReader(text),
		Manifest: fovea.ObjectInfo{Ref: fovea.ObjectRef{Key: "m"}, Size: int64(len(text))},
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		spec.Blobs = new(mem.Blobs)
		spec.Images = &dataset.ImageCheck{Objects: &pictures{objects: o, delay: time.Hour}, Timeout: 5 * time.Second}
		_, err := dataset.Check(context.Background(), spec)
		if !errors.Is(err, context.DeadlineExceeded) || fovea.KindOf(err) != fovea.Internal || time.Since(start) != 5*time.Second {
			t.Errorf("after %v: err = %v", time.Since(start), err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		spec.Blobs = new(mem.Blobs)
		spec.Images = &dataset.ImageCheck{Objects: &pictures{objects: o, delay: 400 * time.Millisecond}}
		_, err := dataset.Check(ctx, spec)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("after %v: err = %v", time.Since(start), err)
		}
	})
}

// TestImagesReplaced: an object that is replaced while it is looked at is a
// finding.
func TestImagesReplaced(t *testing.T) {
	ref := fovea.ObjectRef{Bucket: "imgs", Key: "a.jpg"}
	p := &pictures{objects: objects{ref: jpegOf(gray(640, 480))}}
	p.fail = func(call int, _ fovea.ObjectRef) error {
		if call == 2 {
			p.objects[ref] += "more"
		}
		return nil
	}
	got := about(t, check(t, rekognition.Profile(rekognition.Limits()), boxLine("a.jpg", "bolt"), 0, &dataset.ImageCheck{Objects: p}))
	if diff := gocmp.Diff([]string{"1 IMAGE_UNREADABLE /source-ref s3://imgs/a.jpg has changed"}, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestImagesCookies: the official example of Lookout for Vision, with its real
// photographs and masks, is clean; each damage is found, and nothing else.
func TestImagesCookies(t *testing.T) {
	folder := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../../shared/data"), "cookies", "dataset-files")
	template, err := os.ReadFile(filepath.Join(folder, "manifests", "template.manifest"))
	if err != nil {
		t.Skipf("no cookies here, set FOVEA_TEST_DATA: %v", err)
	}
	text := string(template)
	all := objects{}
	for _, sub := range []string{"training-images", "mask-images"} {
		text = strings.ReplaceAll(text, `"`+sub+"/", `"s3://cookies/`+sub+"/")
		entries, err := os.ReadDir(filepath.Join(folder, sub))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(folder, sub, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			all[fovea.ObjectRef{Bucket: "cookies", Key: sub + "/" + e.Name()}] = string(data)
		}
	}
	photo := fovea.ObjectRef{Bucket: "cookies", Key: "training-images/anomaly-3.jpg"}
	mask := fovea.ObjectRef{Bucket: "cookies", Key: "mask-images/anomaly-3.png"}
	for _, tt := range []struct {
		name   string
		change func(o objects)
		text   string
		want   []string
	}{
		{name: "clean", change: func(objects) {}, text: text},
		{name: "photograph missing", change: func(o objects) { delete(o, photo) }, text: text, want: []string{"3 IMAGE_MISSING /source-ref The object s3://cookies/training-images/anomaly-3.jpg does not exist."}},
		{name: "photograph cut", change: func(o objects) { o[photo] = o[photo][:len(o[photo])-1000] }, text: text, want: []string{"3 IMAGE_DAMAGED /source-ref It is a JPEG that ends too early."}},
		{name: "photograph is a mask", change: func(o objects) { o[photo] = o[photo][:0] + "GIF89a" }, text: text, want: []string{"3 IMAGE_FORMAT /source-ref It is a GIF."}},
		{name: "photograph scaled", change: func(o objects) { o[photo] = jpegOf(gray(288, 384)) }, text: text, want: []string{
			"3 MASK_DIMENSIONS /anomaly-mask-ref It is 576x768 and the image is 288x384.", "3 IMAGE_DIMENSIONS_DIFFER /source-ref It is 288x384."}},
		{name: "mask missing", change: func(o objects) { delete(o, mask) }, text: text, want: []string{"3 MASK_MISSING /anomaly-mask-ref The object s3://cookies/mask-images/anomaly-3.png does not exist."}},
		{name: "mask cut", change: func(o objects) { o[mask] = o[mask][:len(o[mask])/2] }, text: text, want: []string{"3 MASK_DAMAGED /anomaly-mask-ref It is a PNG that ends too early."}},
		{name: "mask is a photograph", change: func(o objects) { o[mask] = o[photo] }, text: text, want: []string{"3 MASK_FORMAT /anomaly-mask-ref It is a JPEG."}},
		{name: "another colour in the map", change: func(objects) {}, text: strings.Replace(text, "#23A436", "#A42336", 1), want: []string{"1 MASK_COLORS /anomaly-mask-ref-metadata/internal-color-map"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := objects{}
			for ref, data := range all {
				o[ref] = data
			}
			tt.change(o)
			got := about(t, check(t, lookout.Profile(lookout.Limits()), tt.text, 0, &dataset.ImageCheck{Objects: &pictures{objects: o}}))
			if len(got) != len(tt.want) {
				t.Fatalf("findings = %q, want %q", got, tt.want)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("finding = %q, want %q", got[i], want)
				}
			}
		})
	}
}
