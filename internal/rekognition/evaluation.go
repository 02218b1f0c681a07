package rekognition

import (
	"cmp"
	"context"
	"io"
	"path/filepath"
	"slices"
	"time"

	"fovea"
	"fovea/internal/appraisal"
	"fovea/internal/ml/head"
	"fovea/internal/model"
)

// evaluationTime is the form of times in evaluation files (CL-9.54).
const evaluationTime = "2006-01-02T15:04:05.000000"

// matchIoU is from which overlap on a found box is one that is there (CL-9.64).
const matchIoU = 0.5

// An evaluation tests a model and writes what came of it.
type evaluation struct {
	trainer   Trainer
	run       *model.Run
	images    *model.Images
	predictor *predictor
	material  *material
	result    *fovea.TrainingResult

	found     foundFile // of the test images
	scores    []score   // by label
	confusion []confusion
	ap, ar    float64 // of detectors
}

// A score is what the test says of a label (CL 9.6).
type score struct {
	label                     string
	threshold                 float64
	precision, recall, f1     float64
	images                    int // test images that have it
	truePositives, falsePos   int
	falseNegatives, positives int
}

func (s *score) finish() {
	s.precision = ratio(s.truePositives, s.truePositives+s.falsePos)
	s.recall = ratio(s.truePositives, s.truePositives+s.falseNegatives)
	if s.precision+s.recall > 0 {
		s.f1 = 2 * s.precision * s.recall / (s.precision + s.recall)
	}
}

// ratio returns n/of, 0 of nothing (CL-9.60).
func ratio(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// test runs the model on the test images, keeps what it finds, and chooses the
// assumed thresholds (CL-9.62).
func (e *evaluation) test(ctx context.Context) error {
	e.found = foundFile{filepath.Join(e.run.Dir, "found"), e.predictor.detector != nil}
	objects := head.NewDetected(len(e.predictor.Labels), matchIoU)
	err := e.found.write(func(add func([]found) error) error {
		for i, s := range e.material.test {
			kept, err := e.look(ctx, s)
			if err == nil {
				err = add(kept)
			}
			if err != nil {
				return err
			}
			if e.predictor.detector != nil {
				objects.Add(asObjects(kept), s.objects(e.predictor.Labels))
			}
			e.run.Progress(ctx, shareRead+shareTrain+(1-shareRead-shareTrain)*float64(i+1)/float64(len(e.material.test)), "evaluation")
		}
		return nil
	})
	if err != nil {
		return err
	}
	images, usual := imagesWith(e.material.test), e.predictor.usualThresholds()
	for k, name := range e.predictor.Labels {
		e.scores = append(e.scores, score{label: name, images: images[name]})
		if e.predictor.detector != nil {
			e.scores[k].fromObjects(objects, k, usual[k])
		}
	}
	if e.predictor.detector != nil {
		e.ap, e.ar = objects.MeanAveragePrecision(), meanRecall(objects)
	} else if err := e.scoreLabels(usual); err != nil {
		return err
	}
	for k, s := range e.scores {
		e.predictor.Thresholds[k] = s.threshold
	}
	e.average()
	return nil
}

// mostObjects is how many objects count that a detector finds in a test image,
// so that what is kept of it does not grow with the labels.
const mostObjects = 1000

// look returns what the model finds in a test image.
func (e *evaluation) look(ctx context.Context, s sample) ([]found, error) {
	img, err := readImage(ctx, e.images, s)
	if err != nil {
		return nil, err
	}
	list, err := e.predictor.find(img)
	if e.predictor.detector != nil {
		list = list[:min(len(list), mostObjects)] // the surest come first
	}
	kept := make([]found, len(list))
	for k, x := range list {
		kept[k] = found{x.label, x.score, x.box}
	}
	return kept, err
}

// scoreLabels scores the labels of a classifier, as many of them at a time as
// memory is spent on.
func (e *evaluation) scoreLabels(usual []float64) error {
	group := appraisal.Group(len(e.material.test))
	for from := 0; from < len(e.scores); from += group {
		n := min(group, len(e.scores)-from)
		scores, truth := make([][]float32, n), make([][]bool, n)
		err := e.eachFound(func(s *sample, list []found) error {
			known := e.known(s)
			for _, x := range list {
				if i := x.Label - from; i >= 0 && i < n {
					scores[i], truth[i] = append(scores[i], x.Score), append(truth[i], slices.Contains(known, x.Label))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i := range n {
			e.scores[from+i].fromScores(scores[i], truth[i], usual[from+i])
		}
	}
	return nil
}

func asObjects(list []found) []head.Object {
	objects := make([]head.Object, len(list))
	for i, x := range list {
		objects[i] = head.Object{Box: *x.Box, Class: x.Label, Score: x.Score}
	}
	return objects
}

// imagesWith returns how many samples have each label.
func imagesWith(list []sample) map[string]int {
	n := map[string]int{}
	for i := range list {
		for _, name := range list[i].names() {
			n[name]++
		}
	}
	return n
}

// fromScores chooses the threshold of a label of whole images. One that no test
// image has keeps that of the training.
func (s *score) fromScores(scores []float32, truth []bool, usual float64) {
	s.threshold = usual
	if slices.Contains(truth, true) {
		s.threshold, _ = head.BestF1(scores, truth)
	}
	c := head.Count(scores, truth, s.threshold)
	s.truePositives, s.falsePos, s.falseNegatives = c.TruePositives, c.FalsePositives, c.FalseNegatives
	s.finish()
}

// usualThresholds returns those that the training chose, by label.
func (p *predictor) usualThresholds() []float64 {
	if p.detector != nil {
		return p.detector.Thresholds()
	}
	return p.classifier.Thresholds
}

// fromObjects chooses the threshold of a label of boxes. One that no test image
// has keeps that of the training.
func (s *score) fromObjects(d *head.Detected, class int, usual float64) {
	s.threshold = usual
	if d.There[class] > 0 {
		s.threshold, _ = d.BestF1(class)
	}
	for i, v := range d.Scores[class] {
		switch {
		case float64(v) < s.threshold:
		case d.Hits[class][i]:
			s.truePositives++
		default:
			s.falsePos++
		}
	}
	s.falseNegatives = d.There[class] - s.truePositives
	s.finish()
}

// meanRecall returns the mean over the labels that are there of the share of
// their boxes that were found with any score (CL-9.64).
func meanRecall(d *head.Detected) float64 {
	sum, n := 0.0, 0
	for k, there := range d.There {
		if there == 0 {
			continue
		}
		hits := 0
		for _, hit := range d.Hits[k] {
			if hit {
				hits++
			}
		}
		sum += ratio(hits, there)
		n++
	}
	return sum / float64(max(n, 1))
}

// average sets what the model is worth: the mean over its labels (CL-9.61), of
// which those count that test images have.
func (e *evaluation) average() {
	n := 0
	for _, s := range e.scores {
		if s.images == 0 {
			continue
		}
		n++
		e.result.Precision += s.precision
		e.result.Recall += s.recall
		e.result.F1 += s.f1
	}
	if n > 0 {
		e.result.Precision /= float64(n)
		e.result.Recall /= float64(n)
		e.result.F1 /= float64(n)
	}
}

// A confusion is an element of the confusion matrix (CL-9.65).
type confusion struct {
	GroundTruthLabel string
	PredictedLabel   string
	Value            float64
}

// write writes the snapshots of what was used and the evaluation summary.
func (e *evaluation) write(ctx context.Context) (err error) {
	if e.result.TrainTruth, err = e.writeTrainTruth(ctx); err != nil {
		return err
	}
	if e.result.TestTruth, err = e.writeTestTruth(ctx); err != nil {
		return err
	}
	e.result.Summary, err = writeJSON(ctx, e.run, "EvaluationResultSummary", e.summary())
	return err
}

// summary returns the evaluation summary (CL 9.5).
func (e *evaluation) summary() any {
	type aggregated struct {
		ConfusionMatrix  []confusion `json:",omitempty"`
		AveragePrecision *float64    `json:",omitempty"`
		AverageRecall    *float64    `json:",omitempty"`
		F1Score          float64
		Precision        float64
		Recall           float64
	}
	type details struct {
		EvaluationEndTimestamp string
		Labels                 []string
		NumberOfTestingImages  int
		NumberOfTrainingImages int
		ProjectVersionArn      string
	}
	type metrics struct {
		F1Score   float64
		Precision float64
		Recall    float64
		Threshold float64
	}
	type label struct {
		Label                 string
		Metrics               metrics
		NumberOfTestingImages int
	}
	all := aggregated{F1Score: e.result.F1, Precision: e.result.Precision, Recall: e.result.Recall, ConfusionMatrix: e.confusion}
	if e.predictor.detector != nil {
		all.AveragePrecision, all.AverageRecall = &e.ap, &e.ar
	}
	labels := make([]label, 0, len(e.scores))
	for _, s := range e.scores {
		labels = append(labels, label{s.label, metrics{s.f1, s.precision, s.recall, s.threshold}, s.images})
	}
	slices.SortStableFunc(labels, func(a, b label) int { return cmp.Compare(b.Metrics.F1Score, a.Metrics.F1Score) }) // CL-9.53
	return struct {
		Version                     int
		AggregatedEvaluationResults aggregated
		EvaluationDetails           details
		LabelEvaluationResults      []label
	}{1, all, details{
		time.Now().UTC().Format(evaluationTime), e.predictor.Labels, len(e.material.test), len(e.used()),
		versionARN(e.trainer.Partition, e.run.Project, e.run.Model),
	}, labels}
}

// writeTestTruth writes the snapshot of the test images with what was found in
// them (CL 9.7), and counts the confusion matrix of a classifier.
func (e *evaluation) writeTestTruth(ctx context.Context) (fovea.ObjectRef, error) {
	n := len(e.predictor.Labels)
	taken := make([]int, n*n) // images with the label of the row for which that of the column was predicted
	ref, err := writeFile(ctx, e.run, "TestingGroundTruth", func(w io.Writer) error {
		i := 0
		return e.eachFound(func(s *sample, list []found) error {
			if e.predictor.classifier != nil {
				e.confuse(taken, *s, list)
			}
			_, err := w.Write(e.line(i, *s, list, true))
			i++
			return err
		})
	})
	if err != nil || e.predictor.classifier == nil {
		return ref, err
	}
	for i, truth := range e.predictor.Labels {
		for k, predicted := range e.predictor.Labels {
			e.confusion = append(e.confusion, confusion{truth, predicted, ratio(taken[i*n+k], e.scores[i].images)})
		}
	}
	return ref, nil
}

// confuse counts which labels were predicted for an image of which labels.
func (e *evaluation) confuse(taken []int, s sample, list []found) {
	n := len(e.predictor.Labels)
	for _, name := range s.labels {
		truth, ok := slices.BinarySearch(e.predictor.Labels, name)
		if !ok {
			continue
		}
		for _, x := range list {
			if float64(x.Score) >= e.predictor.Thresholds[x.Label] {
				taken[truth*n+x.Label]++
			}
		}
	}
}

// writeTrainTruth writes the snapshot of the training images (CL-9.79).
func (e *evaluation) writeTrainTruth(ctx context.Context) (fovea.ObjectRef, error) {
	return writeFile(ctx, e.run, "TrainingGroundTruth", func(w io.Writer) error {
		if err := e.trainTruth(w); err != nil {
			return err
		}
		return ctx.Err()
	})
}

// trainTruth writes a line for each training image that was used (CL-9.70).
func (e *evaluation) trainTruth(w io.Writer) error {
	for i, k := range e.used() {
		if _, err := w.Write(e.line(i, e.material.train[k], nil, false)); err != nil {
			return err
		}
	}
	return nil
}

// used returns the places of the training images that the model learned from:
// of very many a training leaves some out (CL-9.55).
func (e *evaluation) used() []int {
	if e.predictor.detector != nil {
		return e.predictor.searched.Images
	}
	return e.predictor.learnt.Images
}
