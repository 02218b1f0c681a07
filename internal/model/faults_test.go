package model_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"
	"time"

	"fovea"
	"fovea/internal/model"
)

var errNetwork = errors.New("connection reset by peer")

// A torn store loses its connection at the nth transaction that changes
// something: before the commit, or after it, without an answer.
type torn struct {
	fovea.Store
	nth     int
	commits bool
}

func (s *torn) Update(ctx context.Context, fn func(fovea.Tx) error) error {
	s.nth--
	if s.nth != 0 {
		return s.Store.Update(ctx, fn)
	}
	if s.commits {
		if err := s.Store.Update(ctx, fn); err != nil {
			return err
		}
	}
	return errNetwork
}

// imported returns a world and what would import a model v1 into it.
func imported(t *testing.T) (*world, func() (*model.View, error)) {
	t.Helper()
	from, _ := trained(t, fovea.CustomLabels)
	key := bundleKey(1)
	data, err := from.Export(t.Context(), from.ref("v1"), key)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, fovea.CustomLabels)
	return w, func() (*model.View, error) {
		return w.Import(t.Context(), model.ImportSpec{
			Project: w.project, Name: "v1", Output: fovea.ObjectRef{Bucket: "out"}, Bundle: data, Trusted: []ed25519.PublicKey{publicOf(key)},
		})
	}
}

// TestImportFaults: an import that fails for a fault of ours says so, and not that
// the bundle is bad.
func TestImportFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ready error
		kind  fovea.Kind
		text  string
	}{
		{"S3 or the database", errNetwork, fovea.Internal, "connection reset"},
		{"slow weights", context.DeadlineExceeded, fovea.Internal, "deadline"},
		{"no room", fovea.Errorf(fovea.Throttled, "no room in memory"), fovea.Throttled, "no room"},
		{"bad weights", &model.Damage{Weights: "w", Problem: "they are nonsense"}, fovea.Invalid, "cannot be used here: they are nonsense."},
		{"another backbone", fovea.Errorf(fovea.NotReady, "it was trained with P"), fovea.Invalid, "cannot be used here: it was trained with P."},
	} {
		w, run := imported(t)
		w.Ready = func(context.Context, *fovea.Model) error { return tt.ready }
		_, err := run()
		want(t, tt.name, err, tt.kind, tt.text)
		if names := w.blobNames(t); len(names) != 0 {
			t.Errorf("%s: %q stay", tt.name, names)
		}
	}
}

// TestImportTorn: a model whose row was stored although nobody was told keeps its
// weights; those of one that was not are for the sweep.
func TestImportTorn(t *testing.T) {
	for _, commits := range []bool{true, false} {
		w, run := imported(t)
		store := w.Store
		w.Store = &torn{Store: store, nth: 2, commits: commits}
		if _, err := run(); !errors.Is(err, errNetwork) {
			t.Fatalf("import: %v", err)
		}
		w.Store = store
		w.SweepAge = -20 * 365 * 24 * time.Hour // whatever the clock of the world says
		if err := w.RunSweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		v, err := w.Find(t.Context(), w.ref("v1"))
		if !commits {
			want(t, "a model that was not stored", err, fovea.NotFound)
			if names := w.blobNames(t); len(names) != 0 {
				t.Errorf("%q stay", names)
			}
			continue
		}
		if err != nil || v.Model.Status != fovea.Trained {
			t.Fatalf("%+v, %v", v, err)
		}
		if _, err := w.ReadWeights(t.Context(), v.Model); err != nil {
			t.Errorf("its weights: %v", err)
		}
		if names := w.blobNames(t); len(names) != 2 {
			t.Errorf("%q are there, want the weights and the report", names)
		}
	}
}

// TestReplayWithoutS3 (LV-4.9): a call that comes again has the answer of
// the first while S3 gives none, and others are told what is wrong with them.
func TestReplayWithoutS3(t *testing.T) {
	w := newWorld(t, fovea.Lookout)
	w.load(t, fovea.Train, line("a", "normal"))
	ctx := withToken("CreateModel", "t", "p")
	first, err := w.Create(ctx, w.spec(""))
	if err != nil {
		t.Fatal(err)
	}
	w.objects.broken = errNetwork
	again, err := w.Create(ctx, w.spec(""))
	if err != nil || again.Model.ID != first.Model.ID {
		t.Errorf("again: %+v, %v", again, err)
	}
	spec := w.spec("")
	spec.Project.Name = "other"
	_, err = w.Create(t.Context(), spec)
	want(t, "no project", err, fovea.NotFound, "other")
	_, err = w.Create(withToken("CreateModel", "u", "p"), w.spec(""))
	want(t, "another call", err, fovea.Internal, "look for the bucket out")
}

// Slow blobs are in an S3 that gives nothing.
type slowBlobs struct{ fovea.Blobs }

func (b slowBlobs) Open(ctx context.Context, name string) (fovea.Blob, error) {
	blob, err := b.Blobs.Open(ctx, name)
	return slowBlob{blob}, err
}

type slowBlob struct{ fovea.Blob }

func (slowBlob) ReadAtContext(ctx context.Context, _ []byte, _ int64) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

// TestSlowWeights: weights are read no longer than the context lasts, and are not
// damaged for it.
func TestSlowWeights(t *testing.T) {
	w, m := trained(t, fovea.CustomLabels)
	w.Blobs = slowBlobs{w.Blobs}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := w.ReadWeights(ctx, m)
	if damage := (*model.Damage)(nil); !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &damage) {
		t.Errorf("read: %v", err)
	}
}

// TestFilesBesideChanges: every model is looked at once, whatever becomes of it
// while the others are.
func TestFilesBesideChanges(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	w.limit(func(l *fovea.Limits) { *l = l.Lifted() })
	statuses := []fovea.ModelStatus{fovea.Trained, fovea.Running, fovea.Stopped}
	var want []string
	var ids []fovea.ModelID
	for _, status := range statuses {
		m := w.run(t, w.create(t, string(status)))
		w.become(t, m.ID, status)
		ids, want = append(ids, m.ID), append(want, m.Weights)
	}
	var got []string
	err := w.EachFiles(ctx, func(f model.Files) error {
		got = append(got, f.Weights)
		switch len(got) {
		case 1:
			w.become(t, ids[0], fovea.Running)
		case 2:
			w.become(t, ids[2], fovea.Starting)
		}
		return nil
	})
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("looked at %q, want %q, %v", got, want, err)
	}
}

// TestStartsApart: a start is a job of its own kind, behind which a stop does not
// wait.
func TestStartsApart(t *testing.T) {
	ctx := t.Context()
	w, m := trained(t, fovea.CustomLabels)
	enqueued := &noting{Store: w.Store}
	w.Store = enqueued
	started, err := w.Start(ctx, w.ref("v1"), model.Units{Min: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.RunStart(ctx, fovea.StartJob{Model: m.ID, Since: started.Model.Updated}); err != nil {
		t.Fatal(err)
	}
	if m := w.get(t, m.ID); m.Status != fovea.Running {
		t.Errorf("after its start it is %s", m.Status)
	}
	stopped, err := w.Stop(ctx, w.ref("v1"))
	if err != nil {
		t.Fatal(err)
	}
	wanted := []fovea.JobArgs{fovea.StartJob{Model: m.ID, Since: started.Model.Updated}, fovea.HostJob{Model: m.ID, Since: stopped.Model.Updated}}
	if !slices.Equal(enqueued.jobs, wanted) {
		t.Errorf("jobs %+v, want %+v", enqueued.jobs, wanted)
	}
	w.become(t, m.ID, fovea.Starting)
	if err := w.FailStart(ctx, fovea.StartJob{Model: m.ID, Since: stopped.Model.Updated}); err != nil {
		t.Fatal(err)
	}
	if m := w.get(t, m.ID); m.Status != fovea.StartFailed || !m.Ours {
		t.Errorf("given up it is %+v", m)
	}
}

// A noting store notes which jobs are enqueued.
type noting struct {
	fovea.Store
	jobs []fovea.JobArgs
}

func (s *noting) Update(ctx context.Context, fn func(fovea.Tx) error) error {
	return s.Store.Update(ctx, func(tx fovea.Tx) error { return fn(&notingTx{tx, s}) })
}

type notingTx struct {
	fovea.Tx
	store *noting
}

func (tx *notingTx) Enqueue(job fovea.JobArgs) error {
	tx.store.jobs = append(tx.store.jobs, job)
	return tx.Tx.Enqueue(job)
}
