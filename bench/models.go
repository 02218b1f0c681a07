package main

import (
	"context"
	"fmt"
	"log"
	"time"
)

// Of the trainings: how many images there are, and how long each may take
// (issue 5).
const (
	trainCores   = 2
	trainCells   = 200
	testCells    = 80
	classifyBar  = 30 * time.Second
	segmentBar   = 2 * time.Minute
	detectorBar  = 8 * time.Minute
	pollTraining = 20 * time.Millisecond
)

// A trainee is a model that is trained on real photographs, and how well.
type trainee struct {
	name   string
	bar    time.Duration // that its training may take
	album  *album
	make   func(ctx context.Context, s *server, a *album) (*trained, error)
	called string // what a detection is called in the table
}

// A trained is a model, what its training took, and what calls it.
type trained struct {
	took   time.Duration
	worked time.Duration // of processors
	f1     float64       // of the service's own test
	start  func(ctx context.Context, units int) error
	detect func(ctx context.Context, image []byte) error
}

// models measures trainings on real photographs, and detections.
func (b *bench) models(ctx context.Context) (section, error) {
	folder, err := photographsAt()
	if err != nil {
		return section{}, err
	}
	trainees, err := b.trainees(ctx, folder)
	if err != nil {
		return section{}, err
	}
	trainings := table{head: []string{"model", "images", "time", "bar", "processor time", "peak memory", "F1 of its own test"}}
	detections := table{head: []string{"call", "clients", "p50", "p99", "images/s", "decoding", "of p50"}}
	for _, t := range trainees {
		if err := b.trainAndDetect(ctx, t, &trainings, &detections); err != nil {
			return section{}, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return section{
		title: "Training models",
		text: fmt.Sprintf("Real photographs from the embedded S3, `--training-cores %d`, a new server for each model. Time is from the CreateModel or "+
			"CreateProjectVersion call to TRAINED or TRAINING_COMPLETED, with the test and the files that the service writes; memory is the server's, from its start on. "+
			"Cookies are the 63 of the guide of Lookout for Vision, each side half as long again (%d x %d pixels) so that they have a megapixel, as what is detected on below has to; "+
			"fovea takes a fifth of them to test. Blood cells (640 x 480) are %d to train and %d to test.", trainCores, megapixelW, megapixelH, trainCells, testCells),
		table: trainings,
		more: []section{{
			title: "Detecting",
			text: fmt.Sprintf("%d calls with a JPEG of a megapixel (%d x %d pixels, quality %d), each sent and signed anew by 1 client, then by 2, which is how many "+
				"inference units the model has. Clients and server share the two cores. Blood cells are scaled for it. No other program answers these calls; what bounds them from below "+
				"is decoding the JPEG, measured apart with the decoder that the server uses.", b.calls, megapixelW, megapixelH, usualQuality),
			table: detections,
		}},
	}, nil
}

// trainees returns what is trained, in the order of the table.
func (b *bench) trainees(ctx context.Context, folder string) ([]trainee, error) {
	plain, err := cookies(ctx, folder, false)
	if err != nil {
		return nil, err
	}
	masked, err := cookies(ctx, folder, true)
	if err != nil {
		return nil, err
	}
	boxed, err := cells(folder, trainCells+testCells)
	return []trainee{
		{"cookies, normal or anomalous", classifyBar, plain, trainLookout, "DetectAnomalies, classification"},
		{"cookies, with masks", segmentBar, masked, trainLookout, "DetectAnomalies, segmentation"},
		{"blood cells, boxes", detectorBar, boxed, trainLabels, "DetectCustomLabels, boxes"},
	}, err
}

// trainAndDetect trains a model on a server of its own, calls it, and adds to
// the tables.
func (b *bench) trainAndDetect(ctx context.Context, t trainee, trainings, detections *table) error {
	s, err := b.serve(ctx, "--training-cores", fmt.Sprint(trainCores))
	if err != nil {
		return err
	}
	defer s.close()
	m, err := t.make(ctx, s, t.album)
	if err != nil {
		return err
	}
	peak, err := s.PeakMemory()
	if err != nil {
		return err
	}
	log.Printf("%s: trained in %v, %v of processors, %s, F1 %.3f", t.name, m.took, m.worked, megabytes(peak), m.f1)
	trainings.add(t.name, fmt.Sprint(len(t.album.lines)), seconds(m.took.Seconds()), fmt.Sprintf("%.0f s", t.bar.Seconds()), seconds(m.worked.Seconds()), megabytes(peak), fmt.Sprintf("%.3f", m.f1))
	return b.detections(ctx, t, m, detections)
}

// trainLookout trains a model of Lookout for Vision.
func trainLookout(ctx context.Context, s *server, a *album) (*trained, error) {
	if err := a.upload(ctx, s, "cookies.manifest", 0, len(a.lines)); err != nil {
		return nil, err
	}
	if err := s.lookoutProject(ctx, "cookies", "cookies.manifest"); err != nil {
		return nil, err
	}
	began, before := time.Now(), s.processorTime()
	output := map[string]any{"OutputConfig": map[string]any{"S3Location": map[string]any{"Bucket": bucket, "Prefix": "out/"}}}
	if err := s.Lookout(ctx, "POST", "/projects/cookies/models", nil, output, nil); err != nil {
		return nil, err
	}
	type description struct {
		ModelDescription struct {
			Status, StatusMessage string
			Performance           struct{ F1Score float64 }
		}
	}
	await := func(while, want string) (d description, err error) {
		for {
			if err := s.Lookout(ctx, "GET", "/projects/cookies/models/1", nil, nil, &d); err != nil {
				return d, err
			}
			switch m := d.ModelDescription; m.Status {
			case want:
				return d, nil
			case while:
				time.Sleep(pollTraining)
			default:
				return d, fmt.Errorf("the model is %s: %s", m.Status, m.StatusMessage)
			}
		}
	}
	d, err := await("TRAINING", "TRAINED")
	if err != nil {
		return nil, err
	}
	return &trained{
		took:   time.Since(began),
		worked: s.processorTime() - before,
		f1:     d.ModelDescription.Performance.F1Score,
		start: func(ctx context.Context, units int) error {
			if err := s.Lookout(ctx, "POST", "/projects/cookies/models/1/start", nil, map[string]any{"MinInferenceUnits": units}, nil); err != nil {
				return err
			}
			_, err := await("STARTING_HOSTING", "HOSTED")
			return err
		},
		detect: s.detectAnomalies,
	}, nil
}

// trainLabels trains a detector of Custom Labels.
func trainLabels(ctx context.Context, s *server, a *album) (*trained, error) {
	project, err := s.project(ctx)
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		split    string
		from, to int
	}{{"TRAIN", 0, trainCells}, {"TEST", trainCells, len(a.lines)}} {
		if err := a.upload(ctx, s, part.split, part.from, part.to); err != nil {
			return nil, err
		}
		if _, _, err := s.fill(ctx, project, part.split, fromManifest(part.split), int64(part.to-part.from)); err != nil {
			return nil, err
		}
	}
	began, before := time.Now(), s.processorTime()
	var made struct{ ProjectVersionArn string }
	err = s.Rekognition(ctx, "CreateProjectVersion", map[string]any{
		"ProjectArn": project, "VersionName": "v1", "OutputConfig": map[string]any{"S3Bucket": bucket, "S3KeyPrefix": "out"},
	}, &made)
	if err != nil {
		return nil, err
	}
	type description struct {
		Status, StatusMessage string
		EvaluationResult      struct{ F1Score float64 }
	}
	await := func(while, want string) (description, error) {
		for {
			var d struct{ ProjectVersionDescriptions []description }
			if err := s.Rekognition(ctx, "DescribeProjectVersions", map[string]any{"ProjectArn": project}, &d); err != nil {
				return description{}, err
			}
			switch v := d.ProjectVersionDescriptions[0]; v.Status {
			case want:
				return v, nil
			case while:
				time.Sleep(pollTraining)
			default:
				return v, fmt.Errorf("the version is %s: %s", v.Status, v.StatusMessage)
			}
		}
	}
	d, err := await("TRAINING_IN_PROGRESS", "TRAINING_COMPLETED")
	if err != nil {
		return nil, err
	}
	return &trained{
		took:   time.Since(began),
		worked: s.processorTime() - before,
		f1:     d.EvaluationResult.F1Score,
		start: func(ctx context.Context, units int) error {
			in := map[string]any{"ProjectVersionArn": made.ProjectVersionArn, "MinInferenceUnits": units}
			if err := s.Rekognition(ctx, "StartProjectVersion", in, nil); err != nil {
				return err
			}
			_, err := await("STARTING", "RUNNING")
			return err
		},
		detect: func(ctx context.Context, image []byte) error {
			var found struct{ CustomLabels []any }
			in := map[string]any{"ProjectVersionArn": made.ProjectVersionArn, "Image": map[string]any{"Bytes": image}}
			return s.Rekognition(ctx, "DetectCustomLabels", in, &found)
		},
	}, nil
}
