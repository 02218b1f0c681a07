package demo

import (
	"image"
	"math"
	"math/rand/v2"
)

// A studio takes the pictures: a camera, a bench and what a brush leaves on
// metal. The same number always gives the same picture. It may be used by
// several goroutines at once.
type studio struct{ noise, brush, skin *texture }

func newStudio() *studio {
	rng := rand.New(rand.NewPCG(2, 1))
	return &studio{noise: grain(rng), brush: brushed(rng), skin: rough(rng)}
}

// A box is a labelled rectangle in an image.
type box struct {
	label string
	area  image.Rectangle
}

// A picture is an image and what is in it.
type picture struct {
	image  *image.RGBA
	boxes  []box   // for object detection
	defect string  // what is wrong with the part; empty if it is good
	covers *region // where the defect is; nil of lids
}

// lamp returns the workshop's lamp as it is at the moment: it is moved and
// flickers a little.
func newLamp(rng *rand.Rand) lamp {
	warm := (rng.Float32() - 0.5) * 0.06
	return lamp{
		from:   polar(-2.3+(rng.Float32()-0.5)*0.35, 0.62+0.08*rng.Float32()),
		power:  0.94 + 0.16*rng.Float32(),
		tint:   rgb{1 + warm, 1, 1 - warm},
		fading: 0.25 + 0.2*rng.Float32(),
	}
}

// layouts are where a plate has its bolts, from -1 to 1 between its edges.
var layouts = [][]point{
	{{-0.80, -0.72}, {0.80, -0.72}, {0.80, 0.72}, {-0.80, 0.72}},
	{{-0.82, -0.70}, {0, -0.70}, {0.82, -0.70}, {0.82, 0.70}, {0, 0.70}, {-0.82, 0.70}},
	{{-0.80, 0}, {0.80, 0}, {-0.28, -0.68}, {0.28, 0.68}},
}

// plate takes a picture of a plate in which some bolts are missing, so that
// their holes are seen, and which may be scratched.
func (t *studio) plate(number uint64) *picture {
	rng := rand.New(rand.NewPCG(number, 0x91a7e))
	s, l, shot := newSurface(), newLamp(rng), new(picture)
	turn := (rng.Float32() - 0.5) * 0.22
	p := plate{
		center: point{160 + (rng.Float32()-0.5)*24, 120 + (rng.Float32()-0.5)*16},
		half:   point{104 + rng.Float32()*14, 72 + rng.Float32()*10},
		corner: 9 + rng.Float32()*6, cos: cos(turn), sin: sin(turn), metal: steel,
	}
	if rng.IntN(3) == 0 {
		p.metal = aluminum
	}
	s.bench(t.noise, rng.IntN(textureWide))
	s.plate(p, t.brush, rng.IntN(textureWide), l)
	if rng.IntN(5) < 2 {
		spot := p.spot(0.42*float32(1-2*rng.IntN(2)), (rng.Float32()-0.5)*0.6)
		angle, length := rng.Float32()*2*math.Pi, 40+rng.Float32()*28
		shot.defect = "scratch"
		shot.covers = s.scratch(rng, spot.minus(polar(angle, length/2)), angle, length, 1)
	}
	if rng.IntN(2) == 0 {
		shot.hole(s, p.spot((rng.Float32()-0.5)*0.1, 0), 17+rng.Float32()*6, l)
	}
	size := 10 + rng.Float32()*2.5
	for _, at := range layouts[rng.IntN(len(layouts))] {
		if rng.IntN(4) == 0 {
			shot.hole(s, p.spot(at.x, at.y), size*0.72, l)
		} else {
			shot.bolt(s, p.spot(at.x, at.y), size, rng.Float32()*math.Pi, l)
		}
	}
	if shot.covers != nil {
		shot.boxes = append(shot.boxes, box{shot.defect, shot.covers.bounds()})
	}
	shot.image = s.photograph(l, t.noise)
	return shot
}

// hole bores a hole and marks it.
func (p *picture) hole(s *surface, at point, radius float32, l lamp) {
	s.hole(at, radius, l)
	p.mark("hole", at, radius+1.4+radius*0.06)
}

// bolt screws in a bolt and marks it.
func (p *picture) bolt(s *surface, at point, radius, turn float32, l lamp) {
	s.bolt(at, radius, turn, l)
	p.mark("bolt", at, radius*1.28)
}

// mark adds the box of something round, which hides what a defect has there.
func (p *picture) mark(label string, at point, radius float32) {
	if p.covers != nil {
		p.covers.hide(at, radius)
	}
	area := image.Rect(int(at.x-radius), int(at.y-radius), int(at.x+radius)+1, int(at.y+radius)+1)
	p.boxes = append(p.boxes, box{label, area})
}

// defects are what can be wrong with a flange, in the order of the colours of
// masks.
var defects = []string{"scratch", "dent", "stain"}

// flange takes a picture of a flange with that defect, or a good one if the
// defect is empty.
func (t *studio) flange(number uint64, defect string) *picture {
	rng := rand.New(rand.NewPCG(number, 0xf1a49e))
	s, l, shot := newSurface(), newLamp(rng), &picture{defect: defect}
	f := flange{
		center: point{160 + (rng.Float32()-0.5)*10, 120 + (rng.Float32()-0.5)*8},
		radius: 100, bore: 24, metal: aluminum,
	}
	turn := rng.Float32() * math.Pi / 3
	s.bench(t.noise, rng.IntN(textureWide))
	s.flange(f, t.brush, rng.IntN(textureWide), l)
	between := turn + math.Pi/6 + float32(rng.IntN(6))*math.Pi/3 + (rng.Float32()-0.5)*0.2
	switch defect {
	case "scratch":
		shot.covers = s.scratch(rng, f.center.plus(polar(between, 44+rng.Float32()*6)), between+(rng.Float32()-0.5), 30+rng.Float32()*16, 1)
	case "dent":
		shot.covers = s.dent(rng, f.center.plus(polar(between, 56+rng.Float32()*16)), 13+rng.Float32()*6)
	case "stain":
		shot.covers = s.stain(rng, f.center.plus(polar(between, 56+rng.Float32()*20)), 12+rng.Float32()*8, t.noise)
	}
	for k := range 6 {
		shot.bolt(s, f.center.plus(polar(turn+float32(k)*math.Pi/3, 68)), 10, rng.Float32()*math.Pi, l)
	}
	shot.image = s.photograph(l, t.noise)
	return shot
}
