package rekognition

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/detect"
	"fovea/internal/model"
)

// TestUsed (CL-9.55, CL-9.70, CL-9.77): of a training that leaves images out,
// the summary and the report count those that were used, and the snapshot has a
// line for each of them.
func TestUsed(t *testing.T) {
	var labeled, boxed []sample
	for i := range int64(5) {
		labeled, boxed = append(labeled, labeledSample(i, "nut")), append(boxed, boxedSample(i, "nut"))
	}
	learnt := &classify.Report{Images: []int{0, 2, 3}, Evaluation: classify.Evaluation{Classes: make([]classify.ClassEvaluation, 1)}}
	for _, tt := range []struct {
		name  string
		train []sample
		p     *predictor
	}{
		{"a classifier", labeled, &predictor{classifier: &classify.Model{}, learnt: learnt}},
		{"a detector", boxed, &predictor{detector: &detect.Model{}, searched: &detect.Report{Images: []int{0, 2, 3}}}}, // not validated
	} {
		tt.p.Labels, tt.p.Thresholds = []string{"nut"}, []float64{0.5}
		run := &model.Run{Project: &fovea.Project{Name: "p"}, Model: &fovea.Model{Name: "v"}}
		e := &evaluation{predictor: tt.p, run: run, material: &material{train: tt.train}, result: &fovea.TrainingResult{}}
		e.found = foundFile{name: filepath.Join(t.TempDir(), "found"), boxes: tt.p.detector != nil}
		if err := e.found.write(func(func([]found) error) error { return nil }); err != nil {
			t.Fatal(err)
		}
		report, err := e.report()
		if err != nil {
			t.Fatal(err)
		}
		if report.TrainImages != 3 {
			t.Errorf("%s: the report tells of %d images, want 3", tt.name, report.TrainImages)
		}
		text, err := json.Marshal(e.summary())
		if want := `"NumberOfTrainingImages":3,`; err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %s has no %s, %v", tt.name, text, want, err)
		}
		var out bytes.Buffer
		if err := e.trainTruth(&out); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			var v struct {
				Ref string `json:"source-ref"`
				ID  int    `json:"rekognition-custom-labels-object-id"`
			}
			if err := json.Unmarshal([]byte(line), &v); err != nil || !strings.HasSuffix(line, "\n") {
				t.Fatalf("%s: %q: %v", tt.name, line, err)
			}
			got = append(got, fmt.Sprint(v.ID, " ", v.Ref))
		}
		if diff := cmp.Diff([]string{"1 s3://b/0", "2 s3://b/2", "3 s3://b/3"}, got); diff != "" {
			t.Errorf("%s: the snapshot (-want +got):\n%s", tt.name, diff)
		}
	}
}
