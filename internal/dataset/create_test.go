package dataset_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"fovea"
	"fovea/bench/groundtruth"
	"fovea/internal/dataset"
	"fovea/internal/lookout"
	"fovea/internal/rekognition"
	"fovea/internal/segment"
)

func withToken(value, params string) context.Context {
	return fovea.WithToken(context.Background(), fovea.Token{
		Key:    fovea.TokenKey{Account: "123456789012", Region: "us-east-1", Operation: "lookout.CreateDataset", Value: value},
		Params: params,
	})
}

// TestCreateOnce (LV-4.3, LV-4.9, LV-4.12): of a hundred calls at once with one
// client token one takes effect, and all get its answer; so does one that comes
// after the dataset, its manifest and the project's name have changed.
func TestCreateOnce(t *testing.T) {
	w := newWorld(t, lookout.Profile(lookout.Limits()))
	ref := fovea.ObjectRef{Bucket: "b", Key: "train.manifest"}
	w.objects[ref] = masked("a.jpg", "dent")
	spec := dataset.Spec{Project: w.project, Split: fovea.Train, Manifest: &ref}
	var mu sync.Mutex
	ids := map[fovea.DatasetID]int{}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			v, err := w.Create(withToken("t1", "p"), spec)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[v.Dataset.ID]++
			if v.Dataset.Status != fovea.Creating {
				t.Errorf("a replay is %s, want the first answer", v.Dataset.Status)
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 {
		t.Fatalf("%d datasets were made: %v", len(ids), ids)
	}

	first := w.view(t, fovea.Train).Dataset
	info, _ := w.objects.Stat(context.Background(), ref)
	if err := w.RunImport(context.Background(), fovea.ImportJob{Dataset: first.ID, Manifest: info}); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(context.Background(), w.project, fovea.Train, nil, nil); err != nil {
		t.Fatal(err)
	}
	delete(w.objects, ref)
	v, err := w.Create(withToken("t1", "p"), spec)
	if err != nil || v.Dataset.ID != first.ID || v.Dataset.Status != fovea.Creating {
		t.Errorf("replay = %+v, %v", v, err)
	}
	if _, err := w.Find(context.Background(), w.project, fovea.Train); fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("a replay made the dataset again: %v", err)
	}
	if _, err := w.Create(withToken("t1", "q"), spec); fovea.KindOf(err) != fovea.Invalid {
		t.Errorf("with other parameters: err = %v, want Invalid", err)
	}
	// A call that failed is not remembered (LV-4.11).
	if _, err := w.Create(withToken("t2", "p"), spec); fovea.KindOf(err) != fovea.BadObject {
		t.Errorf("err = %v, want BadObject", err)
	}
	w.objects[ref] = masked("a.jpg", "dent")
	if _, err := w.Create(withToken("t2", "p"), spec); err != nil {
		t.Errorf("after a failure: %v", err)
	}
}

// TestDeleteReplay (LV-4.15): a replay of a deletion leaves a dataset that was
// made since.
func TestDeleteReplay(t *testing.T) {
	w := newWorld(t, lookout.Profile(lookout.Limits()))
	spec := dataset.Spec{Project: w.project, Split: fovea.Train}
	for range 2 {
		if _, err := w.Create(context.Background(), spec); err != nil {
			t.Fatal(err)
		}
		if err := w.Delete(withToken("t", "p"), w.project, fovea.Train, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	w.view(t, fovea.Train)
	w.Now = func() time.Time { return time.Now().Add(fovea.TokenLife) }
	if err := w.Delete(withToken("t", "p"), w.project, fovea.Train, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Find(context.Background(), w.project, fovea.Train); fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("after eight hours the token still counts: %v", err)
	}
}

// TestCreateMatch (CL-3.8): a dataset is not made in a project that took the
// name of the one that is meant.
func TestCreateMatch(t *testing.T) {
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	_, err := w.Create(context.Background(), dataset.Spec{Project: w.project, Split: fovea.Train, Match: func(*fovea.Project) bool { return false }})
	if fovea.KindOf(err) != fovea.NotFound || !strings.Contains(err.Error(), "parts") {
		t.Errorf("err = %v", err)
	}
}

// TestDeletedWhileListed: a listing of a dataset that is deleted on the way
// ends in NotFound about the dataset, also when the sweep was there already.
func TestDeletedWhileListed(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	v := w.load(t, fovea.Train, manifestOf(groundtruth.Manifest{Lines: 30}))
	if err := w.Delete(ctx, w.project, fovea.Train, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.Reader = &segment.Reader{Blobs: w.Blobs}
	_, err := w.Entries(ctx, v, dataset.Query{Max: 10})
	if fovea.KindOf(err) != fovea.NotFound || err.Error() != "The project parts has no train dataset." {
		t.Errorf("err = %v", err)
	}
}
