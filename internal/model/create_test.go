package model_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/model"
)

func withToken(operation, value, params string) context.Context {
	return fovea.WithToken(context.Background(), fovea.Token{
		Key:    fovea.TokenKey{Account: "123456789012", Region: "us-east-1", Operation: operation, Value: value},
		Params: params,
	})
}

// TestCreate (CL-2.120, CL-9.12, LV-2.65): the model is in training at once, and
// holds to the revisions that there were.
func TestCreate(t *testing.T) {
	ctx := fovea.WithCaller(context.Background(), fovea.Caller{KeyID: "AKIA"})
	w := newWorld(t, fovea.CustomLabels)
	train, test := w.load(t, fovea.Train, line("a", "normal")), w.load(t, fovea.Test, line("b", "normal"))
	spec := w.spec("v1")
	spec.Tags = map[string]string{"team": "3"}
	v, err := w.Create(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	m := w.get(t, v.Model.ID)
	if diff := cmp.Diff(v.Model, m); diff != "" {
		t.Errorf("answered and stored differ:\n%s", diff)
	}
	if m.Status != fovea.Training || m.Name != "v1" || m.Asked.Caller != "AKIA" || m.Asked.Output.Key != "models/" || !m.Updated.Equal(m.Created) ||
		m.Train != (fovea.RevisionKey{Dataset: train.Dataset.ID, Number: 1}) || m.Test != (fovea.RevisionKey{Dataset: test.Dataset.ID, Number: 1}) {
		t.Errorf("%+v", m)
	}
	w.Store.View(ctx, func(tx fovea.Tx) error {
		if tags, err := tx.Tags(tagsOf(v)); err != nil || tags["team"] != "3" {
			t.Errorf("tags %v, %v", tags, err)
		}
		return nil
	})
}

// TestCreateRefused: what keeps a model from being made, in the order in which
// it is told.
func TestCreateRefused(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	gone := w.spec("v1")
	gone.Project.Name = "gone"
	_, err := w.Create(ctx, gone)
	want(t, "no project", err, fovea.NotFound, "gone")
	gone = w.spec("v1")
	gone.Match = func(*fovea.Project) bool { return false }
	_, err = w.Create(ctx, gone)
	want(t, "another project of the name (CL-3.8)", err, fovea.NotFound, "parts")

	allow := w.spec("v1")
	allow.Allow = func(train, test *model.Data) error {
		if train != nil || test != nil {
			t.Errorf("datasets of a project that has none: %v %v", train, test)
		}
		return fovea.Errorf(fovea.Invalid, "not allowed")
	}
	_, err = w.Create(ctx, allow)
	want(t, "not allowed", err, fovea.Invalid, "not allowed")

	// A dataset that a job changes, or that failed (CL-2.126, LV 6.2).
	ref := fovea.ObjectRef{Bucket: "b", Key: "train.manifest"}
	w.objects.put(ref, line("a", "normal"))
	v, err := w.datasets.Create(ctx, dataset.Spec{Project: w.project, Split: fovea.Train, Manifest: &ref})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Create(ctx, w.spec("v1"))
	want(t, "CL-2.126 LV-14.48", err, fovea.InUse, "parts/train", "creating")
	if err := w.datasets.FailImport(ctx, fovea.ImportJob{Dataset: v.Dataset.ID}); err != nil {
		t.Fatal(err)
	}
	_, err = w.Create(ctx, w.spec("v1"))
	want(t, "a dataset that failed", err, fovea.InUse, "parts/train")

	// With manifests of its own a training does not look at datasets.
	external := w.spec("v1")
	external.Asked.TrainManifests = []fovea.ObjectRef{ref}
	made, err := w.Create(ctx, external)
	if err != nil || made.Model.Train.Number != 0 {
		t.Fatalf("%+v, %v", made.Model, err)
	}
	_, err = w.Create(ctx, external)
	want(t, "CL-2.121", err, fovea.InUse, "v1")
}

// TestCreateLimits (CL-2.125, CL-12.27, LV-2.68): trainings at a time are Limit,
// models of a project Quota; what ended or was deleted counts no more.
func TestCreateLimits(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	w.limit(func(l *fovea.Limits) { l.Trainings, l.Models = 2, 3 })
	first := w.create(t, "v1")
	w.create(t, "v2")
	_, err := w.Create(ctx, w.spec("v3"))
	want(t, "third training", err, fovea.Limit, "2 trainings")
	w.run(t, first)
	w.become(t, w.create(t, "v3").ID, fovea.TrainFailed)
	_, err = w.Create(ctx, w.spec("v4"))
	want(t, "fourth model", err, fovea.Quota, "3 models")
	if _, err := w.Delete(ctx, w.ref("v1"), tagsOf); err != nil {
		t.Fatal(err)
	}
	w.create(t, "v4")
	w.limit(func(l *fovea.Limits) { *l = l.Lifted() })
	for n := range 5 {
		w.create(t, fmt.Sprint("free", n))
	}
}

// TestOutputAtOnce (LV 6.2, CL-6.73): Lookout refuses a bucket that is not there
// at the call, without a version number; Custom Labels lets the training fail.
// A call that comes again has the answer of the first, whatever became of the
// bucket.
func TestOutputAtOnce(t *testing.T) {
	w := newWorld(t, fovea.Lookout)
	w.load(t, fovea.Train, line("a", "normal"))
	spec := w.spec("")
	spec.Asked.Output.Bucket = "none"
	_, err := w.Create(context.Background(), spec)
	want(t, "no bucket", err, fovea.Invalid, "none")
	spec.Allow = func(_, _ *model.Data) error { return fovea.Errorf(fovea.Invalid, "too few") }
	_, err = w.Create(context.Background(), spec)
	want(t, "what the datasets lack comes first", err, fovea.Invalid, "too few")
	spec.Project.Name = "other"
	_, err = w.Create(context.Background(), spec)
	want(t, "no project", err, fovea.NotFound, "other")

	ctx := withToken("CreateModel", "t", "p")
	first, err := w.Create(ctx, w.spec(""))
	if err != nil || first.Model.Name != "1" {
		t.Fatalf("%+v, %v", first, err)
	}
	w.objects.gone = "out"
	again, err := w.Create(ctx, w.spec(""))
	if err != nil || again.Model.ID != first.Model.ID {
		t.Errorf("LV-4.9: %+v, %v", again, err)
	}
	w.objects.gone, w.objects.broken = "", errors.New("no connection")
	if _, err = w.Create(context.Background(), w.spec("")); err == nil || fovea.KindOf(err) != fovea.Internal {
		t.Errorf("an S3 that does not answer: %v", err)
	}

	w = newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	spec = w.spec("v1")
	spec.Asked.Output.Bucket = "none"
	v, err := w.Create(context.Background(), spec)
	if err != nil {
		t.Fatalf("CL-6.73: %v", err)
	}
	if m := w.run(t, v.Model); m.Status != fovea.TrainFailed || m.Message != model.CannotWrite {
		t.Errorf("CL-6.73: %+v", m)
	}
}

// TestStampsOfNodes (CL-3.9, CL-2.14, LV-2.73): nodes whose clocks stand still, or
// are behind, make models with creation times of their own, each later than the
// one before.
func TestStampsOfNodes(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	w.limit(func(l *fovea.Limits) { *l = l.Lifted() })
	node := func(now time.Time) *model.Ops {
		return &model.Ops{
			Store: w.Store, Blobs: w.Blobs, Objects: w.objects, Profiles: w.Profiles, Trainers: w.Trainers, Pager: w.Pager,
			Now: func() time.Time { return now },
		}
	}
	now := w.now()
	nodes := []*model.Ops{node(now), node(now), node(now.Add(-time.Hour)), node(now.Add(time.Minute)), node(now)}
	var last time.Time
	for i := range 3 * len(nodes) {
		v, err := nodes[i%len(nodes)].Create(context.Background(), w.spec(fmt.Sprint("v", i)))
		if err != nil {
			t.Fatalf("model %d: %v", i, err)
		}
		if !v.Model.Created.After(last) {
			t.Errorf("model %d was made at %v, the one before at %v", i, v.Model.Created, last)
		}
		last = v.Model.Created
	}
	_, list, _, err := w.List(context.Background(), model.Query{Project: w.project, Max: 1})
	if err != nil || list[0].Name != "v14" {
		t.Errorf("the latest is %+v, %v", list, err)
	}
}

// TestNumbers (LV-2.63): models without a name are numbered, and numbers are not
// used again, also if the last model is deleted; a call that is refused uses
// none.
func TestNumbers(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.Lookout)
	w.load(t, fovea.Train, line("a", "normal"))
	w.limit(func(l *fovea.Limits) { l.Trainings = 1 })
	for n := 1; n <= 3; n++ {
		m := w.create(t, "")
		if m.Name != fmt.Sprint(n) {
			t.Fatalf("model %d is called %s", n, m.Name)
		}
		if _, err := w.Create(ctx, w.spec("")); fovea.KindOf(err) != fovea.Limit {
			t.Fatal(err)
		}
		w.run(t, m)
		if _, err := w.Delete(ctx, w.ref(m.Name), tagsOf); err != nil {
			t.Fatal(err)
		}
	}
	// "latest" is the highest that there is (LV-2.70).
	_, err := w.Find(ctx, w.ref(model.Latest))
	want(t, "latest of none", err, fovea.NotFound)
	w.run(t, w.create(t, ""))
	five := w.create(t, "")
	if v, err := w.Find(ctx, w.ref(model.Latest)); err != nil || v.Model.ID != five.ID || v.Model.Name != "5" {
		t.Errorf("latest is %+v, %v", v, err)
	}
}

// TestNamesAgain (CL-2.121, CL-3.9): the name of a deleted model is free, and
// the next one of it is another model.
func TestNamesAgain(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	w.Now = func() time.Time { return time.UnixMilli(1_700_000_000_000) } // the clock stands still
	first := w.run(t, w.create(t, "v1"))
	if !first.Asked.AutoSplit {
		t.Error("CL-9.4: without a test dataset no part of the training data tests")
	}
	if _, err := w.Delete(ctx, w.ref("v1"), tagsOf); err != nil {
		t.Fatal(err)
	}
	second := w.create(t, "v1")
	if second.ID == first.ID || !second.Created.After(first.Created) {
		t.Errorf("%+v follows %+v", second, first)
	}
	_, err := w.Find(ctx, model.Ref{Project: w.project, Name: "v1", Match: func(v *model.View) bool { return v.Model.ID == first.ID }})
	want(t, "the old one of the name", err, fovea.NotFound, "v1")
}

// TestCreateOnce (LV-2.67, LV-4.9, LV-4.12): of many calls with one client token
// one makes a model, and all get its answer, also when it is trained.
func TestCreateOnce(t *testing.T) {
	w := newWorld(t, fovea.Lookout)
	w.load(t, fovea.Train, line("a", "normal"))
	ctx := withToken("lookout.CreateModel", "t1", "p")
	var mu sync.Mutex
	names := map[string]int{}
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			v, err := w.Create(ctx, w.spec(""))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			names[v.Model.Name+" "+string(v.Model.Status)]++
		})
	}
	wg.Wait()
	if diff := cmp.Diff(map[string]int{"1 training": 30}, names); diff != "" {
		t.Fatal(diff)
	}
	v, err := w.Find(ctx, w.ref("1"))
	if err != nil {
		t.Fatal(err)
	}
	w.run(t, v.Model)
	if v, err := w.Create(ctx, w.spec("")); err != nil || v.Model.Name != "1" || v.Model.Status != fovea.Training {
		t.Errorf("a replay answers %+v, %v", v.Model, err)
	}
	_, err = w.Create(withToken("lookout.CreateModel", "t1", "q"), w.spec(""))
	want(t, "LV-4.5", err, fovea.Invalid, "t1")
	if w.create(t, "").Name != "2" {
		t.Error("the replays used numbers")
	}
}

// TestTokensOfChanges (LV-4.8, LV-4.10, LV-4.15): a token counts for one
// operation; a start that is repeated with it takes no effect, and a deletion
// leaves the next model of the name.
func TestTokensOfChanges(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	w.run(t, w.create(t, "v1"))
	units := model.Units{Min: 1}
	for range 2 {
		if v, err := w.Start(withToken("start", "t", "p"), w.ref("v1"), units); err != nil || v.Model.Status != fovea.Starting {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	w.host(t, "v1")
	if v, err := w.Stop(withToken("stop", "t", "p"), w.ref("v1")); err != nil || v.Model.Status != fovea.Stopping {
		t.Fatalf("%+v, %v", v, err)
	}
	w.host(t, "v1")
	if v, err := w.Start(withToken("start", "t", "p"), w.ref("v1"), units); err != nil || v.Model.Status != fovea.Starting {
		t.Fatalf("%+v, %v", v, err)
	}
	if v, err := w.Find(context.Background(), w.ref("v1")); err != nil || v.Model.Status != fovea.Stopped {
		t.Errorf("a replay started the model: %+v, %v", v.Model, err)
	}
	for range 2 {
		if _, err := w.Delete(withToken("delete", "t", "p"), w.ref("v1"), tagsOf); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Create(withToken("create", "t", "p"), w.spec("v1")); err != nil {
			t.Fatal(err)
		}
	}
	w.run(t, w.create(t, "v2"))
	if _, err := w.Delete(withToken("delete", "u", "p"), w.ref("v2"), tagsOf); err != nil {
		t.Fatal(err)
	}
	again := w.run(t, w.create(t, "v2"))
	if _, err := w.Delete(withToken("delete", "u", "p"), w.ref("v2"), tagsOf); err != nil {
		t.Fatal(err)
	}
	if v, err := w.Find(context.Background(), w.ref("v2")); err != nil || v.Model.ID != again.ID {
		t.Errorf("a replay deleted the next model of the name: %v", err)
	}
}

// TestList (CL-2.14, CL-2.140 to CL-2.142, LV-2.73): pages of every size have
// all models, latest first, also while models come and go between them.
func TestList(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	w.limit(func(l *fovea.Limits) { *l = l.Lifted() })
	var all []string
	for n := range 9 {
		name := fmt.Sprint("v", n)
		w.run(t, w.create(t, name))
		all = append([]string{name}, all...)
	}
	for _, names := range [][]string{nil, append([]string{"v3", "none"}, all...)} {
		for size := 1; size <= 10; size++ {
			var got []string
			for token, page := "", 0; ; page++ {
				p, list, next, err := w.List(ctx, model.Query{Project: w.project, Names: names, Token: token, Max: size})
				if err != nil || p.Name != "parts" || len(list) > size {
					t.Fatalf("%d models, %v", len(list), err)
				}
				for _, m := range list {
					got = append(got, m.Name)
				}
				if token = next; token == "" {
					break
				}
				between := w.run(t, w.create(t, fmt.Sprintf("between-%d-%d", size, page)))
				if _, err := w.Delete(ctx, w.ref(between.Name), tagsOf); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(all, got); diff != "" {
				t.Fatalf("names %v, pages of %d (-want +got):\n%s", names, size, diff)
			}
		}
	}
	_, _, token, err := w.List(ctx, model.Query{Project: w.project, Max: 2})
	if err != nil {
		t.Fatal(err)
	}
	for what, q := range map[string]model.Query{
		"a token of another query":   {Project: w.project, Names: []string{"v1"}, Token: token, Max: 2},
		"a token that was made up":   {Project: w.project, Token: strings.Repeat("A", 40), Max: 2},
		"a token of another project": {Project: w.makeProject(t, 2, "other"), Token: token, Max: 2},
	} {
		_, _, _, err := w.List(ctx, q)
		want(t, what, err, fovea.BadToken)
	}
	_, list, _, err := w.List(ctx, model.Query{Project: w.project, Names: []string{"none"}, Max: 1})
	if err != nil || len(list) != 0 {
		t.Errorf("names that nothing has: %v, %v", list, err)
	}
	gone := w.project
	gone.Name = "gone"
	_, _, _, err = w.List(ctx, model.Query{Project: gone, Max: 1})
	want(t, "no project", err, fovea.NotFound)
}
