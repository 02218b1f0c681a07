package classify

import (
	"context"
	"fmt"
	"math/rand/v2"

	"fovea/internal/imaging"
	"fovea/internal/ml/blemish"
	"fovea/internal/ml/feature"
	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
	"fovea/internal/ml/unet"
)

// How networks learn from synthetic anomalies (vision.md §1).
const (
	blemished   = 240   // images that are drawn on, of each network
	mostNormal  = 240   // normal images that are used
	leastNormal = 8     // with fewer, networks would know them by heart
	oddShare    = 0.002 // of the pixels whose mean is the score of an image
	oddSteps    = 150   // of each network
	oddSide     = 256
)

// An oddity is two networks that have learned what synthetic anomalies look
// like on normal images, each on half of them: so each normal image has a score
// by a network that has not seen it.
type oddity struct{ nets [2]*unet.Model }

// score returns how odd an image looks to the networks.
func (o *oddity) score(m *imaging.Image) (float32, error) {
	sum := float32(0)
	for _, n := range o.nets {
		s, err := oddest(n, m)
		if err != nil {
			return 0, err
		}
		sum += s / float32(len(o.nets))
	}
	return sum, nil
}

// oddest returns the logit of the mean of what the network is most sure of:
// probabilities themselves pile up at both ends, and one normal image that the
// network finds odd would be many standard deviations away.
func oddest(n *unet.Model, m *imaging.Image) (float32, error) {
	p, err := n.Predict(m)
	if err != nil {
		return 0, err
	}
	return float32(head.Logit(float64(feature.Top(p.Plane(0), oddShare)))), nil
}

// learnOdd trains the networks, and returns them with the score of each image
// by a network that has not seen it; nil where there are too few normal images.
func (t *training) learnOdd(ctx context.Context, progress func(done float64)) (*oddity, []float32, error) {
	r := rand.New(rand.NewPCG(t.Seed, 0x6f6464))
	var normal []int
	for i := range t.set.Labels {
		if t.isNormal(i) {
			normal = append(normal, i)
		}
	}
	if len(normal) < leastNormal {
		return nil, nil, nil
	}
	images := make([]*imaging.Image, len(t.set.Labels)) // of those that are learned from
	half := make([]int, len(images))                    // which network does not see it
	drawn := feature.Sample(len(normal), mostNormal, r)
	for k, part := range head.Folds(matrix.New(len(drawn), 1), 2, t.Seed) {
		i := normal[drawn[k]]
		half[i] = part
		var err error
		if images[i], err = t.small(ctx, i); err != nil {
			return nil, nil, err
		}
	}
	o := &oddity{}
	for h := range o.nets {
		var seen []*imaging.Image
		for i, m := range images {
			if m != nil && half[i] != h {
				seen = append(seen, m)
			}
		}
		var err error
		o.nets[h], err = t.fitOdd(ctx, seen, uint64(h), func(done float64) { progress((float64(h) + done) / 2) })
		if err != nil {
			return nil, nil, err
		}
	}
	scores, err := t.scoreOdd(ctx, o, images, half)
	return o, scores, err
}

// scoreOdd returns the score of each image, of a normal one that of the network
// that has not seen it.
func (t *training) scoreOdd(ctx context.Context, o *oddity, images []*imaging.Image, half []int) ([]float32, error) {
	scores := make([]float32, len(images))
	for i, m := range images {
		var err error
		if m == nil {
			if m, err = t.small(ctx, i); err != nil {
				return nil, err
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if t.isNormal(i) {
			scores[i], err = oddest(o.nets[half[i]], m)
		} else {
			scores[i], err = o.score(m)
		}
		if err != nil {
			return nil, err
		}
	}
	return scores, nil
}

// small returns an image at the size of the networks.
func (t *training) small(ctx context.Context, i int) (*imaging.Image, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m, err := t.set.Image(ctx, i)
	if err != nil {
		return nil, fmt.Errorf("image %d: %w", i, err)
	}
	return m.Fit(oddSide), nil
}

// fitOdd trains a network on normal images, as they are and with anomalies
// drawn on them.
func (t *training) fitOdd(ctx context.Context, normal []*imaging.Image, stream uint64, progress func(float64)) (*unet.Model, error) {
	r := rand.New(rand.NewPCG(t.Seed, 0x6f6464<<8|stream))
	images, masks := make([]*imaging.Image, blemished), make([]*imaging.LabelMap, blemished)
	for i := range images {
		images[i], masks[i] = blemish.Draw(normal[i%len(normal)], normal[r.IntN(len(normal))], r)
	}
	shows := make([][]int, blemished+len(normal))
	for i := range blemished {
		shows[i] = []int{0}
	}
	images = append(images, normal...)
	steps := t.Steps
	if steps == 0 {
		steps = oddSteps
	}
	net, _, err := unet.Train(ctx, &unet.Set{
		Shows: shows,
		Image: func(_ context.Context, i int) (*imaging.Image, error) { return images[i], nil },
		Mask: func(_ context.Context, i int) (*imaging.LabelMap, error) {
			if i < len(masks) {
				return masks[i], nil
			}
			return nil, nil
		},
	}, unet.Options{Types: []string{"odd"}, Seed: t.Seed + stream, Workers: t.Workers, Side: oddSide, Steps: steps, Progress: progress})
	return net, err
}
