package head

import (
	"cmp"
	"slices"
)

// Counts are the outcomes of decisions about one class.
type Counts struct{ TruePositives, FalsePositives, FalseNegatives, TrueNegatives int }

// Count returns the outcomes if all scores of at least the threshold are taken
// for positive.
func Count(scores []float32, positive []bool, threshold float64) Counts {
	var c Counts
	for i, y := range positive {
		switch taken := float64(scores[i]) >= threshold; {
		case taken && y:
			c.TruePositives++
		case taken:
			c.FalsePositives++
		case y:
			c.FalseNegatives++
		default:
			c.TrueNegatives++
		}
	}
	return c
}

// Precision returns which share of what was taken for positive is; 0 of nothing.
func (c Counts) Precision() float64 { return ratio(c.TruePositives, c.TruePositives+c.FalsePositives) }

// Recall returns which share of the positive was taken for it; 0 of nothing.
func (c Counts) Recall() float64 { return ratio(c.TruePositives, c.TruePositives+c.FalseNegatives) }

// F1 returns the harmonic mean of precision and recall.
func (c Counts) F1() float64 {
	return ratio(2*c.TruePositives, 2*c.TruePositives+c.FalsePositives+c.FalseNegatives)
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// ranking returns the indices of the scores, highest first.
func ranking(scores []float32) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(scores[j], scores[i]) })
	return order
}

// AUROC returns the area under the receiver operating characteristic: how
// probably a positive scores higher than a negative, equal scores counting
// half. Without both it is 0.5.
func AUROC(scores []float32, positive []bool) float64 {
	above, wins, negatives := 0.0, 0.0, 0.0
	groups(scores, positive, func(_ float32, p, n int) {
		wins += float64(n) * (above + float64(p)/2)
		above += float64(p)
		negatives += float64(n)
	})
	if above == 0 || negatives == 0 {
		return 0.5
	}
	return wins / (above * negatives)
}

// groups calls fn for each different score, highest first, with how many
// positives and negatives have it.
func groups(scores []float32, positive []bool, fn func(score float32, positives, negatives int)) {
	order := ranking(scores)
	for i := 0; i < len(order); {
		score := scores[order[i]]
		var n [2]int
		for ; i < len(order) && scores[order[i]] == score; i++ {
			n[btoi(positive[order[i]])]++
		}
		fn(score, n[1], n[0])
	}
}

// A Point is a point of a precision-recall curve.
type Point struct {
	Threshold float64 // the lowest score that is taken for positive
	Counts
}

// Curve returns the precision-recall curve: a point for each different score,
// highest first.
func Curve(scores []float32, positive []bool) []Point {
	var c Counts
	for _, y := range positive {
		c.FalseNegatives += btoi(y)
		c.TrueNegatives += btoi(!y)
	}
	var points []Point
	groups(scores, positive, func(score float32, p, n int) {
		c.TruePositives += p
		c.FalseNegatives -= p
		c.FalsePositives += n
		c.TrueNegatives -= n
		points = append(points, Point{float64(score), c})
	})
	return points
}

// Thin returns at most n points of a curve, at even distances, with both ends.
func Thin(points []Point, n int) []Point {
	if len(points) <= n {
		return points
	}
	out := make([]Point, n)
	for i := range out {
		out[i] = points[i*(len(points)-1)/(n-1)]
	}
	return out
}

// AveragePrecision returns the area under the precision-recall curve, as the
// sum of the precisions weighted by the growth of recall. Without positives it
// is 0.
func AveragePrecision(scores []float32, positive []bool) float64 {
	area, recall := 0.0, 0.0
	for _, p := range Curve(scores, positive) {
		area += p.Precision() * (p.Recall() - recall)
		recall = p.Recall()
	}
	return area
}

// BestF1 returns the threshold at which F1 is greatest, and that F1. It is the
// middle of the scores between which the decisions stay the same, and of
// equally good ones the lowest, which has the higher recall (vision.md §2.4).
// Scores are probabilities. Without positives it is 0.5.
func BestF1(scores []float32, positive []bool) (threshold, f1 float64) {
	return bestOf(Curve(scores, positive))
}

// bestOf returns the best threshold of a curve of probabilities.
func bestOf(points []Point) (threshold, f1 float64) {
	threshold = 0.5
	for i, p := range points {
		below := 0.0
		if i+1 < len(points) {
			below = points[i+1].Threshold
		}
		if f := p.F1(); f > 0 && f >= f1 {
			threshold, f1 = (p.Threshold+below)/2, f
		}
	}
	return threshold, f1
}

// Confusion counts how often an example of each true class, the rows, was taken
// for each class, of n.
func Confusion(truth, predicted []int, n int) [][]int {
	out := make([][]int, n)
	for i := range out {
		out[i] = make([]int, n)
	}
	for i, t := range truth {
		out[t][predicted[i]]++
	}
	return out
}
