package unet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"fovea/internal/imaging"
	"fovea/internal/ml/augment"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/head"
	"fovea/internal/ml/kernel"
)

// A picture is an image to train on, at the size at which it is used.
type picture struct {
	image *imaging.Image
	mask  *imaging.LabelMap // nil: normal
	at    [][]int32         // pixels of each type
}

// A sampler draws batches of crops.
type sampler struct {
	pictures []*picture
	normal   []int   // pictures without defects
	typed    [][]int // pictures with each type
	types    []int   // that any picture has
}

// sides are those that choose tries.
var sides = []int{256, 384, 512, 768, MaxSide}

// read reads the images. It sets the side if it is 0: the least at which half
// of the masks have a defect area of at least 16 x 16 pixels, as far as images
// have pixels for it.
func read(ctx context.Context, s *Set, o *Options) (*sampler, error) {
	if o.Side == 0 {
		side, err := choose(ctx, s, o.Seed)
		if err != nil {
			return nil, err
		}
		o.Side = side
	}
	out := &sampler{typed: make([][]int, len(o.Types))}
	for _, i := range s.draw(o.Seed, maxBytes/(perPixel*o.Side*o.Side)) {
		p, err := s.picture(ctx, i, o)
		if err != nil {
			return nil, fmt.Errorf("unet: image %d: %w", i, err)
		}
		k := len(out.pictures)
		out.pictures = append(out.pictures, p)
		if p.mask == nil {
			out.normal = append(out.normal, k)
			continue
		}
		for t, at := range p.at {
			if len(at) > 0 {
				out.typed[t] = append(out.typed[t], k)
			}
		}
	}
	for t, with := range out.typed {
		if len(with) > 0 {
			out.types = append(out.types, t)
		}
	}
	if len(out.types) == 0 {
		return nil, errors.New("unet: no mask shows a defect")
	}
	return out, nil
}

// draw returns which images are used, in their order: all, or as many as memory
// may hold. Of those up to three in four have defects, more where there are too
// few normal ones; each type has its share, so that the rare ones are learned,
// too.
func (s *Set) draw(seed uint64, most int) []int {
	list := rand.New(rand.NewPCG(seed, 0x647261)).Perm(len(s.Shows))
	if len(list) > most {
		var normal []int
		for _, i := range list {
			if len(s.Shows[i]) == 0 {
				normal = append(normal, i)
			}
		}
		list = head.Evenly(list, s.Shows, max(most*3/4, most-len(normal)))
		list = append(list, normal[:most-len(list)]...)
	}
	slices.Sort(list)
	return list
}

// maxLooks is how many masks with defects are looked at to choose a side.
const maxLooks = 64

// choose returns the side for images.
func choose(ctx context.Context, s *Set, seed uint64) (int, error) {
	var areas []float64 // root of the defects' part of the image
	longest := 0
	for _, i := range rand.New(rand.NewPCG(seed, 0x6c6f6f6b)).Perm(len(s.Shows)) {
		if len(areas) == maxLooks {
			break
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		m, err := s.Mask(ctx, i)
		if err != nil {
			return 0, fmt.Errorf("unet: mask %d: %w", i, err)
		}
		if m == nil {
			continue
		}
		count := 0
		for _, l := range m.Pix {
			if l > 0 {
				count++
			}
		}
		if count > 0 {
			long := max(m.W, m.H)
			longest = max(longest, long)
			areas = append(areas, math.Sqrt(float64(count))/float64(long))
		}
	}
	if len(areas) == 0 {
		return sides[0], nil
	}
	slices.Sort(areas)
	for _, side := range sides {
		if areas[len(areas)/2]*float64(side) >= 16 || side >= longest {
			return side, nil
		}
	}
	return MaxSide, nil
}

// picture reads image i.
func (s *Set) picture(ctx context.Context, i int, o *Options) (*picture, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m, err := s.Image(ctx, i)
	if err != nil {
		return nil, err
	}
	mask, err := s.Mask(ctx, i)
	if err != nil {
		return nil, err
	}
	w, h := m.W, m.H
	p := &picture{image: m.Fit(o.Side), mask: mask}
	if mask == nil {
		return p, nil
	}
	if mask.W != w || mask.H != h {
		return nil, fmt.Errorf("the mask has %dx%d pixels, the image %dx%d", mask.W, mask.H, w, h)
	}
	p.mask = mask.Resize(p.image.W, p.image.H)
	p.at = make([][]int32, len(o.Types))
	any := false
	for k, l := range p.mask.Pix {
		if l > 0 {
			if int(l) > len(o.Types) {
				return nil, fmt.Errorf("the mask has label %d, and there are %d types", l, len(o.Types))
			}
			p.at[l-1] = append(p.at[l-1], int32(k))
			any = true
		}
	}
	if !any {
		p.mask = nil
	}
	return p, nil
}

// ranges are how crops are changed (vision.md §2.5).
var ranges = augment.Ranges{Scale: 0.25, Angle: 15, Any: 0.5, Flip: true}

// fill writes a batch of crops into the input, and their masks: half of them of
// images with defects, types with equal chances, nine in ten with a defect in
// the middle.
func (s *sampler) fill(rng *rand.Rand, input, masks *kernel.Tensor) {
	for n := range input.N {
		var p *picture
		typ := -1
		if n%2 == 0 || len(s.normal) == 0 {
			typ = s.types[rng.IntN(len(s.types))]
			p = s.pictures[s.typed[typ][rng.IntN(len(s.typed[typ]))]]
		} else {
			p = s.pictures[s.normal[rng.IntN(len(s.normal))]]
		}
		x, y := rng.Float64()*float64(p.image.W), rng.Float64()*float64(p.image.H)
		if typ >= 0 && rng.Float64() < 0.9 {
			at := int(p.at[typ][rng.IntN(len(p.at[typ]))])
			x, y = float64(at%p.image.W), float64(at/p.image.W)
		}
		// Any place of the crop may be the one.
		x += (rng.Float64() - 0.5) * crop / 2
		y += (rng.Float64() - 0.5) * crop / 2
		w := augment.Draw(rng, ranges, x, y, 1, crop)
		w.Image(input, n, p.image)
		augment.Tint(rng, input, n)
		if p.mask != nil {
			w.Labels(masks, n, p.mask)
		} else {
			clear(masks.Map(n))
		}
	}
}

// fit returns an image as it is used for prediction, padded, and its size
// before.
func fit(m *imaging.Image, side int) (padded *imaging.Image, w, h int) {
	m = m.Fit(side)
	return m.PadTo(backbone.Multiple), m.W, m.H
}
