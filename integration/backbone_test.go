package integration

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea/integration/process"
	"fovea/internal/ml/onnx/onnxtest"
)

// tinyNetwork writes a network of two layers with random weights, and behind them
// a classifier of an operator that is not supported, as an ONNX file.
func tinyNetwork(t *testing.T, path string, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	random := func(shape ...int) []float32 {
		n := 1
		for _, d := range shape {
			n *= d
		}
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64()) / 4
		}
		return v
	}
	var g onnxtest.Graph
	g.Input(onnxtest.Info("image", -1, 3, -1, -1))
	g.Weights(onnxtest.Floats("w1", []int{8, 3, 4, 4}, random(8, 3, 4, 4)...))
	g.Weights(onnxtest.Floats("w2", []int{12, 8, 2, 2}, random(12, 8, 2, 2)...))
	g.Node("Conv", []string{"image", "w1"}, []string{"a"}, onnxtest.Setting("strides", []int{4, 4}))
	g.Node("Relu", []string{"a"}, []string{"fine"})
	g.Node("Conv", []string{"fine", "w2"}, []string{"b"}, onnxtest.Setting("strides", []int{2, 2}))
	g.Node("Relu", []string{"b"}, []string{"coarse"})
	g.Node("Classifier", []string{"coarse"}, []string{"classes"})
	g.Output(onnxtest.Info("classes", 1, 1000))
	if err := os.WriteFile(path, g.File(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ofBackbone runs fovea backbone, and returns what it prints and whether it
// succeeds.
func ofBackbone(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary, append([]string{"backbone"}, args...)...).CombinedOutput()
	return string(out), err == nil
}

// prepared returns the path and the hash of a tiny network with settings in it.
func prepared(t *testing.T, dir, name string, seed uint64) (path, hash string) {
	t.Helper()
	raw := filepath.Join(dir, "raw-"+name)
	path = filepath.Join(dir, name)
	tinyNetwork(t, raw, seed)
	out, ok := ofBackbone(t, raw, "--outputs", "fine,coarse", "--size", "96", "--multiple", "8", "--out", path, "--output", "json")
	var d struct {
		Name, SHA256   string
		Numbers, Cells int
	}
	if err := json.Unmarshal([]byte(out), &d); err != nil || !ok || d.Numbers != 40 || d.Cells != 20 || d.Name+".onnx" != name {
		t.Fatalf("%v: %s", err, out)
	}
	return path, d.SHA256
}

func TestBackboneCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	raw := filepath.Join(dir, "raw.onnx")
	tinyNetwork(t, raw, 1)
	if out, ok := ofBackbone(t, raw); ok || !strings.Contains(out, "Classifier") || !strings.Contains(out, "make classes") || !strings.Contains(out, "Supported are Abs") {
		t.Errorf("an operator that is not supported: %s", out)
	}
	if out, ok := ofBackbone(t, raw, "--layers"); !ok || !strings.Contains(out, "coarse") || !strings.Contains(out, "8 pixels") {
		t.Errorf("layers: %s", out)
	}
	path, hash := prepared(t, dir, "tiny.onnx", 1)
	if out, ok := ofBackbone(t, path); !ok || !strings.Contains(out, hash) || !strings.Contains(out, "map of 12 numbers every 8 pixels") {
		t.Errorf("a network: %s", out)
	}
	for _, bad := range [][]string{{filepath.Join(dir, "none.onnx")}, {dir}, {path, "--mean", "white"}, {path, "--outputs", "nothing"}, {path, "--output", "xml"}, {os.Args[0]}} {
		if out, ok := ofBackbone(t, bad...); ok || strings.Contains(out, "panic") {
			t.Errorf("fovea backbone %q: %s", bad, out)
		}
	}
	server := &process.Server{Binary: binary, Data: t.TempDir(), Args: []string{"--backbone", raw}}
	if err := server.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "Classifier") {
		t.Errorf("a server with a backbone that cannot run: %v", err)
		server.Kill()
	}
}

// detected returns what a version of Custom Labels says of an image.
func detected(t *testing.T, server *process.Server, version string, image []byte) (out map[string]any, err error) {
	t.Helper()
	in := map[string]any{"ProjectVersionArn": version, "MinConfidence": 0, "Image": map[string]any{"Bytes": base64.StdEncoding.EncodeToString(image)}}
	err = server.Rekognition(t.Context(), "DetectCustomLabels", in, &out)
	return out, err
}

// anew starts a server again with other arguments.
func anew(t *testing.T, server *process.Server, args ...string) {
	t.Helper()
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	server.Args = args
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// awaitText asks until an answer has a text.
func awaitText(t *testing.T, ask func() (map[string]any, error), text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		answer, err := ask()
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(answer)
		if err != nil || strings.Contains(string(got), text) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v there is no %q in %s", patience, text, got)
		}
	}
}

// TestBackbone trains models of both services through a network of the user's
// own, and wants them to run with it and be refused without, while models of the
// embedded one run all the time.
func TestBackbone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tiny, hash := prepared(t, dir, "tiny.onnx", 1)
	other, otherHash := prepared(t, dir, "other.onnx", 2)
	server := serve(t, "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	train, test := putLeaves(t, server, "train", 8), putLeaves(t, server, "test", 4)
	plainProject, plain := trainLeaves(t, server, "plain", train, test)
	await(t, "the training without a backbone", versionsOf(t, server, plainProject), clTraining)

	anew(t, server, "--limits", "none", "--backbone", tiny)
	runVersion(t, server, plainProject, plain)
	project, version := trainLeaves(t, server, "leaves", train, test)
	trainParts(t, server, "castings", putParts(t, server, 16, 12, false))

	anew(t, server, "--limits", "none", "--backbone", other) // in the middle of it
	awaitText(t, lookoutModel(t, server, "castings", "1"), "waiting for a server with the backbone tiny (SHA-256 "+hash)

	anew(t, server, "--limits", "none", "--backbone", other, "--backbone", tiny)
	await(t, "the training of Custom Labels", versionsOf(t, server, project), clTraining)
	await(t, "the training of Lookout", lookoutModel(t, server, "castings", "1"), lvTraining)
	for name, want := range map[string]string{"custom-labels/plain": "procnet16", "custom-labels/leaves": "tiny " + hash, "lookout/castings": "tiny " + hash} {
		if out := ofModel(t, server, "list", name, "--output", "json"); !strings.Contains(out, `"backbone":"`+want) {
			t.Errorf("%s was not trained with %s: %s", name, want, out)
		}
	}
	runVersion(t, server, project, version)
	startModel(t, server, "castings")
	photo, _ := part(999, true)
	image := pngOf(t, photo)
	want := [3]any{}
	answers := func() (got [3]any) {
		var err error
		if got[0], err = detected(t, server, plain, image); err != nil {
			t.Error(err)
		}
		if got[1], err = detected(t, server, version, image); err != nil {
			t.Error(err)
		}
		got[2] = verdictOn(t, server, "castings", image)
		return got
	}
	want = answers()
	if out := ofModel(t, server, "list", "custom-labels/leaves", "--output", "json"); !strings.Contains(out, `"images":1,"unit_images_per_second":`) || !strings.Contains(out, `"units":1`) {
		t.Errorf("the list does not tell how fast the model is: %s", out)
	}
	bundle := filepath.Join(dir, "leaves.fovea")
	ofModel(t, server, "export", "custom-labels/leaves/v1", "-o", bundle)

	for _, args := range [][]string{{"--limits", "none"}, {"--limits", "none", "--backbone", other}} {
		anew(t, server, args...)
		if got, err := detected(t, server, plain, image); err != nil || cmp.Diff(want[0], any(got)) != "" {
			t.Errorf("%v: the model of the embedded backbone: %v %v", args, got, err)
		}
		_, err := detected(t, server, version, image)
		refusesBackbone(t, err, hash, args, otherHash)
		resp, err := server.Do(t.Context(), "lookoutvision", "POST", "/2020-11-20/projects/castings/models/1/detect", map[string][]string{"Content-Type": {"image/png"}}, image)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 409 || !strings.Contains(string(text), hash) {
			t.Errorf("%v: Lookout answers %d %s", args, resp.StatusCode, text)
		}
		if out, status := fovea(t, server, "model", "import", bundle, "--project", "custom-labels/leaves", "--name", "v2", "--output", "s3://factory/in", "--data", server.Data, "--listen", server.Addr); status == 0 {
			t.Errorf("%v: the bundle is taken: %s", args, out)
		}
	}
	if err := server.Rekognition(t.Context(), "StopProjectVersion", map[string]any{"ProjectVersionArn": version}, nil); err != nil {
		t.Fatal(err)
	}
	stopped := await(t, "the stop", versionsOf(t, server, project), `{"ProjectVersionDescriptions":[{"Status":"STOPPING"}]}`)
	if err := server.Rekognition(t.Context(), "StartProjectVersion", map[string]any{"ProjectVersionArn": version, "MinInferenceUnits": 1}, nil); err != nil {
		t.Fatalf("%v, when it was %s", err, show(stopped))
	}
	failed := await(t, "the start that fails", versionsOf(t, server, project), `{"ProjectVersionDescriptions":[{"Status":"STARTING"}]}`)
	text, err := json.Marshal(failed)
	if err != nil || !strings.Contains(string(text), `"FAILED"`) || !strings.Contains(string(text), hash) || !strings.Contains(string(text), "--backbone") {
		t.Errorf("started without its backbone it is %s, %v", text, err)
	}

	anew(t, server, "--limits", "none", "--backbone", "procnet16", "--backbone", tiny) // which trains with the embedded one
	runVersion(t, server, project, version)
	if diff := cmp.Diff(want, answers()); diff != "" {
		t.Errorf("with the backbone again (-before +after):\n%s", diff)
	}
	ofModel(t, server, "import", bundle, "--project", "custom-labels/leaves", "--name", "v2", "--output", "s3://factory/in")
}

// refusesBackbone wants an error that names the backbone of a model, those of the
// server, and the way out.
func refusesBackbone(t *testing.T, err error, hash string, args []string, other string) {
	t.Helper()
	if err == nil {
		t.Errorf("%v: a model runs without its backbone", args)
		return
	}
	wanted := []string{"ResourceNotReady", "tiny", hash, "procnet16", "--backbone"}
	if len(args) > 2 {
		wanted = append(wanted, other)
	}
	for _, text := range wanted {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%v: the error does not say %s: %v", args, text, err)
		}
	}
}

// TestBackboneOnNodes: a training that was asked for with a backbone is left alone
// by a node that lacks it and done by one that has it, and so is the start of the
// model.
func TestBackboneOnNodes(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 2)
	with, without := c.nodes[0], c.nodes[1]
	tiny, hash := prepared(t, t.TempDir(), "tiny.onnx", 1)
	args := append(slices.Clone(with.Args), "--backbone", tiny)
	if err := c.s3.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	upload(t, c.s3, "shared.manifest", putParts(t, c.s3, 16, 12, false))
	makeDataset(t, without, "shared")
	anew(t, with, args...)
	beginModel(t, with, "shared")
	with.Kill()
	awaitText(t, lookoutModel(t, without, "shared", "1"), "waiting for a server with the backbone tiny (SHA-256 "+hash)
	if err := with.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := await(t, "the training", lookoutModel(t, without, "shared", "1"), lvTraining)
	if status, _ := lookup(got, "ModelDescription.Status"); status != "TRAINED" {
		t.Fatalf("it is %s", show(got))
	}
	if out := ofModel(t, with, "list", "lookout/shared", "--output", "json"); !strings.Contains(out, "tiny "+hash) {
		t.Errorf("it was not trained with tiny: %s", out)
	}
	with.Kill()
	if err := without.Lookout(t.Context(), "POST", "/projects/shared/models/1/start", nil, map[string]any{"MinInferenceUnits": 1}, nil); err != nil {
		t.Fatal(err)
	}
	if err := with.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	got = await(t, "the start", lookoutModel(t, without, "shared", "1"), `{"ModelDescription":{"Status":"STARTING_HOSTING"}}`)
	if status, _ := lookup(got, "ModelDescription.Status"); status != "HOSTED" {
		t.Errorf("it is %s", show(got))
	}
}
