package model_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"testing"

	"fovea"
	"fovea/internal/lookout"
	"fovea/internal/model"
	"fovea/internal/rekognition"
)

// painted returns a PNG that is of one colour, and of another in its corner.
func painted(t testing.TB, w, h int, all, corner color.Color) string {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, all)
			if x < w/4 && y < h/4 {
				m.Set(x, y, corner)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var green, red = color.NRGBA{0x23, 0xa4, 0x36, 255}, color.NRGBA{255, 0, 0, 255}

// maskedLine returns the line of an anomalous image whose mask is beside it, with
// labels of these names, the first of which is green.
func maskedLine(key string, labels ...string) string {
	colors := `"0":{"class-name":"BACKGROUND","hex-color":"#ffffff"}`
	for i, name := range labels {
		colors += fmt.Sprintf(`,"%d":{"class-name":"%s","hex-color":"#%02xa436"}`, i+1, name, 0x23+i)
	}
	return strings.TrimSuffix(line(key, "anomaly"), "}\n") + fmt.Sprintf(`,"mask-ref":"s3://b/%s.mask","mask-ref-metadata":{"internal-color-map":{%s},`+
		`"type":"groundtruth/semantic-segmentation","human-annotated":"yes","creation-date":"2021-11-22T20:31:22","job-name":"labeling-job/m"}}`, key, colors) + "\n"
}

// TestLookoutFailures (LV-6.9, LV-6.12, LV-6.21 to LV-6.25, LV-6.27): what is wrong
// with the images of a dataset fails the training with a message that says it.
func TestLookoutFailures(t *testing.T) {
	photo := painted(t, 64, 64, color.Gray{90}, color.Gray{120})
	mask := painted(t, 64, 64, color.White, green)
	for _, tt := range []struct {
		name    string
		prepare func(w *world)
		says    string
	}{
		{"LV-6.21", func(w *world) { w.put("a0", painted(t, 64, 80, green, red)) }, "Images in the dataset must have the same dimensions."},
		{"LV-6.22", func(w *world) { w.put("a1.mask", painted(t, 64, 64, color.White, red)) }, "The colors in a mask image don't match the hex-color values in the manifest: s3://b/a1.mask."},
		{"LV-6.23", func(w *world) { w.put("a1.mask", "no image") }, "Mask images must be in PNG format: s3://b/a1.mask."},
		{"LV-5.41", func(w *world) { w.put("a1.mask", painted(t, 32, 64, color.White, green)) }, "s3://b/a1.mask has 32 x 64 pixels"},
		{"LV-6.23 the first of several", func(w *world) { w.put("a2.mask", "no"); w.put("a1.mask", "no"); w.put("a3.mask", "no") }, "s3://b/a1.mask"},
		{"no mask", func(w *world) { w.objects.remove("a2.mask") }, "The mask image s3://b/a2.mask can't be read."},
		{"LV-6.9", func(w *world) { w.limit(func(l *fovea.Limits) { l.Minima = true }) }, "The anomaly label crack is on 4 training images"},
		{"LV-6.12", func(w *world) { w.limit(func(l *fovea.Limits) { l.MaskTrain = 7 }) }, "There are 8 training images with a label; a model that finds areas may have 7."},
		{"LV-6.25", func(w *world) { w.objects.remove("n0"); w.objects.remove("n1"); w.put("n2", photo[:50]) }, "can be read; at least 2 are needed."},
	} {
		w := newWorld(t, fovea.Lookout)
		w.limit(func(l *fovea.Limits) { *l = l.Lifted() })
		w.Trainers[fovea.Lookout] = lookout.Trainer{Partition: "aws"}
		var lines []string
		for i := range 4 {
			normal, anomalous := fmt.Sprint("n", i), fmt.Sprint("a", i)
			lines = append(lines, line(normal, "normal"), maskedLine(anomalous, "crack", "never painted"))
			w.put(normal, photo)
			w.put(anomalous, photo)
			w.put(anomalous+".mask", mask)
		}
		w.load(t, fovea.Train, lines...)
		tt.prepare(w)
		m := w.run(t, w.create(t, ""))
		if m.Status != fovea.TrainFailed || !strings.Contains(m.Message, tt.says) || m.Weights != "" || m.Ours || m.Result.Summary.Key != "" {
			t.Errorf("%s: it is %s: %q, want %q", tt.name, m.Status, m.Message, tt.says)
		}
	}
}

// TestVersionFailures (CL-6.70 to CL-6.92, CL-9.43, CL-12.3): what fails a training
// of Custom Labels, and what it leaves.
func TestVersionFailures(t *testing.T) {
	const rows = "The manifest file contains too many invalid rows."
	photo := painted(t, 64, 64, color.Gray{90}, color.Gray{120})
	var lines []string
	for i := range 8 {
		lines = append(lines, line(fmt.Sprint(i), []string{"oak", "elm"}[i%2]))
	}
	whole := strings.Join(lines, "")
	for _, tt := range []struct {
		name     string
		prepare  func(w *world)
		manifest string
		says     string
		codes    []string // of the training data in the summary; nil for no files
	}{
		{"CL-6.70", func(w *world) { w.objects.remove("m") }, "", "The manifest file extension or contents are invalid.", nil},
		{"CL-6.71", func(*world) {}, "", "The manifest file is empty.", nil},
		{"CL-6.73", func(w *world) { w.objects.gone = "out" }, whole, model.CannotWrite, nil},
		{"CL-12.3", func(w *world) { w.limit(func(l *fovea.Limits) { l.TrainEntries = 7 }) }, whole, "The manifest file has too many rows.", nil},
		{"CL-6.80", func(w *world) { w.put("1", "no"); w.put("2", "no") }, whole, rows, []string{"ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST"}},
		{"CL-6.82", func(w *world) {
			for i := range 8 {
				w.objects.errs[fovea.ObjectRef{Bucket: "b", Key: fmt.Sprint(i)}] = fovea.Errorf(fovea.Denied, "no")
			}
		}, whole, rows, []string{"ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST", "ERROR_INVALID_PERMISSIONS_IMAGES_S3_BUCKET", "ERROR_FAILED_IMAGES_S3_COPY", "ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_AUTOSPLIT"}},
		{"CL-6.90", func(w *world) {
			for i := range 8 {
				w.objects.remove(fmt.Sprint(i))
			}
		}, whole, rows, []string{"ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST", "ERROR_FAILED_IMAGES_S3_COPY", "ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_AUTOSPLIT"}},
		{"CL-6.91", func(*world) {}, whole + "{}\n{}\n{}\n", rows, []string{"ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST", "ERROR_TOO_MANY_RECORDS_IN_ERROR"}},
		{"CL-6.84", func(*world) {}, whole + line("8", "rare"), "The manifest file contains insufficient labeled images per label to perform auto-split.",
			[]string{"ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_AUTOSPLIT"}},
	} {
		w := newWorld(t, fovea.CustomLabels)
		w.Trainers[fovea.CustomLabels] = rekognition.Trainer{Partition: "aws"}
		for i := range 9 {
			w.put(fmt.Sprint(i), photo)
		}
		w.put("m", tt.manifest)
		tt.prepare(w)
		spec := w.spec("v1")
		spec.Asked.TrainManifests, spec.Asked.AutoSplit = []fovea.ObjectRef{{Bucket: "b", Key: "m"}}, true
		v, err := w.Create(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		m := w.run(t, v.Model)
		if m.Status != fovea.TrainFailed || m.Message != tt.says || m.Weights != "" || m.Ours || m.Result.Ended.IsZero() {
			t.Errorf("%s: it is %s: %q, want %q", tt.name, m.Status, m.Message, tt.says)
		}
		if files := m.Result.ManifestSummary.Key != "" && m.Result.TrainValidation.Key != "" && m.Result.TestValidation.Key != ""; files != (tt.codes != nil) || m.Result.Summary.Key != "" {
			t.Errorf("%s: it left %+v", tt.name, m.Result)
		}
		if got := codesOf(t, w, m); !slices.Equal(got, tt.codes) {
			t.Errorf("%s: codes %v, want %v", tt.name, got, tt.codes)
		}
	}
}

// codesOf returns the errors of the training data in the manifest summary of a
// model, nil if it has none.
func codesOf(t *testing.T, w *world, m *fovea.Model) (codes []string) {
	t.Helper()
	if m.Result == nil || m.Result.ManifestSummary.Key == "" {
		return nil
	}
	var summary struct {
		Statistics struct {
			Training struct{ Errors []struct{ Code string } }
		}
	}
	if err := json.Unmarshal([]byte(w.objects.text("out", m.Result.ManifestSummary.Key)), &summary); err != nil {
		t.Fatal(err)
	}
	for _, e := range summary.Statistics.Training.Errors {
		codes = append(codes, e.Code)
	}
	return codes
}

// put puts an object into the bucket of the images.
func (w *world) put(key, text string) { w.objects.put(fovea.ObjectRef{Bucket: "b", Key: key}, text) }

// remove removes an object from the bucket of the images.
func (o *objects) remove(key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.texts, fovea.ObjectRef{Bucket: "b", Key: key})
}
