package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/baseline"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/head"
)

// The baselines of classifiers.
const (
	histogram = "colour histogram"
	patches   = "raw patches"
	majority  = "majority"
	synthetic = "with synthetic anomalies"
)

// A tested is what a model said of photographs it had not seen.
type tested struct {
	classify.ClassEvaluation // of cracked
	training                 cost
	prediction               time.Duration // of one decoded photograph
	outOfFold                float64       // F1 in training
}

// falseAlarms returns which share of the normal photographs is called anomalous.
func (t *tested) falseAlarms() float64 {
	return float64(t.FalsePositives) / float64(t.FalsePositives+t.TrueNegatives)
}

// try trains on some photographs and tests on others.
func (b *bench) try(ctx context.Context, train, test []photo, seed int, synthetic bool) (*tested, error) {
	net, err := backbone.Default()
	if err != nil {
		return nil, err
	}
	set := &classify.Set{Image: func(ctx context.Context, i int) (*imaging.Image, error) { return train[i].image(ctx) }}
	for _, cracked := range truth(train) {
		set.Labels = append(set.Labels, label(cracked))
	}
	var m *classify.Model
	var report *classify.Report
	took, err := costOf(func() (err error) {
		m, report, err = classify.Train(ctx, set, classify.Options{Task: classify.Anomaly, Seed: uint64(seed), Workers: b.workers, Backbone: net, Synthetic: synthetic})
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &tested{training: took, outOfFold: report.Classes[classify.Anomalous].F1()}
	images, err := decode(ctx, test)
	if err != nil {
		return nil, err
	}
	var scores [][]float32
	var labels [][]int
	start := time.Now()
	for i, img := range images {
		p, err := m.Predict(img)
		if err != nil {
			return nil, err
		}
		scores, labels = append(scores, p.Scores), append(labels, label(test[i].cracked))
	}
	out.prediction = time.Since(start) / time.Duration(len(images))
	out.ClassEvaluation = m.Evaluate(scores, labels).Classes[classify.Anomalous]
	log.Printf("seed %d: AUROC %.3f, F1 %.3f, %v", seed, out.AUROC, out.F1(), took.time.Round(time.Millisecond))
	return out, nil
}

func label(cracked bool) []int {
	if cracked {
		return []int{classify.Anomalous}
	}
	return []int{classify.Normal}
}

// classification trains on 20 normal and 20 cracked cookies and tests on the
// others.
func (b *bench) classification(ctx context.Context) (*table, error) {
	photos, err := b.cookies(true)
	if err != nil {
		return nil, err
	}
	t := &table{
		title:     "Normal or anomalous, with examples of both",
		text:      fmt.Sprintf("Cookies, normal or cracked: 20 of each to train, the other %d photographs to test.", len(photos)-40),
		baselines: []string{histogram},
	}
	auroc, f1, outOfFold := t.row("AUROC", "%.3f").over(0.98), t.row("F1", "%.3f").over(0.93), t.row("F1 out of fold, as the training tells it", "%.3f")
	training, prediction := t.costs(30), t.cost("prediction, ms", "%.0f")
	for seed := range b.seeds {
		train, test := split(photos, 20, 20, seed)
		r, err := b.try(ctx, train, test, seed, false)
		if err != nil {
			return nil, err
		}
		auroc.add(r.AUROC)
		f1.add(r.F1())
		outOfFold.add(r.outOfFold)
		training.add(r.training)
		prediction.add(float64(r.prediction.Milliseconds()))
		simple, threshold, err := histogramOf(ctx, train, test)
		if err != nil {
			return nil, err
		}
		auroc.beside(histogram, head.AUROC(simple, truth(test)))
		f1.beside(histogram, head.Count(simple, truth(test), threshold).F1())
	}
	return t, nil
}

// histogramOf returns the scores of the colour histogram, and its threshold.
func histogramOf(ctx context.Context, train, test []photo) ([]float32, float64, error) {
	seen, err := decode(ctx, train)
	if err != nil {
		return nil, 0, err
	}
	unseen, err := decode(ctx, test)
	if err != nil {
		return nil, 0, err
	}
	var classes []int
	for _, cracked := range truth(train) {
		classes = append(classes, label(cracked)[0])
	}
	p, thresholds, err := baseline.Histograms(ctx, head.OneOf, seen, head.OneHot(classes, 2), unseen)
	if err != nil {
		return nil, 0, err
	}
	var scores []float32
	for i := range p.Rows {
		scores = append(scores, p.Row(i)[classify.Anomalous])
	}
	return scores, thresholds[classify.Anomalous], nil
}

// normalOnly trains on 30 normal cookies and tests on the others.
func (b *bench) normalOnly(ctx context.Context) (*table, error) {
	photos, err := b.cookies(true)
	if err != nil {
		return nil, err
	}
	t := &table{
		title:     "Normal or anomalous, without an example of an anomaly",
		text:      fmt.Sprintf("Cookies: 30 normal ones to train, the other %d photographs to test, at the threshold that the training chose.", len(photos)-30),
		baselines: []string{patches, synthetic},
	}
	auroc, alarms, found := t.row("AUROC", "%.3f").over(0.95), t.cost("normal ones called anomalous", "%.3f").over(0.10), t.row("cracked ones found", "%.3f").over(0.80)
	training := t.costs(30)
	for seed := range b.seeds {
		train, test := split(photos, 30, 0, seed)
		r, err := b.try(ctx, train, test, seed, false)
		if err != nil {
			return nil, err
		}
		auroc.add(r.AUROC)
		alarms.add(r.falseAlarms())
		found.add(r.Recall())
		training.add(r.training)
		if r, err = b.try(ctx, train, test, seed, true); err != nil {
			return nil, err
		}
		auroc.beside(synthetic, r.AUROC)
		alarms.beside(synthetic, r.falseAlarms())
		found.beside(synthetic, r.Recall())
		training.beside(synthetic, r.training)
		seen, err := decode(ctx, train)
		if err != nil {
			return nil, err
		}
		unseen, err := decode(ctx, test)
		if err != nil {
			return nil, err
		}
		simple, err := baseline.Patches(ctx, seen, unseen)
		if err != nil {
			return nil, err
		}
		auroc.beside(patches, head.AUROC(simple, truth(test)))
	}
	return t, nil
}
