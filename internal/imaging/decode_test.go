package imaging_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"fovea/internal/imaging"
)

func decode(data []byte, d imaging.Decoding) (*imaging.Image, error) {
	return imaging.Decode(context.Background(), bytes.NewReader(data), int64(len(data)), d)
}

// reference returns an image of the standard library as an Image, laid over
// white.
func reference(m image.Image) *imaging.Image {
	b := m.Bounds()
	out := imaging.New(b.Dx(), b.Dy())
	for y := range out.H {
		for x := range out.W {
			c := color.NRGBAModel.Convert(m.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			over := func(v uint8) uint8 { return uint8((int(v)*int(c.A) + 255*(255-int(c.A)) + 127) / 255) }
			out.Set(x, y, over(c.R), over(c.G), over(c.B))
		}
	}
	return out
}

// far returns how far the pixels of two images are apart at most, -1 for
// images of other sizes.
func far(a, b *imaging.Image) int {
	if a.W != b.W || a.H != b.H {
		return -1
	}
	d := 0
	for i := range a.Pix {
		d = max(d, int(a.Pix[i])-int(b.Pix[i]), int(b.Pix[i])-int(a.Pix[i]))
	}
	return d
}

// noise fills the pixels of an image of the standard library.
func noise[M image.Image](m M, pix []uint8) M {
	for i := range pix {
		pix[i] = uint8(i*i>>3 + i*31)
	}
	return m
}

func TestDecode(t *testing.T) {
	r := image.Rect(0, 0, 23, 17)
	gray, gray16, rgba, nrgba, nrgba64 := image.NewGray(r), image.NewGray16(r), image.NewRGBA(r), image.NewNRGBA(r), image.NewNRGBA64(r)
	palette := image.NewPaletted(r, []color.Color{color.White, color.NRGBA{1, 2, 3, 255}, color.NRGBA{200, 20, 3, 60}})
	noise(palette, palette.Pix)
	for i := range palette.Pix {
		palette.Pix[i] %= 3
	}
	opaque := noise(rgba, rgba.Pix)
	for i := 3; i < len(opaque.Pix); i += 4 {
		opaque.Pix[i] = 255
	}
	for _, tt := range []struct {
		name string
		data []byte
	}{
		{"grey PNG", pngOf(t, noise(gray, gray.Pix))},
		{"grey PNG of 16 bits", pngOf(t, noise(gray16, gray16.Pix))},
		{"RGB PNG", pngOf(t, opaque)},
		{"RGBA PNG", pngOf(t, noise(nrgba, nrgba.Pix))},
		{"RGBA PNG of 16 bits", pngOf(t, noise(nrgba64, nrgba64.Pix))},
		{"palette PNG", pngOf(t, palette)},
		{"grey JPEG", jpegOf(t, gray)},
		{"JPEG", jpegOf(t, opaque)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := decode(tt.data, imaging.Decoding{})
			if err != nil {
				t.Fatal(err)
			}
			std, _, err := image.Decode(bytes.NewReader(tt.data))
			if err != nil {
				t.Fatal(err)
			}
			if d := far(m, reference(std)); d < 0 || d > 1 {
				t.Errorf("off by %d from the standard library", d)
			}
			for _, cut := range []int{1, len(tt.data) / 10, len(tt.data) / 2} {
				_, err := decode(tt.data[:len(tt.data)-cut], imaging.Decoding{})
				if e := (*imaging.Error)(nil); !errors.As(err, &e) || e.Reason != imaging.Truncated {
					t.Errorf("with %d bytes cut off: %v, want Truncated", cut, err)
				}
			}
		})
	}
}

// TestDecodeStandard decodes the pictures with which the standard library is
// tested: CMYK, progressive, with every subsampling, interlaced.
func TestDecodeStandard(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src/image/testdata/*.[jp][pn]*g"))
	if len(files) == 0 {
		t.Skip("this Go came without its test data")
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := decode(data, imaging.Decoding{})
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		std, _, err := image.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if d := far(m, reference(std)); d < 0 || d > 1 {
			t.Errorf("%s: off by %d from the standard library", filepath.Base(name), d)
		}
	}
}

func TestDecodeInterlaced(t *testing.T) {
	// 1x1 to 9x9 grey pixels of 8 bits whose value tells their place.
	for side := 1; side <= 9; side++ {
		var raw []byte
		for _, a := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
			for y := a[1]; y < side; y += a[3] {
				row := []byte{0}
				for x := a[0]; x < side; x += a[2] {
					row = append(row, byte(16*y+x))
				}
				if len(row) > 1 {
					raw = append(raw, row...)
				}
			}
		}
		data := join(header(uint32(side), uint32(side), 8, 0, 1), chunk("IDAT", compress(raw)), chunk("IEND", nil))
		m, err := decode(data, imaging.Decoding{})
		if err != nil {
			t.Fatal(err)
		}
		for y := range side {
			for x := range side {
				if r, g, b := m.At(x, y); r != uint8(16*y+x) || g != r || b != r {
					t.Fatalf("side %d: pixel %d, %d is %d %d %d", side, x, y, r, g, b)
				}
			}
		}
	}
}

func TestDecodeOrientation(t *testing.T) {
	// Bright at the stored top left; where it must be seen, by EXIF 2.32.
	stored := image.NewGray(image.Rect(0, 0, 32, 16))
	for y := range 8 {
		for x := range 8 {
			stored.SetGray(x, y, color.Gray{255})
		}
	}
	data := jpegOf(t, stored)
	for o, want := range map[byte]struct{ w, h, x, y int }{
		1: {32, 16, 0, 0}, 2: {32, 16, 31, 0}, 3: {32, 16, 31, 15}, 4: {32, 16, 0, 15},
		5: {16, 32, 0, 0}, 6: {16, 32, 15, 0}, 7: {16, 32, 15, 31}, 8: {16, 32, 0, 31},
	} {
		file := join(data[:2], exif(o), data[2:])
		m, err := decode(file, imaging.Decoding{})
		if err != nil {
			t.Fatal(err)
		}
		if m.W != want.w || m.H != want.h {
			t.Fatalf("orientation %d: %dx%d", o, m.W, m.H)
		}
		for _, y := range []int{0, m.H - 1} {
			for _, x := range []int{0, m.W - 1} {
				v, _, _ := m.At(x, y)
				if bright := x == want.x && y == want.y; (v > 128) != bright {
					t.Errorf("orientation %d: %d at %d, %d", o, v, x, y)
				}
			}
		}
		if m, err := decode(file, imaging.Decoding{Stored: true}); err != nil || m.W != 32 || m.Pix[0] < 200 {
			t.Errorf("orientation %d as stored: %v", o, err)
		}
	}
}

// TestHardeningT05: bombs are refused by their header, and what takes long for its size.
func TestHardeningT05(t *testing.T) {
	small := jpegOf(t, picture(8, 8))
	sos := bytes.Index(small, []byte{0xff, 0xda})
	many := small[:sos:sos]
	for range 101 {
		many = append(many, small[sos:len(small)-2]...)
	}
	many = append(many, 0xff, 0xd9)
	for _, tt := range []struct {
		name   string
		data   []byte
		reason imaging.Reason
	}{
		{"PNG of 64k x 64k", join(header(65535, 65535, 8, 2, 0), chunk("IDAT", make([]byte, 99)), chunk("IEND", nil)), imaging.TooManyPixels},
		{"JPEG of 64k x 64k", join(soi, frame(0xc2, 8, 65535, 65535, 3), segment(0xda), []byte{0xff, 0xd9}), imaging.TooManyPixels},
		{"scans", many, imaging.TooComplex},
		{"HTML", []byte("<html>\xff\xd8\xff"), imaging.OtherFormat},
		{"12 bits", join(soi, frame(0xc1, 12, 8, 8, 1), small[sos:]), imaging.Unsupported},
		{"nothing", nil, imaging.Empty},
	} {
		_, err := decode(tt.data, imaging.Decoding{})
		if e := (*imaging.Error)(nil); !errors.As(err, &e) || e.Reason != tt.reason {
			t.Errorf("%s: %v (%+v), want reason %d", tt.name, err, e, tt.reason)
		}
	}
	if _, err := decode(pngOf(t, picture(20, 20)), imaging.Decoding{MaxPixels: 399}); err == nil || !strings.Contains(err.Error(), "20x20") {
		t.Errorf("over the budget: %v", err)
	}
	if _, err := decode(pngOf(t, picture(20, 20)), imaging.Decoding{MaxPixels: 400}); err != nil {
		t.Errorf("within the budget: %v", err)
	}
}

// TestDecodeMemory: decoding takes the memory that Decoding tells.
func TestDecodeMemory(t *testing.T) {
	const side = 1000
	deep := image.NewNRGBA64(image.Rect(0, 0, side, side))
	for name, data := range map[string][]byte{"PNG of 64 bits": pngOf(t, noise(deep, deep.Pix)), "JPEG": jpegOf(t, deep)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := decode(data, imaging.Decoding{}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 6*side*side+300_000 {
			t.Errorf("%s: %d bytes for %d pixels", name, got, side*side)
		}
	}
}

func TestDecodeWithoutEnd(t *testing.T) {
	data := jpegOf(t, picture(16, 16))
	data = append(data[:len(data)-2], []byte("\xff\xe5\x00\x10a camera's own")...)
	if _, err := decode(data, imaging.Decoding{}); err != nil {
		t.Errorf("a JPEG that ends with something else: %v", err)
	}
}

func TestDecodeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, data := range [][]byte{pngOf(t, picture(9, 9)), jpegOf(t, picture(9, 9))} {
		if _, err := imaging.Decode(ctx, bytes.NewReader(data), int64(len(data)), imaging.Decoding{}); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
	}
}

// FuzzDecode: whatever the bytes, Decode ends, with an *Error or the pixels
// that the standard library sees.
func FuzzDecode(f *testing.F) {
	f.Add(jpegOf(f, picture(17, 9)))
	f.Add(pngOf(f, picture(17, 9)))
	f.Add(join(soi, exif(6), jpegOf(f, picture(8, 8))[2:]))
	f.Add(join(header(9, 2, 4, 0, 1), chunk("tRNS", []byte{0, 3}), chunk("IDAT", compress(make([]byte, 40))), chunk("IEND", nil)))
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		m, err := decode(data, imaging.Decoding{MaxPixels: 1 << 16, Stored: true})
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %v", took)
		}
		if err != nil {
			wantError(t, err)
			return
		}
		if len(m.Pix) != 3*m.W*m.H || m.W*m.H > 1<<16 {
			t.Fatalf("%dx%d with %d bytes", m.W, m.H, len(m.Pix))
		}
		var std image.Image
		if bytes.HasPrefix(data, soi) {
			std, err = jpeg.Decode(bytes.NewReader(data))
		} else {
			std, err = png.Decode(bytes.NewReader(data))
		}
		if err != nil {
			return // it wants the end marker
		}
		if d := far(m, reference(std)); d < 0 || d > 1 {
			t.Errorf("off by %d from the standard library", d)
		}
	})
}
