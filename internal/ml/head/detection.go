package head

import (
	"cmp"
	"slices"
)

// A Box is a rectangle in an image, in any unit.
type Box struct{ Left, Top, Width, Height float64 }

// IoU returns the area that two boxes share, divided by the area that they
// cover together.
func (b Box) IoU(o Box) float64 {
	w := min(b.Left+b.Width, o.Left+o.Width) - max(b.Left, o.Left)
	h := min(b.Top+b.Height, o.Top+o.Height) - max(b.Top, o.Top)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / (b.Width*b.Height + o.Width*o.Height - w*h)
}

// An Object is a box with its class: one that is there, or one that was found
// with a score.
type Object struct {
	Box
	Class int
	Score float32
}

// Match tells for each object found in an image whether it is one that is
// there: of the same class with an IoU of at least this. The one with the
// highest score takes the object it covers best; each is taken once.
func Match(found, there []Object, iou float64) []bool {
	order := make([]int, len(found))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(found[j].Score, found[i].Score) })
	hit, taken := make([]bool, len(found)), make([]bool, len(there))
	for _, i := range order {
		best, most := -1, iou
		for j, t := range there {
			if taken[j] || t.Class != found[i].Class {
				continue
			}
			if o := found[i].IoU(t.Box); o >= most {
				best, most = j, o
			}
		}
		if best >= 0 {
			hit[i], taken[best] = true, true
		}
	}
	return hit
}

// Detected collects what was found in several images, for their metrics.
type Detected struct {
	IoU    float64 // from which on an object counts as found
	Scores [][]float32
	Hits   [][]bool // of each class, whether the one with that score is there
	There  []int    // objects of each class
}

// NewDetected returns an empty collection for this many classes.
func NewDetected(classes int, iou float64) *Detected {
	return &Detected{IoU: iou, Scores: make([][]float32, classes), Hits: make([][]bool, classes), There: make([]int, classes)}
}

// Add adds what was found in an image, and what is there.
func (d *Detected) Add(found, there []Object) {
	for _, t := range there {
		d.There[t.Class]++
	}
	for i, hit := range Match(found, there, d.IoU) {
		c := found[i].Class
		d.Scores[c] = append(d.Scores[c], found[i].Score)
		d.Hits[c] = append(d.Hits[c], hit)
	}
}

// Curve returns the precision-recall curve of a class. Objects that were never
// found count as missed.
func (d *Detected) Curve(class int) []Point {
	points := Curve(d.Scores[class], d.Hits[class])
	for i := range points {
		points[i].FalseNegatives = d.There[class] - points[i].TruePositives
		points[i].TrueNegatives = 0
	}
	return points
}

// AveragePrecision returns the area under the precision-recall curve of a
// class, where precision at a recall is the best at that or more (Pascal VOC
// 2010). Without objects it is 0.
func (d *Detected) AveragePrecision(class int) float64 {
	points := d.Curve(class)
	area, best := 0.0, 0.0
	for i := len(points) - 1; i >= 0; i-- {
		best = max(best, points[i].Precision())
		before := 0.0
		if i > 0 {
			before = points[i-1].Recall()
		}
		area += best * (points[i].Recall() - before)
	}
	return area
}

// MeanAveragePrecision returns the mean of the average precision of the classes
// that are there.
func (d *Detected) MeanAveragePrecision() float64 {
	sum, n := 0.0, 0
	for c, there := range d.There {
		if there > 0 {
			sum += d.AveragePrecision(c)
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// BestF1 returns the threshold at which F1 of a class is greatest, as the
// function BestF1 does, and that F1.
func (d *Detected) BestF1(class int) (threshold, f1 float64) {
	return bestOf(d.Curve(class))
}
