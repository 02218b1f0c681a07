package model_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/imaging"
	"fovea/internal/model"
)

func (w *world) weights(t testing.TB, m *fovea.Model) string {
	t.Helper()
	b, err := w.ReadWeights(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestTrain: what the trainer found is in the model, its folder is gone.
func TestTrain(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"), line("b", "anomaly"))
	w.load(t, fovea.Test, line("c", "normal"))
	m := w.run(t, w.create(t, "v1"))
	if m.Status != fovea.Trained || m.Progress != 1 || m.Stage != "" || m.Result == nil || m.Result.F1 != 0.5 || m.Result.Code != "v9" ||
		!m.Result.Ended.After(m.Created) || m.Result.Recipe != "fake" {
		t.Errorf("%+v %+v", m, m.Result)
	}
	if got, want := w.weights(t, m), "seed 1: 2 1"; got != want { // whatever the model is called
		t.Errorf("weights %q, want %q", got, want)
	}
	if got := w.objects.text("out", "models/EvaluationResultSummary-parts-v1.json"); got != "{}" {
		t.Errorf("the file has %q", got)
	}
	if left, err := os.ReadDir(w.Scratch); err != nil || len(left) > 0 {
		t.Errorf("left in the folder for trainings: %v %v", left, err)
	}
	// A second run of the job changes nothing.
	if again := w.run(t, m); w.trainer.runs != 1 || cmp.Diff(m, again) != "" {
		t.Errorf("run again, %d trainings: %+v", w.trainer.runs, again)
	}
}

// TestSnapshot (CL-9.12, LV-6.17): a training works on the datasets as they were
// when the model was made.
func TestSnapshot(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"), line("b", "anomaly"))
	w.load(t, fovea.Test, line("c", "normal"))
	m := w.create(t, "v1")
	w.change(t, fovea.Train, line("z", "normal")+line("a", "anomaly"))
	var lines, tests []string
	var has [2]bool
	w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		lines, _ = linesOf(ctx, run, fovea.Train)
		tests, _ = linesOf(ctx, run, fovea.Test)
		has = [2]bool{run.Has(fovea.Train), run.Has(fovea.Test)}
		return learns(ctx, run)
	}
	w.run(t, m)
	want := []string{strings.TrimSpace(line("a", "normal")), strings.TrimSpace(line("b", "anomaly"))}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(tests) != 1 || has != [2]bool{true, true} {
		t.Errorf("test lines %q, has %v", tests, has)
	}
}

// TestFailure (CL-9.43, CL-9.45, LV-6.27): a training that fails for its data
// says why, keeps the files that it wrote, and has no weights.
func TestFailure(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	summary := fovea.ObjectRef{Bucket: "out", Key: "s"}
	w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		if err := run.PutWeights(ctx, strings.NewReader("useless")); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("judge: %w", &model.Failure{Message: "Too few.", Result: &fovea.TrainingResult{ManifestSummary: summary}})
	}
	m := w.run(t, w.create(t, "v1"))
	if m.Status != fovea.TrainFailed || m.Message != "Too few." || m.Ours || m.Weights != "" || m.Result.ManifestSummary != summary || m.Result.Ended.IsZero() {
		t.Errorf("%+v %+v", m, m.Result)
	}
	w.trainer.train = func(context.Context, *model.Run) (*fovea.TrainingResult, error) {
		return nil, &model.Failure{Message: "No file."}
	}
	if m := w.run(t, w.create(t, "v2")); m.Result == nil || m.Result.Ended.IsZero() {
		t.Errorf("the end of a failed training is not known: %+v", m)
	}

	// The output cannot be written (CL-6.73, LV-14.47): a bucket that is not
	// there is seen before anything is trained.
	w.trainer.train = learns
	spec, runs := w.spec("bucket"), w.trainer.runs
	spec.Asked.Output.Bucket = "none"
	v, err := w.Create(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if m := w.run(t, v.Model); m.Status != fovea.TrainFailed || m.Message != model.CannotWrite || w.trainer.runs != runs {
		t.Errorf("%+v", m)
	}
	w.objects.refuse = fovea.Errorf(fovea.Denied, "no")
	if m := w.run(t, w.create(t, "v3")); m.Status != fovea.TrainFailed || m.Message != model.CannotWrite {
		t.Errorf("%+v", m)
	}
}

// TestFault: a fault of ours is tried again, and given up in the end with words
// that tell nothing of the inside.
func TestFault(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	m := w.create(t, "v1")
	w.trainer.train = func(context.Context, *model.Run) (*fovea.TrainingResult, error) {
		return nil, fovea.Errorf(fovea.BadObject, "secret path") // of any kind
	}
	err := w.RunTrain(ctx, fovea.TrainJob{Model: m.ID})
	if err == nil || fovea.KindOf(err) != fovea.Internal || w.get(t, m.ID).Status != fovea.Training {
		t.Fatalf("%v, want a fault that is tried again", err)
	}
	if err := w.FailTrain(ctx, fovea.TrainJob{Model: m.ID}); err != nil {
		t.Fatal(err)
	}
	if m := w.get(t, m.ID); m.Status != fovea.TrainFailed || m.Message != "Our fault." || !m.Ours {
		t.Errorf("%+v", m)
	}
	if err := w.FailTrain(ctx, fovea.TrainJob{Model: 99}); err != nil {
		t.Errorf("giving up a model that is gone: %v", err)
	}
}

// TestCrash (LV-3.4): a training whose process died begins again, and comes to
// the same weights, also when the first one goes on beside it.
func TestCrash(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	m := w.create(t, "v1")
	var first string
	w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		run.Progress(ctx, 0.7, "half way")
		result, err := learns(ctx, run)
		if w.trainer.runs == 1 {
			first = readBlob(t, w, m.ID)
			return nil, errors.New("the process died")
		}
		return result, err
	}
	if err := w.RunTrain(ctx, fovea.TrainJob{Model: m.ID}); err == nil {
		t.Fatal("it did not die")
	}
	began := w.get(t, m.ID).Began
	m = w.run(t, m)
	if m.Status != fovea.Trained || w.weights(t, m) != first || !m.Began.After(began) {
		t.Errorf("after the crash: %+v with weights %q, want %q", m, w.weights(t, m), first)
	}
}

func readBlob(t testing.TB, w *world, id fovea.ModelID) string {
	t.Helper()
	for info, err := range w.Blobs.List(context.Background(), "weights/"+fovea.FormatID(int64(id))+"/") {
		if err != nil {
			t.Fatal(err)
		}
		return w.weights(t, &fovea.Model{Weights: info.Name})
	}
	t.Fatal("there are no weights")
	return ""
}

// TestCancel: a training hears within moments that it was cancelled, and what it
// comes to then is not kept.
func TestCancel(t *testing.T) {
	ctx := context.Background()
	for _, tt := range []struct {
		name string
		end  func(*world, *fovea.Model) error
	}{
		{"cancelled", func(w *world, m *fovea.Model) error {
			_, err := w.Cancel(ctx, w.ref(m.Name))
			return err
		}},
		{"gone", func(w *world, m *fovea.Model) error {
			return w.Store.Update(ctx, func(tx fovea.Tx) error { return tx.DeleteModel(m.ID) })
		}},
	} {
		w := newWorld(t, fovea.CustomLabels)
		w.load(t, fovea.Train, line("a", "normal"))
		m := w.create(t, "v1")
		heard := false
		w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
			if err := tt.end(w, m); err != nil {
				return nil, err
			}
			select {
			case <-ctx.Done():
				heard = true
			case <-time.After(20 * time.Second):
			}
			return nil, ctx.Err()
		}
		if err := w.RunTrain(ctx, fovea.TrainJob{Model: m.ID}); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if !heard {
			t.Errorf("%s: the training did not hear of it", tt.name)
		}
		if tt.name == "cancelled" {
			if m := w.get(t, m.ID); m.Status != fovea.TrainFailed || m.Message != "It was cancelled." || m.Ours {
				t.Errorf("%s: %+v", tt.name, m)
			}
		}
		if err := w.RunTrain(ctx, fovea.TrainJob{Model: m.ID}); err != nil || w.trainer.runs != 1 {
			t.Errorf("%s: run again: %v, %d runs", tt.name, err, w.trainer.runs)
		}
	}
}

// TestCancelledAtTheEnd: a training that does not hear of it and ends well does
// not bring its model back.
func TestCancelledAtTheEnd(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.Tell = time.Hour
	w.load(t, fovea.Train, line("a", "normal"))
	m := w.create(t, "v1")
	w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		if _, err := w.Cancel(ctx, w.ref("v1")); err != nil {
			return nil, err
		}
		return learns(ctx, run)
	}
	if m := w.run(t, m); m.Status != fovea.TrainFailed || m.Weights != "" {
		t.Errorf("%+v", m)
	}
}

// TestLongest (CL-9.15, LV-6.26): a training that takes too long fails and says
// so.
func TestLongest(t *testing.T) {
	w := newWorld(t, fovea.Lookout)
	w.Longest = 20 * time.Millisecond
	w.load(t, fovea.Train, line("a", "normal"))
	w.trainer.train = func(ctx context.Context, _ *model.Run) (*fovea.TrainingResult, error) {
		<-ctx.Done()
		return nil, fmt.Errorf("in the middle of it: %w", ctx.Err())
	}
	m := w.run(t, w.create(t, ""))
	if m.Status != fovea.TrainFailed || m.Ours || !strings.Contains(m.Message, "20ms") {
		t.Errorf("%+v", m)
	}
}

// TestStopped: a server that stops gives the training back, to begin again.
func TestStopped(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	m := w.create(t, "v1")
	ctx, cancel := context.WithCancelCause(context.Background())
	w.trainer.train = func(ctx context.Context, _ *model.Run) (*fovea.TrainingResult, error) {
		cancel(errors.New("the server stops"))
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := w.RunTrain(ctx, fovea.TrainJob{Model: m.ID}); err == nil {
		t.Error("the job counts as done")
	}
	if m := w.get(t, m.ID); m.Status != fovea.Training {
		t.Errorf("%+v", m)
	}
}

// TestProgress: how far a training is can be seen while it goes on.
func TestProgress(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	m := w.create(t, "v1")
	for at, want := range map[time.Duration]string{0: "", time.Minute: "It waits for another training."} {
		if text := model.Training(m, m.Created.Add(at)); text != want {
			t.Errorf("before it began, after %v: %q", at, text)
		}
	}
	var seen *fovea.Model
	w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		run.Progress(ctx, 0.25, "features")
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			if seen = w.get(t, m.ID); seen.Progress > 0 || time.Now().After(deadline) {
				break
			}
		}
		return learns(ctx, run)
	}
	w.run(t, m)
	if seen.Progress != 0.25 || seen.Stage != "features" || seen.Status != fovea.Training || seen.Began.IsZero() {
		t.Fatalf("%+v", seen)
	}
	if text := model.Training(seen, seen.Began.Add(10*time.Minute)); text != "25 % are done (features), about 30m0s are left." {
		t.Errorf("it says %q", text)
	}
	if left, ok := model.Left(seen, seen.Began.Add(time.Minute)); !ok || left != 3*time.Minute {
		t.Errorf("%v left", left)
	}
	seen.Progress = 0.01
	if _, ok := model.Left(seen, seen.Began.Add(time.Minute)); ok || model.Training(seen, seen.Began) != "" {
		t.Error("it is known too early how long it will take")
	}
}

// TestExternal (CL-6.70 to CL-6.74, CL-9.11): lines come from all manifests in
// order; one that cannot be used fails the training with the message of its
// fault.
func TestExternal(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	a, b := fovea.ObjectRef{Bucket: "b", Key: "a.manifest"}, fovea.ObjectRef{Bucket: "b", Key: "b.manifest"}
	w.objects.put(a, line("1", "x")+"\n"+line("2", "x"))
	w.objects.put(b, line("3", "x"))
	var lines []string
	var has [2]bool
	w.trainer.train = func(ctx context.Context, run *model.Run) (_ *fovea.TrainingResult, err error) {
		has = [2]bool{run.Has(fovea.Train), run.Has(fovea.Test)}
		if lines, err = linesOf(ctx, run, fovea.Train); err != nil {
			return nil, err
		}
		return learns(ctx, run)
	}
	train := func(name string) *fovea.Model {
		t.Helper()
		spec := w.spec(name)
		spec.Asked.TrainManifests = []fovea.ObjectRef{a, b}
		v, err := w.Create(context.Background(), spec)
		if err != nil {
			t.Fatal(err)
		}
		return w.run(t, v.Model)
	}
	m := train("v1")
	if m.Status != fovea.Trained || has != [2]bool{true, false} || len(lines) != 4 || !strings.Contains(lines[3], "b/3") {
		t.Errorf("%+v, has %v, lines %q", m, has, lines)
	}
	for i, tt := range []struct {
		name, message string
		break_        func()
	}{
		{"CL-6.70", "The manifest file extension or contents are invalid.", func() {
			w.objects.errs[b] = fovea.Errorf(fovea.BadObject, "gone: %w", fs.ErrNotExist)
		}},
		{"CL-6.74", "The S3 bucket permissions are incorrect.", func() { w.objects.errs[b] = fovea.Errorf(fovea.Denied, "no") }},
		{"CL-6.74 as objects tell it", "The S3 bucket permissions are incorrect.", func() {
			w.objects.errs[b] = fovea.Errorf(fovea.BadObject, "no: %w", fs.ErrPermission)
		}},
		{"CL-6.72", "The manifest file size exceeds the maximum supported size.", func() {
			delete(w.objects.errs, b)
			w.limit(func(l *fovea.Limits) { l.ManifestBytes = 300 })
			w.objects.put(b, strings.Repeat(" ", 301))
		}},
	} {
		tt.break_()
		if m := train(fmt.Sprint("broken", i)); m.Status != fovea.TrainFailed || m.Message != tt.message || m.Result.ManifestSummary.Key != "" {
			t.Errorf("%s: %+v", tt.name, m)
		}
	}
}

// TestCheckAll (CL-6.39, CL-6.82, LV-5.56): what is wrong with an image, and that
// a fault of ours is none of it.
func TestCheckAll(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	at := func(key string) fovea.ObjectRef { return fovea.ObjectRef{Bucket: "b", Key: key} }
	var photo bytes.Buffer
	if err := png.Encode(&photo, image.NewGray(image.Rect(0, 0, 100, 80))); err != nil {
		t.Fatal(err)
	}
	w.objects.put(at("photo"), photo.String())
	w.objects.put(at("half"), photo.String()[:photo.Len()-20])
	w.objects.put(at("text"), "no image")
	w.objects.put(at("large"), strings.Repeat("x", 16<<20))
	w.objects.errs[at("denied")] = fovea.Errorf(fovea.Denied, "no")
	w.objects.errs[at("forbidden")] = fovea.Errorf(fovea.BadObject, "no: %w", fs.ErrPermission)
	keys := []string{"photo", "half", "text", "large", "gone", "denied", "forbidden", ""}
	want := []model.ImageFault{model.Usable, model.BrokenImage, model.BrokenImage, model.UnreadImage, model.UnreadImage, model.DeniedImage, model.DeniedImage, 99}
	w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		got := slices.Repeat([]model.ImageFault{99}, len(keys))
		refs := func(k int) (ref fovea.ObjectRef) {
			if keys[k] != "" {
				ref = at(keys[k])
			}
			return ref
		}
		if err := run.Images().CheckAll(ctx, len(keys), refs, func(k int, _ imaging.Info, f model.ImageFault) { got[k] = f }); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		w.objects.errs[at("denied")] = errors.New("no connection")
		if err := run.Images().CheckAll(ctx, len(keys), refs, func(int, imaging.Info, model.ImageFault) {}); err == nil || fovea.KindOf(err) != fovea.Internal {
			t.Errorf("a fault of ours: %v", err)
		}
		return learns(ctx, run)
	}
	w.run(t, w.create(t, "v1"))
}

// TestImages: an image is read once from where it is, and one that cannot be
// read is BadObject.
func TestImages(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	ref, large := fovea.ObjectRef{Bucket: "b", Key: "a"}, fovea.ObjectRef{Bucket: "b", Key: "large"}
	w.objects.put(ref, "an image")
	w.objects.put(large, strings.Repeat("x", 1000))
	w.limit(func(l *fovea.Limits) { l.Image.Bytes = 999 })
	w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		images := run.Images()
		for range 2 {
			if b, err := images.Bytes(ctx, ref); err != nil || string(b) != "an image" {
				t.Errorf("%q, %v", b, err)
			}
			w.objects.put(ref, "another one")
		}
		_, err := images.Bytes(ctx, large)
		want(t, "a large one", err, fovea.BadObject, "1000 bytes")
		_, err = images.Bytes(ctx, fovea.ObjectRef{Bucket: "b", Key: "gone"})
		want(t, "one that is not there", err, fovea.BadObject)

		ended, cancel := context.WithCancel(ctx)
		cancel()
		err = images.CheckAll(ended, 3, func(int) fovea.ObjectRef { return ref }, func(int, imaging.Info, model.ImageFault) {})
		if !errors.Is(err, context.Canceled) { // or the images that were not looked at would be taken for good ones
			t.Errorf("images that were not looked at: %v", err)
		}
		return learns(ctx, run)
	}
	w.run(t, w.create(t, "v1"))
}
