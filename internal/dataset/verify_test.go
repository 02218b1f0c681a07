package dataset_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
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

// TestVerifyContents: a revision that says something else than its segments
// hold is damaged, though every segment is whole and the number of entries is
// right.
func TestVerifyContents(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.load(t, fovea.Train, boxLine("a.jpg", "bolt")+"\n"+boxLine("b.jpg", "nut")+"\n"+boxLine("c.jpg", "nut"))
	w.change(t, fovea.Train, boxLine("a.jpg", "washer"))
	v := w.change(t, fovea.Train, boxLine("d.jpg", "nut"))
	if found, err := w.Verify(ctx); err != nil || len(found.Damaged) > 0 {
		t.Fatalf("before: %+v, %v", found, err)
	}
	number := v.Dataset.Revision
	for _, tt := range []struct {
		name, problem string
		harm          func(r *fovea.Revision)
	}{
		{"statistics", "it counts {Entries:4 Labeled:2", func(r *fovea.Revision) { r.Stats.Labeled = 2 }},
		{"errors", "Errors:1", func(r *fovea.Revision) { r.Stats.Errors = 1 }},
		{"entries of a label", "it counts {Name:nut", func(r *fovea.Revision) { r.Labels[0].Entries++ }},
		{"boxes of a label", "it counts {Name:nut", func(r *fovea.Revision) { r.Labels[0].Boxed-- }},
		{"a label too many", "it counts {Name:gear", func(r *fovea.Revision) { r.Labels = append(r.Labels, fovea.LabelCount{Name: "gear"}) }},
		{"a label too few", `it has no label "washer"`, func(r *fovea.Revision) { r.Labels = r.Labels[:1] }},
		{"another row deleted", "two of its entries have the sequence number 0", func(r *fovea.Revision) {
			rows := roaring.BitmapOf(1)
			r.Segments[base(r)].Deleted, _ = rows.ToBytes()
		}},
		{"next sequence number", "is to get 2", func(r *fovea.Revision) { r.NextSeq = 2 }},
		{"order of segments", "is not in order", func(r *fovea.Revision) {
			slices.Reverse(r.Segments)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			change := func(fn func(*fovea.Revision)) (old fovea.Revision) {
				err := w.store.Update(ctx, func(tx fovea.Tx) error {
					r, err := tx.Revision(v.Dataset.ID, number)
					if err != nil {
						return err
					}
					old = *r
					old.Labels, old.Segments = slices.Clone(r.Labels), slices.Clone(r.Segments)
					fn(r)
					return errors.Join(tx.DeleteRevision(fovea.RevisionKey{Dataset: v.Dataset.ID, Number: number}), tx.PutRevision(r))
				})
				if err != nil {
					t.Fatal(err)
				}
				return old
			}
			old := change(tt.harm)
			defer change(func(r *fovea.Revision) { *r = old })
			found, err := w.Verify(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if len(found.Damaged) != 1 {
				t.Fatalf("damaged: %+v", found.Damaged)
			}
			d := found.Damaged[0]
			if !strings.Contains(d.Problem, tt.problem) || !strings.HasPrefix(d.Object, fmt.Sprintf("revision %d of dataset ", number)) {
				t.Errorf("damaged: %+v, want %s", d, tt.problem)
			}
			want := []dataset.Holding{{Service: fovea.CustomLabels, Project: "parts", Split: fovea.Train, Dataset: v.Dataset.ID,
				Revisions: []int64{number}, Current: true, Entries: 4}}
			if diff := cmp.Diff(want, d.Holds); diff != "" {
				t.Errorf("holds (-want +got):\n%s", diff)
			}
		})
	}
}

// base returns which of the segments of a revision has the most rows.
func base(r *fovea.Revision) (most int) {
	for i, s := range r.Segments {
		if s.Rows > r.Segments[most].Rows {
			most = i
		}
	}
	return most
}
