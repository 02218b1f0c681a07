package dataset_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/bench/groundtruth"
	"fovea/internal/blob/mem"
	"fovea/internal/dataset"
	"fovea/internal/manifest"
	"fovea/internal/rekognition"
	"fovea/internal/segment"
	"fovea/internal/sqlstore"
)

// A world is an installation in memory, but for its SQLite file.
type world struct {
	*dataset.Ops
	objects objects
	store   fovea.Store
	project fovea.ProjectKey
}

func newWorld(t testing.TB, profile fovea.Profile) *world {
	t.Helper()
	store, err := sqlstore.Open(context.Background(), "sqlite:"+t.TempDir()+"/fovea.db", sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &world{objects: objects{}, store: store}
	w.project = fovea.ProjectKey{Service: profile.Service, Account: "123456789012", Region: "us-east-1", Name: "parts"}
	blobs := new(mem.Blobs)
	w.Ops = &dataset.Ops{
		Store: store, Blobs: blobs, Objects: w.objects, Reader: &segment.Reader{Blobs: blobs},
		Profiles: map[fovea.Service]fovea.Profile{profile.Service: profile},
		Pager:    &fovea.Pager{Key: []byte("k"), Now: time.Now},
	}
	err = store.Update(context.Background(), func(tx fovea.Tx) error {
		return tx.PutProject(&fovea.Project{ID: 1, Service: profile.Service, Account: w.project.Account,
			Region: w.project.Region, Name: w.project.Name, Created: time.UnixMilli(1e12)})
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// create calls Create with a manifest and returns the import job it enqueued.
func (w *world) create(t testing.TB, split fovea.Split, text string) fovea.ImportJob {
	t.Helper()
	ref := fovea.ObjectRef{Bucket: "b", Key: string(split) + ".manifest"}
	w.objects[ref] = text
	v, err := w.Create(context.Background(), dataset.Spec{Project: w.project, Split: split, Manifest: &ref})
	if err != nil {
		t.Fatal(err)
	}
	info, _ := w.objects.Stat(context.Background(), ref)
	return fovea.ImportJob{Dataset: v.Dataset.ID, Manifest: info, Caller: "k"}
}

// load imports a manifest and returns the dataset.
func (w *world) load(t testing.TB, split fovea.Split, text string) *dataset.View {
	t.Helper()
	if err := w.RunImport(context.Background(), w.create(t, split, text)); err != nil {
		t.Fatal(err)
	}
	return w.view(t, split)
}

func (w *world) view(t testing.TB, split fovea.Split) *dataset.View {
	t.Helper()
	v, err := w.Find(context.Background(), w.project, split)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// entries lists a dataset in pages of n.
func (w *world) entries(t testing.TB, v *dataset.View, f segment.Filter, n int) []string {
	t.Helper()
	list := []string{}
	for token := ""; ; {
		p, err := w.Entries(context.Background(), v, dataset.Query{Filter: f, Token: token, Max: n})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rows {
			list = append(list, string(r.Line))
		}
		if token = p.Next; token == "" {
			return list
		}
	}
}

// report reads the import report.
func (w *world) report(t testing.TB, v *dataset.View) (sum dataset.Summary, found []dataset.Finding) {
	t.Helper()
	blob, err := w.Report(context.Background(), v)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(io.NewSectionReader(blob, 0, blob.Size()))
	if err := dec.Decode(&sum); err != nil {
		t.Fatal(err)
	}
	for dec.More() {
		var f dataset.Finding
		if err := dec.Decode(&f); err != nil {
			t.Fatal(err)
		}
		found = append(found, f)
	}
	return sum, found
}

// state is everything a client can see of a dataset.
func (w *world) state(t testing.TB, split fovea.Split) string {
	v := w.view(t, split)
	s := fmt.Sprintf("%s %q %v\n", v.Dataset.Status, v.Dataset.Message, v.Dataset.Ours)
	if v.Revision != nil {
		s += fmt.Sprintf("%+v %+v %s\n", v.Revision.Stats, v.Revision.Labels, v.Revision.Bucket)
		s += strings.Join(w.entries(t, v, segment.Filter{}, 100), "\n")
	}
	sum, found := w.report(t, v)
	report, err := json.Marshal([]any{sum, found})
	if err != nil {
		t.Fatal(err)
	}
	return s + "\n" + string(report)
}

// objects is an S3 of texts.
type objects map[fovea.ObjectRef]string

func (o objects) Stat(_ context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	text, ok := o[ref]
	if !ok {
		return fovea.ObjectInfo{}, fovea.Errorf(fovea.BadObject, "%s does not exist", ref)
	}
	return fovea.ObjectInfo{Ref: ref, Size: int64(len(text)), ETag: fmt.Sprintf("%q", fmt.Sprint(len(text)))}, nil
}

func (o objects) Read(ctx context.Context, info fovea.ObjectInfo, off, n int64) (io.ReadCloser, error) {
	now, err := o.Stat(ctx, info.Ref)
	if err == nil && now.ETag != info.ETag {
		err = fovea.Errorf(fovea.BadObject, "%s has changed", info.Ref)
	}
	if err != nil {
		return nil, err
	}
	text := o[info.Ref]
	return io.NopCloser(strings.NewReader(text[off:min(off+n, int64(len(text)))])), nil
}

func (o objects) Write(context.Context, fovea.ObjectRef, string, io.Reader, int64) (fovea.ObjectInfo, error) {
	return fovea.ObjectInfo{}, errors.New("not for this test")
}

func manifestOf(m groundtruth.Manifest) string {
	var b bytes.Buffer
	m.WriteTo(&b)
	return b.String()
}

// TestImport: what is in the manifest is in the dataset, in its order, whatever
// the ranges and the number of workers.
func TestImport(t *testing.T) {
	m := groundtruth.Manifest{Lines: 3000, Errors: 0.1, Dropped: 0.1}
	text := manifestOf(m)
	var want string
	for _, tt := range []struct{ width, workers int }{{0, 1}, {0, 2}, {100_000, 1}, {10_000, 3}, {700, 4}} {
		w := newWorld(t, rekognition.Profile(rekognition.Limits()))
		w.ImportRange, w.Workers = int64(tt.width), tt.workers
		v := w.load(t, fovea.Train, text)
		entries, failed := m.Totals()
		if v.Revision.Stats.Entries != entries || v.Revision.Stats.Errors != failed {
			t.Errorf("%+v: stats %+v, want %d entries, %d with errors", tt, v.Revision.Stats, entries, failed)
		}
		if got := w.state(t, fovea.Train); want == "" {
			want = got
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v: differs from one range (-want +got):\n%s", tt, diff)
		}
		// Nothing but the dataset stays behind.
		for info, err := range w.Blobs.List(context.Background(), "imports/") {
			t.Errorf("left behind: %s %v", info.Name, err)
		}
	}
}

// TestListed: the entries are the lines that were not dropped, in order.
func TestListed(t *testing.T) {
	m := groundtruth.Manifest{Lines: 1000, Errors: 0.1, Dropped: 0.15}
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.ImportRange = 20_000
	v := w.load(t, fovea.Train, manifestOf(m))
	var want []string
	for i := range m.Lines {
		if !m.Fault(i).Drops() {
			want = append(want, string(m.AppendLine(nil, i)))
		}
	}
	for _, n := range []int{1, 7, 100} {
		if diff := cmp.Diff(want, w.entries(t, v, segment.Filter{}, n)); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", n, diff)
		}
	}
}

func boxLine(key string, labels ...string) string {
	classes, boxes, objects := []string{}, []string{}, []string{}
	for i, l := range labels {
		classes = append(classes, fmt.Sprintf(`"%d":%q`, i, l))
		boxes = append(boxes, fmt.Sprintf(`{"class_id":%d,"left":1,"top":1,"width":50,"height":50}`, i))
		objects = append(objects, `{"confidence":1}`)
	}
	return fmt.Sprintf(`{"source-ref":"s3://imgs/%s","BB":{"image_size":[{"width":640,"height":480,"depth":3}],"annotations":[%s]},"BB-metadata":{"objects":[%s],"class-map":{%s},"type":"groundtruth/object-detection","human-annotated":"yes","creation-date":"2021-06-22T10:10:48"}}`,
		key, strings.Join(boxes, ","), strings.Join(objects, ","), strings.Join(classes, ","))
}

// TestDuplicates (CL-6.22): the first of the lines with one source-ref counts,
// also when they are in different ranges, and only it is in the statistics.
func TestDuplicates(t *testing.T) {
	var lines []string
	for i := range 50 {
		lines = append(lines, boxLine(fmt.Sprintf("%d.jpg", i), "bolt"))
	}
	lines = append(lines, boxLine("7.jpg", "nut"), "", boxLine("7.jpg", "bolt"), boxLine(`\u0037.jpg`, "bolt"))
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.ImportRange = 1000
	v := w.load(t, fovea.Train, strings.Join(lines, "\n")+"\n")
	if got, want := v.Revision.Stats, (fovea.Stats{Entries: 50, Labeled: 50}); got != want {
		t.Errorf("stats = %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]fovea.LabelCount{{Name: "bolt", Lines: 50, Entries: 50, Boxed: 50}}, v.Revision.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(lines[:50], w.entries(t, v, segment.Filter{}, 100)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	sum, found := w.report(t, v)
	if sum.Lines != 54 || sum.Dropped != 4 || sum.Copies != 3 || sum.Blank != 1 {
		t.Errorf("summary = %+v", sum)
	}
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%d %s %s %s", f.Line, f.Severity, f.Code, f.Mend))
	}
	want := []string{
		"51 fatal ERROR_DUPLICATE_SOURCE_REF Remove this line or line 8.",
		"52 fatal ERROR_INVALID_JSON_LINE",
		"53 fatal ERROR_DUPLICATE_SOURCE_REF Remove this line or line 8.",
		"54 fatal ERROR_DUPLICATE_SOURCE_REF Remove this line or line 8.",
	}
	for i := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], want[i]) {
			t.Fatalf("findings = %q, want %q", got, want)
		}
	}
	if f := found[0]; f.SourceRef != "s3://imgs/7.jpg" || f.Offset != int64(strings.Index(strings.Join(lines, "\n"), lines[50]))+int64(strings.Index(lines[50], `"s3:`)) {
		t.Errorf("finding = %+v", f)
	}
}

// TestKeepLast (LV-5.52): the last of the lines with one source-ref counts.
func TestKeepLast(t *testing.T) {
	p := rekognition.Profile(rekognition.Limits().Lifted())
	p.KeepLast = true
	w := newWorld(t, p)
	w.ImportRange = 800
	a, b, c := boxLine("a.jpg", "old"), boxLine("b.jpg", "bolt"), boxLine("a.jpg", "new")
	v := w.load(t, fovea.Train, strings.Join([]string{a, b, c}, "\n"))
	if diff := cmp.Diff([]string{b, c}, w.entries(t, v, segment.Filter{}, 100)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]fovea.LabelCount{{Name: "bolt", Lines: 1, Entries: 1, Boxed: 1}, {Name: "new", Lines: 1, Entries: 1, Boxed: 1}}, v.Revision.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

// TestTerminal: every terminal fault of a manifest fails the dataset with the
// message of the specification, and leaves a report that names it.
func TestTerminal(t *testing.T) {
	good := func(n int) (s string) {
		for i := range n {
			s += boxLine(fmt.Sprintf("%d.jpg", i), "bolt") + "\n"
		}
		return s
	}
	many := ""
	for i := range 6 {
		many += boxLine(fmt.Sprintf("m%d.jpg", i), slices.Collect(func(yield func(string) bool) {
			for k := range 50 {
				if !yield(fmt.Sprintf("label %d", i*50+k)) {
					return
				}
			}
		})...) + "\n"
	}
	for _, tt := range []struct {
		name, text, message string
		limits              func(*fovea.Limits)
	}{
		{name: "CL-6.1", text: "\x89PNG\r\n\x1a\n not a manifest\n", message: "The manifest file extension or contents are invalid."},
		{name: "CL-6.2", text: good(3), limits: func(l *fovea.Limits) { l.ManifestBytes = 100 }, message: "The manifest file size exceeds the maximum supported size."},
		{name: "CL-6.3", text: good(11), limits: func(l *fovea.Limits) { l.TrainEntries = 10 }, message: "The manifest file has too many rows."},
		{name: "CL-6.5", text: good(3) + "{}\n", message: "The manifest file has too many terminal errors."},
		{name: "CL-6.6", text: many, message: "The manifest file has too many labels."},
		{name: "CL-6.8", text: good(9) + strings.ReplaceAll(boxLine("x.jpg", "bolt"), "s3://imgs/", "s3://other/"), message: "The manifest file contains images from multiple S3 buckets."},
		{name: "CL-6.9", text: "", message: "The manifest file is empty."},
		{name: "CL-6.9 byte order mark", text: "\ufeff", message: "The manifest file is empty."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			limits := rekognition.Limits()
			if tt.limits != nil {
				tt.limits(&limits)
			}
			w := newWorld(t, rekognition.Profile(limits))
			v := w.load(t, fovea.Train, tt.text)
			if v.Dataset.Status != fovea.CreateFailed || v.Dataset.Message != tt.message || v.Dataset.Ours || v.Revision != nil {
				t.Errorf("dataset = %+v", v.Dataset)
			}
			if sum, _ := w.report(t, v); sum.Fault == nil || sum.Fault.Message != tt.message || sum.Fault.Code == "" {
				t.Errorf("report = %+v", sum)
			}
			for info := range w.Blobs.List(context.Background(), "segments/") {
				t.Errorf("left behind: %s", info.Name)
			}
		})
	}
}

// TestBudget (CL-5.67): exactly 20 % of dropped lines pass.
func TestBudget(t *testing.T) {
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	text := "{}\n"
	for i := range 4 {
		text += boxLine(fmt.Sprintf("%d.jpg", i), "bolt") + "\n"
	}
	v := w.load(t, fovea.Train, text)
	if v.Dataset.Status != fovea.Created || v.Revision.Stats.Entries != 4 {
		t.Errorf("dataset = %+v", v.Dataset)
	}
	if sum, _ := w.report(t, v); sum.Budget == nil || *sum.Budget != (dataset.Budget{Allowed: 0.2, Share: 0.2, Used: 1}) {
		t.Errorf("budget = %+v", sum.Budget)
	}
}

// TestManifestGone: a manifest that is replaced or removed between the call
// and the import fails the dataset, and does not hang it.
func TestManifestGone(t *testing.T) {
	for name, change := range map[string]func(objects, fovea.ObjectRef){
		"removed":  func(o objects, ref fovea.ObjectRef) { delete(o, ref) },
		"replaced": func(o objects, ref fovea.ObjectRef) { o[ref] += "more" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, rekognition.Profile(rekognition.Limits()))
			job := w.create(t, fovea.Train, boxLine("a.jpg", "bolt"))
			change(w.objects, job.Manifest.Ref)
			if err := w.RunImport(context.Background(), job); err != nil {
				t.Fatal(err)
			}
			v := w.view(t, fovea.Train)
			if v.Dataset.Status != fovea.CreateFailed || v.Dataset.Ours {
				t.Errorf("dataset = %+v", v.Dataset)
			}
		})
	}
}

// faulty breaks Blobs at the n-th call that changes something.
type faulty struct {
	fovea.Blobs
	left atomic.Int64
}

func (f *faulty) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	if f.left.Add(-1) == 0 {
		// Half of it was written elsewhere, none of it under its name.
		io.CopyN(io.Discard, r, 100)
		return 0, errors.New("no space left on device")
	}
	return f.Blobs.Put(ctx, name, r)
}

// TestImportAgain: an import that is broken off at any write, and run again,
// ends in the state of one that was not; what was done is not done again.
func TestImportAgain(t *testing.T) {
	m := groundtruth.Manifest{Lines: 400, Errors: 0.1, Dropped: 0.1}
	text := manifestOf(m)
	clean := newWorld(t, rekognition.Profile(rekognition.Limits()))
	clean.ImportRange, clean.Workers = 20_000, 1
	counter := &faulty{Blobs: clean.Blobs}
	clean.Blobs = counter
	clean.load(t, fovea.Train, text)
	want, writes := clean.state(t, fovea.Train), -counter.left.Load()

	for n := int64(1); ; n++ {
		w := newWorld(t, rekognition.Profile(rekognition.Limits()))
		w.ImportRange, w.Workers = 20_000, 1
		f := &faulty{Blobs: w.Blobs}
		w.Blobs = f
		f.left.Store(n)
		job := w.create(t, fovea.Train, text)
		err := w.RunImport(context.Background(), job)
		if err == nil {
			if n != writes+1 {
				t.Errorf("%d writes were broken of %d", n-1, writes)
			}
			break
		}
		if fovea.KindOf(err) != fovea.Internal {
			t.Errorf("write %d: the error %v is not to be retried", n, err)
		}
		if s := w.view(t, fovea.Train).Dataset.Status; s != fovea.Creating {
			t.Errorf("write %d: the dataset is %s before the import is run again", n, s)
		}
		f.left.Store(1 << 30)
		if err := w.RunImport(context.Background(), job); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, w.state(t, fovea.Train)); diff != "" {
			t.Fatalf("write %d (-want +got):\n%s", n, diff)
		}
		// A range that is done has written two blobs.
		if again, want := 1<<30-f.left.Load(), writes-(n-1)/2*2; again != want {
			t.Errorf("write %d: the second run wrote %d blobs, want %d", n, again, want)
		}
	}
}

// TestImportBeside: two runs of one import beside each other end in one state.
func TestImportBeside(t *testing.T) {
	text := manifestOf(groundtruth.Manifest{Lines: 500})
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.ImportRange = 20_000
	job := w.create(t, fovea.Train, text)
	done := make(chan error)
	for range 3 {
		go func() { done <- w.RunImport(context.Background(), job) }()
	}
	for range 3 {
		if err := <-done; err != nil && !strings.Contains(err.Error(), "imports/") {
			t.Error(err)
		}
	}
	v := w.view(t, fovea.Train)
	if n := len(w.entries(t, v, segment.Filter{}, 100)); v.Revision.Stats.Entries != 500 || n != 500 {
		t.Errorf("%d entries, listed %d; want 500", v.Revision.Stats.Entries, n)
	}
}

// TestCopy (CL-8.4 to CL-8.6): a copy has the entries of its source, and keeps
// them when the source is deleted.
func TestCopy(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	src := w.load(t, fovea.Train, manifestOf(groundtruth.Manifest{Lines: 300}))
	want := w.entries(t, src, segment.Filter{}, 100)
	v, err := w.Create(ctx, dataset.Spec{Project: w.project, Split: fovea.Test, Copy: &dataset.CopyOf{Project: w.project, Split: fovea.Train}})
	if err != nil || v.Dataset.Status != fovea.Created {
		t.Fatalf("%+v, %v", v, err)
	}
	if err := w.Delete(ctx, w.project, fovea.Train, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.SweepAge = -time.Hour
	if err := w.RunSweep(ctx); err != nil {
		t.Fatal(err)
	}
	v = w.view(t, fovea.Test)
	if diff := cmp.Diff(want, w.entries(t, v, segment.Filter{}, 100)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if err := w.Delete(ctx, w.project, fovea.Test, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.SweepAge = -time.Hour
	if err := w.RunSweep(ctx); err != nil {
		t.Fatal(err)
	}
	for info := range w.Blobs.List(ctx, "") {
		t.Errorf("left behind: %s", info.Name)
	}
}

// TestPageTokens (CL-2.5, LV-2.101): a token is good for its own listing alone.
func TestPageTokens(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	v := w.load(t, fovea.Train, manifestOf(groundtruth.Manifest{Lines: 30}))
	yes, no := true, false
	filters := map[string]segment.Filter{
		"none": {}, "labeled": {Labeled: &yes}, "unlabeled": {Labeled: &no}, "ref": {SourceRef: "cam"},
		"label": {Labels: []string{"a"}}, "two": {Labels: []string{"a", "b"}}, "joined": {Labels: []string{"a b"}},
		"errors": {Errors: true}, "class": {Class: manifest.Normal}, "before": {Before: 1}, "after": {After: 1},
	}
	p, err := w.Entries(ctx, v, dataset.Query{Max: 10, Filter: filters["labeled"]})
	if err != nil || p.Next == "" {
		t.Fatalf("%+v, %v", p, err)
	}
	again := true // the same filter at another address
	filters["labeled"] = segment.Filter{Labeled: &again}
	for _, name := range slices.Sorted(maps.Keys(filters)) {
		_, err := w.Entries(ctx, v, dataset.Query{Max: 10, Filter: filters[name], Token: p.Next})
		if name == "labeled" && err != nil || name != "labeled" && fovea.KindOf(err) != fovea.BadToken {
			t.Errorf("token of another filter, %s: err = %v", name, err)
		}
	}
	for _, bad := range []string{"x", p.Next[1:], p.Next + "AAAA", strings.ToLower(p.Next)} {
		if _, err := w.Entries(ctx, v, dataset.Query{Max: 10, Filter: filters["labeled"], Token: bad}); fovea.KindOf(err) != fovea.BadToken {
			t.Errorf("token %q: err = %v, want BadToken", bad, err)
		}
	}
	w.Pager.Now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	if _, err := w.Entries(ctx, v, dataset.Query{Max: 10, Filter: filters["labeled"], Token: p.Next}); fovea.KindOf(err) != fovea.BadToken {
		t.Errorf("token after 25 hours: err = %v, want BadToken", err)
	}
}
