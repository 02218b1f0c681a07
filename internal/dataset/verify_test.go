package dataset_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/rekognition"
)

// read returns a blob.
func (w *world) read(t testing.TB, name string) []byte {
	t.Helper()
	blob, err := w.Blobs.Open(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	data, err := io.ReadAll(io.NewSectionReader(blob, 0, blob.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// put replaces a blob.
func (w *world) put(t testing.TB, name string, data []byte) {
	t.Helper()
	if _, err := w.Blobs.Put(context.Background(), name, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
}

// TestVerify: whatever happens to an object, Verify names it, and the revisions
// that have it; and nothing else.
func TestVerify(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.load(t, fovea.Train, boxLine("a.jpg", "bolt")+"\n"+boxLine("b.jpg", "nut")+"\n"+boxLine("c.jpg", "nut"))
	w.change(t, fovea.Train, boxLine("a.jpg", "washer"))
	w.change(t, fovea.Train, boxLine("b.jpg", "washer"))
	w.restore(t, fovea.Train, 2)
	if _, err := w.Create(ctx, dataset.Spec{Project: w.project, Split: fovea.Test, Copy: &dataset.CopyOf{Project: w.project, Split: fovea.Train}}); err != nil {
		t.Fatal(err)
	}
	segmentsOf := func(number int64) (names []string) {
		var rev *fovea.Revision
		err := w.store.View(ctx, func(tx fovea.Tx) (err error) {
			rev, err = tx.Revision(w.view(t, fovea.Train).Dataset.ID, number)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range rev.Segments {
			names = append(names, s.Name)
		}
		return names
	}
	base := segmentsOf(1)[0]
	var changed string
	for _, name := range segmentsOf(2) {
		if name != base {
			changed = name
		}
	}
	report := w.view(t, fovea.Train).Dataset.ID
	reportName := "reports/" + fovea.FormatID(int64(report)) + "/import.jsonl"
	train := func(entries int64, current bool, revisions ...int64) dataset.Holding {
		return dataset.Holding{Service: fovea.CustomLabels, Project: "parts", Split: fovea.Train, Dataset: w.view(t, fovea.Train).Dataset.ID,
			Revisions: revisions, Current: current, Entries: entries}
	}
	test := func(entries int64) dataset.Holding {
		return dataset.Holding{Service: fovea.CustomLabels, Project: "parts", Split: fovea.Test, Dataset: w.view(t, fovea.Test).Dataset.ID,
			Revisions: []int64{1}, Current: true, Entries: entries}
	}
	flipped := func(name string, at int) func() {
		return func() {
			data := bytes.Clone(w.read(t, name))
			data[(at+len(data))%len(data)] ^= 4
			w.put(t, name, data)
		}
	}
	for _, tt := range []struct {
		name, object, problem string
		damage                func()
		holds                 []dataset.Holding
	}{
		{name: "nothing", damage: func() {}},
		{"flipped bit", base, "its checksum is", flipped(base, 100), []dataset.Holding{train(2, true, 1, 2, 3, 4), test(2)}},
		{"flipped bit at the end", changed, "its checksum is", flipped(changed, -1), []dataset.Holding{train(1, true, 2, 3, 4), test(1)}},
		{"truncated", changed, "bytes and not", func() { w.put(t, changed, w.read(t, changed)[:50]) }, []dataset.Holding{train(1, true, 2, 3, 4), test(1)}},
		{"empty", changed, "0 bytes and not", func() { w.put(t, changed, nil) }, []dataset.Holding{train(1, true, 2, 3, 4), test(1)}},
		{"swapped", base, "bytes and not", func() { w.put(t, base, w.read(t, changed)) }, []dataset.Holding{train(2, true, 1, 2, 3, 4), test(2)}},
		{"missing", base, "there is no blob", func() { w.Blobs.Delete(ctx, base) }, []dataset.Holding{train(2, true, 1, 2, 3, 4), test(2)}},
		{"missing report", reportName, "there is no blob", func() { w.Blobs.Delete(ctx, reportName) }, []dataset.Holding{train(0, false, 1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var whole []byte
			if tt.object != "" {
				whole = bytes.Clone(w.read(t, tt.object))
				defer w.put(t, tt.object, whole)
			}
			tt.damage()
			v, err := w.Verify(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if v.Revisions != 5 || v.Segments != 3 || v.Reports != 3 || v.Bytes == 0 {
				t.Errorf("looked at %+v", v)
			}
			if tt.object == "" {
				if len(v.Damaged) > 0 {
					t.Errorf("damaged: %+v", v.Damaged)
				}
				return
			}
			if len(v.Damaged) != 1 || v.Damaged[0].Object != tt.object || !strings.Contains(v.Damaged[0].Problem, tt.problem) {
				t.Fatalf("damaged: %+v, want %s: %s", v.Damaged, tt.object, tt.problem)
			}
			// The last of a dataset's revisions counts.
			if diff := cmp.Diff(tt.holds, v.Damaged[0].Holds); diff != "" {
				t.Errorf("holds (-want +got):\n%s", diff)
			}
		})
	}
}

// TestVerifyCounts: a revision whose numbers are not those of its segments is
// damaged, though every segment is whole.
func TestVerifyCounts(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	v := w.load(t, fovea.Train, boxLine("a.jpg", "bolt"))
	err := w.store.Update(ctx, func(tx fovea.Tx) error {
		rev, err := tx.Revision(v.Dataset.ID, 1)
		if err != nil {
			return err
		}
		rev.Number, rev.Stats.Entries = 2, 7
		if err := tx.PutRevision(rev); err != nil {
			return err
		}
		rev.Number, rev.Stats, rev.Segments[0].Masked = 3, fovea.Stats{}, 1
		return tx.PutRevision(rev)
	})
	if err != nil {
		t.Fatal(err)
	}
	found, err := w.Verify(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Damaged) != 2 || !strings.Contains(found.Damaged[0].Problem, "1 entries, but it counts 7") ||
		!strings.Contains(found.Damaged[1].Problem, "0 rows of segment") || found.Damaged[0].Holds[0].Project != "parts" {
		t.Errorf("damaged: %+v", found.Damaged)
	}
}
