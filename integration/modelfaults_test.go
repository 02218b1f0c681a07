package integration

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea/integration/process"
)

// evaluated returns the evaluation result of a model of Lookout, and what it
// says of an image: all but the times.
func evaluated(t *testing.T, server *process.Server, project string, image []byte) map[string]any {
	t.Helper()
	resp, err := server.Do(t.Context(), "s3", "GET", "/factory/lv/EvaluationResult-"+project+"-1.json", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	delete(out["EvaluationDetails"].(map[string]any), "EvaluationEndTimestamp")
	out["Detected"] = verdictOn(t, server, project, image)
	return out
}

// verdictOn returns what model 1 of a project, which runs, says of a PNG.
func verdictOn(t *testing.T, server *process.Server, project string, image []byte) map[string]any {
	t.Helper()
	path := "/2020-11-20/projects/" + project + "/models/1/detect"
	resp, err := server.Do(t.Context(), "lookoutvision", "POST", path, map[string][]string{"Content-Type": {"image/png"}}, image)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != 200 {
		t.Fatalf("status %d: %v %v", resp.StatusCode, out, err)
	}
	return out
}

// startModel starts model 1 of a project of Lookout and waits until it runs.
func startModel(t *testing.T, server *process.Server, project string) {
	t.Helper()
	if err := server.Lookout(t.Context(), "POST", "/projects/"+project+"/models/1/start", nil, map[string]any{"MinInferenceUnits": 1}, nil); err != nil {
		t.Fatal(err)
	}
	got := await(t, "the start", lookoutModel(t, server, project, "1"), `{"ModelDescription":{"Status":"STARTING_HOSTING"}}`)
	if status, _ := lookup(got, "ModelDescription.Status"); status != "HOSTED" {
		t.Fatalf("it is %s", show(got))
	}
}

// TestTrainingKilled (LV-3.4, T17): a training whose server is killed again and
// again comes to the same as one that is left alone, and a model that runs still
// runs after a kill.
func TestTrainingKilled(t *testing.T) {
	t.Parallel()
	server := running(t, t.TempDir(), "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	trainParts(t, server, "killed", putParts(t, server, 16, 12, false))
	server.Kill()
	alone := running(t, copyOf(t, server.Data), "--limits", "none")
	want := await(t, "the training that is left alone", lookoutModel(t, alone, "killed", "1"), lvTraining)
	if status, _ := lookup(want, "ModelDescription.Status"); status != "TRAINED" {
		t.Fatalf("left alone it is %s", show(want))
	}
	hits := 0
	for _, pause := range []time.Duration{100 * time.Millisecond, 400 * time.Millisecond, 700 * time.Millisecond} {
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(pause)
		got, err := lookoutModel(t, server, "killed", "1")()
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := lookup(got, "ModelDescription.Status"); status == "TRAINING" {
			hits++
		}
		server.Kill()
	}
	t.Logf("%d of 3 kills hit the training", hits)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := await(t, "the training that was killed", lookoutModel(t, server, "killed", "1"), lvTraining)
	for _, member := range []string{"ModelDescription.Status", "ModelDescription.Performance"} {
		a, _ := lookup(want, member)
		b, _ := lookup(got, member)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%s (-alone +killed):\n%s", member, diff)
		}
	}
	photo, _ := part(999, true)
	image := pngOf(t, photo)
	for _, s := range []*process.Server{alone, server} {
		startModel(t, s, "killed")
	}
	before := evaluated(t, server, "killed", image)
	if diff := cmp.Diff(evaluated(t, alone, "killed", image), before); diff != "" {
		t.Errorf("what came of the training (-alone +killed):\n%s", diff)
	}
	server.Kill()
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := lookoutModel(t, server, "killed", "1")()
	if status, _ := lookup(got, "ModelDescription.Status"); err != nil || status != "HOSTED" {
		t.Fatalf("after a kill the model that ran is %s, %v", show(got), err)
	}
	if diff := cmp.Diff(before, evaluated(t, server, "killed", image)); diff != "" {
		t.Errorf("the model that ran (-before the kill +after it):\n%s", diff)
	}
}

// copyOf returns a copy of a data folder that nobody uses.
func copyOf(t *testing.T, data string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestCancelledTraining: a training that is cancelled ends within moments, and
// the next one begins.
func TestCancelledTraining(t *testing.T) {
	t.Parallel()
	server := serve(t, "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	trainParts(t, server, "long", putParts(t, server, 40, 40, true)) // for longer than three commands take
	project, _ := trainLeaves(t, server, "next", putLeaves(t, server, "train", 4), putLeaves(t, server, "test", 2))
	var listed struct {
		Name, Status string
		Progress     float64
	}
	for deadline := time.Now().Add(patience); listed.Progress == 0; time.Sleep(50 * time.Millisecond) {
		out := mustCommand(t, "model", "list", "--output", "json", "--data", server.Data, "--listen", server.Addr, "lookout/long")
		if err := json.Unmarshal([]byte(out), &listed); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if listed.Status != "training" || time.Now().After(deadline) {
			t.Fatalf("it cannot be seen how far the training is: %s", out)
		}
	}
	if out := mustCommand(t, "model", "list", "--data", server.Data, "--listen", server.Addr, "lookout/long"); !strings.Contains(out, " %") {
		t.Errorf("fovea model list prints\n%s", out)
	}
	out := mustCommand(t, "model", "cancel", "--data", server.Data, "--listen", server.Addr, "lookout/long/1")
	if !strings.Contains(out, "It was cancelled.") {
		t.Errorf("fovea model cancel prints %q", out)
	}
	got, err := lookoutModel(t, server, "long", "1")()
	if diff := match(map[string]any{"ModelDescription": map[string]any{"Status": "TRAINING_FAILED", "StatusMessage": "It was cancelled."}}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	next := await(t, "the training after it", versionsOf(t, server, project), clTraining)
	if status, _ := lookup(next, "ProjectVersionDescriptions.0.Status"); status != "TRAINING_COMPLETED" {
		t.Errorf("the training after it is %s", show(next))
	}
	if err := server.Lookout(t.Context(), "DELETE", "/projects/long/models/1", nil, nil, nil); err != nil {
		t.Error(err)
	}
}

// TestModelsOnNodes: a model that one node is asked to train and another to
// start detects on both, also when the first is gone.
func TestModelsOnNodes(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	if err := c.s3.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	upload(t, c.s3, "shared.manifest", putParts(t, c.s3, 12, 8, false))
	makeDataset(t, a, "shared")
	beginModel(t, a, "shared")
	got := await(t, "the training", lookoutModel(t, b, "shared", "1"), lvTraining)
	if status, _ := lookup(got, "ModelDescription.Status"); status != "TRAINED" {
		t.Fatalf("it is %s", show(got))
	}
	startModel(t, a, "shared")
	photo, _ := part(999, true)
	image := pngOf(t, photo)
	if diff := cmp.Diff(verdictOn(t, a, "shared", image), verdictOn(t, b, "shared", image)); diff != "" {
		t.Errorf("what the nodes detect (-first +second):\n%s", diff)
	}
	a.Kill()
	verdictOn(t, b, "shared", image)
}
