package repair_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fovea"
	"fovea/internal/blob/mem"
	"fovea/internal/dataset"
	"fovea/internal/lookout"
	"fovea/internal/rekognition"
	"fovea/internal/repair"
)

const (
	imageLine = `{"source-ref":"s3://imgs/1.jpg", "c":1,"c-metadata":{"class-name":"ok","confidence":1,"type":"groundtruth/image-classification","human-annotated":"yes","creation-date":"2021-06-22T10:10:48"}}`
	boxLine   = `{"source-ref":"s3://imgs/2.jpg","bb":{"image_size":[{"width":640,"height":480,"depth":3}],"annotations":[{"class_id":0,"left":10,"top":20,"width":100,"height":80},{"class_id":1,"left":1,"top":2,"width":10,"height":8}]},"bb-metadata":{"objects":[{"confidence":1},{"confidence":1}],"class-map":{"0":"bolt","1":"nut"},"type":"groundtruth/object-detection","human-annotated":"yes","creation-date":"2021-06-22T10:10:48"}}`
	maskLine  = `{"source-ref":"s3://imgs/3.jpg","l":1,"l-metadata":{"class-name":"anomaly","type":"groundtruth/image-classification","human-annotated":"yes"},"m-ref":"s3://imgs/m/3.jpg","m-ref-metadata":{"internal-color-map":{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff"},"1":{"class-name":"dent","hex-color":"#2ca02c"}},"type":"groundtruth/semantic-segmentation","human-annotated":"yes"}}`
)

// files are objects in memory.
type files map[fovea.ObjectRef]string

func (f files) Stat(_ context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	data, ok := f[ref]
	if !ok {
		return fovea.ObjectInfo{}, fovea.Errorf(fovea.BadObject, "%s: %w", ref, fs.ErrNotExist)
	}
	return fovea.ObjectInfo{Ref: ref, Size: int64(len(data))}, nil
}

func (f files) Read(_ context.Context, info fovea.ObjectInfo, off, n int64) (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(strings.NewReader(f[info.Ref]), off, n)), nil
}

func (f files) Write(ctx context.Context, ref fovea.ObjectRef, _ string, body io.Reader, _ int64) (fovea.ObjectInfo, error) {
	if _, ok := f[ref]; ok {
		return fovea.ObjectInfo{}, errors.New("the object is there already")
	}
	data, err := io.ReadAll(body)
	f[ref] = string(data)
	return fovea.ObjectInfo{Ref: ref}, err
}

// run mends a text.
func run(t rapid.TB, profile fovea.Profile, text string, objects fovea.Objects) (string, []repair.Record, *repair.Summary) {
	t.Helper()
	var out bytes.Buffer
	var records []repair.Record
	sum, err := repair.Run(context.Background(), repair.Spec{
		Profile: profile, Manifest: fovea.ObjectInfo{Size: int64(len(text))}, Source: strings.NewReader(text), Objects: objects,
	}, &out, func(r repair.Record) error { records = append(records, r); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), records, sum
}

// short writes records in short: what was changed, and codes of what was left.
func short(records []repair.Record) (list []string) {
	for _, r := range records {
		if r.Rule != "" {
			list = append(list, fmt.Sprintf("%d %s %s: %s → %s", r.Line, r.Rule, r.Pointer, r.Before, r.After))
		} else {
			list = append(list, fmt.Sprintf("%d left %s %s", r.Line, r.Code, r.Pointer))
		}
	}
	return list
}

func customLabels() fovea.Profile { return rekognition.Profile(rekognition.Limits()) }
func forVision() fovea.Profile    { return lookout.Profile(lookout.Limits()) }

// edited replaces texts in a line.
func edited(t testing.TB, line string, edits ...string) string {
	t.Helper()
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(line, edits[i]) {
			t.Fatalf("the line has no %s", edits[i])
		}
		line = strings.Replace(line, edits[i], edits[i+1], 1)
	}
	return line
}

func TestRun(t *testing.T) {
	second := edited(t, imageLine, "1.jpg", "b.jpg")
	for _, tt := range []struct {
		name    string
		profile fovea.Profile
		text    string
		want    string
		records []string
	}{
		{name: "nothing", text: imageLine + "\n", want: imageLine + "\n"},
		{name: "no human-annotated", text: edited(t, imageLine, `"human-annotated":"yes",`, ``), want: edited(t, imageLine, `"human-annotated":"yes",`, ``, `:48"}`, `:48","human-annotated":"yes"}`) + "\n",
			records: []string{`1 human-annotated /c-metadata/human-annotated:  → "yes"`}},
		{name: "CL-5.19 perhaps by a machine", text: edited(t, imageLine, `"human-annotated":"yes",`, ``, `"confidence":1`, `"confidence":0.93`) + "\n", want: edited(t, imageLine, `"human-annotated":"yes",`, ``, `"confidence":1`, `"confidence":0.93`) + "\n",
			records: []string{"1 left ERROR_NO_VALID_LABEL_ATTRIBUTES ", "1 left ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT /c-metadata/human-annotated"}},
		{name: "Yes", text: edited(t, imageLine, `"yes"`, `"Yes "`), want: imageLine + "\n", records: []string{`1 human-annotated /c-metadata/human-annotated: "Yes " → "yes"`}},
		{name: "no type of an image", text: edited(t, imageLine, `"type":"groundtruth/image-classification",`, ``), want: edited(t, imageLine, `"type":"groundtruth/image-classification",`, ``, `:48"}`, `:48","type":"groundtruth/image-classification"}`) + "\n",
			records: []string{`1 type /c-metadata/type:  → "groundtruth/image-classification"`}},
		{name: "no type of boxes, nor human-annotated", text: edited(t, boxLine, `"type":"groundtruth/object-detection","human-annotated":"yes",`, ``), want: edited(t, boxLine, `"type":"groundtruth/object-detection","human-annotated":"yes",`, ``, `:48"}`, `:48","type":"groundtruth/object-detection","human-annotated":"yes"}`) + "\n",
			records: []string{`1 type /bb-metadata/type:  → "groundtruth/object-detection"`, `1 human-annotated /bb-metadata/human-annotated:  → "yes"`}},
		{name: "class map", text: boxLine + "\n" + edited(t, boxLine, "2.jpg", "4.jpg", `,"1":"nut"`, ``), want: boxLine + "\n" + edited(t, boxLine, "2.jpg", "4.jpg") + "\n",
			records: []string{`2 class-map /bb-metadata/class-map/1:  → "nut"`}},
		{name: "class map that lines differ in", text: boxLine + "\n" + edited(t, boxLine, "2.jpg", "5.jpg", "nut", "rod") + "\n" + edited(t, boxLine, "2.jpg", "4.jpg", `,"1":"nut"`, ``), want: boxLine + "\n" + edited(t, boxLine, "2.jpg", "5.jpg", "nut", "rod") + "\n" + edited(t, boxLine, "2.jpg", "4.jpg", `,"1":"nut"`, ``) + "\n",
			records: []string{"3 left ERROR_NO_VALID_LABEL_ATTRIBUTES ", "3 left ERROR_MISSING_CLASS_MAP_ID /bb/annotations/1/class_id"}},
		{name: "class map whose name is taken", text: boxLine + "\n" + edited(t, boxLine, "2.jpg", "4.jpg", `"0":"bolt","1":"nut"`, `"0":"nut"`), want: boxLine + "\n" + edited(t, boxLine, "2.jpg", "4.jpg", `"0":"bolt","1":"nut"`, `"0":"nut"`) + "\n",
			records: []string{"2 left ERROR_NO_VALID_LABEL_ATTRIBUTES ", "2 left ERROR_MISSING_CLASS_MAP_ID /bb/annotations/1/class_id"}},
		{name: "CL-6.23 S3://", text: edited(t, imageLine, "s3://", "S3://"), want: imageLine + "\n", records: []string{`1 source-ref-scheme /source-ref: "S3://imgs/1.jpg" → "s3://imgs/1.jpg"`}},
		{name: "CL-5.7 file", text: "\ufeff" + imageLine + "\r\n\r\n \n" + second + "\r", want: imageLine + "\n" + second + "\n",
			records: []string{"0 byte-order-mark : a byte order mark at the start → ", "0 line-ends : 3 lines that end in a carriage return → LF", "2 blank-line : a blank line → ", "3 blank-line : a blank line → "}},
		{name: "CL-6.22 duplicates: the first counts", text: imageLine + "\n" + edited(t, imageLine, "s3://", "S3://", "ok", "bad") + "\n" + second, want: imageLine + "\n" + second + "\n",
			records: []string{"2 duplicate-line /source-ref: the line, whose image line 1 has, too → "}},
		{name: "a dropped line is no duplicate", text: "{\n" + imageLine + "\n", want: "{\n" + imageLine + "\n", records: []string{"1 left ERROR_INVALID_JSON_LINE "}},
		{name: "LV-5.52 duplicates: the last counts", profile: forVision(), text: maskLine + "\n" + edited(t, maskLine, "dent", "scratch"), want: edited(t, maskLine, "dent", "scratch") + "\n",
			records: []string{"1 duplicate-line /source-ref: the line, whose image line 2 has, too → "}},
		{name: "LV-5.80 types", profile: forVision(), text: edited(t, maskLine, `"type":"groundtruth/image-classification",`, ``, `,"type":"groundtruth/semantic-segmentation"`, ``),
			want:    edited(t, maskLine, `"type":"groundtruth/image-classification",`, ``, `"yes"},`, `"yes","type":"groundtruth/image-classification"},`, `,"type":"groundtruth/semantic-segmentation"`, ``, `"yes"}}`, `"yes","type":"groundtruth/semantic-segmentation"}}`) + "\n",
			records: []string{`1 type /l-metadata/type:  → "groundtruth/image-classification"`, `1 type /m-ref-metadata/type:  → "groundtruth/semantic-segmentation"`}},
		{name: "too long to be held", text: `{"source-ref":"` + strings.Repeat("x", 500_000) + `"}` + "\n", want: `{"source-ref":"` + strings.Repeat("x", 500_000) + `"}` + "\n", records: []string{"1 left ERROR_LINE_TOO_LONG "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.profile.NewChecker == nil {
				tt.profile = customLabels()
			}
			got, records, _ := run(t, tt.profile, tt.text, nil)
			if diff := cmp.Diff(tt.records, short(records)); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("manifest (-want +got):\n%s", diff)
			}
			if again, records, sum := run(t, tt.profile, got, nil); again != got || sum.Changes != 0 {
				t.Errorf("mended again: %q", short(records))
			}
		})
	}
}

func picture(w, h int) string {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		panic(err)
	}
	return b.String()
}

// TestImageSizes: a size is mended where the boxes do not depend on it.
func TestImageSizes(t *testing.T) {
	empty := edited(t, boxLine, `{"class_id":0,"left":10,"top":20,"width":100,"height":80},{"class_id":1,"left":1,"top":2,"width":10,"height":8}`, ``, `{"confidence":1},{"confidence":1}`, ``)
	size := func(line string, w, h int) string {
		return edited(t, line, `"width":640,"height":480`, fmt.Sprintf(`"width":%d,"height":%d`, w, h))
	}
	for _, tt := range []struct {
		name, line, want string
		w, h             int
		left             string
	}{
		{name: "right", line: boxLine, w: 640, h: 480, want: boxLine},
		{name: "swapped", line: size(boxLine, 480, 640), w: 640, h: 480, want: boxLine},
		{name: "one side", line: size(boxLine, 640, 500), w: 640, h: 480, want: boxLine},
		{name: "no boxes", line: size(empty, 320, 240), w: 640, h: 480, want: empty},
		{name: "scaled", line: boxLine, w: 1280, h: 960, left: "It was scaled"},
		{name: "a box outside", line: boxLine, w: 100, h: 90, left: "not within the image"},
		{name: "missing", line: boxLine, left: "does not exist"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			objects := files{}
			if tt.w > 0 {
				objects[fovea.ObjectRef{Bucket: "imgs", Key: "2.jpg"}] = picture(tt.w, tt.h)
			}
			got, records, _ := run(t, customLabels(), tt.line, objects)
			if tt.want == "" {
				tt.want = tt.line
			}
			if diff := cmp.Diff(tt.want+"\n", got); diff != "" {
				t.Errorf("manifest (-want +got):\n%s", diff)
			}
			if tt.left != "" && !slices.ContainsFunc(records, func(r repair.Record) bool { return strings.Contains(r.Why, tt.left) }) {
				t.Errorf("records: %+v", records)
			}
			if again, _, sum := run(t, customLabels(), got, objects); again != got || sum.Changes != 0 {
				t.Errorf("mended again: %s", again)
			}
		})
	}
}

// TestSharedMask: two lines may name one mask and want other colours of it; each
// gets a mask of its own.
func TestSharedMask(t *testing.T) {
	var mask bytes.Buffer
	if err := png.Encode(&mask, drawn(color.RGBA{0x3c, 0x90, 0x20, 255})); err != nil {
		t.Fatal(err)
	}
	objects := files{
		{Bucket: "imgs", Key: "3.jpg"}: picture(64, 64), {Bucket: "imgs", Key: "4.jpg"}: picture(64, 64),
		{Bucket: "imgs", Key: "m/3.jpg"}: mask.String(),
	}
	second := edited(t, maskLine, "imgs/3.jpg", "imgs/4.jpg", "dent", "scratch", "#2ca02c", "#4c8014")
	got, _, _ := run(t, forVision(), maskLine+"\n"+second+"\n", objects)
	want := edited(t, maskLine, "m/3.jpg", "m/3.fixed.png") + "\n" + edited(t, second, "m/3.jpg", "m/3.fixed2.png") + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
	if codes := check(t, forVision(), got, objects); len(codes) > 0 {
		t.Errorf("then: %q", codes)
	}
}

// drawn returns a mask: a square of a colour on white.
func drawn(c color.Color) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	for y := 16; y < 48; y++ {
		for x := 16; x < 48; x++ {
			m.Set(x, y, c)
		}
	}
	return m
}

// TestMasks: a mask that is a JPEG, or a few steps off, is written anew beside
// the old one, and then the check of the service finds nothing.
func TestMasks(t *testing.T) {
	encode := func(m image.Image, asJPEG bool) string {
		var b bytes.Buffer
		err := png.Encode(&b, m)
		if asJPEG {
			b.Reset()
			err = jpeg.Encode(&b, m, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	green, off := color.RGBA{0x2c, 0xa0, 0x2c, 255}, color.RGBA{0x3c, 0x90, 0x20, 255}
	for _, tt := range []struct {
		name, mask, rule, left string
	}{
		{name: "right", mask: encode(drawn(green), false)},
		{name: "a JPEG", mask: encode(drawn(green), true), rule: "mask-format"},
		{name: "a few steps off", mask: encode(drawn(off), false), rule: "mask-colors"},
		{name: "another colour", mask: encode(drawn(color.RGBA{0xff, 0, 0, 255}), false), left: "WARNING_MASK_COLORS"},
		{name: "no label", mask: encode(drawn(color.White), true), left: "WARNING_MASK_COLORS"},
		{name: "no image", mask: "GIF89a", left: "WARNING_IMAGE_DAMAGED"},
		{name: "missing", left: "WARNING_IMAGE_MISSING"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			objects := files{{Bucket: "imgs", Key: "3.jpg"}: picture(64, 64)}
			if tt.mask != "" {
				objects[fovea.ObjectRef{Bucket: "imgs", Key: "m/3.jpg"}] = tt.mask
			}
			n := len(objects)
			got, records, _ := run(t, forVision(), maskLine+"\n", objects)
			want := maskLine + "\n"
			switch {
			case tt.rule != "":
				want = edited(t, want, "m/3.jpg", "m/3.fixed.png")
				if len(records) != 1 || string(records[0].Rule) != tt.rule || len(objects) != n+1 {
					t.Fatalf("records %+v, %d objects", records, len(objects))
				}
			case len(objects) != n || tt.left != "" && (len(records) != 1 || records[0].Code != tt.left):
				t.Fatalf("records %+v, %d objects", records, len(objects))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("manifest (-want +got):\n%s", diff)
			}
			if again, _, sum := run(t, forVision(), got, objects); again != got || sum.Changes != 0 {
				t.Errorf("mended again: %s", again)
			}
			if again, _, _ := run(t, forVision(), maskLine+"\n", objects); again != got {
				t.Errorf("mended from the start: %s", again)
			}
			if tt.rule != "" {
				if codes := check(t, forVision(), got, objects); len(codes) > 0 {
					t.Errorf("then: %q", codes)
				}
			}
		})
	}
}

// check returns the codes that a check of a manifest finds, sorted.
func check(t rapid.TB, profile fovea.Profile, text string, objects fovea.Objects) (codes []string) {
	t.Helper()
	spec := dataset.CheckSpec{Profile: profile, Split: fovea.Train, Source: strings.NewReader(text), Blobs: new(mem.Blobs), Manifest: fovea.ObjectInfo{Size: int64(len(text))}}
	if objects != nil {
		spec.Images = &dataset.ImageCheck{Objects: objects}
	}
	r, err := dataset.Check(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Findings(context.Background(), func(f *dataset.Finding) error { codes = append(codes, f.Code); return nil }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(codes)
	return codes
}

// broken draws a manifest of lines that are damaged in one way or several.
func broken(t *rapid.T) string {
	damages := [][2]string{
		{`"human-annotated":"yes",`, ``}, {`"yes"`, `"YES"`}, {`"yes"`, `"perhaps"`}, {"s3://", "S3://"}, {"s3://", "s3:/"},
		{`"type":"groundtruth/image-classification",`, ``}, {`"type":"groundtruth/object-detection",`, ``}, {`,"type":"groundtruth/semantic-segmentation"`, ``},
		{`"1":"nut"`, `"1":"rod"`}, {`,"1":"nut"`, ``}, {`"0":"bolt",`, ``}, {`"confidence":1`, `"confidence":0.5`}, {`{`, ` { `}, {`"class-name"`, `"class_name"`},
		{`"annotations"`, `"annotation"`}, {`}`, ``}, {`"c":1,`, `"c":[],`}, {"ok", "nü\\u0074"}, {".jpg", "2.jpg"}, {".jpg", "3.jpg"}, {`"m-ref"`, `"m-rf"`}, {"#2ca02c", "2ca02c"},
	}
	var text strings.Builder
	if rapid.Bool().Draw(t, "mark") {
		text.WriteString("\ufeff")
	}
	for range rapid.IntRange(0, 8).Draw(t, "lines") {
		line := rapid.SampledFrom([]string{imageLine, boxLine, maskLine, "", "{", "\xff"}).Draw(t, "line")
		for range rapid.IntRange(0, 4).Draw(t, "damages") {
			d := rapid.SampledFrom(damages).Draw(t, "damage")
			line = strings.Replace(line, d[0], d[1], 1)
		}
		text.WriteString(line + rapid.SampledFrom([]string{"\n", "\n", "\r\n", "\r\r\n"}).Draw(t, "end"))
	}
	return strings.TrimSuffix(text.String(), rapid.SampledFrom([]string{"\n", "x"}).Draw(t, "last"))
}

// TestRunProperties: mending again changes nothing; what the check then finds is
// what was left alone; and a line of which nothing is told is as it was.
func TestRunProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := broken(t)
		for _, profile := range []fovea.Profile{customLabels(), forVision()} {
			got, records, sum := run(t, profile, text, nil)
			again, _, second := run(t, profile, got, nil)
			if again != got || second.Changes != 0 {
				t.Fatalf("%q\nbecomes %q\nand then %q", text, got, again)
			}
			var left []string
			told := map[int64]bool{}
			for _, r := range records {
				if r.Code != "" {
					left = append(left, r.Code)
				}
				if r.Rule != "" {
					told[r.Line] = true
				}
			}
			slices.Sort(left)
			if diff := cmp.Diff(left, check(t, profile, got, nil)); diff != "" {
				t.Fatalf("%q\nbecomes %q\nleft alone and found (-left +found):\n%s", text, got, diff)
			}
			if int64(strings.Count(got, "\n")) != sum.Written {
				t.Fatalf("%d lines, %d told", strings.Count(got, "\n"), sum.Written)
			}
			for i, line := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
				line = strings.TrimRight(line, "\r")
				if !told[int64(i+1)] && strings.TrimSpace(line) != "" && !strings.Contains("\n"+got, "\n"+line+"\n") {
					t.Fatalf("line %d, %q, is not in %q", i+1, line, got)
				}
			}
		}
	})
}

// FuzzRun: whatever the bytes, a repair ends, and doing it again changes nothing.
func FuzzRun(f *testing.F) {
	f.Add("\ufeff"+strings.Replace(imageLine, "s3", "S3", 1)+"\r\n"+boxLine, false)
	f.Add(maskLine+"\n"+maskLine, true)
	f.Fuzz(func(t *testing.T, text string, vision bool) {
		profile := customLabels()
		if vision {
			profile = forVision()
		}
		got, _, sum := run(t, profile, text, nil)
		again, records, second := run(t, profile, got, nil)
		if sum.Changes > 0 && (again != got || second.Changes != 0) {
			t.Errorf("%q\nbecomes %q\nand then %q\n%+v", text, got, again, records)
		}
	})
}

// TestRunFails: what cannot be read or told ends the repair.
func TestRunFails(t *testing.T) {
	spec := repair.Spec{Profile: customLabels(), Manifest: fovea.ObjectInfo{Size: 500}, Source: strings.NewReader(imageLine)}
	if _, err := repair.Run(context.Background(), spec, io.Discard, nil); err == nil {
		t.Error("a manifest that is shorter than it was is mended")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	spec.Manifest.Size = int64(len(imageLine))
	if _, err := repair.Run(ctx, spec, io.Discard, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}
