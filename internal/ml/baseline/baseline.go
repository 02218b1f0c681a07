// Package baseline holds classifiers that are as simple as can be. Benchmarks
// and tests print what they reach beside what the product does, because a
// figure says nothing of a model until one knows how easy the images are.
package baseline

import (
	"context"
	"math"
	"math/rand/v2"

	"fovea/internal/imaging"
	"fovea/internal/ml/feature"
	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
)

// steps is how many values of each channel a histogram tells apart.
const steps = 8

// Colours is how many colours are told apart.
const Colours = steps * steps * steps

// Colour returns which of Colours a pixel has, red, green and blue.
func Colour(p []uint8) int {
	r, g, b := int(p[0])*steps/256, int(p[1])*steps/256, int(p[2])*steps/256
	return (r*steps+g)*steps + b
}

// Histogram returns the root of how large a share of an image has each of
// Colours.
func Histogram(m *imaging.Image) []float32 {
	out := make([]float32, Colours)
	for i := 0; i < len(m.Pix); i += 3 {
		out[Colour(m.Pix[i:])]++
	}
	for i := range out {
		out[i] = float32(math.Sqrt(float64(out[i]) / float64(m.W*m.H)))
	}
	return out
}

// Histograms fits a head to the histograms of images with the targets t, and
// returns the probabilities it gives other images, and, for each output, the
// threshold that was best out of fold.
func Histograms(ctx context.Context, kind head.Kind, train []*imaging.Image, t *head.Targets, test []*imaging.Image) (*matrix.Matrix, []float64, error) {
	v, err := head.Validate(ctx, histograms(train), t, head.Regression{Kind: kind}, head.Strengths, head.Validation{Fold: head.Folds(t, 3, 0)})
	if err != nil {
		return nil, nil, err
	}
	unseen := head.Probabilities(kind, v.OutOfFold)
	thresholds := make([]float64, t.Cols)
	for k := range thresholds {
		var scores []float32
		var positive []bool
		for i := range t.Rows {
			scores, positive = append(scores, unseen.Row(i)[k]), append(positive, t.Row(i)[k] > 0.5)
		}
		thresholds[k], _ = head.BestF1(scores, positive)
	}
	return v.Probabilities(histograms(test)), thresholds, nil
}

func histograms(images []*imaging.Image) *matrix.Matrix {
	var rows [][]float32
	for _, m := range images {
		rows = append(rows, Histogram(m))
	}
	return matrix.Of(rows...)
}

// Patches scores images by how far their patches of raw pixels are from the
// nearest among normal images: the mean of the greatest 1 %. The images are
// scaled to 128 pixels and cut into patches of 8 x 8.
func Patches(ctx context.Context, normal, test []*imaging.Image) ([]float32, error) {
	var cells [][]float32
	for _, m := range normal {
		c := patches(m).Cells()
		for i := range c.Rows {
			cells = append(cells, c.Row(i))
		}
	}
	memory, err := feature.FitMemory(ctx, matrix.Of(cells...), rand.New(rand.NewPCG(0, 0)))
	if err != nil {
		return nil, err
	}
	var scores []float32
	for _, m := range test {
		scores = append(scores, feature.Top(memory.Distances(patches(m)), 0.01))
	}
	return scores, nil
}

// patches returns the pixels of an image, those of a patch together.
func patches(m *imaging.Image) *feature.Map {
	const side = 8
	m = m.Fit(128).PadTo(side)
	out := feature.NewMap(m.H/side, m.W/side, 3*side*side)
	for y := range m.H {
		for x := range m.W {
			for c := range 3 {
				out.Cell(y/side, x/side)[((y%side)*side+x%side)*3+c] = float32(m.Pix[3*(y*m.W+x)+c]) / 255
			}
		}
	}
	return out
}
