package imaging_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fovea/internal/imaging"
)

var (
	white   = color.NRGBA{255, 255, 255, 255}
	nothing = color.NRGBA{}
	green   = color.NRGBA{0x23, 0xa4, 0x36, 255}
)

var (
	scratch = imaging.MapColor{Color: 0x23a436}
	dent    = imaging.MapColor{Color: 0x1f77b4}
	ground  = imaging.MapColor{Color: 0x000000, Background: true}
)

func TestReadMask(t *testing.T) {
	shade := func(r, g, b, a byte) color.NRGBA { return color.NRGBA{r, g, b, a} }
	colors := []imaging.MapColor{scratch, dent}
	for _, tt := range []struct {
		name   string
		image  image.Image
		colors []imaging.MapColor
		want   imaging.Mask
	}{
		{"on white", paint(20, 10, white, green, 5), colors, imaging.Mask{Background: 175, Labels: []int64{25, 0}}},
		{"LV-5.44 on nothing", paint(20, 10, nothing, green, 5), colors, imaging.Mask{Background: 175, Labels: []int64{25, 0}}},
		{"LV-5.44 colour of the background", paint(20, 10, shade(0, 0, 0, 255), green, 5), []imaging.MapColor{ground, scratch}, imaging.Mask{Background: 175, Labels: []int64{0, 25}}},
		{"LV-5.44 alpha 127", paint(20, 10, white, shade(0x23, 0xa4, 0x36, 127), 5), colors, imaging.Mask{Background: 200, Labels: []int64{0, 0}}},
		{"LV-5.44 alpha 128", paint(20, 10, white, shade(0x23, 0xa4, 0x36, 128), 5), colors, imaging.Mask{Background: 175, Labels: []int64{25, 0}}},
		{"LV-5.45 within tolerance", paint(20, 10, white, shade(0x2b, 0x9c, 0x3e, 255), 5), colors, imaging.Mask{Background: 175, Labels: []int64{25, 0}}},
		{"LV-5.45 beyond tolerance", paint(20, 10, white, shade(0x2c, 0xa4, 0x10, 255), 5), colors, imaging.Mask{Background: 175, Labels: []int64{0, 0}, Unmatched: 25, Others: []imaging.ColorCount{{Color: 0x2ca410, Pixels: 25}}}},
		{"LV-14.20 blend near the label", paint(20, 10, white, shade(0x5a, 0xbb, 0x68, 255), 5), colors, imaging.Mask{Background: 175, Labels: []int64{25, 0}}},
		{"LV-14.20 blend near white", paint(20, 10, white, shade(0xc8, 0xe8, 0xcc, 255), 5), colors, imaging.Mask{Background: 200, Labels: []int64{0, 0}}},
		{"LV-5.42 another colour", paint(20, 10, white, shade(255, 0, 0, 255), 5), colors, imaging.Mask{Background: 175, Labels: []int64{0, 0}, Unmatched: 25, Others: []imaging.ColorCount{{Color: 0xff0000, Pixels: 25}}}},
		{"white without a map", paint(16, 16, white, white, 0), nil, imaging.Mask{Background: 256, Labels: []int64{}}},
	} {
		palette := color.Palette{white, nothing, green}
		for _, x := range []int{0, 19} {
			if c := tt.image.At(x%tt.image.Bounds().Dx(), 0); !contains(palette, c) {
				palette = append(palette, c)
			}
		}
		for name, m := range map[string]image.Image{"": tt.image, ", palette": repaint(image.NewPaletted(tt.image.Bounds(), palette), tt.image),
			", 16 bits": repaint(image.NewNRGBA64(tt.image.Bounds()), tt.image)} {
			t.Run(tt.name+name, func(t *testing.T) {
				got, err := imaging.ReadMask(context.Background(), iotest.OneByteReader(bytes.NewReader(pngOf(t, m))), tt.colors)
				if err != nil {
					t.Fatal(err)
				}
				tt.want.Pixels = int64(m.Bounds().Dx() * m.Bounds().Dy())
				if diff := cmp.Diff(&tt.want, got, cmpopts.IgnoreFields(imaging.Mask{}, "Info"), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("mask (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func contains(p color.Palette, c color.Color) bool {
	for _, x := range p {
		if x == c {
			return true
		}
	}
	return false
}

func repaint[T interface {
	image.Image
	Set(x, y int, c color.Color)
}](dst T, src image.Image) T {
	for y := range src.Bounds().Dy() {
		for x := range src.Bounds().Dx() {
			dst.Set(x, y, src.At(x, y))
		}
	}
	return dst
}

// compress returns what IDAT holds for rows of pixels.
func compress(rows []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(rows)
	z.Close()
	return b.Bytes()
}

// TestReadMaskForms: forms of PNG that the encoder of the standard library
// does not write. Each is compared with what its decoder reads.
func TestReadMaskForms(t *testing.T) {
	noise := make([]byte, 4096)
	for i := range noise {
		noise[i] = byte(i * 37 % 251)
	}
	// rows returns filtered rows of n bytes each.
	rows := func(n int, filters ...byte) (b []byte) {
		for i, f := range filters {
			b = append(append(b, f), noise[i*n:i*n+n]...)
		}
		return b
	}
	plte := chunk("PLTE", []byte{0x23, 0xa4, 0x36, 255, 255, 255, 0, 0, 0})
	iend := chunk("IEND", nil)
	for _, tt := range []struct {
		name string
		data []byte
	}{
		{"all filters", join(header(3, 5, 8, 2, 0), chunk("IDAT", compress(rows(9, 0, 1, 2, 3, 4))), iend)},
		{"one-bit grey", join(header(9, 2, 1, 0, 0), chunk("IDAT", compress(rows(2, 0, 2))), iend)},
		{"one-bit grey with a key", join(header(9, 2, 1, 0, 0), chunk("tRNS", []byte{0, 0}), chunk("IDAT", compress(rows(2, 0, 2))), iend)},
		{"two-bit grey", join(header(9, 2, 2, 0, 0), chunk("IDAT", compress(rows(3, 0, 4))), iend)},
		{"four-bit grey", join(header(9, 2, 4, 0, 0), chunk("IDAT", compress(rows(5, 3, 0))), iend)},
		{"16-bit grey", join(header(9, 2, 16, 0, 0), chunk("IDAT", compress(rows(18, 3, 1))), iend)},
		{"grey with alpha", join(header(9, 2, 8, 4, 0), chunk("IDAT", compress(rows(18, 3, 1))), iend)},
		{"RGB with a key", join(header(1, 1, 8, 2, 0), chunk("tRNS", []byte{0, 0, 0, 37, 0, 74}), chunk("IDAT", compress(rows(3, 0))), iend)},
		{"palette, indices beyond it", join(header(5, 2, 8, 3, 0), plte, chunk("tRNS", []byte{255, 0}), chunk("IDAT", compress(rows(5, 0, 0))), iend)},
		{"palette, more transparency than colours", join(header(5, 1, 8, 3, 0), plte, chunk("tRNS", []byte{255, 255, 0, 0, 200}), chunk("IDAT", compress([]byte{0, 0, 1, 2, 3, 4})), iend)},
		{"four-bit palette", join(header(5, 1, 4, 3, 0), plte, chunk("IDAT", compress([]byte{0, 0x01, 0x20, 0x00})), iend)},
		{"interlaced", join(header(5, 5, 8, 0, 1), chunk("IDAT", compress([]byte{0, 1, 0, 2, 0, 3, 4, 0, 5, 1, 6, 0, 7, 8, 9, 0, 1, 2, 0, 3, 4, 2, 5, 6, 0, 1, 2, 3, 4, 5, 4, 6, 7, 8, 9, 10})), iend)},
		{"interlaced, one pixel", join(header(1, 1, 8, 2, 1), chunk("IDAT", compress([]byte{0, 1, 2, 3})), iend)},
		{"several IDAT", join(header(3, 2, 8, 2, 0), chunk("IDAT", compress(rows(9, 0, 4))[:5]), chunk("IDAT", nil), chunk("IDAT", compress(rows(9, 0, 4))[5:]), chunk("tEXt", []byte("a\x00b")), iend)},
	} {
		t.Run(tt.name, func(t *testing.T) { compare(t, tt.data, []imaging.MapColor{scratch, dent}) })
	}
}

// compare reads a mask that the standard library can read too, and compares
// the counts.
func compare(t testing.TB, data []byte, colors []imaging.MapColor) {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("png.Decode: %v", err)
	}
	got, err := imaging.ReadMask(context.Background(), bytes.NewReader(data), colors)
	if err != nil {
		t.Fatalf("ReadMask: %v", err)
	}
	// What it counts is what it counts for the same pixels, plainly written.
	again, err := imaging.ReadMask(context.Background(), bytes.NewReader(pngOf(t, repaint(image.NewNRGBA(m.Bounds()), m))), colors)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(again, got, cmpopts.IgnoreFields(imaging.Mask{}, "Info")); diff != "" {
		t.Errorf("mask (-plainly written +as it is):\n%s", diff)
	}
	sum := got.Background + got.Unmatched
	for _, n := range got.Labels {
		sum += n
	}
	if sum != got.Pixels || got.Pixels != int64(m.Bounds().Dx()*m.Bounds().Dy()) {
		t.Errorf("%d of %d pixels are counted", sum, got.Pixels)
	}
}

func TestReadMaskErrors(t *testing.T) {
	good := pngOf(t, paint(300, 200, white, green, 50))
	flipped := bytes.Clone(good)
	flipped[len(flipped)-30] ^= 1
	rows := make([]byte, 7*8)
	for _, tt := range []struct {
		name string
		data []byte
		want imaging.Reason
		text string
	}{
		{"empty", nil, imaging.Empty, "It is empty."},
		{"LV-5.40 JPEG", jpegOf(t, picture(64, 64)), imaging.OtherFormat, "It is a JPEG."},
		{"GIF", []byte("GIF89a"), imaging.OtherFormat, "It is a GIF."},
		{"text", bytes.Repeat([]byte("text "), 200), imaging.OtherFormat, "It is a text."},
		{"T05 bomb", join(header(65536, 65536, 8, 2, 0), chunk("IDAT", compress(make([]byte, 1<<20)))), imaging.TooManyPixels, "It has 65536x65536 pixels, more than 4096 in a direction."},
		{"cut in the pixels", good[:len(good)-40], imaging.Truncated, "It is a PNG that ends too early."},
		{"cut before the end", good[:len(good)-12], imaging.Truncated, "It is a PNG that ends too early."},
		{"a bit flipped", flipped, imaging.Malformed, ""},
		{"too few pixels", join(header(7, 7, 8, 0, 0), chunk("IDAT", compress(rows[:20])), chunk("IEND", nil)), imaging.Malformed, "It is a damaged PNG: it has too few pixels."},
		{"no zlib", join(header(7, 7, 8, 0, 0), chunk("IDAT", []byte("plain text")), chunk("IEND", nil)), imaging.Malformed, "It is a damaged PNG: its pixels cannot be decompressed."},
		{"odd filter", join(header(7, 7, 8, 0, 0), chunk("IDAT", compress(bytes.Repeat([]byte{9}, 56))), chunk("IEND", nil)), imaging.Malformed, "It is a damaged PNG: a row has the filter 9."},
		{"long palette", join(header(7, 7, 8, 3, 0), chunk("PLTE", make([]byte, 771))), imaging.Malformed, "It is a damaged PNG: its PLTE is too long."},
		{"odd palette", join(header(7, 7, 8, 3, 0), chunk("PLTE", make([]byte, 7))), imaging.Malformed, "It is a damaged PNG: its palette has 7 bytes, or there are two."},
		{"no palette", join(header(7, 7, 8, 3, 0), chunk("IDAT", compress(rows))), imaging.Malformed, "It is a damaged PNG: it has no palette."},
		{"checksum", join(header(7, 7, 8, 0, 0), []byte("\x00\x00\x00\x01tEXtx\x00\x00\x00\x00")), imaging.Malformed, `It is a damaged PNG: the checksum of "tEXt" is wrong.`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := imaging.ReadMask(context.Background(), bytes.NewReader(tt.data), nil)
			e := (*imaging.Error)(nil)
			if !errors.As(err, &e) || e.Reason != tt.want || tt.text != "" && e.Text != tt.text {
				t.Errorf("err = %v, want %q", err, tt.text)
			}
		})
	}
	broken := errors.New("connection reset")
	for _, n := range []int{0, 20, 60, len(good) - 20} {
		r := io.MultiReader(bytes.NewReader(good[:n]), iotest.ErrReader(broken))
		if _, err := imaging.ReadMask(context.Background(), r, nil); !errors.Is(err, broken) {
			t.Errorf("a read error after %d bytes comes as %v", n, err)
		}
	}
}

// TestReadMaskEnds: a mask of all colours there are, whose data is tiny, is
// given up when the context ends.
func TestReadMaskEnds(t *testing.T) {
	rows := make([]byte, (1+3*imaging.MaxMaskSide)*imaging.MaxMaskSide)
	for y := range imaging.MaxMaskSide {
		row := rows[y*(1+3*imaging.MaxMaskSide):]
		for x := range imaging.MaxMaskSide {
			n := y*imaging.MaxMaskSide + x
			row[1+3*x], row[2+3*x], row[3+3*x] = byte(n>>16), byte(n>>8), byte(n)
		}
	}
	data := join(header(imaging.MaxMaskSide, imaging.MaxMaskSide, 8, 2, 0), chunk("IDAT", compress(rows)), chunk("IEND", nil))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := imaging.ReadMask(ctx, bytes.NewReader(data), make([]imaging.MapColor, 1000))
	if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > 20*time.Second {
		t.Errorf("after %v: err = %v", took, err)
	}
}

// TestReadMaskMemory: the largest mask takes no more memory than a small one.
func TestReadMaskMemory(t *testing.T) {
	rows := make([]byte, (1+8*imaging.MaxMaskSide)*imaging.MaxMaskSide)
	for i := range imaging.MaxMaskSide {
		rows[i*(1+8*imaging.MaxMaskSide)] = byte(i % 5)
	}
	data := join(header(imaging.MaxMaskSide, imaging.MaxMaskSide, 16, 6, 0), chunk("IDAT", compress(rows)), chunk("IEND", nil))
	rows = nil
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := imaging.ReadMask(context.Background(), bytes.NewReader(data), nil)
	runtime.ReadMemStats(&after)
	if err != nil || got.Background != got.Pixels {
		t.Fatalf("%+v, %v", got, err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}

// TestReadMaskCookies (LV-5.43): the masks that the service's console wrote
// have their label's colour and nothing else on their background.
func TestReadMaskCookies(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(cookies(t), "dataset-files", "mask-images", "*.png"))
	if err != nil || len(files) != 32 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := imaging.ReadMask(context.Background(), bytes.NewReader(data), []imaging.MapColor{scratch})
		if err != nil || m.Width != 576 || m.Height != 768 || m.Labels[0] == 0 || m.Unmatched != 0 {
			t.Errorf("%s: %+v, %v", filepath.Base(name), m, err)
		}
		compare(t, data, []imaging.MapColor{scratch})
	}
}
