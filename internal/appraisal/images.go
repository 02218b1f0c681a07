package appraisal

import (
	"cmp"
	"slices"

	"fovea/internal/ml/classify"
	"fovea/internal/ml/head"
)

// A Tested is an image with its scores.
type Tested struct {
	SourceRef string
	Has       []int     // labels that it has, of those that the model knows
	Scores    []float32 // of each label
}

// A Rule says how scores become labels.
type Rule struct {
	Labels     []string
	Thresholds []float64

	// Decide returns the label of an image, of models that give one to each; nil
	// for models that give it all labels from their thresholds on.
	Decide func(scores []float32) int
}

// Evaluate compares the scores of images with the labels that they have.
func (r *Rule) Evaluate(list []Tested) *Evaluation {
	e := &Evaluation{}
	for k, name := range r.Labels {
		scores, has := make([]float32, len(list)), make([]bool, len(list))
		count := 0
		for i := range list {
			scores[i], has[i] = list[i].Scores[k], slices.Contains(list[i].Has, k)
			if has[i] {
				count++
			}
		}
		l := labelOf(name, count, r.Thresholds[k], head.Count(scores, has, r.Thresholds[k]), head.Curve(scores, has))
		l.AveragePrecision, l.AUROC = head.AveragePrecision(scores, has), head.AUROC(scores, has)
		e.Labels = append(e.Labels, l)
	}
	if len(r.Labels) <= maxMatrix {
		e.Confusion = r.confusion(list)
	}
	return e
}

func (r *Rule) confusion(list []Tested) [][]int {
	m := square(len(r.Labels))
	for _, x := range list {
		for _, truth := range x.Has {
			if r.Decide != nil {
				m[truth][r.Decide(x.Scores)]++
				continue
			}
			for k, s := range x.Scores {
				if float64(s) >= r.Thresholds[k] {
					m[truth][k]++
				}
			}
		}
	}
	return m
}

func square(n int) [][]int {
	m := make([][]int, n)
	for i := range m {
		m[i] = make([]int, n)
	}
	return m
}

// nearly is by how much a score may be on the right side for its image to be
// hard all the same.
const nearly = 0.2

// Hardest returns the images that scores are most wrong about, or nearly wrong,
// the worst first.
func (r *Rule) Hardest(list []Tested) []Image {
	out := []Image{}
	for i := range list {
		if x, ok := r.judge(&list[i]); ok && x.By > -nearly {
			out = append(out, x)
		}
	}
	return worst(out)
}

// judge returns the label of an image that its scores contradict most. An image
// without labels that the model knows has none to judge by where each has one.
func (r *Rule) judge(t *Tested) (Image, bool) {
	x := Image{SourceRef: t.SourceRef, Labels: r.names(t.Has)}
	if r.Decide != nil {
		if len(t.Has) == 0 {
			return x, false
		}
		own, other := t.Has[0], -1
		for k := range t.Scores {
			if k != own && (other < 0 || t.Scores[k] > t.Scores[other]) {
				other = k
			}
		}
		x.Label, x.Has, x.Score = r.Labels[own], true, float64(t.Scores[own])
		if other >= 0 {
			x.By = float64(t.Scores[other] - t.Scores[own])
		}
		if d := r.Decide(t.Scores); d != own {
			x.Suggested = r.Labels[d]
		}
		return x, true
	}
	found := false
	for k, s := range t.Scores {
		by, has := float64(s)-r.Thresholds[k], slices.Contains(t.Has, k)
		if has {
			by = -by
		}
		if !found || by > x.By {
			found, x.Label, x.Has, x.Score, x.By = true, r.Labels[k], has, float64(s), by
		}
	}
	return x, found
}

func (r *Rule) names(labels []int) []string {
	var names []string
	for _, k := range labels[:min(len(labels), maxNamed)] {
		names = append(names, r.Labels[k])
	}
	return names
}

// worst returns the worst images, in order.
func worst(list []Image) []Image {
	slices.SortStableFunc(list, func(a, b Image) int { return cmp.Compare(b.By, a.By) })
	return list[:min(len(list), MaxImages)]
}

// OutOfFold adds to the report what a training found out about its own images.
// Ref returns the source-ref of a place in the set, has its labels.
func (r *Report) OutOfFold(found *classify.Report, rule Rule, ref func(i int) string, has func(i int) []int) {
	r.Folds, r.NormalOnly, r.Doubtful = found.Folds, found.Alone, []Image{}
	list := make([]Tested, len(found.Scores))
	at := map[int]*Tested{}
	for k, scores := range found.Scores {
		i := found.Images[k]
		list[k] = Tested{SourceRef: ref(i), Has: has(i), Scores: scores}
		at[i] = &list[k]
	}
	rule.Thresholds = nil // those of the training, which a test may have replaced
	for _, c := range found.Classes {
		rule.Thresholds = append(rule.Thresholds, c.Threshold)
	}
	r.Trained = rule.Evaluate(list)
	for _, d := range found.Doubtful[:min(len(found.Doubtful), MaxImages)] {
		x := Image{SourceRef: ref(d.Image), Label: rule.Labels[d.Class], Has: d.Has, Score: float64(d.Score), Labels: rule.names(has(d.Image))}
		x.By = float64(d.Score) - rule.Thresholds[d.Class]
		if d.Has {
			x.By = -x.By
		}
		if rule.Decide != nil {
			x.Suggested = rule.Labels[rule.Decide(at[d.Image].Scores)]
		}
		r.Doubtful = append(r.Doubtful, x)
	}
}
