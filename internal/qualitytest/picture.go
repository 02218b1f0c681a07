package qualitytest

import (
	"image"

	"fovea/internal/imaging"
)

// Picture returns a grey picture as fovea decodes it.
func Picture(m *image.Gray) *imaging.Image {
	out := imaging.New(m.Rect.Dx(), m.Rect.Dy())
	for y := range out.H {
		for x := range out.W {
			v := m.Pix[y*m.Stride+x]
			out.Set(x, y, v, v, v)
		}
	}
	return out
}
