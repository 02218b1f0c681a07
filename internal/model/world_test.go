package model_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"fovea"
	"fovea/internal/blob/mem"
	"fovea/internal/dataset"
	"fovea/internal/lookout"
	"fovea/internal/manifest"
	"fovea/internal/model"
	"fovea/internal/rekognition"
	"fovea/internal/segment"
	"fovea/internal/sqlstore"
)

// A world is an installation in memory, but for its SQLite file. Its clock
// moves on by a millisecond whenever it is asked.
type world struct {
	*model.Ops
	datasets *dataset.Ops
	objects  *objects
	trainer  *trainer
	project  fovea.ProjectKey

	mu    sync.Mutex
	clock time.Time
}

// A trainer is a Trainer that does what a test says.
type trainer struct {
	train func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error)
	runs  int
}

func (t *trainer) Train(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
	t.runs++
	return t.train(ctx, run)
}

func (*trainer) FileName(p *fovea.Project, m *fovea.Model, file string) string {
	return m.Asked.Output.Key + file + "-" + p.Name + "-" + m.Name + ".json"
}

func (*trainer) ServiceIssue() string { return "Our fault." }

// learns is a training that goes well: it stores weights that its data make,
// and writes one file.
func learns(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
	weights := fmt.Sprintf("seed %d:", run.Seed)
	for _, split := range []fovea.Split{fovea.Train, fovea.Test} {
		lines, err := linesOf(ctx, run, split)
		if err != nil {
			return nil, err
		}
		weights += fmt.Sprint(" ", len(lines))
	}
	if err := run.PutWeights(ctx, strings.NewReader(weights)); err != nil {
		return nil, err
	}
	summary, err := run.WriteFile(ctx, "EvaluationResultSummary", strings.NewReader("{}"), 2)
	return &fovea.TrainingResult{Recipe: "fake", F1: 0.5, Summary: summary}, err
}

func newWorld(t testing.TB, service fovea.Service) *world {
	t.Helper()
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, "sqlite:"+t.TempDir()+"/fovea.db", sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &world{objects: newObjects(), trainer: &trainer{train: learns}, clock: time.UnixMilli(1_700_000_000_000).UTC()}
	w.project = fovea.ProjectKey{Service: service, Account: "123456789012", Region: "us-east-1", Name: "parts"}
	profiles := map[fovea.Service]fovea.Profile{
		fovea.CustomLabels: rekognition.Profile(rekognition.Limits()), fovea.Lookout: lookout.Profile(lookout.Limits()),
	}
	blobs, pager := new(mem.Blobs), &fovea.Pager{Key: []byte("k"), Now: w.now}
	reader := &segment.Reader{Blobs: blobs}
	w.datasets = &dataset.Ops{Store: store, Blobs: blobs, Objects: w.objects, Reader: reader, Profiles: profiles, Pager: pager, Now: w.now}
	w.Ops = &model.Ops{
		Store: store, Blobs: blobs, Objects: w.objects, Reader: reader, Profiles: profiles, Pager: pager, Now: w.now, Scratch: t.TempDir(),
		Trainers: map[fovea.Service]model.Trainer{service: w.trainer}, Tell: 5 * time.Millisecond, Version: "v9",
	}
	w.makeProject(t, 1, "parts")
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(time.Millisecond)
	return w.clock
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// limit changes a limit of the world's service.
func (w *world) limit(change func(*fovea.Limits)) {
	p := w.Profiles[w.project.Service]
	change(&p.Limits)
	w.Profiles[w.project.Service] = p
}

func (w *world) makeProject(t testing.TB, id fovea.ProjectID, name string) fovea.ProjectKey {
	t.Helper()
	key := w.project
	key.Name = name
	err := w.Store.Update(context.Background(), func(tx fovea.Tx) error {
		return tx.PutProject(&fovea.Project{ID: id, Service: key.Service, Account: key.Account, Region: key.Region, Name: name, Created: w.now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// load makes a dataset with lines.
func (w *world) load(t testing.TB, split fovea.Split, lines ...string) *dataset.View {
	t.Helper()
	ctx := context.Background()
	ref := fovea.ObjectRef{Bucket: "b", Key: string(split) + ".manifest"}
	w.objects.put(ref, strings.Join(lines, ""))
	v, err := w.datasets.Create(ctx, dataset.Spec{Project: w.project, Split: split, Manifest: &ref})
	if err != nil {
		t.Fatal(err)
	}
	info, err := w.objects.Stat(ctx, ref)
	if err == nil {
		err = w.datasets.RunImport(ctx, fovea.ImportJob{Dataset: v.Dataset.ID, Manifest: info, Caller: "k"})
	}
	if err == nil {
		v, err = w.datasets.Find(ctx, w.project, split)
	}
	if err != nil || v.Dataset.Status != fovea.Created {
		t.Fatalf("%+v, %v", v.Dataset, err)
	}
	return v
}

// line returns a labelled line of both services.
func line(key, class string) string {
	value := 0
	if class == "anomaly" {
		value = 1
	}
	return fmt.Sprintf(`{"source-ref":"s3://b/%s","label":%d,"label-metadata":{"confidence":1,"class-name":"%s","human-annotated":"yes",`+
		`"creation-date":"2026-02-03T04:05:06","type":"groundtruth/image-classification","job-name":"labeling-job/label"}}`+"\n", key, value, class)
}

// spec asks for a model of the world's project.
func (w *world) spec(name string) model.Spec {
	return model.Spec{
		Project: w.project, Name: name, TagsOf: tagsOf,
		Asked: fovea.Asked{Output: fovea.ObjectRef{Bucket: "out", Key: "models/"}, Description: "d"},
	}
}

func tagsOf(v *model.View) string { return "tags of " + v.Project.Name + "/" + v.Model.Name }

// create makes a model that is not trained yet.
func (w *world) create(t testing.TB, name string) *fovea.Model {
	t.Helper()
	v, err := w.Create(context.Background(), w.spec(name))
	if err != nil {
		t.Fatal(err)
	}
	return v.Model
}

// run runs the training of a model and returns what it is then.
func (w *world) run(t testing.TB, m *fovea.Model) *fovea.Model {
	t.Helper()
	if err := w.RunTrain(context.Background(), fovea.TrainJob{Model: m.ID}); err != nil {
		t.Fatal(err)
	}
	return w.get(t, m.ID)
}

func (w *world) get(t testing.TB, id fovea.ModelID) (m *fovea.Model) {
	t.Helper()
	err := w.Store.View(context.Background(), func(tx fovea.Tx) (err error) {
		m, err = tx.Model(id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// become puts a model into a status.
func (w *world) become(t testing.TB, id fovea.ModelID, status fovea.ModelStatus) {
	t.Helper()
	err := w.Store.Update(context.Background(), func(tx fovea.Tx) error {
		m, err := tx.Model(id)
		if err != nil {
			return err
		}
		m.Status = status
		return tx.PutModel(m)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) ref(name string) model.Ref { return model.Ref{Project: w.project, Name: name} }

// want reports an error of another kind, or that does not name what it must.
func want(t testing.TB, what string, err error, kind fovea.Kind, texts ...string) {
	t.Helper()
	if err == nil || fovea.KindOf(err) != kind {
		t.Errorf("%s: %v, want %v", what, err, kind)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %q does not say %q", what, err, text)
		}
	}
}

func linesOf(ctx context.Context, run *model.Run, split fovea.Split) (list []string, err error) {
	err = run.Lines(ctx, split, func(number int64, line []byte, bad *manifest.LineError) error {
		if number != int64(len(list))+1 {
			return fmt.Errorf("line %d comes as number %d", len(list)+1, number)
		}
		if bad != nil {
			line = []byte("bad")
		}
		list = append(list, string(line))
		return nil
	})
	return list, err
}

// objects are the users' objects, in memory.
type objects struct {
	mu     sync.Mutex
	texts  map[fovea.ObjectRef]string
	errs   map[fovea.ObjectRef]error // of reading
	refuse error                     // of writing
	gone   string                    // a bucket that is not there
	broken error                     // of looking for buckets
}

func newObjects() *objects {
	return &objects{texts: map[fovea.ObjectRef]string{}, errs: map[fovea.ObjectRef]error{}}
}

func (o *objects) put(ref fovea.ObjectRef, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.texts[ref] = text
}

func (o *objects) text(bucket, key string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.texts[fovea.ObjectRef{Bucket: bucket, Key: key}]
}

func (o *objects) Stat(_ context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.errs[ref]; err != nil {
		return fovea.ObjectInfo{}, err
	}
	text, ok := o.texts[ref]
	if !ok {
		return fovea.ObjectInfo{}, fovea.Errorf(fovea.BadObject, "%s does not exist: %w", ref, fs.ErrNotExist)
	}
	return fovea.ObjectInfo{Ref: ref, Size: int64(len(text)), ETag: fmt.Sprintf("%q", fmt.Sprint(len(text)))}, nil
}

func (o *objects) CheckBucket(_ context.Context, name string) error {
	if name == "none" || name == o.gone {
		return fovea.Errorf(fovea.BadObject, "there is no bucket %s", name)
	}
	return o.broken
}

func (o *objects) Read(ctx context.Context, info fovea.ObjectInfo, off, n int64) (io.ReadCloser, error) {
	now, err := o.Stat(ctx, info.Ref)
	if err != nil {
		return nil, err
	}
	if now.ETag != info.ETag {
		return nil, fovea.Errorf(fovea.BadObject, "%s has changed", info.Ref)
	}
	text := o.text(info.Ref.Bucket, info.Ref.Key)
	return io.NopCloser(strings.NewReader(text[off:min(off+n, int64(len(text)))])), nil
}

func (o *objects) Write(_ context.Context, ref fovea.ObjectRef, _ string, body io.Reader, size int64) (fovea.ObjectInfo, error) {
	if o.refuse != nil {
		return fovea.ObjectInfo{}, o.refuse
	}
	var b bytes.Buffer
	if n, err := b.ReadFrom(body); err != nil || n != size {
		return fovea.ObjectInfo{}, errors.Join(err, fmt.Errorf("%d bytes of %d", n, size))
	}
	o.put(ref, b.String())
	return fovea.ObjectInfo{Ref: ref, Size: size}, nil
}

// change changes a dataset.
func (w *world) change(t testing.TB, split fovea.Split, lines string) {
	t.Helper()
	ctx := context.Background()
	v, err := w.datasets.Update(ctx, dataset.Change{Project: w.project, Split: split, Lines: []byte(lines)})
	if err != nil {
		t.Fatal(err)
	}
	for info, err := range w.Blobs.List(ctx, "changes/") {
		if err == nil {
			err = w.datasets.RunUpdate(ctx, fovea.UpdateJob{Dataset: v.Dataset.ID, Changes: info.Name, Since: v.Dataset.Updated, Caller: "k"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if v, err = w.datasets.Find(ctx, w.project, split); err != nil || v.Dataset.Revision != 2 {
		t.Fatalf("%+v, %v", v.Dataset, err)
	}
}
