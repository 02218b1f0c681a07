package appraisal

import (
	"cmp"
	"slices"

	"fovea/internal/ml/head"
)

// What is wrong with a box.
const (
	spurious = "spurious"
	missed   = "missed"
)

// A Searched is an image with the objects that were found in it and those that
// are there, in its pixels.
type Searched struct {
	SourceRef    string
	Found, There []head.Object
}

// A Search collects images that were searched for objects.
type Search struct {
	Labels     []string
	Thresholds []float64
	IoU        float64 // from which on an object counts as found

	all       *head.Detected
	counts    []head.Counts
	confusion [][]int // with one more row and column
	images    []Image
}

// NewSearch returns an empty collection.
func NewSearch(labels []string, thresholds []float64, iou float64) *Search {
	n := len(labels)
	return &Search{
		Labels: labels, Thresholds: thresholds, IoU: iou,
		all: head.NewDetected(n, iou), counts: make([]head.Counts, n), confusion: square(n + 1),
	}
}

// Add adds an image.
func (s *Search) Add(x Searched) {
	s.all.Add(x.Found, x.There)
	told := slices.DeleteFunc(slices.Clone(x.Found), func(o head.Object) bool { return float64(o.Score) < s.Thresholds[o.Class] })
	of, missing := pair(told, x.There, s.IoU, sameClass)
	for i, truth := range of {
		if truth >= 0 {
			s.counts[told[i].Class].TruePositives++
		} else {
			s.counts[told[i].Class].FalsePositives++
		}
	}
	s.confuse(told, x.There)
	image := Image{SourceRef: x.SourceRef, Boxes: s.wrong(&x, told, of, missing)}
	if len(image.Boxes) == 0 {
		return
	}
	w := image.Boxes[0] // an image of many boxes has one that is all wrong; how wrong it is, all tell
	image.Label, image.Has, image.Score = w.Label, w.Error == missed, w.Score
	for _, w := range image.Boxes {
		image.By += badness(w) / float64(len(told)+len(missing))
	}
	image.Boxes = image.Boxes[:min(len(image.Boxes), maxBoxes)]
	s.images = append(s.images, image)
	if len(s.images) >= 2*MaxImages { // memory does not grow with the images
		s.images = worst(s.images)
	}
}

func sameClass(a, b head.Object) bool { return a.Class == b.Class }
func anyClass(_, _ head.Object) bool  { return true }

// pair returns for each object that was found which one that is there it is, -1
// for none, and those that none is: as head.Match does, for objects that may be
// the same.
func pair(found, there []head.Object, iou float64, may func(a, b head.Object) bool) (of, missing []int) {
	order := make([]int, len(found))
	of = make([]int, len(found))
	for i := range order {
		order[i], of[i] = i, -1
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(found[j].Score, found[i].Score) })
	taken := make([]bool, len(there))
	for _, i := range order {
		most := iou
		for j, t := range there {
			if o := found[i].IoU(t.Box); !taken[j] && o >= most && may(found[i], t) {
				of[i], most = j, o
			}
		}
		if of[i] >= 0 {
			taken[of[i]] = true
		}
	}
	for j := range there {
		if !taken[j] {
			missing = append(missing, j)
		}
	}
	return of, missing
}

// confuse counts which label was found where which one is.
func (s *Search) confuse(told, there []head.Object) {
	none := len(s.Labels)
	of, missing := pair(told, there, s.IoU, anyClass)
	for i, truth := range of {
		if truth < 0 {
			s.confusion[none][told[i].Class]++
		} else {
			s.confusion[there[truth].Class][told[i].Class]++
		}
	}
	for _, j := range missing {
		s.confusion[there[j].Class][none]++
	}
}

// wrong returns the boxes that were told and are not there, and those that are
// there and were not told, the worst first.
func (s *Search) wrong(x *Searched, told []head.Object, of, missing []int) []Wrong {
	var list []Wrong
	for i, o := range told {
		if of[i] < 0 {
			list = append(list, s.wrongBox(o, spurious, float64(o.Score), closest(o, x.There)))
		}
	}
	for _, j := range missing {
		o := x.There[j]
		w := s.wrongBox(o, missed, 0, closest(o, x.Found))
		for _, f := range x.Found {
			if f.Class == o.Class && f.IoU(o.Box) >= s.IoU {
				w.Score = max(w.Score, float64(f.Score))
			}
		}
		list = append(list, w)
	}
	slices.SortStableFunc(list, func(a, b Wrong) int { return cmp.Compare(badness(b), badness(a)) })
	return list
}

// badness returns how wrong a box is, from 0 to 1: a spurious one by its score,
// a missed one by how little was found in its place.
func badness(w Wrong) float64 {
	if w.Error == missed {
		return 1 - w.Score
	}
	return w.Score
}

func (s *Search) wrongBox(o head.Object, what string, score, iou float64) Wrong {
	return Wrong{Label: s.Labels[o.Class], Error: what, Score: score, IoU: iou, Left: o.Left, Top: o.Top, Width: o.Width, Height: o.Height}
}

// closest returns the greatest overlap with others of the class.
func closest(o head.Object, others []head.Object) (iou float64) {
	for _, x := range others {
		if x.Class == o.Class {
			iou = max(iou, o.IoU(x.Box))
		}
	}
	return iou
}

// Evaluation returns what the images that were added come to, and which of them
// the model is most wrong about.
func (s *Search) Evaluation() (*Evaluation, []Image) {
	e := &Evaluation{}
	for k, name := range s.Labels {
		c := s.counts[k]
		c.FalseNegatives = s.all.There[k] - c.TruePositives
		l := labelOf(name, s.all.There[k], s.Thresholds[k], c, s.all.Curve(k))
		l.AveragePrecision = s.all.AveragePrecision(k)
		e.Labels = append(e.Labels, l)
	}
	if len(s.Labels) <= maxMatrix {
		e.Confusion = s.confusion
	}
	return e, append([]Image{}, worst(s.images)...)
}
