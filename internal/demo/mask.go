package demo

import (
	"image"
	"image/color"
)

// maskColors are the background and the colours of defects.
var maskColors = color.Palette{
	color.RGBA{0xff, 0xff, 0xff, 0xff}, color.RGBA{0x2c, 0xa0, 0x2c, 0xff},
	color.RGBA{0x1f, 0x77, 0xb4, 0xff}, color.RGBA{0xd6, 0x27, 0x28, 0xff},
}

// mask returns the mask of a picture's defect (LV 5.4).
func (p *picture) mask() *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, frameWidth, frameHeight), maskColors)
	for k, name := range defects {
		if name != p.defect {
			continue
		}
		for i, in := range p.covers.covers {
			if in {
				img.Pix[i] = uint8(k + 1)
			}
		}
	}
	return img
}
