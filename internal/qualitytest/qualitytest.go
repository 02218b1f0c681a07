// Package qualitytest changes photographs as people change them before they
// end in a data set a second time, to measure what finds them.
package qualitytest

import (
	"bytes"
	"cmp"
	"image"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
)

// A Change is something that is done to a picture.
type Change struct {
	Name  string
	Apply func(*image.Gray) *image.Gray
}

// Changes are what near duplicates are measured with.
var Changes = []Change{
	{"recompressed, quality 90", recompress(90)},
	{"recompressed, quality 70", recompress(70)},
	{"recompressed, quality 50", recompress(50)},
	{"recompressed, quality 30", recompress(30)},
	{"scaled to 50 %", scale(0.5)},
	{"scaled to 75 %", scale(0.75)},
	{"scaled to 150 %", scale(1.5)},
	{"scaled to 200 %", scale(2)},
	{"cropped by 5 %, from the middle", crop(0.025, 0.025, 0.025, 0.025)},
	{"cropped by 5 %, at the top and left", crop(0.05, 0.05, 0, 0)},
	{"cropped by 5 %, at the bottom and right", crop(0, 0, 0.05, 0.05)},
	{"cropped by 5 % at every side", crop(0.05, 0.05, 0.05, 0.05)},
	{"mirrored", turn(false, func(x, y, w, h int) (int, int) { return w - 1 - x, y })},
	{"mirrored upside down", turn(false, func(x, y, w, h int) (int, int) { return x, h - 1 - y })},
	{"turned by 90°", turn(true, func(x, y, w, h int) (int, int) { return y, h - 1 - x })},
	{"turned by 180°", turn(false, func(x, y, w, h int) (int, int) { return w - 1 - x, h - 1 - y })},
	{"turned by 270°", turn(true, func(x, y, w, h int) (int, int) { return w - 1 - y, x })},
	{"rotated by 3°, black corners", rotate(3)},
	{"rotated by -3°, black corners", rotate(-3)},
	{"rotated by 1.5°, black corners", rotate(1.5)},
	{"lighter, and with more contrast", tone(1.2, 15)},
	{"mirrored, cropped by 5 %, recompressed at 50", chain(turn(false, func(x, y, w, h int) (int, int) { return w - 1 - x, y }), crop(0.05, 0.05, 0, 0), recompress(50))},
	{"turned by 90°, scaled to 50 %, recompressed at 30", chain(turn(true, func(x, y, w, h int) (int, int) { return y, h - 1 - x }), scale(0.5), recompress(30))},
}

// Luma returns the luma of a decoded picture.
func Luma(m image.Image) *image.Gray {
	b := m.Bounds()
	g := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	if p, ok := m.(*image.YCbCr); ok {
		for y := range b.Dy() {
			copy(g.Pix[y*g.Stride:][:b.Dx()], p.Y[y*p.YStride:])
		}
		return g
	}
	for y := range b.Dy() {
		for x := range b.Dx() {
			g.Set(x, y, m.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	return g
}

// Photographs returns the names of the real photographs of shared/data, those
// of blood cells and those of cookies; none where they are missing. from is the
// way to the project's root.
func Photographs(from string) (cells, cookies []string) {
	data := cmp.Or(os.Getenv("FOVEA_TEST_DATA"), filepath.Join(from, "../shared/data"))
	cells, _ = filepath.Glob(filepath.Join(data, "bccd/BCCD/JPEGImages/*.jpg"))
	for _, dir := range []string{"cookies/dataset-files/training-images", "cookies/test-images"} {
		more, _ := filepath.Glob(filepath.Join(data, dir, "*.jpg"))
		cookies = append(cookies, more...)
	}
	return cells, cookies
}

func chain(list ...func(*image.Gray) *image.Gray) func(*image.Gray) *image.Gray {
	return func(m *image.Gray) *image.Gray {
		for _, apply := range list {
			m = apply(m)
		}
		return m
	}
}

func recompress(quality int) func(*image.Gray) *image.Gray {
	return func(m *image.Gray) *image.Gray {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
			panic(err) // which nothing in memory fails
		}
		again, err := jpeg.Decode(&b)
		if err != nil {
			panic(err)
		}
		return again.(*image.Gray)
	}
}

// warp makes a picture of w x h pixels, each of which is from a place in m; 0
// where that is outside.
func warp(m *image.Gray, w, h int, place func(x, y float64) (float64, float64)) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, w, h))
	right, bottom := float64(m.Rect.Dx()-1), float64(m.Rect.Dy()-1)
	for y := range h {
		for x := range w {
			px, py := place(float64(x), float64(y))
			if px < -0.5 || py < -0.5 || px > right+0.5 || py > bottom+0.5 {
				continue
			}
			out.Pix[y*out.Stride+x] = between(m, min(max(px, 0), right), min(max(py, 0), bottom))
		}
	}
	return out
}

// between returns the value between four pixels.
func between(m *image.Gray, x, y float64) byte {
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, m.Rect.Dx()-1), min(y0+1, m.Rect.Dy()-1)
	at := func(x, y int) float64 { return float64(m.Pix[y*m.Stride+x]) }
	fx, fy := x-float64(x0), y-float64(y0)
	return byte((at(x0, y0)*(1-fx)+at(x1, y0)*fx)*(1-fy) + (at(x0, y1)*(1-fx)+at(x1, y1)*fx)*fy + 0.5)
}

func scale(factor float64) func(*image.Gray) *image.Gray {
	return func(m *image.Gray) *image.Gray {
		w, h := int(float64(m.Rect.Dx())*factor), int(float64(m.Rect.Dy())*factor)
		fx, fy := float64(m.Rect.Dx())/float64(w), float64(m.Rect.Dy())/float64(h)
		return warp(m, w, h, func(x, y float64) (float64, float64) { return (x+0.5)*fx - 0.5, (y+0.5)*fy - 0.5 })
	}
}

// crop cuts shares of the width and height off.
func crop(left, top, right, bottom float64) func(*image.Gray) *image.Gray {
	return func(m *image.Gray) *image.Gray {
		w, h := float64(m.Rect.Dx()), float64(m.Rect.Dy())
		x0, y0 := math.Floor(left*w), math.Floor(top*h)
		return warp(m, int(w-x0-right*w), int(h-y0-bottom*h), func(x, y float64) (float64, float64) { return x + x0, y + y0 })
	}
}

// turn moves whole pixels. The sides change places if swap is set.
func turn(swap bool, from func(x, y, w, h int) (int, int)) func(*image.Gray) *image.Gray {
	return func(m *image.Gray) *image.Gray {
		w, h := m.Rect.Dx(), m.Rect.Dy()
		out := image.NewGray(image.Rect(0, 0, w, h))
		if swap {
			out = image.NewGray(image.Rect(0, 0, h, w))
		}
		for y := range out.Rect.Dy() {
			for x := range out.Rect.Dx() {
				px, py := from(x, y, w, h)
				out.Pix[y*out.Stride+x] = m.Pix[py*m.Stride+px]
			}
		}
		return out
	}
}

func rotate(degrees float64) func(*image.Gray) *image.Gray {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return func(m *image.Gray) *image.Gray {
		cx, cy := float64(m.Rect.Dx()-1)/2, float64(m.Rect.Dy()-1)/2
		return warp(m, m.Rect.Dx(), m.Rect.Dy(), func(x, y float64) (float64, float64) {
			return cx + cos*(x-cx) - sin*(y-cy), cy + sin*(x-cx) + cos*(y-cy)
		})
	}
}

func tone(contrast, lighter float64) func(*image.Gray) *image.Gray {
	return func(m *image.Gray) *image.Gray {
		out := image.NewGray(m.Rect)
		for i, v := range m.Pix {
			out.Pix[i] = byte(min(max((float64(v)-128)*contrast+128+lighter, 0), 255))
		}
		return out
	}
}
