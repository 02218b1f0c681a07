package rekognition

import (
	"context"
	"math"

	"fovea/internal/appraisal"
	"fovea/internal/imaging"
	"fovea/internal/ml/classify"
)

// How an image is covered up part by part: over a grid of so many cells on its
// longer side, a patch of so many cells around each, at a size of so many pixels.
const (
	coverCells = 14
	coverPatch = 3
	coverSide  = 256
)

// heatOf returns where in an image something speaks for a class: what the
// classical features say, or, of a model that does without them, by how much the
// score falls where a part is covered up (Zeiler and Fergus 2014).
func heatOf(ctx context.Context, m *classify.Model, img *imaging.Image, class int) (*appraisal.Heat, error) {
	if h := m.Heat(img, class); h.Data != nil {
		return &appraisal.Heat{Label: m.Classes[class], W: h.W, H: h.H, Data: h.Data, Image: img}, nil
	}
	return covered(ctx, m, img, class)
}

// covered returns by how much the score of a class falls where a part of an
// image is covered up, 1 where it falls most.
func covered(ctx context.Context, m *classify.Model, img *imaging.Image, class int) (*appraisal.Heat, error) {
	small := img
	if max(img.W, img.H) > coverSide {
		small = img.Fit(coverSide)
	}
	cell := max(1, (max(small.W, small.H)+coverCells-1)/coverCells)
	h := &appraisal.Heat{Label: m.Classes[class], W: (small.W + cell - 1) / cell, H: (small.H + cell - 1) / cell, Image: img}
	whole, err := logitOf(m, small, class)
	if err != nil {
		return nil, err
	}
	fill := meanColor(small)
	top := 0.0
	fall := make([]float64, 0, h.W*h.H)
	for y := range h.H {
		for x := range h.W {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			score, err := logitOf(m, cover(small, x*cell-cell, y*cell-cell, coverPatch*cell, fill), class)
			if err != nil {
				return nil, err
			}
			fall = append(fall, whole-score)
			top = max(top, math.Abs(whole-score))
		}
	}
	for _, f := range fall {
		if top > 0 {
			f /= top
		}
		h.Data = append(h.Data, float32(f))
	}
	return h, nil
}

// logitOf returns the logit of the score of a class, which unlike the score
// does not stop to move near 0 and 1.
func logitOf(m *classify.Model, img *imaging.Image, class int) (float64, error) {
	p, err := m.Predict(img)
	if err != nil {
		return 0, err
	}
	const least = 1e-6
	s := min(max(float64(p.Scores[class]), least), 1-least)
	return math.Log(s / (1 - s)), nil
}

// cover returns a copy of an image with a square in one colour, as far as it is
// within the image.
func cover(m *imaging.Image, left, top, side int, fill [3]uint8) *imaging.Image {
	out := &imaging.Image{W: m.W, H: m.H, Pix: append([]uint8(nil), m.Pix...)}
	for y := max(top, 0); y < min(top+side, m.H); y++ {
		for x := max(left, 0); x < min(left+side, m.W); x++ {
			out.Set(x, y, fill[0], fill[1], fill[2])
		}
	}
	return out
}

// meanColor returns the mean colour of an image.
func meanColor(m *imaging.Image) (c [3]uint8) {
	var sum [3]int
	for i, v := range m.Pix {
		sum[i%3] += int(v)
	}
	for i := range c {
		c[i] = uint8(sum[i] / (m.W * m.H))
	}
	return c
}
