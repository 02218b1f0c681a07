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

// maxScores is how many scores are compared at a time, at 5 bytes each.
const maxScores = 4 << 20

// Group returns how many labels are looked at together where there are that many
// images: as many as memory is spent on, and one at least.
func Group(images int) int { return max(1, maxScores/max(1, images)) }

// Evaluate compares the scores of images with the labels that they have.
func (r *Rule) Evaluate(list []Tested) *Evaluation {
	e, _, _ := r.EvaluateAll(len(list), func(fn func(*Tested)) error { // which has no error
		for i := range list {
			fn(&list[i])
		}
		return nil
	})
	return e
}

// EvaluateAll compares the scores of n images with the labels that they have,
// and returns the hardest of them as Hardest does. Each calls fn with every
// image, and returns an error if it cannot; it is called once for every Group of
// labels, so the scores need not be in memory. An image is good until fn returns.
func (r *Rule) EvaluateAll(n int, each func(fn func(*Tested)) error) (*Evaluation, []Image, error) {
	e, hard := &Evaluation{}, []Image{}
	if len(r.Labels) <= maxMatrix {
		e.Confusion = square(len(r.Labels))
	}
	group := Group(n)
	for from := 0; from < len(r.Labels); from += group {
		columns := make([]column, min(group, len(r.Labels)-from))
		err := each(func(t *Tested) {
			for i := range columns {
				columns[i].add(t, from+i)
			}
			if from > 0 {
				return // the rest is counted
			}
			if e.Confusion != nil {
				r.confuse(e.Confusion, t)
			}
			hard = r.harder(hard, t)
		})
		if err != nil {
			return nil, nil, err
		}
		for i := range columns {
			e.Labels = append(e.Labels, columns[i].label(r.Labels[from+i], r.Thresholds[from+i]))
		}
	}
	return e, worst(hard), nil
}

// A column has the scores of a label.
type column struct {
	scores []float32
	has    []bool
	count  int
}

func (c *column) add(t *Tested, label int) {
	has := slices.Contains(t.Has, label)
	c.scores, c.has = append(c.scores, t.Scores[label]), append(c.has, has)
	if has {
		c.count++
	}
}

func (c *column) label(name string, threshold float64) Label {
	l := labelOf(name, c.count, threshold, head.Count(c.scores, c.has, threshold), head.Curve(c.scores, c.has))
	l.AveragePrecision, l.AUROC = head.AveragePrecision(c.scores, c.has), head.AUROC(c.scores, c.has)
	return l
}

// confuse counts which labels an image of which labels is given.
func (r *Rule) confuse(m [][]int, t *Tested) {
	for _, truth := range t.Has {
		if r.Decide != nil {
			m[truth][r.Decide(t.Scores)]++
			continue
		}
		for k, s := range t.Scores {
			if float64(s) >= r.Thresholds[k] {
				m[truth][k]++
			}
		}
	}
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
		out = r.harder(out, &list[i])
	}
	return worst(out)
}

// harder adds an image to the hardest so far, if it is hard. Memory does not
// grow with the images.
func (r *Rule) harder(list []Image, t *Tested) []Image {
	if x, ok := r.judge(t); ok && x.By > -nearly {
		list = append(list, x)
	}
	if len(list) >= 2*MaxImages {
		list = worst(list)
	}
	return list
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
