package detect

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"fovea/internal/imaging"
	"fovea/internal/ml/augment"
	"fovea/internal/ml/head"
	"fovea/internal/ml/kernel"
)

// A picture is an image to train on at the size at which it is used, with its
// objects.
type picture struct {
	image   *imaging.Image
	objects []head.Object
	index   int     // of the image in the set
	fx, fy  float64 // pixels of the image for each of the picture
}

// A sampler draws batches of crops.
type sampler struct {
	pictures []picture
	classed  [][]int // pictures with each class
	classes  []int   // that any picture has
	crop     int
}

// maxLooks is how many images with objects are looked at to choose a side.
const maxLooks = 64

// read reads the images, fitted to a side, which it sets if it is 0.
func read(ctx context.Context, s *Set, o *Options) (*sampler, error) {
	order := shuffled(s, o)
	if o.Side == 0 {
		var sizes []float64 // root of the area of each object, as part of its image's longer side
		for _, i := range order[:min(maxLooks, len(order))] {
			m, err := s.read(ctx, i)
			if err != nil {
				return nil, err
			}
			for _, b := range s.Objects[i] {
				sizes = append(sizes, math.Sqrt(b.Width*b.Height)/float64(max(m.W, m.H)))
			}
		}
		o.Side = choose(sizes)
	}
	var pictures []picture
	for _, i := range s.draw(order, maxBytes/(3*o.Side*o.Side)) {
		m, err := s.read(ctx, i)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, fitted(m, s.Objects[i], i, o.Side))
	}
	out := newSampler(pictures, o)
	if len(out.classes) == 0 {
		return nil, errors.New("detect: no object is within its image")
	}
	return out, nil
}

// newSampler returns what draws from pictures.
func newSampler(pictures []picture, o *Options) *sampler {
	s := &sampler{pictures: pictures, classed: make([][]int, len(o.Classes)), crop: cropOf(o.Side)}
	for k, p := range pictures {
		for _, b := range p.objects {
			if with := s.classed[b.Class]; len(with) == 0 || with[len(with)-1] != k {
				s.classed[b.Class] = append(with, k)
			}
		}
	}
	for c, with := range s.classed {
		if len(with) > 0 {
			s.classes = append(s.classes, c)
		}
	}
	return s
}

// read returns image i, unless the context has ended.
func (s *Set) read(ctx context.Context, i int) (*imaging.Image, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m, err := s.Image(ctx, i)
	if err != nil {
		return nil, fmt.Errorf("detect: image %d: %w", i, err)
	}
	return m, nil
}

// shuffled returns all images in random order, those with objects first.
func shuffled(s *Set, o *Options) []int {
	list := rand.New(rand.NewPCG(o.Seed, 0x647261)).Perm(len(s.Objects))
	slices.SortStableFunc(list, func(a, b int) int {
		return min(1, len(s.Objects[b])) - min(1, len(s.Objects[a]))
	})
	return list
}

// draw returns which images are used, in the order of the set: all, or as many
// as memory may hold. Order has all, as shuffled returns them. Half of those that
// are used have each class about as often as any other, so that the rare ones
// are learned, too; the others are the first.
func (s *Set) draw(order []int, most int) []int {
	list := order
	if len(order) > most {
		list = head.Evenly(order, s.classes(), (most+1)/2)
		taken := make([]bool, len(s.Objects))
		for _, i := range list {
			taken[i] = true
		}
		for _, i := range order {
			if !taken[i] && len(list) < most {
				list = append(list, i)
			}
		}
	}
	return slices.Sorted(slices.Values(list))
}

// classes returns those of the objects of each image.
func (s *Set) classes() [][]int {
	list := make([][]int, len(s.Objects))
	for i, objects := range s.Objects {
		for _, b := range objects {
			list[i] = append(list[i], b.Class)
		}
	}
	return list
}

// choose returns the side for images whose objects have these sizes (vision.md
// §2.7): small objects need large images.
func choose(sizes []float64) int {
	slices.Sort(sizes)
	switch at320 := 320 * sizes[len(sizes)/2]; {
	case at320 < 24:
		return 640
	case at320 < 64:
		return 320
	}
	return 192
}

// cropOf returns the side of the crops to train on.
func cropOf(side int) int {
	if side < 192 {
		return 160
	}
	return 192
}

// fitted returns an image as a picture whose longer side has so many pixels.
// Its objects are what of them is within the image.
func fitted(m *imaging.Image, objects []head.Object, index, side int) picture {
	small := m.Fit(side)
	p := picture{image: small, index: index, fx: float64(m.W) / float64(small.W), fy: float64(m.H) / float64(small.H)}
	for _, b := range objects {
		left, top := max(0, b.Left), max(0, b.Top)
		b.Width, b.Height = min(float64(m.W), b.Left+b.Width)-left, min(float64(m.H), b.Top+b.Height)-top
		b.Left, b.Top = left, top
		if b.Width > 0 && b.Height > 0 {
			b.Box = scaled(b.Box, 1/p.fx, 1/p.fy)
			p.objects = append(p.objects, b)
		}
	}
	return p
}

// scaled returns a box in other pixels.
func scaled(b head.Box, fx, fy float64) head.Box {
	return head.Box{Left: b.Left * fx, Top: b.Top * fy, Width: b.Width * fx, Height: b.Height * fy}
}

// targets are what a batch should give.
type targets struct {
	centres *kernel.Tensor // of each class, 1 at the centre of an object, less around it
	sides   *kernel.Tensor // four distances, and how much the cell counts
}

// fill writes a batch of crops into the input, and what they should give. Half
// of the images are drawn so that classes have equal chances; eight in ten
// crops have an object near the middle.
func (s *sampler) fill(rng *rand.Rand, input *kernel.Tensor, want targets) {
	for n := range input.N {
		k, class := rng.IntN(len(s.pictures)), -1
		if n%2 == 0 {
			class = s.classes[rng.IntN(len(s.classes))]
			k = s.classed[class][rng.IntN(len(s.classed[class]))]
		}
		p := &s.pictures[k]
		w := s.warp(rng, p, class)
		w.Image(input, n, p.image)
		augment.Tint(rng, input, n)
		clear(want.centres.Map(n))
		clear(want.sides.Map(n))
		for _, b := range p.objects {
			if box, ok := visible(w, b.Box, s.crop); ok {
				draw(want, n, b.Class, box)
			}
		}
	}
}

// warp draws where a crop of a picture is.
func (s *sampler) warp(rng *rand.Rand, p *picture, class int) augment.Warp {
	x, y := rng.Float64()*float64(p.image.W), rng.Float64()*float64(p.image.H)
	if len(p.objects) > 0 && rng.Float64() < 0.8 {
		b := p.objects[rng.IntN(len(p.objects))]
		for class >= 0 && b.Class != class {
			b = p.objects[rng.IntN(len(p.objects))]
		}
		x, y = b.Left+b.Width/2, b.Top+b.Height/2
		x += (rng.Float64() - 0.5) * float64(s.crop) / 2
		y += (rng.Float64() - 0.5) * float64(s.crop) / 2
	}
	r := augment.Ranges{Scale: 0.46, Flip: true} // 0.63 to 1.58
	if rng.Float64() < 0.3 {
		r.Angle = 10
	}
	return augment.Draw(rng, r, x, y, 1, s.crop)
}

// visible returns the part of a box that a crop shows, if it is more than 40 %.
func visible(w augment.Warp, b head.Box, crop int) (head.Box, bool) {
	left, top, right, bottom := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for i := range 4 {
		x, y := w.Find(b.Left+b.Width*float64(i%2), b.Top+b.Height*float64(i/2))
		left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
	}
	whole := (right - left) * (bottom - top)
	end := float64(crop)
	left, top, right, bottom = max(0, left), max(0, top), min(end, right), min(end, bottom)
	if right <= left || bottom <= top || (right-left)*(bottom-top) <= 0.4*whole {
		return head.Box{}, false
	}
	return head.Box{Left: left, Top: top, Width: right - left, Height: bottom - top}, true
}

// draw writes an object into the targets of map n: a Gaussian whose deviation
// is a sixth of the box, and where it is above a half, the distances. Where
// objects overlap, the one whose Gaussian is higher counts.
func draw(want targets, n, class int, b head.Box) {
	cx, cy := int((b.Left+b.Width/2)/stride), int((b.Top+b.Height/2)/stride)
	sx, sy := max(0.6, b.Width/stride/6), max(0.6, b.Height/stride/6)
	h, w := want.centres.H, want.centres.W
	for y := max(0, cy-int(3*sy)); y <= min(h-1, cy+int(3*sy)); y++ {
		for x := max(0, cx-int(3*sx)); x <= min(w-1, cx+int(3*sx)); x++ {
			dx, dy := float64(x-cx)/sx, float64(y-cy)/sy
			g := float32(math.Exp(-(dx*dx + dy*dy) / 2))
			c := want.centres.Pixel(n, y, x)
			c[class] = max(c[class], g)
			t := want.sides.Pixel(n, y, x)
			px, py := (float64(x)+0.5)*stride, (float64(y)+0.5)*stride
			if g > 0.5 && g > t[4] {
				t[0], t[1] = float32((px-b.Left)/unit), float32((py-b.Top)/unit)
				t[2], t[3] = float32((b.Left+b.Width-px)/unit), float32((b.Top+b.Height-py)/unit)
				for i := range 4 {
					t[i] = max(0.02, t[i]) // the cell's centre may be beside a thin box
				}
				t[4] = g
			}
		}
	}
}
