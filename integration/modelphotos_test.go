package integration

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fovea/integration/process"
)

// TestModelOfCookies trains a model with masks on some of the real photographs
// of the guide of Lookout for Vision, with the lines of its manifest that tell of
// them, and shows it two that it has not seen: the flow of the guide, in a size
// for tests.
func TestModelOfCookies(t *testing.T) {
	t.Parallel()
	const learn = 8 // of each class
	folder := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../shared/data"), "cookies", "dataset-files")
	template, err := os.ReadFile(filepath.Join(folder, "manifests", "template.manifest"))
	if err != nil {
		t.Skipf("no cookies here, set FOVEA_TEST_DATA: %v", err)
	}
	server := running(t, t.TempDir(), "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	var manifest strings.Builder
	taken, unseen := map[string]int{}, map[string][]byte{}
	for line := range strings.Lines(located(t, template, "s3://factory/")) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		photo := strings.TrimPrefix(entry["source-ref"].(string), "s3://factory/")
		class, _ := lookup(entry, "anomaly-label-metadata.class-name")
		name := fmt.Sprint(class)
		if taken[name]++; taken[name] > learn {
			unseen[name] = readFile(t, filepath.Join(folder, photo))
			continue
		}
		manifest.WriteString(line)
		put(t, server, photo, readFile(t, filepath.Join(folder, photo)))
		if ref, ok := entry["anomaly-mask-ref"].(string); ok {
			mask := strings.TrimPrefix(ref, "s3://factory/")
			put(t, server, mask, readFile(t, filepath.Join(folder, mask)))
		}
	}
	if len(unseen) != 2 {
		t.Fatalf("photographs of %v", taken)
	}
	makeParts(t, server, "cookies", manifest.String())
	beginModel(t, server, "cookies")
	trainedParts(t, server, "cookies")
	startModel(t, server, "cookies")
	for class, photo := range unseen {
		out := verdictOn(t, server, "cookies", photo)
		anomalous, _ := lookup(out, "DetectAnomalyResult.IsAnomalous")
		if anomalous != (class == "anomaly") {
			t.Errorf("a cookie that is %s: %s", class, show(out))
		}
		if mask, _ := lookup(out, "DetectAnomalyResult.AnomalyMask"); mask == nil || mask == "" {
			t.Errorf("a cookie that is %s has no mask of what is where: %s", class, show(out))
		}
	}
}

// TestModelOfBloodCells makes manifests with boxes of some real photographs of
// blood cells, trains a detector with them, looks at what it is said to be worth
// (CL-9.52, CL-9.73) and has it find the cells of one that it has not seen: the
// flow of the guide of Custom Labels, in a size for tests.
func TestModelOfBloodCells(t *testing.T) {
	t.Parallel()
	const learn, try = 9, 4
	folder := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../shared/data"), "bccd", "BCCD")
	files := map[string][]byte{}
	var unseen string
	for split, n := range map[string]int{"train": learn, "test": try} {
		list, err := os.ReadFile(filepath.Join(folder, "ImageSets", "Main", split+".txt"))
		if err != nil {
			t.Skipf("no blood cells in %s, set FOVEA_TEST_DATA", folder)
		}
		names := strings.Fields(string(list))
		if split == "test" {
			unseen = names[n]
		}
		files["ImageSets/Main/"+split+".txt"] = []byte(strings.Join(names[:n], "\n"))
		for _, name := range names[:n] {
			files["JPEGImages/"+name+".jpg"] = readFile(t, filepath.Join(folder, "JPEGImages", name+".jpg"))
			files["Annotations/"+name+".xml"] = readFile(t, filepath.Join(folder, "Annotations", name+".xml"))
		}
	}
	tree := t.TempDir()
	writeTree(t, tree, files)
	server := running(t, t.TempDir(), "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	project, err := makeProject(t.Context(), server, "cells")
	if err != nil {
		t.Fatal(err)
	}
	mustCommand(t, importCommand(server, "custom-labels", "cells", tree)...)
	version := beginVersion(t, server, project)
	trained := await(t, "the training", versionsOf(t, server, project), clTraining)
	if status, _ := lookup(trained, "ProjectVersionDescriptions.0.Status"); status != "TRAINING_COMPLETED" {
		t.Fatalf("it is %s", show(trained))
	}
	evaluationOfCells(t, server, trained, learn, try)
	runVersion(t, server, project, version)

	photo := readFile(t, filepath.Join(folder, "JPEGImages", unseen+".jpg"))
	there := cellsOf(t, readFile(t, filepath.Join(folder, "Annotations", unseen+".xml")))
	found := cellsIn(t, server, version, photo, nil)
	hits := 0
	for _, cell := range there {
		if slices.ContainsFunc(found, func(f box) bool { return f.name == cell.name && f.iou(cell) >= 0.5 }) {
			hits++
		}
	}
	t.Logf("%s: %d of %d cells found, with %d boxes", unseen, hits, len(there), len(found))
	if 2*hits < len(there) || 2*hits < len(found) {
		t.Errorf("of the %d cells of %s %d are among the %d that were found:\n%v\n%v", len(there), unseen, hits, len(found), there, found)
	}
	all := cellsIn(t, server, version, photo, map[string]any{"MinConfidence": 0}) // CL-10.32
	if len(all) < len(found) {
		t.Errorf("%d cells of any confidence, %d of the usual one", len(all), len(found))
	}
	if best := cellsIn(t, server, version, photo, map[string]any{"MinConfidence": 0, "MaxResults": 3}); len(all) < 3 || !slices.Equal(best, all[:3]) { // CL-10.34
		t.Errorf("the best three are %v of %v", best, all)
	}
}

// evaluationOfCells looks at the files that say what a detector of cells is worth.
func evaluationOfCells(t *testing.T, server *process.Server, trained map[string]any, learn, try int) {
	t.Helper()
	var summary struct {
		AggregatedEvaluationResults struct {
			F1Score, AveragePrecision, AverageRecall float64
			ConfusionMatrix                          any
		}
		LabelEvaluationResults []struct {
			Label   string
			Metrics struct{ F1Score float64 }
		}
		EvaluationDetails struct {
			Labels                                        []string
			NumberOfTrainingImages, NumberOfTestingImages int
		}
	}
	const description = "ProjectVersionDescriptions.0."
	files := objectsUnder(t, server, "cl/")
	name, _ := lookup(trained, description+"EvaluationResult.Summary.S3Object.Name")
	if err := json.Unmarshal([]byte(files[fmt.Sprint(name)]), &summary); err != nil {
		t.Fatalf("the summary %v: %v", name, err)
	}
	of, about := summary.AggregatedEvaluationResults, summary.EvaluationDetails
	t.Logf("F1 %.2f, average precision %.2f, average recall %.2f; %+v", of.F1Score, of.AveragePrecision, of.AverageRecall, summary.LabelEvaluationResults)
	if min(of.F1Score, of.AveragePrecision, of.AverageRecall) <= 0 || of.ConfusionMatrix != nil {
		t.Errorf("the detector is worth %+v", of)
	}
	for _, l := range summary.LabelEvaluationResults { // platelets are few among so few photographs
		if l.Metrics.F1Score < 0.5 && l.Label != "Platelets" {
			t.Errorf("it finds %s with an F1 of %.2f", l.Label, l.Metrics.F1Score)
		}
	}
	slices.Sort(about.Labels)
	if !slices.Equal(about.Labels, []string{"Platelets", "RBC", "WBC"}) || len(summary.LabelEvaluationResults) != 3 || about.NumberOfTrainingImages != learn || about.NumberOfTestingImages != try {
		t.Errorf("it was trained with %+v", about)
	}
	name, _ = lookup(trained, description+"TestingDataResult.Output.Assets.0.GroundTruthManifest.S3Object.Name")
	tested := files[fmt.Sprint(name)]
	if n := strings.Count(tested, "\n"); n != try {
		t.Errorf("%d photographs were tested, want %d", n, try)
	}
	for text := range strings.Lines(tested) {
		var line struct {
			Evaluation struct {
				Annotations []any
			} `json:"rekognition-custom-labels-evaluation"`
			Metadata struct {
				Type    string
				Objects []struct {
					Confidence float64
					Details    struct {
						Right   bool `json:"is-true-positive"`
						Present bool `json:"is-present-in-ground-truth"`
					} `json:"rekognition-custom-labels-evaluation-details"`
				}
			} `json:"rekognition-custom-labels-evaluation-metadata"`
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		right := 0
		for _, o := range line.Metadata.Objects {
			if o.Details.Right && o.Details.Present && o.Confidence > 0 && o.Confidence <= 1 {
				right++
			}
		}
		if n := len(line.Evaluation.Annotations); n == 0 || n != len(line.Metadata.Objects) || right == 0 || line.Metadata.Type != "groundtruth/object-detection" {
			t.Errorf("%d boxes, %d of them right, in a photograph that was tested: %s", n, right, text)
		}
	}
}

// A box is an object in an image, its corners in parts of the image's sides.
type box struct {
	name                     string
	left, top, right, bottom float64
}

func (b box) area() float64 { return max(0, b.right-b.left) * max(0, b.bottom-b.top) }

// iou returns the part of the area of both boxes that they share.
func (b box) iou(o box) float64 {
	shared := box{"", max(b.left, o.left), max(b.top, o.top), min(b.right, o.right), min(b.bottom, o.bottom)}.area()
	return shared / (b.area() + o.area() - shared)
}

// cellsOf returns the cells that an annotation in the form of Pascal VOC names.
func cellsOf(t *testing.T, text []byte) (cells []box) {
	t.Helper()
	var a struct {
		Width   float64 `xml:"size>width"`
		Height  float64 `xml:"size>height"`
		Objects []struct {
			Name   string  `xml:"name"`
			Left   float64 `xml:"bndbox>xmin"`
			Top    float64 `xml:"bndbox>ymin"`
			Right  float64 `xml:"bndbox>xmax"`
			Bottom float64 `xml:"bndbox>ymax"`
		} `xml:"object"`
	}
	if err := xml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	for _, o := range a.Objects {
		cells = append(cells, box{o.Name, o.Left / a.Width, o.Top / a.Height, o.Right / a.Width, o.Bottom / a.Height})
	}
	return cells
}

// cellsIn asks a running detector for the cells of a photograph, and wants them
// within it, the surest first (CL-10.21, CL-10.23, CL-10.26).
func cellsIn(t *testing.T, server *process.Server, version string, photo []byte, more map[string]any) (cells []box) {
	t.Helper()
	var out struct {
		CustomLabels []struct {
			Name       string
			Confidence float64
			Geometry   struct {
				BoundingBox struct{ Left, Top, Width, Height float64 }
			}
		}
	}
	in := map[string]any{"ProjectVersionArn": version, "Image": map[string]any{"Bytes": base64.StdEncoding.EncodeToString(photo)}}
	maps.Copy(in, more)
	if err := server.Rekognition(t.Context(), "DetectCustomLabels", in, &out); err != nil {
		t.Fatal(err)
	}
	before := 100.0
	for _, l := range out.CustomLabels {
		at := l.Geometry.BoundingBox
		cell := box{l.Name, at.Left, at.Top, at.Left + at.Width, at.Top + at.Height}
		if l.Confidence > before || l.Confidence < 0 {
			t.Errorf("a confidence of %v after one of %v", l.Confidence, before)
		}
		if cell.area() <= 0 || cell.left < 0 || cell.top < 0 || cell.right > 1.000001 || cell.bottom > 1.000001 {
			t.Errorf("the box %+v is not within the photograph", cell)
		}
		before = l.Confidence
		cells = append(cells, cell)
	}
	return cells
}
