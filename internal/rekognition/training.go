package rekognition

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"fovea"
	"fovea/internal/hosting"
	"fovea/internal/imaging"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/detect"
	"fovea/internal/ml/head"
	"fovea/internal/model"
)

// A Trainer trains the models of Custom Labels: classifiers of images with one
// or several labels, and detectors of objects (CL 9.3).
type Trainer struct {
	Partition string             // of ARNs
	Backbones *hosting.Backbones // that there are; required
}

// ServiceIssue implements model.Trainer (OQ-15).
func (Trainer) ServiceIssue() string { return "Amazon Rekognition experienced a service issue." }

// FileName implements model.Trainer (CL-9.40, CL-9.42).
func (Trainer) FileName(p *fovea.Project, m *fovea.Model, file string) string {
	name := fmt.Sprintf("%s-%s-%s.json", file, p.Name, m.Name)
	if prefix := strings.TrimSuffix(m.Asked.Output.Key, "/"); prefix != "" {
		return prefix + "/" + name
	}
	return name
}

// A material is what a model is trained and tested with.
type material struct {
	useCase     string
	labels      []string // sorted
	train, test []sample
}

// The shares of a training that its stages take, about.
const (
	shareRead  = 0.1
	shareTrain = 0.8
)

// maxTrainLabels is how many labels a model may have (CL-6.86).
const maxTrainLabels = 250

// Train implements model.Trainer.
func (t Trainer) Train(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
	images := run.Images()
	what, result, err := prepare(ctx, run, images)
	if err != nil {
		return nil, err
	}
	learnt := &predictor{Labels: what.labels, Thresholds: make([]float64, len(what.labels))}
	if what.useCase == boxLabels {
		result.Recipe = "object detection"
		err = learnt.trainDetector(ctx, run, images, what.train)
	} else {
		result.Recipe = "image classification"
		err = learnt.trainClassifier(ctx, run, images, what.train, t.Backbones)
	}
	if err != nil {
		return nil, err
	}
	e := &evaluation{trainer: t, run: run, images: images, predictor: learnt, material: what, result: result}
	if err := e.test(ctx); err != nil {
		return nil, err
	}
	weights, err := learnt.weights() // with the thresholds that the test chose
	if err != nil {
		return nil, err
	}
	if err := run.PutWeights(ctx, bytes.NewReader(weights)); err != nil {
		return nil, err
	}
	result.Thresholds, result.Backbone = learnt.thresholds(), learnt.backbone()
	report, err := e.report()
	if err != nil {
		return nil, err
	}
	if err := run.PutReport(ctx, report); err != nil {
		return nil, err
	}
	return result, e.write(ctx)
}

// prepare reads and judges the data, writes what was found about it, and returns
// what to train with. Data that cannot be trained with is a *model.Failure.
func prepare(ctx context.Context, run *model.Run, images *model.Images) (*material, *fovea.TrainingResult, error) {
	train, err := readSamples(ctx, run, fovea.Train)
	if err != nil {
		return nil, nil, err
	}
	test := &list{}
	if run.Has(fovea.Test) {
		if test, err = readSamples(ctx, run, fovea.Test); err != nil {
			return nil, nil, err
		}
	}
	if train.lines == 0 || run.Has(fovea.Test) && test.lines == 0 { // CL-6.71
		return nil, nil, &model.Failure{Message: "The manifest file is empty."}
	}
	s := newSummary()
	if err := open(ctx, run, images, train, test, s); err != nil {
		return nil, nil, err
	}
	what := &material{train: train.use(), test: test.use()}
	if !run.Has(fovea.Test) {
		var ok bool
		if what.train, what.test, ok = splitSamples(what.train); !ok {
			s.Statistics.Training.Errors = append(s.Statistics.Training.Errors, errAutoSplit)
		}
	}
	if s.first() == "" {
		what.choose(s)
	}
	result, err := writeFindings(ctx, run, s, train, test, what)
	if err != nil {
		return nil, nil, err
	}
	if message := s.first(); message != "" {
		return nil, nil, &model.Failure{Message: message, Result: result}
	}
	return what, result, nil
}

// open looks at the images and counts the lines, and adds what is wrong with a
// manifest as a whole to the summary.
func open(ctx context.Context, run *model.Run, images *model.Images, train, test *list, s *summary) error {
	total := float64(train.lines + test.lines)
	before := 0.0
	for _, x := range []struct {
		list  *list
		stats *statistics
	}{{train, &s.Statistics.Training}, {test, &s.Statistics.Testing}} {
		n := float64(x.list.lines)
		found, err := openSamples(ctx, images, x.list, func(done float64) {
			run.Progress(ctx, shareRead*(before+done*n)/total, "reading images")
		})
		if err != nil {
			return err
		}
		before += n
		x.stats.judge(x.list, found, run.Limits.DropShare)
	}
	return nil
}

// judge counts the lines of a manifest and adds what is wrong with it as a
// whole, whatever its labels are. Share is how many of the lines may be wrong.
func (s *statistics) judge(l *list, found opened, share float64) {
	s.count(l.samples)
	for _, x := range []struct {
		is    bool
		error contentError
	}{
		{float64(s.Invalid) > share*float64(s.Total-s.Ignored), errInvalidRows}, // CL-6.80
		{len(l.buckets) > 1, errBuckets},
		{found.none() && found.denied > 0, errPermissions}, // CL-6.82
		{found.none(), errFailedCopy},
		{float64(l.dropped) > share*float64(s.Total), errTerminalErrors}, // CL-6.91, OQ-23
	} {
		if x.is {
			s.Errors = append(s.Errors, x.error)
		}
	}
}

// writeFindings writes the manifest summary and the validation manifests
// (CL-6.104, CL-6.110).
func writeFindings(ctx context.Context, run *model.Run, s *summary, train, test *list, what *material) (*fovea.TrainingResult, error) {
	split := !run.Has(fovea.Test)
	tests := map[int64]bool{}
	if split {
		for _, x := range what.test {
			tests[x.number] = true
		}
		var ours, theirs []sample
		for _, x := range train.samples {
			if tests[x.number] {
				theirs = append(theirs, x)
			} else {
				ours = append(ours, x)
			}
		}
		for stats, samples := range map[*statistics][]sample{&s.Statistics.Training: ours, &s.Statistics.Testing: theirs} {
			again := statistics{UseCase: stats.UseCase, Errors: stats.Errors, Indices: []int64{}}
			again.count(samples)
			*stats = again
		}
	}
	var err error
	result := &fovea.TrainingResult{}
	if result.ManifestSummary, err = s.write(ctx, run); err != nil {
		return nil, err
	}
	var ours, theirs func(int64) bool
	from, samples := fovea.Test, test.samples
	if split {
		from, samples = fovea.Train, train.samples
		ours = func(n int64) bool { return !tests[n] }
		theirs = func(n int64) bool { return tests[n] }
	}
	if result.TrainValidation, err = writeValidation(ctx, run, fovea.Train, "TrainingManifestWithValidation", train.samples, ours); err != nil {
		return nil, err
	}
	result.TestValidation, err = writeValidation(ctx, run, from, "TestingManifestWithValidation", samples, theirs)
	return result, err
}

// choose chooses the kind of model, leaves out the samples that are not of it,
// and adds what is wrong with the labels to the summary.
func (m *material) choose(s *summary) {
	trainBoxes, testBoxes := countBoxed(m.train), countBoxed(m.test)
	least := 2 // CL-9.20
	if trainBoxes+testBoxes > 0 {
		least = 1 // CL-9.21
	}
	trainLabels, testLabels := labelsOf(m.train), labelsOf(m.test)
	for _, x := range []struct {
		labels []string
		stats  *statistics
	}{{trainLabels, &s.Statistics.Training}, {testLabels, &s.Statistics.Testing}} {
		switch n := len(x.labels); {
		case n < least:
			x.stats.Errors = append(x.stats.Errors, errTooFewLabels)
		case n > maxTrainLabels:
			x.stats.Errors = append(x.stats.Errors, errTooManyLabels)
		}
	}
	if !overlap(trainLabels, testLabels) {
		s.Errors = append(s.Errors, errOverlap)
	}
	if s.first() != "" {
		return
	}
	m.useCase = useCaseOf(m.train, trainBoxes, testBoxes)
	m.usable()
	s.Statistics.Training.UseCase, s.Statistics.Testing.UseCase = m.useCase, m.useCase
	if m.useCase == imageLabels {
		least = 2
	}
	m.labels, testLabels = labelsOf(m.train), labelsOf(m.test)
	if len(m.labels) < least {
		s.Statistics.Training.Errors = append(s.Statistics.Training.Errors, errTooFewUsable)
	}
	if len(testLabels) < least {
		s.Statistics.Testing.Errors = append(s.Statistics.Testing.Errors, errTooFewUsable)
	}
	if !overlap(m.labels, testLabels) {
		s.Errors = append(s.Errors, errUsableOverlap)
	}
}

// useCaseOf returns the kind of model for the data (CL-9.32).
func useCaseOf(train []sample, trainBoxes, testBoxes int) string {
	switch {
	case testBoxes > 0:
		return boxLabels
	case trainBoxes == 0:
		return imageLabels
	case 2*trainBoxes > len(train):
		return boxLabels
	}
	return imageLabels
}

// usable leaves out the samples that are not of the kind of model. Where only
// the test data has boxes, a label of a whole training image becomes a box of
// all of it.
func (m *material) usable() {
	if m.useCase == imageLabels {
		for _, list := range []*[]sample{&m.train, &m.test} {
			*list = slices.DeleteFunc(*list, func(s sample) bool { return len(s.labels) == 0 })
			for i := range *list {
				(*list)[i].boxes = nil
			}
		}
		return
	}
	if countBoxed(m.train) == 0 {
		for i := range m.train {
			s := &m.train[i]
			w, h := float64(s.width), float64(s.height)
			for _, name := range s.labels {
				s.boxes = append(s.boxes, target{name, head.Box{Width: w, Height: h}, w, h})
			}
		}
	}
	for _, list := range []*[]sample{&m.train, &m.test} {
		*list = slices.DeleteFunc(*list, func(s sample) bool { return len(s.boxes) == 0 })
		for i := range *list {
			(*list)[i].labels = nil
		}
	}
}

func countBoxed(list []sample) (n int) {
	for _, s := range list {
		if len(s.boxes) > 0 {
			n++
		}
	}
	return n
}

// labelsOf returns the labels of samples, sorted.
func labelsOf(list []sample) []string {
	seen := map[string]bool{}
	var names []string
	for i := range list {
		for _, name := range list[i].names() {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// overlap reports whether at least half of the labels for training are among
// those for testing (CL-9.26).
func overlap(train, test []string) bool {
	common := 0
	for _, name := range train {
		if slices.Contains(test, name) {
			common++
		}
	}
	return 2*common >= len(train)
}

// trainClassifier trains a classifier, of one label an image where the data has
// no more.
func (p *predictor) trainClassifier(ctx context.Context, run *model.Run, images *model.Images, train []sample, backbones *hosting.Backbones) error {
	net, err := backbones.ForTraining(run.Model.Asked.Backbone)
	if err != nil {
		return err
	}
	set := &classify.Set{Image: func(ctx context.Context, i int) (*imaging.Image, error) { return readImage(ctx, images, train[i]) }}
	task := classify.SingleLabel
	for _, s := range train {
		var classes []int
		for _, name := range s.labels {
			class, _ := slices.BinarySearch(p.Labels, name)
			classes = append(classes, class)
		}
		if len(classes) > 1 {
			task = classify.MultiLabel
		}
		set.Labels = append(set.Labels, classes)
	}
	p.classifier, p.learnt, err = classify.Train(ctx, set, classify.Options{
		Task: task, Classes: p.Labels, Seed: run.Seed, Workers: run.Cores, Backbone: net,
		Progress: func(done float64, stage string) { run.Progress(ctx, shareRead+shareTrain*done, stage) },
	})
	return err
}

// trainDetector trains a detector of objects.
func (p *predictor) trainDetector(ctx context.Context, run *model.Run, images *model.Images, train []sample) (err error) {
	set := &detect.Set{Image: func(ctx context.Context, i int) (*imaging.Image, error) { return readImage(ctx, images, train[i]) }}
	for i := range train {
		set.Objects = append(set.Objects, train[i].objects(p.Labels))
	}
	p.detector, p.searched, err = detect.Train(ctx, set, detect.Options{
		Classes: p.Labels, Seed: run.Seed, Workers: run.Cores,
		Progress: func(done float64) { run.Progress(ctx, shareRead+shareTrain*done, "learning to find objects") },
	})
	return err
}

// readImage returns an image upright, its longer side no more than training
// takes (CL-9.13, CL-10.40).
func readImage(ctx context.Context, images *model.Images, s sample) (*imaging.Image, error) {
	img, err := images.Decode(ctx, s.image, imaging.Decoding{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.image, err)
	}
	if max(img.W, img.H) > trainSide {
		img = img.Fit(trainSide)
	}
	return img, nil
}

// objects returns the boxes of a sample in the pixels of what readImage returns.
func (s *sample) objects(labels []string) []head.Object {
	scale := min(1, trainSide/float64(max(s.width, s.height, 1)))
	var list []head.Object
	for _, b := range s.boxes {
		class, ok := slices.BinarySearch(labels, b.label)
		if !ok {
			continue // a label of the test data only
		}
		x, y := scale*float64(s.width)/b.width, scale*float64(s.height)/b.height // CL-10.41
		list = append(list, head.Object{Class: class, Box: head.Box{Left: b.Left * x, Top: b.Top * y, Width: b.Width * x, Height: b.Height * y}})
	}
	return list
}
