package lookout

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"fovea"
	"fovea/internal/appraisal"
	"fovea/internal/hosting"
	"fovea/internal/imaging"
	"fovea/internal/manifest"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/head"
	"fovea/internal/model"
)

// A Trainer trains the models of Lookout for Vision: a classifier of normal and
// anomalous images, and where masks say what the anomalies are, a segmenter of
// their kinds (LV-6.1, LV-6.2, LV-6.5).
type Trainer struct {
	Partition string             // of ARNs
	Backbones *hosting.Backbones // that there are; required
}

var _ model.Trainer = Trainer{}

// ServiceIssue implements model.Trainer.
func (Trainer) ServiceIssue() string { return "The training failed because of a service issue." }

// FileName implements model.Trainer: the prefix is joined as it is (LV-6.40).
func (Trainer) FileName(p *fovea.Project, m *fovea.Model, file string) string {
	name := map[string]string{"EvaluationResultSummary": "EvaluationResult", "TestingGroundTruth": "EvaluationManifest"}[file]
	return fmt.Sprintf("%s%s-%s-%s.json", m.Asked.Output.Key, name, p.Name, m.Name)
}

// The shares of a training that its stages take, about.
const (
	shareImages   = 0.07
	shareMasks    = 0.03
	shareRead     = shareImages + shareMasks
	shareClassify = 0.45
	shareSegment  = 0.4
)

// Train implements model.Trainer.
func (t Trainer) Train(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
	images := run.Images()
	train, test, err := t.read(ctx, run, images)
	if err != nil {
		return nil, err
	}
	labels, err := findLabels(ctx, run, images, train, test)
	if err != nil {
		return nil, err
	}
	learnt := &predictor{Width: train[0].size[0], Height: train[0].size[1]}
	recipe := "anomaly classification"
	var peaks [][]float32
	if len(labels) > 0 {
		recipe = "anomaly segmentation"
		if peaks, err = learnt.trainSegmenter(ctx, run, images, train, labels); err != nil {
			return nil, err
		}
	}
	var outOfFold *classify.Report
	if learnt.classifier, outOfFold, err = t.trainClassifier(ctx, run, images, train, peaks, learnt.names()); err != nil {
		return nil, err
	}
	weights, err := learnt.weights()
	if err != nil {
		return nil, err
	}
	if err := run.PutWeights(ctx, bytes.NewReader(weights)); err != nil {
		return nil, err
	}
	result := &fovea.TrainingResult{Recipe: recipe, Thresholds: learnt.thresholds(), Backbone: classify.BackboneOf(learnt.classifier)}
	e := &evaluation{trainer: t, run: run, images: images, predictor: learnt, trained: used(train, outOfFold.Images, len(labels) > 0), result: result}
	if err := e.write(ctx, test); err != nil {
		return nil, err
	}
	return result, run.PutReport(ctx, e.report(outOfFold, train))
}

// read returns the images to train and to test with.
func (t Trainer) read(ctx context.Context, run *model.Run, images *model.Images) (train, test []example, err error) {
	if train, err = readExamples(ctx, run, fovea.Train); err != nil {
		return nil, nil, err
	}
	if run.Has(fovea.Test) {
		if test, err = readExamples(ctx, run, fovea.Test); err != nil {
			return nil, nil, err
		}
	} else {
		train, test = splitExamples(train)
	}
	total := float64(len(train) + len(test))
	before := 0.0
	progress := func(n int) func(float64) {
		return func(done float64) {
			run.Progress(ctx, shareImages*(before+done*float64(n))/total, "reading images")
		}
	}
	if train, err = openExamples(ctx, images, train, progress(len(train))); err != nil {
		return nil, nil, err
	}
	before = float64(len(train))
	if test, err = openExamples(ctx, images, test, progress(len(test))); err != nil {
		return nil, nil, err
	}
	if err := sameSize(train, test); err != nil {
		return nil, nil, err
	}
	return train, test, enough(train, test)
}

// enough reports too few images that can be used (LV-6.25).
func enough(train, test []example) error {
	const leastNormal = 2 // to tell what is usual among them
	if n := count(train, manifest.Normal); n < leastNormal {
		return &model.Failure{Message: fmt.Sprintf("Of the training images %d are normal and can be read; at least %d are needed.", n, leastNormal)}
	}
	if len(test) == 0 {
		return &model.Failure{Message: "No image is left to test the model with."}
	}
	return nil
}

// trainClassifier trains what tells anomalous images from normal ones, with the
// help of what a segmenter that knows the names says of each, if there is one.
func (t Trainer) trainClassifier(ctx context.Context, run *model.Run, images *model.Images, train []example, peaks [][]float32, names []string) (*classify.Model, *classify.Report, error) {
	net, err := t.Backbones.ForTraining(run.Model.Asked.Backbone)
	if err != nil {
		return nil, nil, err
	}
	set := &classify.Set{
		Image: func(ctx context.Context, i int) (*imaging.Image, error) {
			return images.Decode(ctx, train[i].image, imaging.Decoding{Stored: true})
		},
		Mask: func(ctx context.Context, i int) (*imaging.LabelMap, error) {
			if train[i].mask == nil {
				return nil, nil
			}
			return readMask(ctx, images, train[i], names)
		},
		Given: peaks,
	}
	for _, e := range train {
		set.Labels = append(set.Labels, []int{classOf(e)})
	}
	before := shareRead
	if peaks != nil {
		before += shareSegment
	}
	return classify.Train(ctx, set, classify.Options{
		Task: classify.Anomaly, Seed: run.Seed, Workers: run.Cores, Backbone: net,
		Progress: func(done float64, stage string) { run.Progress(ctx, before+shareClassify*done, stage) },
	})
}

// used returns how many training images a model is made of (LV-6.51): of very
// many a classifier leaves some out. What finds areas learns from all that it
// can learn from.
func used(train []example, classified []int, areas bool) int {
	n := len(classified)
	if areas {
		for i, e := range train {
			if _, counted := slices.BinarySearch(classified, i); !counted && e.showsAreas() {
				n++
			}
		}
	}
	return n
}

// classOf returns the class of an example as the classifier has it.
func classOf(e example) int {
	if e.class == manifest.Anomaly {
		return classify.Anomalous
	}
	return classify.Normal
}

// An evaluation tests a model and writes what came of it (LV 6.4 to 6.7).
type evaluation struct {
	trainer   Trainer
	run       *model.Run
	images    *model.Images
	predictor *predictor
	trained   int // images
	result    *fovea.TrainingResult
	classes   []pixelMetrics
	masks     int // that were written
	tested    []appraisal.Tested
}

// write tests the model and writes the evaluation manifest and its result.
func (e *evaluation) write(ctx context.Context, test []example) error {
	var lines bytes.Buffer
	scores, truth := make([]float32, 0, len(test)), make([]bool, 0, len(test))
	var found head.Counts
	for i, x := range test {
		before := shareRead + shareClassify
		if e.predictor.segmenter != nil {
			before += shareSegment
		}
		e.run.Progress(ctx, before+(1-before)*float64(i)/float64(len(test)), "evaluation")
		p, err := e.predict(ctx, x)
		if err != nil {
			return err
		}
		anomalous := x.class == manifest.Anomaly
		switch {
		case anomalous && p.anomalous:
			found.TruePositives++
		case anomalous:
			found.FalseNegatives++
		case p.anomalous:
			found.FalsePositives++
		default:
			found.TrueNegatives++
		}
		scores, truth = append(scores, p.score()), append(truth, anomalous)
		e.tested = append(e.tested, appraisal.Tested{SourceRef: x.image.String(), Has: []int{classOf(x)}, Scores: []float32{1 - p.score(), p.score()}})
		if err := e.line(ctx, &lines, x, p); err != nil {
			return err
		}
	}
	r := e.result
	r.Precision, r.Recall, r.F1 = found.Precision(), found.Recall(), found.F1()
	var err error
	if r.TestTruth, err = e.run.WriteFile(ctx, "TestingGroundTruth", &lines, int64(lines.Len())); err != nil {
		return err
	}
	text, err := json.Marshal(e.summary(head.AUROC(scores, truth), head.AveragePrecision(scores, truth), len(test)))
	if err != nil {
		return err
	}
	r.Summary, err = e.run.WriteFile(ctx, "EvaluationResultSummary", bytes.NewReader(text), int64(len(text)))
	return err
}

func (e *evaluation) predict(ctx context.Context, x example) (prediction, error) {
	img, err := e.images.Decode(ctx, x.image, imaging.Decoding{Stored: true})
	if err != nil {
		return prediction{}, fmt.Errorf("test with %s: %w", x.image, err)
	}
	p, err := e.predictor.predict(img)
	if err == nil {
		err = e.comparePixels(ctx, x, p)
	}
	return p, err
}
