package demo

import (
	"image"
	"image/color"
)

const (
	frameWidth  = 320 // pixels of every image
	frameHeight = 240
	over        = 2 // samples a pixel, each way
)

// A rgb is a colour in linear light; 1 is as bright as the screen can be.
type rgb struct{ r, g, b float32 }

func (c rgb) scaled(f float32) rgb { return rgb{c.r * f, c.g * f, c.b * f} }

// mix returns c with the share f of d.
func (c rgb) mix(d rgb, f float32) rgb {
	return rgb{c.r + (d.r-c.r)*f, c.g + (d.g-c.g)*f, c.b + (d.b-c.b)*f}
}

// A material says how a spot of a surface answers light.
type material struct {
	color rgb
	gloss float32 // how strongly it mirrors the lamp
}

// A surface is a scene as a camera above sees it, sampled over times as finely
// as its pixels: how high each sample lies, what it is made of, and how much of
// the lamp reaches it. Shapes are stamped on it one after the other, as a part
// is made; photograph then lights all of it at once, so that every edge, groove
// and dent is shaded by its own slope.
//
// All places and lengths are in pixels.
type surface struct {
	height []float32
	stuff  []material
	light  []float32 // 1 in the open, less in a shadow
}

const (
	samplesWide = frameWidth * over
	samplesHigh = frameHeight * over
)

func newSurface() *surface {
	n := samplesWide * samplesHigh
	return &surface{height: make([]float32, n), stuff: make([]material, n), light: make([]float32, n)}
}

// covered returns how much of a sample is inside a shape whose edge is that
// far away, negative inside.
func covered(distance float32) float32 { return clamp(0.5 - distance*over) }

// around calls fn with every sample in the square of that radius around p, and
// its place from p.
func (s *surface) around(p point, radius float32, fn func(at int, d point)) {
	x0, x1 := bounds(p.x, radius, samplesWide)
	y0, y1 := bounds(p.y, radius, samplesHigh)
	for j := y0; j < y1; j++ {
		for i := x0; i < x1; i++ {
			fn(j*samplesWide+i, point{(float32(i)+0.5)/over - p.x, (float32(j)+0.5)/over - p.y})
		}
	}
}

func bounds(center, radius float32, n int) (from, to int) {
	return max(int((center-radius)*over), 0), min(int((center+radius)*over)+1, n)
}

// put lays a material over a sample.
func (s *surface) put(at int, m material, share float32) {
	old := &s.stuff[at]
	old.color = old.color.mix(m.color, share)
	old.gloss += (m.gloss - old.gloss) * share
}

// A lamp lights a scene from one side.
type lamp struct {
	from   point   // where it stands, as a direction in the image; not longer than 1
	power  float32 // about 1
	tint   rgb
	fading float32 // how much darker the far side of the image is
}

// photograph lights the surface and returns its picture.
func (s *surface) photograph(l lamp, noise *texture) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, frameWidth, frameHeight))
	shine := newShine(l)
	for y := range frameHeight {
		for x := range frameWidth {
			var sum rgb
			for j := y * over; j < (y+1)*over; j++ {
				for i := x * over; i < (x+1)*over; i++ {
					c := s.lit(i, j, &shine)
					sum = rgb{sum.r + c.r, sum.g + c.g, sum.b + c.b}
				}
			}
			place := point{float32(x)/frameWidth - 0.5, float32(y)/frameHeight - 0.5}
			f := l.power * (1 + l.fading*place.dot(l.from) - 0.25*place.dot(place)) / (over * over)
			grain := 0.006 * noise.at(x, y)
			img.SetRGBA(x, y, color.RGBA{
				tone(sum.r*l.tint.r*f, grain), tone(sum.g*l.tint.g*f, grain), tone(sum.b*l.tint.b*f, grain), 255,
			})
		}
	}
	return img
}

// A shine tells how much a slope gets of the lamp and sends to the camera.
type shine struct {
	from, half         vector // where the lamp is; half-way between it and the camera
	facing, reflecting float32
}

type vector struct{ x, y, z float32 }

func newShine(l lamp) shine {
	up := sqrt(1 - min(l.from.dot(l.from), 0.9))
	length := sqrt(l.from.dot(l.from) + (up+1)*(up+1))
	s := shine{
		from: vector{l.from.x, l.from.y, up},
		half: vector{l.from.x / length, l.from.y / length, (up + 1) / length},
	}
	s.facing, s.reflecting = s.slope(0, 0)
	return s
}

// slope returns how much of the lamp falls on a slope, and how much of it is
// mirrored.
func (s *shine) slope(dx, dy float32) (facing, reflecting float32) {
	inverse := 1 / sqrt(dx*dx+dy*dy+1)
	facing = max((dx*s.from.x+dy*s.from.y+s.from.z)*inverse, 0)
	r := max((dx*s.half.x+dy*s.half.y+s.half.z)*inverse, 0)
	r *= r
	r *= r
	r *= r
	return facing, r * r // to the 16th
}

// lit returns how bright a sample looks: light from all sides, light from the
// lamp by the slope, and the lamp's reflection by the slope.
func (s *surface) lit(i, j int, lamp *shine) rgb {
	at := j*samplesWide + i
	left, right := at-min(i, 1), at+min(samplesWide-1-i, 1)
	above, below := at-min(j, 1)*samplesWide, at+min(samplesHigh-1-j, 1)*samplesWide
	dx := (s.height[left] - s.height[right]) * (over / 2.0)
	dy := (s.height[above] - s.height[below]) * (over / 2.0)
	facing, reflecting := lamp.facing, lamp.reflecting
	if dx != 0 || dy != 0 {
		facing, reflecting = lamp.slope(dx, dy)
	}
	m, light := &s.stuff[at], s.light[at]
	gleam := m.gloss * reflecting * light
	diffuse := 0.32*(0.4+0.6*light) + 0.78*facing*light
	return rgb{m.color.r*diffuse + gleam, m.color.g*diffuse + gleam, m.color.b*diffuse + gleam}
}

// tone turns linear light into a byte: a camera's curve, bent at the top so
// that highlights do not tear.
func tone(light, grain float32) uint8 {
	light = max(light, 0)
	light = light * (1 + 0.12*light) / (1 + 0.55*light)
	return uint8(clamp(sqrt(light)*1.02+grain)*255 + 0.5)
}
