package classify

import (
	"context"
	"fmt"
	"math/rand/v2"

	"fovea/internal/imaging"
	"fovea/internal/ml/feature"
	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
)

// How small defects are looked for (vision.md §2.4): at most at fineSide pixels
// of the longer side, in tiles of 24 x 24 cells of 8 pixels that overlap by
// half.
const (
	coarseSide   = 256  // above twice of which images are also looked at finely
	fineSide     = 1024 // at most
	tileCells    = 24
	tileOverlap  = 0.5
	mostTiles    = 20_000 // that a head learns from, about
	tileStrength = 3      // C of its regression
	shownPixels  = 16     // of a mask: with fewer, a tile shows nothing surely
)

// tilesOf returns what is seen in each tile of a map.
func tilesOf(m *feature.Map) *matrix.Matrix {
	var rows [][]float32
	for _, r := range imaging.Tiles(m.W, m.H, tileCells, tileOverlap) {
		rows = append(rows, m.Window(r).Pool())
	}
	return matrix.Of(rows...)
}

// tileMarks are whether a tile shows an anomaly.
type tileMark uint8

const (
	clean   tileMark = iota
	shows            // an anomaly
	unclear          // perhaps a bit of one
)

// marksOf returns what the tiles of a map show by the mask of the image.
func marksOf(mask *imaging.LabelMap, m *feature.Map) []tileMark {
	count, all := make([]int, m.W*m.H), 0 // of each cell
	for i, l := range mask.Pix {
		if l > 0 {
			count[i/mask.W*m.H/mask.H*m.W+i%mask.W*m.W/mask.W]++
			all++
		}
	}
	var marks []tileMark
	for _, r := range imaging.Tiles(m.W, m.H, tileCells, tileOverlap) {
		n := 0
		for y := r.Y; y < r.Y+r.H; y++ {
			for x := r.X; x < r.X+r.W; x++ {
				n += count[y*m.W+x]
			}
		}
		switch {
		case n == 0:
			marks = append(marks, clean)
		case n >= shownPixels || 4*n >= all:
			marks = append(marks, shows)
		default:
			marks = append(marks, unclear)
		}
	}
	return marks
}

// A tiling is tiles of an image that a head learns from, and what they show.
type tiling struct {
	x     *matrix.Matrix
	marks []tileMark
}

// drawTiles returns tiles of an image, at most n of each mark. The mask is nil
// for a normal image.
func drawTiles(m *feature.Map, mask *imaging.LabelMap, n int, r *rand.Rand) tiling {
	x := tilesOf(m)
	marks := make([]tileMark, x.Rows)
	if mask != nil {
		marks = marksOf(mask, m)
	}
	var out tiling
	var rows []int
	for _, mark := range []tileMark{clean, shows} {
		var with []int
		for i, k := range marks {
			if k == mark {
				with = append(with, i)
			}
		}
		for _, k := range feature.Sample(len(with), n, r) {
			rows = append(rows, with[k])
			out.marks = append(out.marks, mark)
		}
	}
	out.x = x.Pick(rows)
	return out
}

// fitTiles returns a head that tells tiles that show an anomaly, from the tiles
// of images for which keep is true; nil where there is nothing to tell apart.
func fitTiles(ctx context.Context, all []tiling, keep func(i int) bool) (*head.Linear, error) {
	var xs []*matrix.Matrix
	var marks []float32
	seen := [2]bool{}
	for i, t := range all {
		if t.x == nil || !keep(i) {
			continue
		}
		xs = append(xs, t.x)
		for _, m := range t.marks {
			marks = append(marks, float32(m))
			seen[m] = true
		}
	}
	if !seen[clean] || !seen[shows] {
		return nil, nil
	}
	x := stack(xs, func(int) bool { return true })
	return head.Fit(ctx, x, &matrix.Matrix{Rows: x.Rows, Cols: 1, Data: marks}, head.Regression{Kind: head.EachOwn, C: tileStrength})
}

// ofTiles returns the mean and the greatest probability that a tile of a map
// shows an anomaly, of a half where nothing was learned.
func ofTiles(h *head.Linear, m *feature.Map) []float32 {
	if h == nil {
		return []float32{0.5, 0.5}
	}
	p := h.Probabilities(tilesOf(m))
	mean, most := float32(0), float32(0)
	for _, v := range p.Data {
		mean += v / float32(len(p.Data))
		most = max(most, v)
	}
	return []float32{mean, most}
}

// tilesSize is how many numbers ofTiles returns.
const tilesSize = 2

// tile draws tiles of image i to learn from, if its mask, or that it is normal,
// tells what they show.
func (t *training) tile(ctx context.Context, i int, v *view) (tiling, error) {
	if t.set.Mask == nil || v.fine == nil {
		return tiling{}, nil
	}
	var mask *imaging.LabelMap
	if !t.isNormal(i) {
		var err error
		if mask, err = t.set.Mask(ctx, i); err != nil {
			return tiling{}, fmt.Errorf("mask: %w", err)
		}
		if mask == nil {
			return tiling{}, nil
		}
		if mask.W < 1 || mask.H < 1 || len(mask.Pix) != mask.W*mask.H {
			return tiling{}, fmt.Errorf("mask of %dx%d with %d pixels", mask.W, mask.H, len(mask.Pix))
		}
	}
	n := max(2, mostTiles/len(t.set.Labels))
	return drawTiles(v.fine, mask, n, rand.New(rand.NewPCG(t.Seed, uint64(i)<<8|1))), nil
}
