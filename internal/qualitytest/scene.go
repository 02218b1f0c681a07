package qualitytest

import (
	"image"
	"math/rand/v2"
)

// Scene draws a picture of soft spots, which depend on the seed alone, whatever
// its size.
func Scene(seed uint64, w, h int) *image.Gray {
	r := rand.New(rand.NewPCG(seed, 7))
	type spot struct{ x, y, size, light float64 }
	var spots [40]spot
	for i := range spots {
		spots[i] = spot{r.Float64(), r.Float64(), 0.02 + 0.08*r.Float64(), 160*r.Float64() - 80}
	}
	m := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := 128.0
			for _, s := range spots {
				dx, dy := (float64(x)+0.5)/float64(w)-s.x, (float64(y)+0.5)/float64(h)-s.y
				if d := (dx*dx + dy*dy) / (s.size * s.size); d < 1 {
					v += s.light * (1 - d)
				}
			}
			m.Pix[y*m.Stride+x] = byte(min(max(v, 0), 255))
		}
	}
	return m
}
