package imaging_test

import (
	"bytes"
	"cmp"
	"errors"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
)

func TestProbe(t *testing.T) {
	rgb := picture(100, 80)
	gray := image.NewGray(image.Rect(0, 0, 64, 65))
	paletted := image.NewPaletted(image.Rect(0, 0, 70, 71), color.Palette{color.Black, color.White, color.Transparent})
	big := bytes.Repeat([]byte{7}, 65533)
	for _, tt := range []struct {
		name string
		data []byte
		want imaging.Info
	}{
		{"png rgb", pngOf(t, rgb), imaging.Info{Format: imaging.PNG, Width: 100, Height: 80, Depth: 8, Channels: 3, Model: imaging.RGB, Orientation: 1}},
		{"png grey", pngOf(t, gray), imaging.Info{Format: imaging.PNG, Width: 64, Height: 65, Depth: 8, Channels: 1, Model: imaging.Gray, Orientation: 1}},
		{"png 16 bits", pngOf(t, image.NewNRGBA64(image.Rect(0, 0, 9, 7))), imaging.Info{Format: imaging.PNG, Width: 9, Height: 7, Depth: 16, Channels: 4, Model: imaging.RGBA, Orientation: 1}},
		{"png palette", pngOf(t, paletted), imaging.Info{Format: imaging.PNG, Width: 70, Height: 71, Depth: 2, Channels: 1, Model: imaging.Palette, Orientation: 1}},
		{"png interlaced, exif", join(header(5, 6, 8, 4, 1), chunk("eXIf", []byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x08\x00\x00\x00")), chunk("IDAT", nil)),
			imaging.Info{Format: imaging.PNG, Width: 5, Height: 6, Depth: 8, Channels: 2, Model: imaging.GrayAlpha, Orientation: 8, Progressive: true}},
		{"png, long text first", join(header(5, 6, 8, 2, 0), chunk("zTXt", make([]byte, 3<<20)), chunk("IDAT", nil)),
			imaging.Info{Format: imaging.PNG, Width: 5, Height: 6, Depth: 8, Channels: 3, Model: imaging.RGB, Orientation: 1}},
		{"T05 png bomb", join(header(65536, 65536, 16, 6, 0), chunk("IDAT", nil)), imaging.Info{Format: imaging.PNG, Width: 65536, Height: 65536, Depth: 16, Channels: 4, Model: imaging.RGBA, Orientation: 1}},
		{"jpeg", jpegOf(t, rgb), imaging.Info{Format: imaging.JPEG, Width: 100, Height: 80, Depth: 8, Channels: 3, Model: imaging.YCbCr, Orientation: 1}},
		{"jpeg grey", jpegOf(t, gray), imaging.Info{Format: imaging.JPEG, Width: 64, Height: 65, Depth: 8, Channels: 1, Model: imaging.Gray, Orientation: 1}},
		{"jpeg progressive, exif", join(soi, exif(6), frame(0xc2, 8, 640, 480, 3)), imaging.Info{Format: imaging.JPEG, Width: 640, Height: 480, Depth: 8, Channels: 3, Model: imaging.YCbCr, Orientation: 6, Progressive: true}},
		{"jpeg extended", join(soi, frame(0xc1, 8, 640, 480, 3)), imaging.Info{Format: imaging.JPEG, Width: 640, Height: 480, Depth: 8, Channels: 3, Model: imaging.YCbCr, Orientation: 1}},
		{"T05 jpeg CMYK", join(soi, frame(0xc0, 8, 640, 480, 4)), imaging.Info{Format: imaging.JPEG, Width: 640, Height: 480, Depth: 8, Channels: 4, Model: imaging.CMYK, Orientation: 1}},
		{"T05 jpeg YCCK", join(soi, segment(0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x02")...), frame(0xc0, 8, 640, 480, 4)), imaging.Info{Format: imaging.JPEG, Width: 640, Height: 480, Depth: 8, Channels: 4, Model: imaging.YCCK, Orientation: 1}},
		{"jpeg RGB", join(soi, segment(0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")...), frame(0xc0, 8, 640, 480, 3)), imaging.Info{Format: imaging.JPEG, Width: 640, Height: 480, Depth: 8, Channels: 3, Model: imaging.RGB, Orientation: 1}},
		{"jpeg, stray bytes and fill", join(soi, segment(0xe0), []byte{1, 2, 3, 0xff, 0, 0xff, 0xff}, frame(0xc0, 8, 640, 480, 3)), imaging.Info{Format: imaging.JPEG, Width: 640, Height: 480, Depth: 8, Channels: 3, Model: imaging.YCbCr, Orientation: 1}},
		{"jpeg, much before its header", join(soi, bytes.Repeat(segment(0xe2, big...), 60), frame(0xc0, 8, 640, 480, 3)), imaging.Info{Format: imaging.JPEG, Width: 640, Height: 480, Depth: 8, Channels: 3, Model: imaging.YCbCr, Orientation: 1}},
		{"T05 jpeg and HTML", join(soi, segment(0xfe, []byte("<html><script>alert(1)</script>")...), frame(0xc0, 8, 64, 64, 3)), imaging.Info{Format: imaging.JPEG, Width: 64, Height: 64, Depth: 8, Channels: 3, Model: imaging.YCbCr, Orientation: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := imaging.Probe(bytes.NewReader(tt.data), int64(len(tt.data)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("info (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProbeErrors(t *testing.T) {
	good := pngOf(t, picture(100, 80))
	damaged := bytes.Clone(good)
	damaged[17] ^= 1
	long := join(header(5, 6, 8, 2, 0), chunk("zTXt", make([]byte, imaging.MaxHeader)), chunk("IDAT", nil))
	scans := join(soi, bytes.Repeat(segment(0xe2, make([]byte, 65533)...), 140))
	for _, tt := range []struct {
		name string
		data []byte
		want imaging.Reason
		text string
	}{
		{"empty", nil, imaging.Empty, "It is empty."},
		{"GIF", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), imaging.OtherFormat, "It is a GIF."},
		{"WebP", []byte("RIFF\x24\x00\x00\x00WEBPVP8 "), imaging.OtherFormat, "It is a WebP."},
		{"TIFF", []byte("II*\x00\x08\x00\x00\x00"), imaging.OtherFormat, "It is a TIFF, or a raw photograph."},
		{"HEIC", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), imaging.OtherFormat, "It is a HEIC."},
		{"HTML", []byte("\n <!DOCTYPE html><html>"), imaging.OtherFormat, "It is an HTML page."},
		{"SVG", []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`), imaging.OtherFormat, "It is an SVG."},
		{"error of S3", []byte("<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>"), imaging.OtherFormat, "It is an XML document, perhaps an error message that was saved as an image."},
		{"Git LFS", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"), imaging.OtherFormat, "It is the pointer of Git LFS to a file that was not fetched."},
		{"Base64", []byte("iVBORw0KGgoAAAANSUhEUgAA"), imaging.OtherFormat, "It is a PNG in Base64."},
		{"JSON", []byte(`{"source-ref":"s3://b/k"}`), imaging.OtherFormat, "It is a JSON text."},
		{"long text", bytes.Repeat([]byte("é words "), 100), imaging.OtherFormat, "It is a text."},
		{"zeros", make([]byte, 5000), imaging.OtherFormat, "It begins with zero bytes only."},
		{"garbage", []byte("\x01\x02\x03\x04\x05"), imaging.OtherFormat, "It is neither a PNG nor a JPEG."},
		{"PNG as text", []byte("\x89PNG\n\x1a\n\x00\x00"), imaging.Malformed, "It is a damaged PNG: it was transferred as text, which changes line ends."},
		{"JPEG as UTF-8", []byte("\ufffd\ufffd\ufffd\ufffd\x00\x10JFIF"), imaging.Malformed, "It is a damaged JPEG: it was transferred as UTF-8 text, which loses bytes."},
		{"half a signature", good[:5], imaging.Truncated, "It is a PNG that ends too early."},
		{"two bytes", soi, imaging.Truncated, "It is a JPEG that ends too early."},
		{"only a signature", good[:8], imaging.Truncated, "It is a PNG that ends too early."},
		{"PNG, IHDR damaged", damaged, imaging.Malformed, "It is a damaged PNG: the checksum of IHDR is wrong."},
		{"PNG, first chunk cut", good[:60], imaging.Truncated, "It is a PNG that ends too early."},
		{"PNG of Apple", join(good[:8], chunk("CgBI", []byte{0x50, 0, 0x20, 2}), good[8:]), imaging.Unsupported, "It is a PNG in the form that only Apple's devices read (CgBI)."},
		{"PNG of no size", join(header(0, 7, 8, 2, 0), chunk("IDAT", nil)), imaging.Malformed, "It is a damaged PNG: its size is 0x7."},
		{"PNG of odd depth", join(header(7, 7, 3, 2, 0), chunk("IDAT", nil)), imaging.Malformed, "It is a damaged PNG: it has colour type 2 with 3 bits."},
		{"PNG without palette", join(header(7, 7, 8, 3, 0), chunk("IDAT", nil)), imaging.Malformed, "It is a damaged PNG: it has no palette."},
		{"PNG without pixels", join(header(7, 7, 8, 2, 0), chunk("IEND", nil)), imaging.Malformed, "It is a damaged PNG: it has no pixels."},
		{"T05 PNG with a huge zTXt", long, imaging.LongHeader, "It is a PNG whose header is longer than 8 MiB."},
		{"PNG, length lies", join(header(7, 7, 8, 2, 0), []byte("\x7f\xff\xff\xffiCCP")), imaging.Truncated, "It is a PNG that ends too early."},
		{"PNG, length overflows", join(header(7, 7, 8, 2, 0), []byte("\xff\xff\xff\xffiCCP")), imaging.Malformed, "It is a damaged PNG: a chunk has the length 4294967295."},
		{"JPEG, cut", jpegOf(t, picture(100, 80))[:100], imaging.Truncated, "It is a JPEG that ends too early."},
		{"T05 JPEG with a huge header", scans, imaging.LongHeader, "It is a JPEG whose header is longer than 8 MiB."},
		{"JPEG without frame", join(soi, segment(0xda)), imaging.Malformed, "It is a damaged JPEG: it has no frame header."},
		{"JPEG, short segment", []byte("\xff\xd8\xff\xe0\x00\x01\x00\x00"), imaging.Malformed, "It is a damaged JPEG: a segment has the length 1."},
		{"JPEG, short frame", join(soi, segment(0xc0, 8, 0, 1, 0, 1, 3, 1)), imaging.Malformed, "It is a damaged JPEG: its frame header is too short."},
		{"JPEG, lossless", join(soi, frame(0xc3, 8, 64, 64, 3)), imaging.Unsupported, "It is a JPEG of the lossless kind, which hardly any program reads."},
		{"JPEG, 12 bits", join(soi, frame(0xc1, 12, 64, 64, 3)), imaging.Unsupported, "It is a JPEG with 12 bits a sample instead of 8."},
		{"JPEG, no height", join(soi, frame(0xc0, 8, 64, 0, 3)), imaging.Unsupported, "It is a JPEG whose header does not tell its height."},
		{"JPEG, no width", join(soi, frame(0xc0, 8, 0, 64, 3)), imaging.Malformed, "It is a damaged JPEG: its width is 0."},
		{"JPEG, two components", join(soi, frame(0xc0, 8, 64, 64, 2)), imaging.Unsupported, "It is a JPEG with 2 colour components."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &counting{r: bytes.NewReader(tt.data)}
			_, err := imaging.Probe(r, int64(len(tt.data)))
			e := (*imaging.Error)(nil)
			if !errors.As(err, &e) || e.Reason != tt.want || e.Text != tt.text {
				t.Errorf("err = %v, want %q", err, tt.text)
			}
			if r.bytes > imaging.MaxHeader+1<<20 || r.reads > 20 {
				t.Errorf("%d bytes in %d reads", r.bytes, r.reads)
			}
		})
	}
}

// counting counts what is read.
type counting struct {
	r            io.ReaderAt
	bytes, reads int
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.bytes, c.reads = c.bytes+len(p), c.reads+1
	return c.r.ReadAt(p, off)
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

// TestProbeUnread: an error of reading is no fault of the file.
func TestProbeUnread(t *testing.T) {
	want := errors.New("connection reset")
	if _, err := imaging.Probe(failing{want}, 100); err != want {
		t.Errorf("Probe: err = %v", err)
	}
	if err := imaging.CheckEnd(failing{want}, 100, imaging.PNG); err != want {
		t.Errorf("CheckEnd: err = %v", err)
	}
}

func TestCheckEnd(t *testing.T) {
	p, j := pngOf(t, picture(300, 300)), jpegOf(t, picture(400, 400))
	small := jpegOf(t, picture(20, 20))
	if len(j) < 20_000 || len(small) > 4000 {
		t.Fatalf("images of %d and %d bytes are none for this test", len(j), len(small))
	}
	for _, tt := range []struct {
		name   string
		data   []byte
		format imaging.Format
		whole  bool
	}{
		{"png", p, imaging.PNG, true},
		{"png cut by a byte", p[:len(p)-1], imaging.PNG, false},
		{"png cut in half", p[:len(p)/2], imaging.PNG, false},
		{"png and a little", join(p, []byte("more")), imaging.PNG, true},
		{"jpeg", j, imaging.JPEG, true},
		{"jpeg cut by a byte", j[:len(j)-1], imaging.JPEG, false},
		{"jpeg cut in half", j[:len(j)/2], imaging.JPEG, false},
		{"jpeg cut and filled up with zeros", join(j[:len(j)/2], make([]byte, 1_000_000)), imaging.JPEG, false},
		{"jpeg filled up with zeros", join(j, make([]byte, 1_000_000)), imaging.JPEG, true},
		{"jpeg of zeros", make([]byte, 20<<20), imaging.JPEG, false},
		{"small jpeg", small, imaging.JPEG, true},
		{"small jpeg cut by two bytes", small[:len(small)-2], imaging.JPEG, false},
		{"small jpeg cut before its scan", small[:300], imaging.JPEG, false},
		{"small jpeg cut and filled up with zeros", join(small[:len(small)-2], make([]byte, 30_000)), imaging.JPEG, false},
		{"png filled up with zeros", join(p, make([]byte, 8<<10)), imaging.PNG, true},
		{"jpeg and a video", join(j, bytes.Repeat([]byte("\xff\x13video"), 10_000)), imaging.JPEG, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := imaging.CheckEnd(bytes.NewReader(tt.data), int64(len(tt.data)), tt.format)
			if (err == nil) != tt.whole {
				t.Errorf("err = %v", err)
			}
		})
	}
}

// cookies returns the folder of the official example of Lookout for Vision.
func cookies(t testing.TB) string {
	t.Helper()
	folder := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../../shared/data"), "cookies")
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("no cookies here, set FOVEA_TEST_DATA: %v", err)
	}
	return folder
}

// TestProbeCookies: what is told of real photographs is what the decoders of
// the standard library tell.
func TestProbeCookies(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(cookies(t), "*", "*", "*.*"))
	more, _ := filepath.Glob(filepath.Join(cookies(t), "*-images", "*.*"))
	if files = append(files, more...); err != nil || len(files) < 63+32+22 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, ".manifest") {
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		config, format, err := image.DecodeConfig(f)
		if err != nil {
			t.Fatal(err)
		}
		stat, _ := f.Stat()
		got, err := imaging.Probe(f, stat.Size())
		if err != nil || strings.ToLower(got.Format.String()) != format || got.Width != config.Width || got.Height != config.Height || got.Orientation != 1 {
			t.Errorf("%s: %+v, %v; want %s %dx%d", filepath.Base(name), got, err, format, config.Width, config.Height)
		}
		if err := imaging.CheckEnd(f, stat.Size(), got.Format); err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
}
