package classify

import (
	"context"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"fovea/internal/ml/backbone"
	"fovea/internal/ml/feature"
	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
)

// How many folds out-of-fold predictions have: few images leave little to learn
// from if a third is taken away.
const (
	folds      = 3
	moreFolds  = 5
	fewImages  = 500
	greedy     = 8    // steps of the choice among heads
	manyLabels = 50   // of each side, from which on heads are chosen
	weak       = 0.7  // from which part of the loss of a guess on a head is weak
	clearly    = 0.01 // how much less the loss is if an optional head makes a difference
)

// Train trains a model on a set of images. It ends early, with the context's
// error, when the context does: within a second, but for a call of set.Image.
func Train(ctx context.Context, set *Set, o Options) (*Model, *Report, error) {
	if err := o.check(set); err != nil {
		return nil, nil, err
	}
	if o.Progress == nil {
		o.Progress = func(float64, string) {}
	}
	part, index := o.draw(set)
	t := &training{Options: o, set: part, targets: o.targets(part)}
	m, err := t.run(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("train: %w", err)
	}
	return m, t.report(m, index), nil
}

// A training is a training at work.
type training struct {
	Options
	set     *Set
	targets *head.Targets
	gallery *gallery
	fold    []int // of each image
	numbers int   // that the backbone gives

	blocks    []*features
	distances []distances       // of each image: how far its cells are from normal ones
	heads     []*head.Validated // of each block
	scores    *matrix.Matrix    // out of fold, before calibration: a column for each output
}

// distances describe the map of distances of an image.
type distances struct {
	median, greatest, top float32
	deep                  float32 // likewise top, of the cells of a network
}

// run makes the model.
func (t *training) run(ctx context.Context) (*Model, error) {
	n := len(t.set.Labels)
	if t.alone() {
		if _, ok := t.Backbone.(backbone.Sized); !ok {
			t.Backbone = nil // P, whose cells tell no more by their distances than the classical ones
		}
		t.hurry()
	}
	l := lensOf(t.Task, t.Backbone)
	if t.set.Given != nil {
		l.given = len(t.set.Given[0])
	}
	var err error
	if l.fine, err = t.fine(ctx); err != nil {
		return nil, err
	}
	t.gallery = newGallery(t.set, l, t.Workers)
	t.fold = head.Folds(t.strata(), t.folds(), t.Seed)
	s := newSample(n)
	err = t.gallery.each(ctx, t.stage(0, 0.5, "looking at images"), func(i int, v *view) error {
		s.add(v, i, n, t.Seed)
		if i == 0 {
			t.numbers = numbersOf(v)
		}
		var err error
		s.tiles[i], err = t.tile(ctx, i, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	t.Progress(0.5, "learning features")
	if err := t.encode(ctx, s); err != nil {
		return nil, err
	}
	t.Progress(0.8, "fitting heads")
	if t.alone() {
		return t.normalOnly(ctx)
	}
	return t.fit(ctx)
}

// fine returns at how many pixels small defects are looked for; 0 is not at all:
// where images are small, or nobody could tell whether it helps.
func (t *training) fine(ctx context.Context) (int, error) {
	if t.Task != Anomaly || t.alone() {
		return 0, nil
	}
	m, err := t.set.Image(ctx, 0)
	if err != nil {
		return 0, fmt.Errorf("image 0: %w", err)
	}
	if long := max(m.W, m.H); long > 2*coarseSide {
		return min(long, fineSide), nil
	}
	return 0, nil
}

// hurry makes progress leave most of the time to networks, if some will be
// trained.
func (t *training) hurry() {
	progress := t.Progress
	if !t.Synthetic {
		return
	}
	t.Progress = func(done float64, stage string) {
		if done <= 0.8 {
			progress(0.25*done, stage)
		} else {
			progress(0.2+4*(done-0.8), stage)
		}
	}
}

// strata returns what each fold is to have its share of: of Anomaly both
// classes.
func (t *training) strata() *head.Targets {
	if t.Task != Anomaly {
		return t.targets
	}
	classes := make([]int, len(t.set.Labels))
	for i, l := range t.set.Labels {
		classes[i] = l[0]
	}
	return head.OneHot(classes, 2)
}

// folds returns how many folds there are, at most one for each image.
func (t *training) folds() int {
	n := len(t.set.Labels)
	if n <= fewImages {
		return min(moreFolds, n)
	}
	return folds
}

// alone tells whether there are hardly any anomalies to learn from.
func (t *training) alone() bool {
	if t.Task != Anomaly {
		return false
	}
	anomalies := 0
	for i := range t.set.Labels {
		if !t.isNormal(i) {
			anomalies++
		}
	}
	return anomalies < MinAnomalies
}

func (t *training) isNormal(i int) bool { return t.Task != Anomaly || t.set.Labels[i][0] == Normal }

// stage returns a function that reports how many images are done.
func (t *training) stage(from, to float64, name string) func(int) {
	return func(n int) { t.Progress(from+(to-from)*float64(n)/float64(len(t.set.Labels)), name) }
}

// encode learns the features and makes those of all images.
func (t *training) encode(ctx context.Context, s *sample) error {
	if err := t.learn(ctx, s); err != nil {
		return err
	}
	t.Progress(0.6, "describing images")
	n := len(t.set.Labels)
	t.distances = make([]distances, n)
	rows := make([][][]float32, len(t.blocks))
	for k := range rows {
		rows[k] = make([][]float32, n)
	}
	err := t.gallery.each(ctx, t.stage(0.6, 0.8, "describing images"), func(i int, v *view) error {
		for k, f := range t.blocks {
			b := f.block
			if b.unfair(t.isNormal(i)) {
				b = f.unseen[t.fold[i]]
			}
			if b.method != nearest {
				rows[k][i] = b.encode(v)
				continue
			}
			d := b.memory.Distances(v.cells(b.source))
			e := feature.Extremes(d)
			rows[k][i] = e
			switch b.source { // each is written by one block only
			case classical:
				t.distances[i].median, t.distances[i].greatest, t.distances[i].top = e[len(e)-1], e[0], feature.Top(d, topShare)
			case deep:
				t.distances[i].deep = feature.Top(d, topShare)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for k := range t.blocks {
		t.blocks[k].x = matrix.Of(rows[k]...)
	}
	return nil
}

// learn learns the features, from all images and, where it would be unfair to
// use those for an image that was learned from, from those of all folds but
// one.
func (t *training) learn(ctx context.Context, s *sample) error {
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(max(1, t.Workers))
	blocks := blocksOf(t.Task, t.gallery.lens, t.set.Mask != nil)
	if t.alone() {
		blocks = memories(t.gallery.network != nil)
	}
	for _, b := range blocks {
		f := &features{block: b}
		t.blocks = append(t.blocks, f)
		g.Go(func() error { return b.learn(inner, s, func(int) bool { return true }, t.isNormal, t.Seed) })
		if !b.unfair(true) {
			continue
		}
		for fold := range t.folds() {
			other := &block{source: b.source, method: b.method}
			f.unseen = append(f.unseen, other)
			g.Go(func() error {
				return other.learn(inner, s, func(i int) bool { return t.fold[i] != fold }, t.isNormal, t.Seed)
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	t.blocks = slices.DeleteFunc(t.blocks, func(f *features) bool { return f.method == tiled && f.tiles == nil })
	return nil
}

// fit fits the heads, weighs them, and sets thresholds.
func (t *training) fit(ctx context.Context) (*Model, error) {
	m := t.model()
	var p []*matrix.Matrix
	kind := t.Task.kind()
	for k, b := range t.blocks {
		v, err := head.Validate(ctx, b.x, t.targets, head.Regression{Kind: kind, Raw: b.raw()}, b.strengths(), head.Validation{Fold: t.fold, Workers: t.Workers})
		if err != nil {
			return nil, fmt.Errorf("head of %s: %w", b.name, err)
		}
		b.head = v.Linear
		t.heads = append(t.heads, v)
		p = append(p, head.Probabilities(kind, v.OutOfFold))
		t.Progress(0.8+0.2*float64(k+1)/float64(len(t.blocks)), "fitting heads")
	}
	weights := t.weigh(p)
	t.scores = head.Mean(p, weights)
	for k, b := range t.blocks {
		b.weight = weights[k]
		if weights[k] > 0 || b.method == nearest && b.source == classical { // which heat maps are made of
			m.blocks = append(m.blocks, b.block)
		}
	}
	if !slices.ContainsFunc(m.blocks, func(b *block) bool { return b.source == fine }) {
		m.fine = 0
	}
	m.Thresholds = make([]float64, len(m.Classes))
	for k := range t.targets.Cols {
		m.Thresholds[k], _ = head.BestF1(t.column(k))
	}
	if t.Task == Anomaly {
		scores, positive := t.column(0)
		m.calibrate(head.FitPlatt(scores, positive))
	}
	return m, nil
}

// weigh returns the weights of the heads in the mean, given what they say of
// images that they have not seen. With many images of both classes they are
// chosen; with few all count the same, but for optional ones that make no clear
// difference, and for weak ones without which the mean is clearly better. A head
// that is good alone stays, though another is better: on so few images that may
// be chance.
func (t *training) weigh(p []*matrix.Matrix) []float64 {
	kind := t.Task.kind()
	if t.Task == Anomaly && t.rarest() >= manyLabels {
		return head.Greedy(kind, p, t.targets, greedy)
	}
	weigh := func(in []bool) []float64 {
		n := 0
		for _, b := range in {
			if b {
				n++
			}
		}
		w := make([]float64, len(in))
		for k, b := range in {
			if b {
				w[k] = 1 / float64(n)
			}
		}
		return w
	}
	in := make([]bool, len(p))
	for k, b := range t.blocks {
		in[k] = !b.optional
	}
	loss := t.lossOf(p, weigh(in))
	for k, b := range t.blocks {
		if !b.optional {
			continue
		}
		in[k] = true
		if with := t.lossOf(p, weigh(in)); with < loss-clearly {
			loss = with
		} else {
			in[k] = false
		}
	}
	chance := t.lossOf([]*matrix.Matrix{t.guess()}, []float64{1})
	for k := range in { // those that only add noise
		if !in[k] || t.heads[k].Loss < weak*chance {
			continue
		}
		in[k] = false
		if without := t.lossOf(p, weigh(in)); without < loss-clearly {
			loss = without
		} else {
			in[k] = true
		}
	}
	return weigh(in)
}

// guess returns probabilities that tell nothing.
func (t *training) guess() *matrix.Matrix {
	p, even := matrix.New(t.targets.Rows, t.targets.Cols), float32(0.5)
	if t.Task.kind() == head.OneOf {
		even = 1 / float32(p.Cols)
	}
	for i := range p.Data {
		p.Data[i] = even
	}
	return p
}

// lossOf returns the loss of a mean of heads; that of nothing is without bound.
func (t *training) lossOf(p []*matrix.Matrix, weights []float64) float64 {
	if !slices.ContainsFunc(weights, func(w float64) bool { return w > 0 }) {
		return math.Inf(1)
	}
	return head.LogLoss(t.Task.kind(), head.Mean(p, weights), t.targets)
}

// model returns a model of what is known without heads.
func (t *training) model() *Model {
	m := &Model{Task: t.Task, Classes: t.Classes, lens: t.gallery.lens}
	m.numbers = t.numbers
	if t.Task == Anomaly {
		m.setHeat(t)
	}
	return m
}

// rarest returns how many images have the rarer of the two classes of Anomaly.
func (t *training) rarest() int {
	anomalies := 0
	for i := range t.set.Labels {
		if !t.isNormal(i) {
			anomalies++
		}
	}
	return min(anomalies, len(t.set.Labels)-anomalies)
}

// column returns the out-of-fold scores of output k, and the truth.
func (t *training) column(k int) (scores []float32, positive []bool) {
	for i := range t.targets.Rows {
		scores = append(scores, t.scores.Row(i)[k])
		positive = append(positive, t.targets.Row(i)[k] > 0.5)
	}
	return scores, positive
}

// topShare is the share of the greatest distances that are the score of an
// image where there are no anomalies to learn from (vision.md §2.4).
const topShare = 0.01

// normalOnly makes a model that tells what is unlike normal images: its score
// is how far the most unusual cells are from normal ones, in standard
// deviations of what normal images have that were not in the memory; with a
// backbone and networks, the mean of that, of the same by the backbone's cells,
// and of what the networks find odd.
func (t *training) normalOnly(ctx context.Context) (*Model, error) {
	m := t.model()
	m.normal = &normalScore{}
	odd := make([]float32, len(t.distances))
	if t.Synthetic {
		var err error
		var scores []float32
		m.odd, scores, err = t.learnOdd(ctx, func(done float64) { t.Progress(0.8+0.2*done, "learning what is odd") })
		if err != nil {
			return nil, err
		}
		if m.odd != nil {
			odd = scores
			s := spreadOf(t.ofNormal(func(i int) float64 { return float64(odd[i]) }))
			m.normal.Odd = &s
		}
	}
	m.normal.Distance = spreadOf(t.ofNormal(func(i int) float64 { return float64(t.distances[i].top) }))
	if t.gallery.network != nil {
		s := spreadOf(t.ofNormal(func(i int) float64 { return float64(t.distances[i].deep) }))
		m.normal.Deep = &s
	}
	t.scores = matrix.New(len(t.distances), 1)
	for i, d := range t.distances {
		t.scores.Row(i)[0] = float32(m.normal.score(d.top, d.deep, odd[i]))
	}
	for _, b := range t.blocks {
		b.weight = 1
		m.blocks = append(m.blocks, b.block)
	}
	limit := quantile(t.ofNormal(func(i int) float64 { return head.Logit(float64(t.scores.Row(i)[0])) }), t.Quantile)
	m.Thresholds = []float64{head.Sigmoid(limit), 0}
	m.calibrate(head.Platt{A: 1})
	return m, nil
}

// ofNormal returns a value of each normal image.
func (t *training) ofNormal(value func(i int) float64) []float64 {
	var out []float64
	for i := range t.set.Labels {
		if t.isNormal(i) {
			out = append(out, value(i))
		}
	}
	return out
}

func moments(v []float64) (mean, deviation float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		deviation += (x - mean) * (x - mean) / float64(len(v))
	}
	return mean, math.Sqrt(deviation)
}
