package classify

import (
	"cmp"
	"slices"

	"fovea/internal/ml/head"
)

// A Report is what a training found out about its model and its images, from
// predictions for images by heads that had not seen them.
type Report struct {
	Images []int       // that were used: their places in the set
	Scores [][]float32 // out of fold: of each of these images, of each class
	Folds  int
	Heads  []HeadReport
	Alone  bool // there were no anomalies to learn from

	Evaluation // of Scores

	// Doubtful are images whose label the model would not have given, the most
	// doubtful first: candidates for errors in labelling. At most MaxDoubtful.
	Doubtful []Doubt
}

// MaxDoubtful is how many doubtful images a report has.
const MaxDoubtful = 100

// A HeadReport describes the head of a feature.
type HeadReport struct {
	Feature string
	C       float64 // that was chosen
	Loss    float64 // out of fold: balanced, logarithmic
	Weight  float64 // in the mean of all; they sum to one
}

// A Doubt is a label that is doubtful.
type Doubt struct {
	Image int     // its place in the set
	Class int     // that it has, or should have
	Has   bool    // it has it
	Score float32 // of the class, out of fold
}

// An Evaluation compares scores with the truth.
type Evaluation struct {
	Classes   []ClassEvaluation
	Confusion [][]int // true class by assumed class; nil for MultiLabel
}

// A ClassEvaluation compares the scores of a class with the truth.
type ClassEvaluation struct {
	Name      string
	Images    int     // that have the class
	Threshold float64 // from which score on it is assumed
	head.Counts
	AUROC            float64
	AveragePrecision float64
	Curve            []head.Point // precision and recall by the threshold, at most MaxPoints
}

// MaxPoints is how many points a curve has.
const MaxPoints = 500

// MeanF1 returns the mean of the F1 of the classes that images have.
func (e *Evaluation) MeanF1() float64 {
	sum, n := 0.0, 0
	for _, c := range e.Classes {
		if c.Images > 0 {
			sum += c.F1()
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// Evaluate compares scores that the model gave, a row for each image, with the
// classes that the images have.
func (m *Model) Evaluate(scores [][]float32, labels [][]int) Evaluation {
	var e Evaluation
	for k, name := range m.Classes {
		column, positive := make([]float32, len(scores)), make([]bool, len(scores))
		c := ClassEvaluation{Name: name, Threshold: m.Thresholds[k]}
		for i, s := range scores {
			column[i], positive[i] = s[k], slices.Contains(labels[i], k)
			if positive[i] {
				c.Images++
			}
		}
		c.Counts = head.Count(column, positive, c.Threshold)
		c.AUROC, c.AveragePrecision = head.AUROC(column, positive), head.AveragePrecision(column, positive)
		c.Curve = head.Thin(head.Curve(column, positive), MaxPoints)
		e.Classes = append(e.Classes, c)
	}
	if m.Task == MultiLabel {
		return e
	}
	truth, assumed := make([]int, len(scores)), make([]int, len(scores))
	for i, s := range scores {
		truth[i], assumed[i] = labels[i][0], m.Decide(s)
	}
	e.Confusion = head.Confusion(truth, assumed, len(m.Classes))
	return e
}

// Decide returns the class that scores speak for, of a task that has one for
// each image: for Anomaly Anomalous from 0.5 on, otherwise the highest.
func (m *Model) Decide(scores []float32) int {
	if m.Task == Anomaly {
		if scores[Anomalous] >= 0.5 {
			return Anomalous
		}
		return Normal
	}
	best := 0
	for k, s := range scores {
		if s > scores[best] {
			best = k
		}
	}
	return best
}

// report returns what the training found out. The index holds the place of
// each of its images in the set.
func (t *training) report(m *Model, index []int) *Report {
	r := &Report{Images: index, Folds: t.folds(), Alone: m.Alone()}
	for i := range t.scores.Rows {
		r.Scores = append(r.Scores, m.scores(t.scores.Row(i)))
	}
	for k, v := range t.heads {
		r.Heads = append(r.Heads, HeadReport{t.blocks[k].name, v.C, v.Loss, t.blocks[k].weight})
	}
	r.Evaluation = m.Evaluate(r.Scores, t.set.Labels)
	r.Doubtful = t.doubts(m, r.Scores, index)
	return r
}

// doubts returns the labels that the scores contradict.
func (t *training) doubts(m *Model, scores [][]float32, index []int) []Doubt {
	type doubt struct {
		Doubt
		by float64 // how far the score is on the wrong side
	}
	var all []doubt
	for i, s := range scores {
		worst := doubt{}
		for k, score := range s {
			has := slices.Contains(t.set.Labels[i], k)
			by := m.Thresholds[k] - float64(score)
			if !has {
				by = -by
			}
			// Of a task of one class, only the one that it has is in doubt.
			if by > worst.by && (has || m.Task == MultiLabel) {
				worst = doubt{Doubt{index[i], k, has, score}, by}
			}
		}
		if worst.by > 0 && (m.Task == MultiLabel || m.Decide(s) != worst.Class) {
			all = append(all, worst)
		}
	}
	slices.SortStableFunc(all, func(a, b doubt) int { return cmp.Compare(b.by, a.by) })
	var out []Doubt
	for _, d := range all[:min(len(all), MaxDoubtful)] {
		out = append(out, d.Doubt)
	}
	return out
}
