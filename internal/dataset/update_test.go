package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/bench/groundtruth"
	"fovea/internal/dataset"
	"fovea/internal/lookout"
	"fovea/internal/rekognition"
	"fovea/internal/segment"
)

// update calls Update and returns the job it enqueued.
func (w *world) update(t testing.TB, split fovea.Split, lines string) fovea.UpdateJob {
	t.Helper()
	v, err := w.Update(context.Background(), dataset.Change{Project: w.project, Split: split, Lines: []byte(lines)})
	if err != nil {
		t.Fatal(err)
	}
	if v.Dataset.Status != fovea.Updating {
		t.Fatalf("the dataset is %s after Update (CL-2.101)", v.Dataset.Status)
	}
	for info, err := range w.Blobs.List(context.Background(), "changes/") {
		if err != nil {
			t.Fatal(err)
		}
		return fovea.UpdateJob{Dataset: v.Dataset.ID, Changes: info.Name, Since: v.Dataset.Updated, Caller: "k"}
	}
	t.Fatal("the changes are not stored")
	return fovea.UpdateJob{}
}

// change updates a dataset and returns it when that is done.
func (w *world) change(t testing.TB, split fovea.Split, lines string) *dataset.View {
	t.Helper()
	if err := w.RunUpdate(context.Background(), w.update(t, split, lines)); err != nil {
		t.Fatal(err)
	}
	return w.view(t, split)
}

// A model is what a dataset should hold, kept the obvious way.
type model struct {
	order []string // source-refs
	line  map[string]string
}

func (m *model) apply(ref, line string) {
	if _, ok := m.line[ref]; !ok {
		m.order = append(m.order, ref)
	}
	m.line[ref] = line
}

func (m *model) lines() []string {
	list := []string{}
	for _, ref := range m.order {
		list = append(list, m.line[ref])
	}
	return list
}

// TestUpdate (CL-7.1 to CL-7.5, CL-7.9): random updates of random datasets, in
// which lines replace, come new, or take labels away, leave what a plain list
// would hold, in its order, with the statistics and labels of an import of it.
func TestUpdate(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 7))
		w := newWorld(t, rekognition.Profile(rekognition.Limits()))
		w.ImportRange = 3000
		m := model{line: map[string]string{}}
		text := ""
		line := func(n int) (ref, line string) {
			key := fmt.Sprintf("%d.jpg", n)
			labels := []string{}
			for _, l := range []string{"bolt", "nut", "washer"} {
				if r.IntN(2) == 0 {
					labels = append(labels, l)
				}
			}
			line = boxLine(key, labels...)
			if r.IntN(8) == 0 {
				line = fmt.Sprintf(`{"source-ref":"s3://imgs/%s"}`, key)
			}
			return key, line
		}
		for n := range 40 {
			ref, l := line(n)
			m.apply(ref, l)
			text += l + "\n"
		}
		w.load(t, fovea.Train, text)
		for round := range 12 {
			changes := ""
			seen := map[string]bool{}
			for range 1 + r.IntN(20) {
				ref, l := line(r.IntN(60 + round))
				if !seen[ref] {
					m.apply(ref, l)
					changes += l + "\n"
				}
				seen[ref] = true
			}
			v := w.change(t, fovea.Train, changes)
			if v.Dataset.Status != fovea.Updated {
				t.Fatalf("seed %d round %d: %+v", seed, round, v.Dataset)
			}
			if diff := cmp.Diff(m.lines(), w.entries(t, v, segment.Filter{}, 7)); diff != "" {
				t.Fatalf("seed %d round %d (-want +got):\n%s", seed, round, diff)
			}
			fresh := newWorld(t, rekognition.Profile(rekognition.Limits()))
			want := fresh.load(t, fovea.Train, strings.Join(m.lines(), "\n")).Revision
			byName := func(a, b fovea.LabelCount) int { return strings.Compare(a.Name, b.Name) }
			slices.SortFunc(want.Labels, byName)
			slices.SortFunc(v.Revision.Labels, byName)
			if diff := cmp.Diff([]any{want.Stats, want.Labels}, []any{v.Revision.Stats, v.Revision.Labels}); diff != "" {
				t.Fatalf("seed %d round %d: statistics (-import +update):\n%s", seed, round, diff)
			}
		}
	}
}

// TestUpdateDuplicates (CL-6.22, LV-2.59): of the lines of one update with the
// same source-ref the first counts for Custom Labels and the last for Lookout.
func TestUpdateDuplicates(t *testing.T) {
	one := `{"source-ref":"s3://imgs/a.jpg","x":1,"x-metadata":{"class-name":"normal","type":"groundtruth/image-classification","confidence":1,"human-annotated":"yes","creation-date":"2021-01-01T00:00:00"}}`
	two := strings.Replace(one, `"x":1`, `"x":2`, 1)
	for _, tt := range []struct {
		profile fovea.Profile
		want    string
	}{
		{rekognition.Profile(rekognition.Limits().Lifted()), one},
		{lookout.Profile(lookout.Limits()), two},
	} {
		w := newWorld(t, tt.profile)
		if _, err := w.Create(context.Background(), dataset.Spec{Project: w.project, Split: fovea.Train}); err != nil {
			t.Fatal(err)
		}
		v := w.change(t, fovea.Train, one+"\n"+two+"\n")
		if diff := cmp.Diff([]string{tt.want}, w.entries(t, v, segment.Filter{}, 10)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.profile.Service, diff)
		}
	}
}

// TestUpdateFails (CL-7.6, LV-2.56, CL-2.72): a change that may not be leaves
// the content as it was, and the dataset usable.
func TestUpdateFails(t *testing.T) {
	base := boxLine("a.jpg", "bolt")
	for _, tt := range []struct {
		name, lines, message string
		limits               func(*fovea.Limits)
	}{
		{name: "bucket", lines: strings.Replace(boxLine("b.jpg", "bolt"), "s3://imgs", "s3://elsewhere", 1), message: "The manifest file contains images from multiple S3 buckets."},
		{name: "dropped", lines: `{"a":1}`, message: "The manifest file has too many terminal errors."},
		{name: "no JSON (CL-6.24)", lines: "x\n\n", message: "The manifest file has too many terminal errors."},
		{name: "entries", lines: boxLine("b.jpg", "bolt"), limits: func(l *fovea.Limits) { l.TrainEntries = 1 }, message: "The manifest file has too many rows."},
		{name: "labels", lines: boxLine("b.jpg", "nut"), limits: func(l *fovea.Limits) { l.Labels = 1 }, message: "The manifest file has too many labels."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			limits := rekognition.Limits()
			if tt.limits != nil {
				tt.limits(&limits)
			}
			w := newWorld(t, rekognition.Profile(limits))
			w.load(t, fovea.Train, base)
			v := w.change(t, fovea.Train, tt.lines)
			if v.Dataset.Status != fovea.UpdateFailed || v.Dataset.Message != tt.message || v.Dataset.Ours {
				t.Errorf("dataset = %+v", v.Dataset)
			}
			if diff := cmp.Diff([]string{base}, w.entries(t, v, segment.Filter{}, 10)); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
			if sum, _ := w.report(t, v); sum.Fault == nil || sum.Fault.Message != tt.message {
				t.Errorf("report = %+v", sum)
			}
			if v := w.change(t, fovea.Train, base); v.Dataset.Status != fovea.Updated {
				t.Errorf("the next update: %+v", v.Dataset)
			}
		})
	}
}

// TestUpdateAgain: an update that is broken off at any write and run again, or
// run again after it is done, is applied once.
func TestUpdateAgain(t *testing.T) {
	base := manifestOf(groundtruth.Manifest{Lines: 100, Bucket: "imgs"})
	changes := boxLine("a.jpg", "bolt") + "\n" + boxLine("b.jpg", "nut")
	for n := int64(1); n < 10; n++ {
		w := newWorld(t, rekognition.Profile(rekognition.Limits()))
		w.ImportRange = 5000
		w.load(t, fovea.Train, base)
		job := w.update(t, fovea.Train, changes)
		f := &faulty{Blobs: w.Blobs}
		w.Blobs = f
		f.left.Store(n)
		err := w.RunUpdate(context.Background(), job)
		if err != nil && w.view(t, fovea.Train).Dataset.Status != fovea.Updating {
			t.Fatalf("write %d: broken off with %v, and the dataset is %+v", n, err, w.view(t, fovea.Train).Dataset)
		}
		f.left.Store(1 << 30)
		for range 2 {
			if err := w.RunUpdate(context.Background(), job); err != nil {
				t.Fatalf("write %d: %v", n, err)
			}
		}
		v := w.view(t, fovea.Train)
		if v.Dataset.Status != fovea.Updated || v.Revision.Number != 2 || v.Revision.Stats.Entries != 102 {
			t.Errorf("write %d: %+v %+v", n, v.Dataset, v.Revision)
		}
		if n := len(w.entries(t, v, segment.Filter{}, 100)); n != 102 {
			t.Errorf("%d entries", n)
		}
		// A late run of the job must not touch the next update.
		next := w.update(t, fovea.Train, boxLine("c.jpg", "nut"))
		if err := w.RunUpdate(context.Background(), job); err != nil {
			t.Fatal(err)
		}
		if err := w.FailUpdate(context.Background(), job); err != nil {
			t.Fatal(err)
		}
		if s := w.view(t, fovea.Train).Dataset.Status; s != fovea.Updating {
			t.Fatalf("a late run made the dataset %s", s)
		}
		if err := w.RunUpdate(context.Background(), next); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUpdateStates (CL-2.104, LV-2.60).
func TestUpdateStates(t *testing.T) {
	ctx := context.Background()
	change := dataset.Change{Split: fovea.Train, Lines: []byte(boxLine("a.jpg"))}
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	change.Project = w.project
	refused := func(what string, kind fovea.Kind) {
		t.Helper()
		if _, err := w.Update(ctx, change); fovea.KindOf(err) != kind || err == nil {
			t.Errorf("%s: %v, want %v", what, err, kind)
		}
	}
	refused("no dataset", fovea.NotFound)
	job := w.create(t, fovea.Train, "not a manifest")
	refused("creating", fovea.InUse)
	if err := w.RunImport(ctx, job); err != nil {
		t.Fatal(err)
	}
	refused("failed", fovea.NotReady)
	if err := w.Delete(ctx, w.project, fovea.Train, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.load(t, fovea.Train, boxLine("a.jpg", "bolt"))
	w.update(t, fovea.Train, boxLine("b.jpg", "bolt"))
	refused("updating", fovea.InUse)
	if err := w.Delete(ctx, w.project, fovea.Train, nil, nil); fovea.KindOf(err) != fovea.InUse {
		t.Errorf("delete while updating: %v", err)
	}
}

// TestChangesAtATime (CL-2.105): where as many datasets of an account are imported
// or changed as may be at a time, another import or update is Limit until one
// of them is done. What takes no job is not counted.
func TestChangesAtATime(t *testing.T) {
	ctx := context.Background()
	limits := rekognition.Limits()
	limits.Changes = 1
	w := newWorld(t, rekognition.Profile(limits))
	w.load(t, fovea.Train, boxLine("a.jpg", "bolt"))
	job := w.update(t, fovea.Train, boxLine("b.jpg", "bolt"))
	ref := fovea.ObjectRef{Bucket: "imgs", Key: "m"}
	w.objects[ref] = boxLine("c.jpg", "bolt")
	fromManifest := dataset.Spec{Project: w.project, Split: fovea.Test, Manifest: &ref}
	if _, err := w.Create(ctx, fromManifest); fovea.KindOf(err) != fovea.Limit {
		t.Errorf("import beside an update: %v", err)
	}
	if _, err := w.Create(ctx, dataset.Spec{Project: w.project, Split: fovea.Test}); err != nil {
		t.Errorf("an empty dataset beside an update: %v", err)
	}
	change := dataset.Change{Project: w.project, Split: fovea.Test, Lines: []byte(boxLine("c.jpg", "bolt"))}
	if _, err := w.Update(ctx, change); fovea.KindOf(err) != fovea.Limit {
		t.Errorf("a second update: %v", err)
	}
	change.Split = fovea.Train
	if _, err := w.Update(ctx, change); fovea.KindOf(err) != fovea.InUse {
		t.Errorf("an update of what is updated: %v, want that it is in use, which is the nearer reason", err)
	}
	if err := w.RunUpdate(ctx, job); err != nil {
		t.Fatal(err)
	}
	w.change(t, fovea.Test, boxLine("c.jpg", "bolt"))
}

// TestPagesDuringUpdate (LV-2.102): the pages of a listing are of the revision
// that it began with, whatever changes meanwhile.
func TestPagesDuringUpdate(t *testing.T) {
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	v := w.load(t, fovea.Train, manifestOf(groundtruth.Manifest{Lines: 90, Bucket: "imgs"}))
	want := w.entries(t, v, segment.Filter{}, 100)
	var got []string
	for token := ""; ; {
		p, err := w.Entries(context.Background(), w.view(t, fovea.Train), dataset.Query{Token: token, Max: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range p.Rows {
			got = append(got, string(row.Line))
		}
		if token = p.Next; token == "" {
			break
		}
		w.change(t, fovea.Train, boxLine(fmt.Sprintf("%d.jpg", len(got)), "bolt"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// distribute runs a distribution to its end.
func (w *world) distribute(t testing.TB) (train, test *dataset.View) {
	t.Helper()
	ctx := context.Background()
	if err := w.Distribute(ctx, w.project, func(train, test *dataset.View) error { return nil }); err != nil {
		t.Fatal(err)
	}
	train, test = w.view(t, fovea.Train), w.view(t, fovea.Test)
	if train.Dataset.Status != fovea.Updating || test.Dataset.Status != fovea.Updating {
		t.Fatalf("after Distribute: %s, %s (CL-2.112)", train.Dataset.Status, test.Dataset.Status)
	}
	job := fovea.DistributeJob{Train: train.Dataset.ID, Test: test.Dataset.ID, Since: train.Dataset.Updated}
	for range 2 { // a second run finds it done
		if err := w.RunDistribute(ctx, job); err != nil {
			t.Fatal(err)
		}
	}
	return w.view(t, fovea.Train), w.view(t, fovea.Test)
}

// TestDistribute (CL-7.60 to CL-7.65): a fifth moves, every label is in both
// datasets, order is kept, nothing is lost, and it is the same fifth every time.
func TestDistribute(t *testing.T) {
	var lines []string
	for i := range 70 {
		labels := []string{[]string{"a", "b", "c"}[i%3]}
		if i%10 == 0 {
			labels = append(labels, "rare")
		}
		if i == 5 || i == 6 {
			labels = []string{"twice"}
		}
		lines = append(lines, boxLine(fmt.Sprintf("%d.jpg", i), labels...))
	}
	lines = append(lines, `{"source-ref":"s3://imgs/unlabelled.jpg"}`)
	var moved []string
	for round := range 2 {
		w := newWorld(t, rekognition.Profile(rekognition.Limits()))
		w.ImportRange = 4000
		w.load(t, fovea.Train, strings.Join(lines, "\n"))
		if _, err := w.Create(context.Background(), dataset.Spec{Project: w.project, Split: fovea.Test}); err != nil {
			t.Fatal(err)
		}
		train, test := w.distribute(t)
		if train.Dataset.Status != fovea.Updated || test.Dataset.Status != fovea.Updated {
			t.Fatalf("%+v %+v", train.Dataset, test.Dataset)
		}
		if train.Revision.Stats.Entries != 57 || test.Revision.Stats.Entries != 14 {
			t.Errorf("%d and %d entries, want 57 and 14 (CL-7.60)", train.Revision.Stats.Entries, test.Revision.Stats.Entries)
		}
		left, right := w.entries(t, train, segment.Filter{}, 100), w.entries(t, test, segment.Filter{}, 100)
		all := append(slices.Clone(left), right...)
		slices.Sort(all)
		want := slices.Sorted(slices.Values(lines))
		if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("entries (-want +got):\n%s", diff)
		}
		place := func(l string) int { return slices.Index(lines, l) }
		for _, list := range [][]string{left, right} {
			if !slices.IsSortedFunc(list, func(a, b string) int { return place(a) - place(b) }) {
				t.Error("the order is not that of the manifest")
			}
		}
		for _, v := range []*dataset.View{train, test} {
			if len(v.Revision.Labels) != 5 {
				t.Errorf("labels of %s: %+v, want all five", v.Dataset.Split, v.Revision.Labels)
			}
		}
		if round > 0 && !slices.Equal(moved, right) {
			t.Error("another fifth moved the second time")
		}
		moved = right
	}
}

// TestDistributeOrder: what moves keeps its order also when updates have put
// entries into other segments than their neighbours.
func TestDistributeOrder(t *testing.T) {
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	text := ""
	for i := range 40 {
		text += boxLine(fmt.Sprintf("%d.jpg", i), "bolt") + "\n"
	}
	w.load(t, fovea.Train, text)
	for i := range 20 { // replace every other entry, the last first
		w.change(t, fovea.Train, boxLine(fmt.Sprintf("%d.jpg", 38-2*i), "bolt", "nut"))
	}
	before := w.entries(t, w.view(t, fovea.Train), segment.Filter{}, 100)
	if _, err := w.Create(context.Background(), dataset.Spec{Project: w.project, Split: fovea.Test}); err != nil {
		t.Fatal(err)
	}
	train, test := w.distribute(t)
	moved := w.entries(t, test, segment.Filter{}, 100)
	want := slices.DeleteFunc(slices.Clone(before), func(l string) bool { return !slices.Contains(moved, l) })
	if diff := cmp.Diff(want, moved); diff != "" || len(moved) != 8 {
		t.Errorf("%d entries in test (-want +got):\n%s", len(moved), diff)
	}
	want = slices.DeleteFunc(before, func(l string) bool { return slices.Contains(moved, l) })
	if diff := cmp.Diff(want, w.entries(t, train, segment.Filter{}, 100)); diff != "" {
		t.Errorf("train (-want +got):\n%s", diff)
	}
	if train.Revision.Stats.Entries != 32 || test.Revision.Stats.Entries != 8 || test.Revision.Stats.Labeled != 8 {
		t.Errorf("%+v %+v", train.Revision.Stats, test.Revision.Stats)
	}
}

// unlabelled is a line of an image only, and faultyLine one with labels and an
// error of the whole line.
func unlabelled(key string) string { return fmt.Sprintf(`{"source-ref":"s3://imgs/%s"}`, key) }

func faultyLine(key, label string) string {
	return strings.Replace(boxLine(key, label), "groundtruth/object-detection", "wrongtype", 1)
}

// TestDistributeFails (CL-7.63): both fail, nothing moves, and the message says
// of which label there are too few images.
func TestDistributeFails(t *testing.T) {
	for _, tt := range []struct {
		name    string
		lines   []string
		message string
	}{
		{"a label once", []string{boxLine("a.jpg", "bolt"), boxLine("b.jpg", "bolt"), boxLine("c.jpg", "on\"ce")}, `The label "on\"ce" has 1 image; every label needs 2 or more.`},
		{"boxes count once an image (CL-7.65)", []string{boxLine("a.jpg", "bolt"), boxLine("b.jpg", "bolt"), boxLine("c.jpg", "nut", "nut")}, `The label "nut" has 1 image; every label needs 2 or more.`},
		{"always with what is rare", []string{boxLine("a.jpg", "bolt", "nut"), boxLine("b.jpg", "bolt", "rod"), boxLine("c.jpg", "nut", "rod")},
			`All images of the label "nut" are needed in the train dataset for their other labels.`},
		{"no labelled image", []string{unlabelled("a.jpg"), unlabelled("b.jpg")}, "The train dataset needs 2 labeled images without errors or more; it has 0."},
		{"only one without errors", []string{boxLine("a.jpg", "bolt"), faultyLine("b.jpg", "bolt")}, "The train dataset needs 2 labeled images without errors or more; it has 1."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, rekognition.Profile(rekognition.Limits()))
			w.load(t, fovea.Train, strings.Join(tt.lines, "\n"))
			if _, err := w.Create(context.Background(), dataset.Spec{Project: w.project, Split: fovea.Test}); err != nil {
				t.Fatal(err)
			}
			train, test := w.distribute(t)
			for _, v := range []*dataset.View{train, test} {
				want := "The manifest file doesn't have enough labeled images to distribute the dataset. " + tt.message
				if v.Dataset.Status != fovea.UpdateFailed || v.Dataset.Ours || v.Dataset.Message != want {
					t.Errorf("%+v, want the message %q", v.Dataset, want)
				}
			}
			if train.Revision.Stats.Entries != int64(len(tt.lines)) || test.Revision.Stats.Entries != 0 {
				t.Errorf("%+v %+v", train.Revision.Stats, test.Revision.Stats)
			}
		})
	}
}

// TestDistributeLeaves (CL-7.62): what is unlabelled or has an error of the whole
// line stays in train, and of the others at least one moves.
func TestDistributeLeaves(t *testing.T) {
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	stay := []string{unlabelled("a.jpg"), faultyLine("b.jpg", "bolt"), faultyLine("c.jpg", "nut")}
	w.load(t, fovea.Train, strings.Join(append(stay, boxLine("d.jpg", "bolt"), boxLine("e.jpg", "bolt")), "\n"))
	if _, err := w.Create(context.Background(), dataset.Spec{Project: w.project, Split: fovea.Test}); err != nil {
		t.Fatal(err)
	}
	train, test := w.distribute(t)
	left, moved := w.entries(t, train, segment.Filter{}, 10), w.entries(t, test, segment.Filter{}, 10)
	if len(moved) != 1 || !strings.Contains(moved[0], "bolt") || strings.Contains(moved[0], "wrongtype") {
		t.Errorf("moved: %q", moved)
	}
	if diff := cmp.Diff(stay, left[:3]); diff != "" || len(left) != 4 {
		t.Errorf("%d entries left (-want +got):\n%s", len(left), diff)
	}
	if train.Revision.Stats.Errors != 2 || test.Revision.Stats.Errors != 0 || len(test.Revision.Labels) != 1 {
		t.Errorf("%+v %+v", train.Revision.Stats, test.Revision)
	}
}

// TestUpdateTimes (CL-7.11): every update changes LastUpdatedTimestamp, also one
// that fails.
func TestUpdateTimes(t *testing.T) {
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	now := time.UnixMilli(1.7e12)
	w.Now = func() time.Time { now = now.Add(time.Second); return now }
	last := w.load(t, fovea.Train, boxLine("a.jpg", "bolt")).Dataset
	for _, tt := range []struct {
		lines  string
		status fovea.DatasetStatus
	}{{boxLine("b.jpg", "bolt"), fovea.Updated}, {"x", fovea.UpdateFailed}, {boxLine("c.jpg", "bolt"), fovea.Updated}} {
		ds := w.change(t, fovea.Train, tt.lines).Dataset
		if ds.Status != tt.status || !ds.Updated.After(last.Updated) || !ds.Created.Equal(last.Created) {
			t.Errorf("%+v after %+v, want %s later", ds, last, tt.status)
		}
		last = ds
	}
}

// TestUpdateManyLines (CL-2.102): no number of lines is too many for one update.
func TestUpdateManyLines(t *testing.T) {
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.load(t, fovea.Train, unlabelled("0.jpg"))
	var text strings.Builder
	n := 0
	for ; text.Len() < 5<<20-60; n++ {
		text.WriteString(unlabelled(fmt.Sprintf("%d.jpg", n)) + "\n")
	}
	if v := w.change(t, fovea.Train, text.String()); v.Dataset.Status != fovea.Updated || v.Revision.Stats.Entries != int64(n) {
		t.Errorf("%+v: %+v, want %d entries", v.Dataset, v.Revision.Stats, n)
	}
}

// TestDistributeStates (CL-2.113).
func TestDistributeStates(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	any := func(train, test *dataset.View) error { return nil }
	if err := w.Distribute(ctx, w.project, any); fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("no datasets: %v", err)
	}
	w.load(t, fovea.Train, boxLine("a.jpg", "bolt")+"\n"+boxLine("b.jpg", "bolt"))
	job := w.create(t, fovea.Test, boxLine("c.jpg", "bolt"))
	if err := w.Distribute(ctx, w.project, any); fovea.KindOf(err) != fovea.NotReady {
		t.Errorf("test is being created: %v", err)
	}
	if err := w.RunImport(ctx, job); err != nil {
		t.Fatal(err)
	}
	if err := w.Distribute(ctx, w.project, any); fovea.KindOf(err) != fovea.Invalid {
		t.Errorf("test is not empty: %v", err)
	}
}

// TestSweepDuringChange: the sweep takes nothing that a change under way needs.
func TestSweepDuringChange(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.SweepAge = -time.Hour
	w.load(t, fovea.Train, boxLine("a.jpg", "bolt"))
	job := w.update(t, fovea.Train, boxLine("b.jpg", "bolt"))
	sweeping := &sweepingBlobs{Blobs: w.Blobs, sweep: func() error { return w.RunSweep(ctx) }}
	w.Blobs = sweeping
	if err := w.RunUpdate(ctx, job); err != nil {
		t.Fatal(err)
	}
	if sweeping.sweeps.Load() < 3 {
		t.Errorf("only %d sweeps", sweeping.sweeps.Load())
	}
	if err := w.RunSweep(ctx); err != nil {
		t.Fatal(err)
	}
	v := w.view(t, fovea.Train)
	if got := w.entries(t, v, segment.Filter{}, 10); len(got) != 2 {
		t.Errorf("entries: %q", got)
	}
	w.report(t, v)
}

// sweepingBlobs sweeps after every write.
type sweepingBlobs struct {
	fovea.Blobs
	sweep  func() error
	busy   atomic.Bool
	sweeps atomic.Int64
}

func (b *sweepingBlobs) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	n, err := b.Blobs.Put(ctx, name, r)
	if b.busy.CompareAndSwap(false, true) {
		err = errors.Join(err, b.sweep())
		b.sweeps.Add(1)
		b.busy.Store(false)
	}
	return n, err
}

// TestCompaction: a thousand edits of one line each leave few segments, with
// the entries and order that a plain list would have.
func TestCompaction(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	m := model{line: map[string]string{}}
	text := ""
	for n := range 200 {
		key := fmt.Sprintf("%d.jpg", n)
		m.apply(key, boxLine(key, "bolt"))
		text += m.line[key] + "\n"
	}
	w.load(t, fovea.Train, text)
	most := 0
	for round := range 300 {
		key := fmt.Sprintf("%d.jpg", r.IntN(260))
		m.apply(key, boxLine(key, []string{"bolt", "nut", "washer"}[r.IntN(3)]))
		v := w.change(t, fovea.Train, m.line[key])
		if v.Dataset.Status != fovea.Updated {
			t.Fatalf("round %d: %+v", round, v.Dataset)
		}
		err := w.store.View(context.Background(), func(tx fovea.Tx) error {
			rev, err := tx.Revision(v.Dataset.ID, v.Dataset.Revision)
			most = max(most, len(rev.Segments))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	v := w.view(t, fovea.Train)
	if diff := cmp.Diff(m.lines(), w.entries(t, v, segment.Filter{}, 50)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if most > 35 {
		t.Errorf("up to %d segments", most)
	}
	nut := w.entries(t, v, segment.Filter{Labels: []string{"nut"}}, 50)
	want := slices.DeleteFunc(m.lines(), func(l string) bool { return !strings.Contains(l, `"nut"`) })
	if diff := cmp.Diff(want, nut); diff != "" {
		t.Errorf("entries with nut (-want +got):\n%s", diff)
	}
}
