package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"time"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/baseline"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/head"
)

// A labelled is images with the classes they have.
type labelled struct {
	open   []func(context.Context) (*imaging.Image, error)
	labels [][]int
}

func (l *labelled) add(open func(context.Context) (*imaging.Image, error), classes ...int) {
	l.open, l.labels = append(l.open, open), append(l.labels, classes)
}

// small returns the images, their longer side of 256 pixels.
func (l *labelled) small(ctx context.Context) ([]*imaging.Image, error) {
	var out []*imaging.Image
	for _, open := range l.open {
		m, err := open(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, m.Fit(256))
	}
	return out, nil
}

// targets returns what heads learn of the images.
func (l *labelled) targets(classes int) *head.Targets {
	t := head.OneHot(nil, classes)
	for _, have := range l.labels {
		row := make([]float32, classes)
		for _, k := range have {
			row[k] = 1
		}
		t.Data = append(t.Data, row...)
		t.Rows++
	}
	return t
}

// A labelling is a classifier of Custom Labels to measure.
type labelling struct {
	*table
	task    classify.Task
	classes []string
	whole   *row   // of the mean of F1
	each    []*row // AUROC of each class
	costs
}

// newLabelling returns an empty table.
func newLabelling(t *table, task classify.Task, classes []string) *labelling {
	l := &labelling{table: t, task: task, classes: classes, whole: t.row("mean F1", "%.3f")}
	for _, name := range classes {
		l.each = append(l.each, t.row(name+": AUROC", "%.3f"))
	}
	l.costs = t.costs(0)
	return l
}

// measure trains on some images and tests on others.
func (l *labelling) measure(ctx context.Context, b *bench, train, test *labelled, seed int) error {
	net, err := backbone.Default()
	if err != nil {
		return err
	}
	set := &classify.Set{Labels: train.labels, Image: func(ctx context.Context, i int) (*imaging.Image, error) { return train.open[i](ctx) }}
	var m *classify.Model
	took, err := costOf(func() (err error) {
		m, _, err = classify.Train(ctx, set, classify.Options{Task: l.task, Classes: l.classes, Seed: uint64(seed), Workers: b.workers, Backbone: net})
		return err
	})
	if err != nil {
		return err
	}
	l.costs.add(took)
	var scores [][]float32
	for _, open := range test.open {
		img, err := open(ctx)
		if err != nil {
			return err
		}
		p, err := m.Predict(img)
		if err != nil {
			return err
		}
		scores = append(scores, p.Scores)
	}
	e := l.evaluate(m, scores, test)
	l.whole.add(e.MeanF1())
	for k, r := range l.each {
		r.add(e.Classes[k].AUROC)
	}
	log.Printf("seed %d: mean F1 %.3f, %v", seed, e.MeanF1(), took.time.Round(time.Millisecond))
	return l.simple(ctx, m, train, test)
}

// evaluate returns what scores are worth: F1 where each image has one class is
// that of the class with the highest.
func (l *labelling) evaluate(m *classify.Model, scores [][]float32, test *labelled) classify.Evaluation {
	e := m.Evaluate(scores, test.labels)
	if l.task == classify.MultiLabel {
		return e
	}
	for k := range e.Classes {
		c := head.Counts{}
		for truth, row := range e.Confusion {
			for assumed, n := range row {
				switch {
				case truth == k && assumed == k:
					c.TruePositives += n
				case assumed == k:
					c.FalsePositives += n
				case truth == k:
					c.FalseNegatives += n
				}
			}
		}
		e.Classes[k].Counts = c
	}
	return e
}

// simple adds the baselines: a head on colour histograms, and always the same
// answer, of several classes all that half of the training images have.
func (l *labelling) simple(ctx context.Context, m *classify.Model, train, test *labelled) error {
	targets := train.targets(len(l.classes))
	kind := head.OneOf
	if l.task == classify.MultiLabel {
		kind = head.EachOwn
	}
	seen, err := train.small(ctx)
	if err != nil {
		return err
	}
	unseen, err := test.small(ctx)
	if err != nil {
		return err
	}
	p, thresholds, err := baseline.Histograms(ctx, kind, seen, targets, unseen)
	if err != nil {
		return err
	}
	plain := classify.Model{Task: m.Task, Classes: m.Classes, Thresholds: thresholds}
	var scores, same [][]float32
	always := make([]float32, len(l.classes))
	for i := range targets.Rows {
		for k, y := range targets.Row(i) {
			always[k] += y / float32(targets.Rows)
		}
	}
	for i := range p.Rows {
		scores, same = append(scores, p.Row(i)), append(same, always)
	}
	e := l.evaluate(&plain, scores, test)
	l.whole.beside(histogram, e.MeanF1())
	for k, r := range l.each {
		r.beside(histogram, e.Classes[k].AUROC)
		plain.Thresholds[k] = 0.5
	}
	e = l.evaluate(&plain, same, test)
	l.whole.beside(majority, e.MeanF1())
	return nil
}

// cellSide is the side of the squares that show a cell, in pixels.
const cellSide = 96

// kinds trains on squares around cells, 20 of each kind, and tests on those of
// other photographs.
func (b *bench) kinds(ctx context.Context) (*table, error) {
	const learn, try = 20, 30
	l := newLabelling(&table{
		title: "One label for each image",
		text: fmt.Sprintf("Blood cells, cut out of the photographs as squares of %d pixels: which kind is in the middle; %d of each to train, %d of each to test, of other photographs.",
			cellSide, learn, try),
		baselines: []string{histogram, majority},
	}, classify.SingleLabel, cells)
	for seed := range b.seeds {
		seen, unseen, err := b.smears(seed)
		if err != nil {
			return nil, err
		}
		train, err := cutOut(ctx, seen, learn, seed)
		if err != nil {
			return nil, err
		}
		test, err := cutOut(ctx, unseen, try, seed)
		if err != nil {
			return nil, err
		}
		if err := l.measure(ctx, b, train, test, seed); err != nil {
			return nil, err
		}
	}
	return l.table, nil
}

// cutOut returns squares around n cells of each kind, at most one of a kind from
// each photograph and none that is cut off.
func cutOut(ctx context.Context, smears []smear, n, seed int) (*labelled, error) {
	out, left := &labelled{}, [3]int{n, n, n}
	r := rand.New(rand.NewPCG(uint64(seed), 0x637574))
	for _, s := range smears {
		img, err := s.image(ctx)
		if err != nil {
			return nil, err
		}
		taken := [3]bool{}
		for _, i := range r.Perm(len(s.objects)) {
			o := s.objects[i]
			x, y := int(o.Left+o.Width/2)-cellSide/2, int(o.Top+o.Height/2)-cellSide/2
			if left[o.Class] == 0 || taken[o.Class] || x < 0 || y < 0 || x+cellSide > img.W || y+cellSide > img.H {
				continue
			}
			taken[o.Class] = true
			left[o.Class]--
			square := img.Crop(imaging.Rect{X: x, Y: y, W: cellSide, H: cellSide})
			out.add(func(context.Context) (*imaging.Image, error) { return square, nil }, o.Class)
		}
	}
	if left != ([3]int{}) {
		return nil, fmt.Errorf("the photographs lack %v of %d squares of each kind", left, n)
	}
	return out, nil
}

// crowd is from how many red cells on a photograph is crowded.
const crowd = 13

// contents trains to tell what a whole photograph shows, on 200, and tests on 80
// others.
func (b *bench) contents(ctx context.Context) (*table, error) {
	l := newLabelling(&table{
		title: "Several labels for each image",
		text: fmt.Sprintf("Blood cells, whole photographs of 640 x 480 pixels: whether they show platelets, which are small, and whether they show %d red cells or more; "+
			"200 to train, 80 to test. Neither is what a classifier of whole images is good at: boxes are the way.", crowd),
		baselines: []string{histogram, majority},
	}, classify.MultiLabel, []string{"platelets", "crowded"})
	for seed := range b.seeds {
		seen, unseen, err := b.smears(seed)
		if err != nil {
			return nil, err
		}
		if err := l.measure(ctx, b, describe(seen), describe(unseen), seed); err != nil {
			return nil, err
		}
	}
	return l.table, nil
}

// describe returns photographs with what they show.
func describe(smears []smear) *labelled {
	out := &labelled{}
	for _, s := range smears {
		var classes []int
		if s.count(platelets) > 0 {
			classes = append(classes, 0)
		}
		if s.count(red) >= crowd {
			classes = append(classes, 1)
		}
		out.add(s.image, classes...)
	}
	return out
}
