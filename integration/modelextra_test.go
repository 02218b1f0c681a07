package integration

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"fovea/integration/process"
	"fovea/internal/appraisal"
	"fovea/internal/bundle"
)

// ofModel runs a command of fovea model on a server, which has to succeed, and
// returns what it printed.
func ofModel(t *testing.T, server *process.Server, args ...string) string {
	t.Helper()
	out, status := fovea(t, server, append(append([]string{"model"}, args...), "--data", server.Data, "--listen", server.Addr)...)
	if status != 0 {
		t.Fatalf("fovea model %v: status %d", args, status)
	}
	return out
}

// refusedModel is ofModel for a command that has to fail.
func refusedModel(t *testing.T, server *process.Server, args ...string) {
	t.Helper()
	if out, status := fovea(t, server, append(append([]string{"model"}, args...), "--data", server.Data, "--listen", server.Addr)...); status == 0 {
		t.Errorf("fovea model %v succeeds: %s", args, out)
	}
}

// labelsIn returns what a model of Custom Labels says of an image.
func labelsIn(t *testing.T, server *process.Server, version string, image []byte) (names []string) {
	t.Helper()
	var out struct {
		CustomLabels []struct {
			Name       string
			Confidence float64
		}
	}
	in := map[string]any{"ProjectVersionArn": version, "Image": map[string]any{"Bytes": base64.StdEncoding.EncodeToString(image)}}
	if err := server.Rekognition(t.Context(), "DetectCustomLabels", in, &out); err != nil {
		t.Fatal(err)
	}
	for _, l := range out.CustomLabels {
		names = append(names, l.Name)
	}
	return names
}

// runVersion starts a model of Custom Labels and waits until it runs.
func runVersion(t *testing.T, server *process.Server, project, version string) {
	t.Helper()
	if err := server.Rekognition(t.Context(), "StartProjectVersion", map[string]any{"ProjectVersionArn": version, "MinInferenceUnits": 1}, nil); err != nil {
		t.Fatal(err)
	}
	got := await(t, "the start", versionsOf(t, server, project), `{"ProjectVersionDescriptions":[{"Status":"STARTING"}]}`)
	if diff := match(map[string]any{"ProjectVersionDescriptions": []any{map[string]any{"Status": "RUNNING"}}}, got); diff != "" {
		t.Fatal(diff)
	}
}

// TestModelExtras trains a model of each service once, and does with them what
// AWS has no call for: their reports, thresholds, heat maps, and bundles that
// another server takes and unmodified calls use.
func TestModelExtras(t *testing.T) {
	t.Parallel()
	server := serve(t, "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	train, test := putLeaves(t, server, "train", 10), putLeaves(t, server, "test", 4)
	train = strings.Replace(train, leaf("train/00.jpg", "good"), leaf("train/00.jpg", "scratched"), 1) // labelled wrong
	project, version := trainLeaves(t, server, "leaves", train, test)
	trainParts(t, server, "castings", putParts(t, server, 12, 8, true))
	await(t, "the training of Custom Labels", versionsOf(t, server, project), clTraining)
	if got := await(t, "the training of Lookout", lookoutModel(t, server, "castings", "1"), lvTraining); match(map[string]any{"ModelDescription": map[string]any{"Status": "TRAINED"}}, got) != "" {
		t.Fatal(show(got))
	}
	t.Run("report", func(t *testing.T) { testModelReport(t, server) })
	t.Run("not running", func(t *testing.T) {
		refusedModel(t, server, "heatmap", "custom-labels/leaves/v1", "/dev/null", "-o", filepath.Join(t.TempDir(), "x.png"))
	})
	runVersion(t, server, project, version)
	t.Run("thresholds", func(t *testing.T) { testModelThresholds(t, server, version) })
	t.Run("heat map", func(t *testing.T) { testModelHeatmap(t, server) })
	t.Run("bundle", func(t *testing.T) { testModelBundle(t, server) })
}

func testModelReport(t *testing.T, server *process.Server) {
	var r appraisal.Report
	if err := json.Unmarshal([]byte(ofModel(t, server, "report", "custom-labels/leaves/v1", "--output", "json")), &r); err != nil {
		t.Fatal(err)
	}
	if r.Form != appraisal.Form || r.Kind != "image classification" || r.TrainImages != 20 || r.TestImages != 8 || r.Folds < 2 {
		t.Errorf("report %+v", r)
	}
	for name, e := range map[string]*appraisal.Evaluation{"test": r.Test, "out of fold": r.Trained} {
		if e == nil || len(e.Labels) != 2 || e.Labels[0].Name != "good" || len(e.Labels[0].Curve) == 0 {
			t.Fatalf("%s: %+v", name, e)
		}
		images := 0
		for _, row := range e.Confusion {
			images += row[0] + row[1]
		}
		if want := map[string]int{"test": 8, "out of fold": 20}[name]; images != want {
			t.Errorf("%s: the confusion matrix has %d images, want %d", name, images, want)
		}
	}
	if !slices.ContainsFunc(r.Doubtful, func(x appraisal.Image) bool {
		return x.SourceRef == "s3://factory/train/00.jpg" && x.Label == "scratched" && x.Suggested == "good"
	}) {
		t.Errorf("the image that is labelled wrong is not doubtful: %+v", r.Doubtful)
	}
	table := ofModel(t, server, "report", "custom-labels/leaves/v1")
	for _, want := range []string{"LABEL", "scratched", `TRUTH\MODEL`, "s3://factory/train/00.jpg"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table has no %s:\n%s", want, table)
		}
	}
	if err := json.Unmarshal([]byte(ofModel(t, server, "report", "lookout/castings/latest", "--output", "json")), &r); err != nil {
		t.Fatal(err)
	}
	if r.Kind != "anomaly segmentation" || len(r.Areas) != 1 || r.Areas[0].Name != "scratch" || min(r.Areas[0].Precision, r.Areas[0].Recall, r.Areas[0].F1, r.Areas[0].IoU) <= 0 || r.Test.Labels[1].Name != "anomaly" {
		t.Errorf("report of Lookout %+v", r)
	}
	if status, text, err := ownModel(t.Context(), server, "GET", "custom-labels/leaves/models?max=0", nil); err != nil || status != http.StatusOK || !strings.Contains(string(text), `"name":"v1"`) {
		t.Errorf("a page of no models is %d %s, %v, and not one of one", status, text, err)
	}
	refusedModel(t, server, "report", "custom-labels/leaves/v2")
	refusedModel(t, server, "report", "custom-labels/leaves")
	refusedModel(t, server, "report", "other/leaves/v1")
}

func testModelThresholds(t *testing.T, server *process.Server, version string) {
	photo, _ := part(999, true)
	image := pngOf(t, photo)
	if got := labelsIn(t, server, version, image); !slices.Equal(got, []string{"scratched"}) {
		t.Fatalf("at first %q", got)
	}
	ofModel(t, server, "threshold", "custom-labels/leaves/v1", "scratched=1", "good=0")
	if got := labelsIn(t, server, version, image); !slices.Equal(got, []string{"good"}) {
		t.Errorf("with thresholds 1 and 0 %q", got)
	}
	ofModel(t, server, "threshold", "custom-labels/leaves/v1", "good=")
	if got := labelsIn(t, server, version, image); len(got) != 0 {
		t.Errorf("with one taken back %q", got)
	}
	refusedModel(t, server, "threshold", "custom-labels/leaves/v1", "bad=0.5")
	refusedModel(t, server, "threshold", "custom-labels/leaves/v1", "good=1.5")
	refusedModel(t, server, "threshold", "custom-labels/leaves/v1", "good=0.5", "--reset")
	if out := ofModel(t, server, "threshold", "custom-labels/leaves/v1", "--reset"); strings.Contains(out, "yes") {
		t.Errorf("after a reset: %s", out)
	}
	if got := labelsIn(t, server, version, image); !slices.Equal(got, []string{"scratched"}) {
		t.Errorf("after a reset %q", got)
	}

	if err := server.Lookout(t.Context(), "POST", "/projects/castings/models/1/start", nil, map[string]any{"MinInferenceUnits": 1}, nil); err != nil {
		t.Fatal(err)
	}
	await(t, "the start", lookoutModel(t, server, "castings", "1"), `{"ModelDescription":{"Status":"STARTING_HOSTING"}}`)
	for _, tt := range []struct {
		set       string
		anomalous bool
		areas     int
	}{{"anomaly=0.5", true, 2}, {"anomaly=1", false, 2}, {"anomaly=0", true, 2}, {"mask:scratch=1", true, 1}} {
		ofModel(t, server, "threshold", "lookout/castings/1", tt.set)
		got := anomaliesIn(t, server, image)
		if got.IsAnomalous != tt.anomalous || got.Confidence < 0.5 || got.Confidence > 1 || len(got.Anomalies) != tt.areas {
			t.Errorf("with %s: %+v", tt.set, got)
		}
	}
	refusedModel(t, server, "threshold", "lookout/castings/1", "scratch=0.5")
}

type anomalies struct {
	IsAnomalous bool
	Confidence  float64
	Anomalies   []struct{ Name string }
}

// anomaliesIn returns what the model of Lookout says of an image.
func anomaliesIn(t *testing.T, server *process.Server, image []byte) anomalies {
	t.Helper()
	resp, err := server.Do(t.Context(), "lookoutvision", "POST", "/2020-11-20/projects/castings/models/1/detect", map[string][]string{"Content-Type": {"image/png"}}, image)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct{ DetectAnomalyResult anomalies }
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp.Status, err)
	}
	return out.DetectAnomalyResult
}

func testModelHeatmap(t *testing.T, server *process.Server) {
	photo, mask := part(999, true)
	dir := t.TempDir()
	if keep := os.Getenv("FOVEA_TEST_HEAT"); keep != "" { // to look at
		dir = keep
	}
	file := filepath.Join(dir, "part.png")
	if err := os.WriteFile(file, pngOf(t, photo), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"custom-labels/leaves/v1", "lookout/castings/1"} {
		out := filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".png")
		ofModel(t, server, "heatmap", name, file, "-o", out)
		overlay, err := png.Decode(bytes.NewReader(readFile(t, out)))
		if err != nil || overlay.Bounds() != photo.Bounds() {
			t.Fatalf("%s: %v %v", name, overlay.Bounds(), err)
		}
		var h struct {
			Label         string
			Width, Height int
			Heat          [][]float64
		}
		if err := json.Unmarshal([]byte(ofModel(t, server, "heatmap", name, file, "-o", "-", "--format", "json")), &h); err != nil {
			t.Fatal(err)
		}
		if h.Width != side || h.Height != side || !strings.Contains("scratched anomaly", h.Label) {
			t.Errorf("%s: %+v", name, h)
		}
		if on, off := heatOf(h.Heat, mask); on <= off {
			t.Errorf("%s: the heat is %.3f where the scratch is and %.3f elsewhere", name, on, off)
		}
	}
	refusedModel(t, server, "heatmap", "custom-labels/leaves/v1", file, "-o", "-", "--label", "bad")
	refusedModel(t, server, "heatmap", "custom-labels/leaves/v1", file, "-o", "-", "--format", "gif")
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("no image"), 0o600); err != nil {
		t.Fatal(err)
	}
	refusedModel(t, server, "heatmap", "custom-labels/leaves/v1", text, "-o", "-")
}

// heatOf returns the mean heat of the cells whose middle a mask marks, and of
// the others.
func heatOf(heat [][]float64, mask *image.NRGBA) (on, off float64) {
	var n [2]float64
	var sum [2]float64
	for y, row := range heat {
		for x, v := range row {
			k := 0
			if r, _, _, _ := mask.At((2*x+1)*side/(2*len(row)), (2*y+1)*side/(2*len(heat))).RGBA(); r < 0x8000 {
				k = 1
			}
			n[k]++
			sum[k] += v
		}
	}
	return sum[1] / n[1], sum[0] / n[0]
}

func testModelBundle(t *testing.T, server *process.Server) {
	other := serve(t, "--limits", "none")
	if err := other.MakeBucket(t.Context(), "models"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "leaves.fovea")
	ofModel(t, server, "threshold", "custom-labels/leaves/v1", "good=0.25")
	if out := ofModel(t, server, "export", "custom-labels/leaves/v1", "-o", file); !strings.Contains(out, "bytes") {
		t.Error(out)
	}
	project, err := makeProject(t.Context(), other, "elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"import", file, "--project", "custom-labels/elsewhere", "--name", "v7", "--output", "s3://models/in"}
	refusedModel(t, other, args...) // it does not trust the other server
	key, status := fovea(t, server, "migrate", "key", "--data", server.Data, "--listen", server.Addr)
	if status != 0 {
		t.Fatal("no key")
	}
	trust := append(args, "--trust", strings.TrimSpace(key))
	data := readFile(t, file)
	for name, wrong := range map[string][]byte{"cut": data[:len(data)-9], "changed": append(bytes.Clone(data[:len(data)-1]), data[len(data)-1]^1), "longer": append(bytes.Clone(data), 0)} {
		bad := filepath.Join(dir, name)
		if err := os.WriteFile(bad, wrong, 0o600); err != nil {
			t.Fatal(err)
		}
		refusedModel(t, other, append([]string{"import", bad}, trust[2:]...)...)
	}
	refusedModel(t, other, append(slices.Clone(trust), "--project", "lookout/elsewhere")...)
	refusedModel(t, other, append(slices.Clone(trust), "--output", "s3://nobody/in")...)
	if got := await(t, "models", versionsOf(t, other, project), `{"x":1}`); len(got["ProjectVersionDescriptions"].([]any)) != 0 {
		t.Fatalf("a bundle that was refused left %s", show(got))
	}
	if out := ofModel(t, other, trust...); !strings.Contains(out, "was custom-labels/leaves/v1") {
		t.Error(out)
	}
	refusedModel(t, other, trust...) // the name is taken

	var described struct{ ProjectVersionDescriptions []importedModel }
	if err := other.Rekognition(t.Context(), "DescribeProjectVersions", map[string]any{"ProjectArn": project}, &described); err != nil {
		t.Fatal(err)
	}
	v := described.ProjectVersionDescriptions[0]
	if v.Status != "TRAINING_COMPLETED" || v.EvaluationResult.F1Score <= 0 || v.EvaluationResult.Summary.S3Object.Name != "in/EvaluationResultSummary-elsewhere-v7.json" {
		t.Errorf("the imported model is %+v", v)
	}
	evaluation, err := other.Do(t.Context(), "s3", "GET", "/models/"+v.EvaluationResult.Summary.S3Object.Name, nil, nil)
	if err != nil || evaluation.StatusCode != 200 {
		t.Errorf("the evaluation result: %v %v", evaluation, err)
	} else {
		evaluation.Body.Close()
	}
	if out := ofModel(t, other, "threshold", "custom-labels/elsewhere/v7"); !strings.Contains(out, "0.25") {
		t.Errorf("the thresholds stayed behind: %s", out)
	}
	if diff := gocmp.Diff(ofModel(t, server, "report", "custom-labels/leaves/v1"), ofModel(t, other, "report", "custom-labels/elsewhere/v7")); diff != "" {
		t.Errorf("the reports (-there +here):\n%s", diff)
	}
	runVersion(t, other, project, v.ProjectVersionArn)
	photo, _ := part(4711, true)
	if got := labelsIn(t, other, v.ProjectVersionArn, pngOf(t, photo)); !slices.Contains(got, "scratched") {
		t.Errorf("the imported model finds %q", got)
	}
	testLookoutBundle(t, server, other, dir, strings.TrimSpace(key))
}

// An importedModel is what DescribeProjectVersions tells of a model.
type importedModel struct {
	ProjectVersionArn, Status string
	EvaluationResult          struct {
		F1Score float64
		Summary struct{ S3Object struct{ Bucket, Name string } }
	}
}

// testLookoutBundle carries the model of Lookout to another server, twice: its
// numbers go on.
func testLookoutBundle(t *testing.T, server, other *process.Server, dir, key string) {
	file := filepath.Join(dir, "castings.fovea")
	ofModel(t, server, "export", "lookout/castings/1", "-o", file)
	if _, err := bundle.Peek(readFile(t, file)); err != nil {
		t.Error(err)
	}
	if err := other.Lookout(t.Context(), "POST", "/projects", nil, map[string]any{"ProjectName": "castings"}, nil); err != nil {
		t.Fatal(err)
	}
	args := []string{"import", file, "--project", "lookout/castings", "--output", "s3://models/lv/", "--trust", key}
	refusedModel(t, other, append(slices.Clone(args), "--name", "v1")...)
	for n := range 2 {
		if out := ofModel(t, other, append(slices.Clone(args), "--format", "json")...); !strings.Contains(out, fmt.Sprintf(`"model":"%d"`, n+1)) {
			t.Errorf("model %d: %s", n+1, out)
		}
	}
	if err := other.Lookout(t.Context(), "POST", "/projects/castings/models/1/start", nil, map[string]any{"MinInferenceUnits": 1}, nil); err != nil {
		t.Fatal(err)
	}
	got := await(t, "the start", lookoutModel(t, other, "castings", "1"), `{"ModelDescription":{"Status":"STARTING_HOSTING"}}`)
	if match(map[string]any{"ModelDescription": map[string]any{"Status": "HOSTED"}}, got) != "" {
		t.Fatal(show(got))
	}
	photo, _ := part(999, true)
	if diff := gocmp.Diff(anomaliesIn(t, server, pngOf(t, photo)), anomaliesIn(t, other, pngOf(t, photo))); diff != "" {
		t.Errorf("what the models say (-there +here):\n%s", diff)
	}
}
