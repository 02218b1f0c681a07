package model_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/hosting"
	"fovea/internal/model"
	"fovea/internal/rekognition"
)

// backbones are those of a node.
type backbones struct {
	asked string // for Custom Labels
	has   []string
}

func (b backbones) Asked(s fovea.Service) string {
	if s == fovea.CustomLabels {
		return b.asked
	}
	return ""
}

func (b backbones) Has(asked string) error {
	for _, one := range b.has {
		if asked == one {
			return nil
		}
	}
	return fovea.Errorf(fovea.NotReady, "it is not here")
}

// TestBackbonePinned: what a model is trained with is decided by the call, and a
// node that lacks it leaves the training to others, whatever it would use itself.
func TestBackbonePinned(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"), line("b", "anomaly"))
	w.Backbones = backbones{"big 11ff", []string{"big 11ff"}}
	m := w.create(t, "v1")
	if m.Asked.Backbone != "big 11ff" {
		t.Fatalf("asked for %q", m.Asked.Backbone)
	}
	for _, lacking := range []model.Backbones{nil, backbones{"other 22aa", []string{"other 22aa"}}} {
		w.Backbones = lacking
		err := w.RunTrain(context.Background(), fovea.TrainJob{Model: m.ID})
		if !errors.Is(err, fovea.ErrElsewhere) {
			t.Fatalf("without the backbone: %v", err)
		}
		waiting := w.get(t, m.ID)
		if waiting.Status != fovea.Training || !strings.Contains(waiting.Stage, "big (SHA-256 11ff)") || w.trainer.runs != 0 {
			t.Errorf("it is %s, %q", waiting.Status, waiting.Stage)
		}
		if text := model.Training(waiting, w.now()); !strings.Contains(text, "It is waiting for a server with the backbone big") {
			t.Errorf("people are told %q", text)
		}
	}
	w.Backbones = backbones{"other 22aa", []string{"other 22aa", "big 11ff"}}
	if m = w.run(t, m); m.Status != fovea.Trained || m.Stage != "" || w.trainer.runs != 1 {
		t.Errorf("with the backbone it is %s, %q", m.Status, m.Stage)
	}
}

// lacks wants a training to be left to other nodes, and returns its model.
func (w *world) lacks(t testing.TB, id fovea.ModelID) *fovea.Model {
	t.Helper()
	m := w.get(t, id)
	if err := w.RunTrain(context.Background(), fovea.TrainJob{Model: id}); !errors.Is(err, fovea.ErrElsewhere) {
		t.Fatalf("it is not left to others but %v; before it was %s, %+v", err, m.Status, m.Waiting)
	}
	return w.get(t, id)
}

// TestBackboneNeverThere: nothing waits for ever; but neither the time in a queue
// or of a training counts, nor that for which no node ran, nor that for which one
// is there that has the backbone and is busy.
func TestBackboneNeverThere(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"), line("b", "anomaly"))
	var log bytes.Buffer
	var ends []model.Outcome
	w.Log, w.Longest = slog.New(slog.NewTextHandler(&log, nil)), 10*time.Minute
	w.Observe = func(_ fovea.Service, how model.Outcome) { ends = append(ends, how) }
	node, lacking := backbones{"big 11ff", []string{"big 11ff"}}, backbones{}
	w.Backbones = node
	m := w.create(t, "v1")
	almost := func(what string) {
		t.Helper()
		for range 18 {
			w.lacks(t, m.ID)
			w.pass(30 * time.Second)
		}
		if got := w.get(t, m.ID); got.Status != fovea.Training || !strings.Contains(got.Stage, "big") {
			t.Fatalf("%s: it is %s, %q", what, got.Status, got.Message)
		}
	}
	w.Backbones = lacking
	w.pass(24 * time.Hour)
	almost("after a day in the queue")
	w.pass(5 * time.Hour)
	w.lacks(t, m.ID)

	w.Backbones = node
	w.trainer.train = func(context.Context, *model.Run) (*fovea.TrainingResult, error) {
		w.pass(time.Hour)
		return nil, errors.New("the node goes down")
	}
	if err := w.RunTrain(ctx, fovea.TrainJob{Model: m.ID}); err == nil || !w.get(t, m.ID).Waiting.Since.IsZero() {
		t.Fatalf("%v; while it is trained it waits since %v", err, w.get(t, m.ID).Waiting)
	}
	w.Backbones = lacking
	almost("after a training that was interrupted")

	for range 4 {
		if err := w.Announce(ctx, []string{"22aa", "11ff"}); err != nil {
			t.Fatal(err)
		}
		almost("while a node has it")
	}
	if strings.Count(log.String(), "level=WARN") != 2 || !strings.Contains(log.String(), "11ff") { // once for each time that it began to wait
		t.Errorf("the log says\n%s", log.String())
	}
	announced := w.now()
	for w.get(t, m.ID).Status == fovea.Training && w.now().Before(announced.Add(time.Hour)) {
		w.pass(30 * time.Second)
		if err := w.RunTrain(ctx, fovea.TrainJob{Model: m.ID}); err != nil && !errors.Is(err, fovea.ErrElsewhere) {
			t.Fatal(err)
		}
	}
	m = w.get(t, m.ID)
	if m.Status != fovea.TrainFailed || !m.Ours || !strings.Contains(m.Message, "big (SHA-256 11ff)") || m.Result == nil || m.Result.Ended.IsZero() {
		t.Errorf("it is %s, %q, %+v", m.Status, m.Message, m.Result)
	}
	if diff := cmp.Diff([]model.Outcome{model.WasGivenUp}, ends); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	w.Backbones, w.trainer.train = nil, learns
	if m = w.create(t, "v2"); m.Asked.Backbone != "" {
		t.Errorf("asked for %q", m.Asked.Backbone)
	}
	if m = w.run(t, m); m.Status != fovea.Trained {
		t.Errorf("it is %s, %q", m.Status, m.Message)
	}
}

// boxed returns the line of an image with a box.
func boxed(key string) string {
	return fmt.Sprintf(`{"source-ref":"s3://b/%s","bb":{"image_size":[{"width":64,"height":64,"depth":3}],"annotations":[{"class_id":0,"left":1,"top":2,"width":10,"height":8}]},`+
		`"bb-metadata":{"objects":[{"confidence":1}],"class-map":{"0":"bolt"},"type":"groundtruth/object-detection","human-annotated":"yes",`+
		`"creation-date":"2026-02-03T04:05:06","job-name":"labeling-job/bb"}}`+"\n", key)
}

// TestBackboneOfDetectors: what finds boxes is trained where there is no backbone
// of the user's. Where there are boxes and the training needs one all the same, it
// says so once and waits then.
func TestBackboneOfDetectors(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.limit(func(l *fovea.Limits) { l.Trainings = 0 })
	w.load(t, fovea.Train, boxed("a"), boxed("b"))
	w.Backbones = backbones{asked: "big 11ff"}
	if m := w.run(t, w.create(t, "v1")); m.Status != fovea.Trained || m.Asked.Backbone == "" {
		t.Errorf("it is %s, %q", m.Status, m.Stage)
	}
	runs := w.trainer.runs
	w.trainer.train = func(context.Context, *model.Run) (*fovea.TrainingResult, error) {
		return nil, fmt.Errorf("classifier: %w", fovea.ErrNoBackbone)
	}
	m := w.create(t, "v2")
	for range 3 {
		if got := w.lacks(t, m.ID); got.Status != fovea.Training || !strings.Contains(got.Stage, "big") || !got.Began.IsZero() {
			t.Errorf("it is %s, %q", got.Status, got.Stage)
		}
	}
	if w.trainer.runs != runs+1 {
		t.Errorf("it was tried %d times", w.trainer.runs-runs)
	}
}

// TestBackboneOfManifests: whether a backbone is needed for manifests that nobody
// has read is known once they are read.
func TestBackboneOfManifests(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.Trainers[fovea.CustomLabels] = rekognition.Trainer{Partition: "aws", Backbones: &hosting.Backbones{}}
	w.Backbones = backbones{asked: "big 11ff"}
	var lines strings.Builder
	for i := range 8 {
		key := fmt.Sprint(i)
		w.put(key, painted(t, 64, 64, color.Gray{90}, color.Gray{120}))
		lines.WriteString(line(key, []string{"oak", "elm"}[i%2]))
	}
	w.put("m", lines.String())
	spec := w.spec("v1")
	spec.Asked.TrainManifests, spec.Asked.AutoSplit = []fovea.ObjectRef{{Bucket: "b", Key: "m"}}, true
	v, err := w.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if m := w.lacks(t, v.Model.ID); m.Status != fovea.Training || !strings.Contains(m.Stage, "big (SHA-256 11ff)") {
		t.Errorf("it is %s, %q, %q", m.Status, m.Stage, m.Message)
	}
}

// TestStartLeft: a node that lacks the backbone of a model leaves its start to
// others for a while.
func TestStartLeft(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	w.run(t, w.create(t, "v1"))
	lack := fovea.Errorf(fovea.NotReady, "it was trained with big 11ff: %w", fovea.ErrNoBackbone)
	lacking := func(context.Context, *fovea.Model) error { return fmt.Errorf("the classifier: %w", lack) }
	start := func() fovea.HostJob {
		t.Helper()
		v, err := w.Start(ctx, w.ref("v1"), model.Units{Min: 1})
		if err != nil {
			t.Fatal(err)
		}
		return fovea.HostJob{Model: v.Model.ID, Since: v.Model.Updated}
	}
	w.Ready, w.Leave = lacking, 90*time.Second
	job := start()
	for range 2 {
		if err := w.RunHost(ctx, job); !errors.Is(err, fovea.ErrElsewhere) || w.get(t, job.Model).Status != fovea.Starting {
			t.Errorf("it is %s, %v", w.get(t, job.Model).Status, err)
		}
		w.pass(40 * time.Second)
	}
	w.Ready = func(context.Context, *fovea.Model) error { return nil }
	if m := w.host(t, "v1"); m.Status != fovea.Running {
		t.Errorf("where the backbone is, it is %s, %q", m.Status, m.Message)
	}
	for _, leave := range []time.Duration{90 * time.Second, 0} {
		w.become(t, job.Model, fovea.Stopped)
		w.Ready, w.Leave = lacking, leave
		start()
		w.pass(leave)
		if m := w.host(t, "v1"); m.Status != fovea.StartFailed || !strings.Contains(m.Message, "big 11ff") {
			t.Errorf("after %v it is %s, %q", leave, m.Status, m.Message)
		}
	}
}
