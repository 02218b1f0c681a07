package dataset_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/lookout"
	"fovea/internal/rekognition"
	"fovea/internal/segment"
)

// hooked calls a function before every Put.
type hooked struct {
	fovea.Blobs
	before func(name string)
}

func (h *hooked) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	h.before(name)
	return h.Blobs.Put(ctx, name, r)
}

// TestManifestGoneLate: a manifest that is replaced after all of it was read
// is imported, and its report does without what had to be read again. Were it
// an error of the user's kind, the job would end and the dataset stay Creating,
// which nobody could delete.
func TestManifestGoneLate(t *testing.T) {
	w := newWorld(t, rekognition.Profile(rekognition.Limits().Lifted()))
	job := w.create(t, fovea.Train, boxLine("a.jpg", "bolt")+"\n"+boxLine("a.jpg", "bolt")+"\n")
	w.Blobs = &hooked{w.Blobs, func(name string) {
		if strings.HasSuffix(name, ".part") {
			w.objects[job.Manifest.Ref] += "more"
		}
	}}
	if err := w.RunImport(context.Background(), job); err != nil {
		t.Fatal(err)
	}
	v := w.view(t, fovea.Train)
	if v.Dataset.Status != fovea.Created || v.Revision.Stats.Entries != 1 {
		t.Errorf("dataset = %+v", v.Dataset)
	}
	_, found := w.report(t, v)
	if len(found) != 1 || found[0].Line != 2 || found[0].Mend != "Remove this line or line 1." {
		t.Errorf("findings = %+v", found)
	}
}

// masked returns a line of Lookout with a mask of that many labels.
func masked(key string, labels ...string) string {
	s := ""
	for i, l := range labels {
		s += fmt.Sprintf(`,"%d":{"class-name":%q,"hex-color":"#%06x","confidence":1}`, i+1, l, i+1)
	}
	return fmt.Sprintf(`{"source-ref":"s3://imgs/%s","c":1,"c-metadata":{"class-name":"anomaly","type":"groundtruth/image-classification","human-annotated":"yes","creation-date":"2021-06-22T10:10:48"},`+
		`"m-ref":"s3://imgs/m.png","m-ref-metadata":{"internal-color-map":{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0}%s},"type":"groundtruth/semantic-segmentation","human-annotated":"yes","creation-date":"2021-06-22T10:10:48"}}`, key, s)
}

// TestImportLate: a run that lost its lease, and found a fault that the one
// after it did not find, leaves what that one committed as it is.
func TestImportLate(t *testing.T) {
	ctx := context.Background()
	limits := lookout.Limits()
	limits.ProjectLabels = 2
	w := newWorld(t, lookout.Profile(limits))
	w.load(t, fovea.Test, masked("t.jpg", "dent", "crack"))
	job := w.create(t, fovea.Train, masked("a.jpg", "stain"))

	blobs := w.Blobs
	late := &dataset.Ops{Store: w.store, Objects: w.objects, Profiles: w.Profiles} // it stands still before it writes its report
	late.Blobs = &hooked{blobs, func(name string) {
		if !strings.HasPrefix(name, "reports/") {
			return
		}
		if err := w.Delete(ctx, w.project, fovea.Test, nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := w.RunImport(ctx, job); err != nil {
			t.Fatal(err)
		}
	}}
	if err := late.RunImport(ctx, job); err != nil {
		t.Fatal(err)
	}
	v := w.view(t, fovea.Train)
	if v.Dataset.Status != fovea.Created {
		t.Fatalf("dataset = %+v", v.Dataset)
	}
	w.Reader = &segment.Reader{Blobs: blobs}
	if got := w.entries(t, v, segment.Filter{}, 10); len(got) != 1 {
		t.Errorf("entries = %q", got)
	}
	if sum, _ := w.report(t, v); sum.Fault != nil {
		t.Errorf("the report of a dataset that was created tells of a fault: %+v", sum.Fault)
	}
}

// TestProjectLabels (LV-5.85): two imports beside each other do not get more
// labels into a project than are allowed, although each looked before the other
// had committed.
func TestProjectLabels(t *testing.T) {
	ctx := context.Background()
	limits := lookout.Limits()
	limits.ProjectLabels = 2
	w := newWorld(t, lookout.Profile(limits))
	train := w.create(t, fovea.Train, masked("a.jpg", "dent", "crack"))
	test := w.create(t, fovea.Test, masked("t.jpg", "stain"))
	beside := &dataset.Ops{Store: w.store, Objects: w.objects, Profiles: w.Profiles}
	beside.Blobs = &hooked{w.Blobs, func(name string) {
		if strings.HasPrefix(name, "reports/") {
			if err := w.RunImport(ctx, test); err != nil {
				t.Fatal(err)
			}
		}
	}}
	if err := beside.RunImport(ctx, train); err == nil || fovea.KindOf(err) != fovea.Internal {
		t.Fatalf("err = %v, want one that is tried again", err)
	}
	if err := w.RunImport(ctx, train); err != nil {
		t.Fatal(err)
	}
	v := w.view(t, fovea.Train)
	if v.Dataset.Status != fovea.CreateFailed || v.Dataset.Message != "Too many anomaly labels." {
		t.Errorf("dataset = %+v", v.Dataset)
	}
	if sum, _ := w.report(t, v); sum.Fault == nil || sum.Fault.Found != "3 labels in the project" {
		t.Errorf("report = %+v", sum.Fault)
	}
}

// TestFailImport (CL-6.10): an import that is given up has a report, too, and
// one that has committed meanwhile stays as it is.
func TestFailImport(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	if err := w.FailImport(ctx, w.create(t, fovea.Train, boxLine("a.jpg", "bolt"))); err != nil {
		t.Fatal(err)
	}
	v := w.view(t, fovea.Train)
	if v.Dataset.Status != fovea.CreateFailed || !v.Dataset.Ours || v.Dataset.Message != "Amazon Rekognition experienced a service issue." {
		t.Errorf("dataset = %+v", v.Dataset)
	}
	if sum, _ := w.report(t, v); sum.Fault == nil || sum.Fault.Message != v.Dataset.Message {
		t.Errorf("report = %+v", sum)
	}
	job := w.create(t, fovea.Test, boxLine("a.jpg", "bolt"))
	if err := w.RunImport(ctx, job); err != nil {
		t.Fatal(err)
	}
	if err := w.FailImport(ctx, job); err != nil {
		t.Fatal(err)
	}
	if v := w.view(t, fovea.Test); v.Dataset.Status != fovea.Created {
		t.Errorf("dataset = %+v", v.Dataset)
	}
}

// TestManyLabels: a manifest whose lines declare labels without end fails with
// the fault that it has, and what is kept of it is bounded. In ranges of any
// size the labels that count are the same.
func TestManyLabels(t *testing.T) {
	line := func(i, labels int) string {
		classes := make([]string, labels)
		for k := range classes {
			classes[k] = fmt.Sprintf(`"%d":"%d.%d"`, k, i, k)
		}
		return fmt.Sprintf(`{"source-ref":"s3://imgs/%d","BB":{"image_size":[{"width":640,"height":480,"depth":3}],"annotations":[{"class_id":0,"left":1,"top":1,"width":50,"height":50}]},`+
			`"BB-metadata":{"objects":[{"confidence":1}],"class-map":{%s},"type":"groundtruth/object-detection","human-annotated":"yes","creation-date":"2021-06-22T10:10:48"}}`+"\n",
			i, strings.Join(classes, ","))
	}
	var text strings.Builder
	for i := range 40 {
		text.WriteString(line(i, 3000))
	}
	for _, width := range []int64{0, 300_000} {
		w := newWorld(t, rekognition.Profile(rekognition.Limits().Lifted()))
		w.ImportRange = width
		v := w.load(t, fovea.Train, text.String())
		if v.Dataset.Message != "The manifest file has too many labels." {
			t.Errorf("width %d: dataset = %+v", width, v.Dataset)
		}
		if sum, _ := w.report(t, v); sum.Labels > 100_001 || sum.Fault == nil || sum.Fault.Found != "more than 100000 labels" {
			t.Errorf("width %d: report = %+v", width, sum)
		}
	}
	// More than are kept in memory, less than are allowed, and duplicates to
	// take out of them.
	dup := line(0, 3000) + line(1, 3000) + line(1, 3000) + line(2, 2000)
	var want string
	for _, width := range []int64{0, 40_000} {
		w := newWorld(t, rekognition.Profile(rekognition.Limits().Lifted()))
		w.ImportRange = width
		v := w.load(t, fovea.Train, dup)
		if v.Revision == nil || len(v.Revision.Labels) != 8000 || v.Revision.Stats.Entries != 3 {
			t.Fatalf("width %d: %+v", width, v.Dataset)
		}
		if got := w.state(t, fovea.Train); want == "" {
			want = got
		} else if got != want {
			t.Errorf("width %d differs from one range", width)
		}
	}
}

// TestUpdateProjectLabels (LV-5.85): the report about an update that would give
// the project too many labels says so.
func TestUpdateProjectLabels(t *testing.T) {
	limits := lookout.Limits()
	limits.ProjectLabels = 2
	w := newWorld(t, lookout.Profile(limits))
	w.load(t, fovea.Test, masked("t.jpg", "dent", "crack"))
	w.load(t, fovea.Train, masked("a.jpg", "dent"))
	v := w.change(t, fovea.Train, masked("b.jpg", "stain"))
	if v.Dataset.Status != fovea.UpdateFailed || v.Dataset.Message != "Too many anomaly labels." {
		t.Fatalf("dataset = %+v", v.Dataset)
	}
	if sum, _ := w.report(t, v); sum.Fault == nil || sum.Fault.Found != "3 labels in the project" {
		t.Errorf("report = %+v", sum)
	}
}
