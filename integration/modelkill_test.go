package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea/integration/process"
)

// hostKills is how often the server is killed in a start or a stop of a model.
const hostKills = 10

// TestHostingKilled (T17): the server is killed at any moment of starts and stops
// of a model. One that was acknowledged comes to its end, one that was not has
// happened whole or not at all, and whenever the model runs it says the same.
func TestHostingKilled(t *testing.T) {
	t.Parallel()
	server := running(t, t.TempDir(), "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	trainParts(t, server, "parts", putParts(t, server, 6, 4, false))
	trainedParts(t, server, "parts")
	photo, _ := part(999, true)
	image := pngOf(t, photo)
	startModel(t, server, "parts")
	want := verdictOn(t, server, "parts", image)
	hosted, acknowledged := true, 0
	for n := range hostKills {
		call, in, end := "start", any(map[string]any{"MinInferenceUnits": 1}), "HOSTED"
		if hosted {
			call, in, end = "stop", nil, "TRAINED"
		}
		done := make(chan error, 1)
		go func() {
			done <- server.Lookout(context.WithoutCancel(t.Context()), "POST", "/projects/parts/models/1/"+call, nil, in, nil)
		}()
		time.Sleep(rand.N(6 * time.Millisecond))
		server.Kill()
		told := <-done == nil
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := await(t, "the start", lookoutModel(t, server, "parts", "1"), `{"ModelDescription":{"Status":"STARTING_HOSTING"}}`)
		if status, _ := lookup(got, "ModelDescription.Status"); status == "STOPPING_HOSTING" {
			got = await(t, "the stop", lookoutModel(t, server, "parts", "1"), `{"ModelDescription":{"Status":"STOPPING_HOSTING"}}`)
		}
		status, _ := lookup(got, "ModelDescription.Status")
		if status != "HOSTED" && status != "TRAINED" || told && status != end {
			t.Fatalf("kill %d in a %s, acknowledged %v: it is %s", n, call, told, show(got))
		}
		if told {
			acknowledged++
		}
		if hosted = status == "HOSTED"; hosted {
			if diff := cmp.Diff(want, verdictOn(t, server, "parts", image)); diff != "" {
				t.Fatalf("kill %d: it says (-before +after):\n%s", n, diff)
			}
		}
	}
	t.Logf("%d of %d calls were acknowledged", acknowledged, hostKills)
}

// TestTrainingStopped: a server that is told to end in the middle of a training
// ends without waiting for it, hands it back, and goes on with it afterwards to
// the same result.
func TestTrainingStopped(t *testing.T) {
	t.Parallel()
	server := running(t, t.TempDir(), "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	trainParts(t, server, "parts", putParts(t, server, 16, 12, false))
	server.Kill()
	alone := running(t, copyOf(t, server.Data), "--limits", "none")
	trainedParts(t, alone, "parts")
	want := resultOf(t, alone, "parts")
	alone.Kill()
	returned := 0
	for n := 1; returned < 3; n++ {
		if n == 30 {
			t.Fatalf("%d trainings were interrupted in %d starts", returned, n)
		}
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(time.Duration(n) * 200 * time.Millisecond)) // the training may take its time to begin
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
		out := server.Output()
		if strings.Contains(out, "state=returned") {
			returned++
		}
		if strings.Contains(out, "left to itself") || strings.Contains(out, "state=retried") {
			t.Errorf("the training did not end when it was told to:\n%s", tail(out, 2000))
		}
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	trainedParts(t, server, "parts")
	if diff := cmp.Diff(want, resultOf(t, server, "parts")); diff != "" {
		t.Errorf("what came of the training (-alone +stopped):\n%s", diff)
	}
}

// TestModelRaces: a training is cancelled, its model deleted, started and
// described by many at once, also around the moment when it ends. Every answer is
// one that some order explains, no call fails as the server's fault, and nothing
// damaged is left.
func TestModelRaces(t *testing.T) {
	t.Parallel()
	server := serve(t, "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	manifest := putParts(t, server, 3, 2, false)
	outcomes := map[string]int{}
	for n := range 6 {
		project := fmt.Sprint("race", n)
		trainParts(t, server, project, manifest)
		time.Sleep(rand.N(700 * time.Millisecond))
		var wg sync.WaitGroup
		var mu sync.Mutex
		deleted := 0
		for i := range 12 {
			wg.Go(func() {
				var err error
				switch i % 4 {
				case 0:
					var status int
					var text []byte
					status, text, err = ownModel(t.Context(), server, "POST", "lookout/"+project+"/models/1/cancel", nil)
					if err == nil && status != 200 {
						err = &process.AnswerError{Status: status, Body: text}
					}
				case 1:
					if err = server.Lookout(t.Context(), "DELETE", "/projects/"+project+"/models/1", nil, nil, nil); err == nil {
						mu.Lock()
						deleted++
						mu.Unlock()
					}
				case 2:
					err = server.Lookout(t.Context(), "POST", "/projects/"+project+"/models/1/start", nil, map[string]any{"MinInferenceUnits": 1}, nil)
				default:
					_, err = lookoutModel(t, server, project, "1")()
				}
				if answer := (*process.AnswerError)(nil); err != nil && (!errors.As(err, &answer) || answer.Status >= 500) {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		got, err := lookoutModel(t, server, project, "1")()
		if deleted > 1 || (deleted == 1) != (err != nil && strings.Contains(err.Error(), "ResourceNotFound")) {
			t.Errorf("it was deleted %d times, and is then %s, %v", deleted, show(got), err)
		}
		if err != nil {
			outcomes["deleted"]++
			continue
		}
		for _, while := range []string{"TRAINING", "STARTING_HOSTING"} {
			got = await(t, "its end", lookoutModel(t, server, project, "1"), `{"ModelDescription":{"Status":"`+while+`"}}`)
		}
		status, _ := lookup(got, "ModelDescription.Status")
		message, _ := lookup(got, "ModelDescription.StatusMessage")
		if status == "TRAINING_FAILED" && message != "It was cancelled." || status == "HOSTING_FAILED" {
			t.Errorf("in the end it is %s", show(got))
		}
		outcomes[fmt.Sprint(status)]++
	}
	t.Logf("%v", outcomes)
	if out := mustCommand(t, "verify", "--data", server.Data); !strings.Contains(out, ": 0 damaged\n") {
		t.Error(out)
	}
}

// blobOf returns the file of the only weights below a data folder that are not
// among others.
func blobOf(t *testing.T, data string, others ...string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "blobs", "weights", "*", "*", "model"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range others {
		for i, f := range files {
			if f == o {
				files = append(files[:i], files[i+1:]...)
				break
			}
		}
	}
	if len(files) != 1 {
		t.Fatalf("weights: %v", files)
	}
	return files[0]
}

// TestModelDamage (T18): the weights of models of both services are flipped, cut,
// removed or those of another model. A model that is in memory says what it said
// before; one that has to be loaded says nothing, and never something else:
// the call fails as the server's fault, and a start fails with a message that says
// why. Once they are restored all goes on without a restart.
func TestModelDamage(t *testing.T) {
	t.Parallel()
	server := running(t, t.TempDir(), "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	trainParts(t, server, "parts", putParts(t, server, 6, 4, false))
	trainedParts(t, server, "parts")
	lv := blobOf(t, server.Data)
	project, version := trainLeaves(t, server, "leaves", putLeaves(t, server, "train", 4), putLeaves(t, server, "test", 2))
	trainedLeaves(t, server, project)
	cl := blobOf(t, server.Data, lv)
	startModel(t, server, "parts")
	runVersion(t, server, project, version)
	want := detections(t, server, "parts", version)
	good := map[string][]byte{lv: readFile(t, lv), cl: readFile(t, cl)}
	write := func(path string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	photo, _ := part(999, true)
	image := pngOf(t, photo)
	for _, tt := range []struct {
		name   string
		damage func(path string)
	}{
		{"a flipped bit in the settings", func(path string) { write(path, flipped(good[path], 60)) }},
		{"a flipped bit in the numbers", func(path string) { write(path, flipped(good[path], len(good[path])-9)) }},
		{"cut", func(path string) { write(path, good[path][:len(good[path])/2]) }},
		{"empty", func(path string) { write(path, nil) }},
		{"missing", func(path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}},
		{"those of the other model", func(path string) { write(path, good[map[string]string{lv: cl, cl: lv}[path]]) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.damage(lv)
			tt.damage(cl)
			if got := detections(t, server, "parts", version); got != want {
				t.Errorf("in memory it says\n%s, before\n%s", got, want)
			}
			server.Kill()
			if err := server.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			fails(t, "DetectCustomLabels", detectLabels(t, server, version, image, nil))
			fails(t, "DetectAnomalies", detectAnomalies(t, server, "parts", "image/png", image, nil))
			if !strings.Contains(server.Output(), "Its weights are damaged") {
				t.Errorf("the log does not say why:\n%s", tail(server.Output(), 1000))
			}
			status, out := command(t, "verify", "--data", server.Data)
			if status != 1 || !strings.Contains(out, "belongs to lookout/parts/1") || !strings.Contains(out, "belongs to custom-labels/leaves/v1") || !strings.Contains(out, ": 2 damaged") {
				t.Errorf("verify ends with %d: %s", status, out)
			}
			restartModels(t, server, project, version, "HOSTING_FAILED", "FAILED")
			write(lv, good[lv])
			write(cl, good[cl])
			restartModels(t, server, project, version, "HOSTED", "RUNNING")
			if got := detections(t, server, "parts", version); got != want {
				t.Errorf("once they are restored it says\n%s, before\n%s", got, want)
			}
		})
	}
}

// flipped returns data with another bit at a place.
func flipped(data []byte, at int) []byte {
	bad := append([]byte(nil), data...)
	bad[at] ^= 4
	return bad
}

// restartModels stops model 1 of parts and a version of Custom Labels as far as
// they run, starts them, and checks what they become.
func restartModels(t *testing.T, server *process.Server, project, version, lv, cl string) {
	t.Helper()
	server.Lookout(t.Context(), "POST", "/projects/parts/models/1/stop", nil, nil, nil)
	await(t, "the stop", lookoutModel(t, server, "parts", "1"), `{"ModelDescription":{"Status":"STOPPING_HOSTING"}}`)
	server.Rekognition(t.Context(), "StopProjectVersion", map[string]any{"ProjectVersionArn": version}, nil)
	await(t, "the stop", versionsOf(t, server, project), `{"ProjectVersionDescriptions":[{"Status":"STOPPING"}]}`)
	if err := server.Lookout(t.Context(), "POST", "/projects/parts/models/1/start", nil, map[string]any{"MinInferenceUnits": 1}, nil); err != nil {
		t.Fatal(err)
	}
	if err := server.Rekognition(t.Context(), "StartProjectVersion", map[string]any{"ProjectVersionArn": version, "MinInferenceUnits": 1}, nil); err != nil {
		t.Fatal(err)
	}
	gotLV := await(t, "the start", lookoutModel(t, server, "parts", "1"), `{"ModelDescription":{"Status":"STARTING_HOSTING"}}`)
	gotCL := await(t, "the start", versionsOf(t, server, project), `{"ProjectVersionDescriptions":[{"Status":"STARTING"}]}`)
	for _, x := range []struct {
		got          map[string]any
		member, want string
	}{{gotLV, "ModelDescription.Status", lv}, {gotCL, "ProjectVersionDescriptions.0.Status", cl}} {
		status, _ := lookup(x.got, x.member)
		message, _ := lookup(x.got, x.member+"Message")
		if status != x.want || strings.Contains(x.want, "FAILED") != strings.Contains(fmt.Sprint(message), "Its weights are damaged: ") {
			t.Errorf("it is %s", show(x.got))
		}
	}
}

// TestDetectionDuringTraining: a training that may use every processor keeps no
// detection from being answered, and detections do not keep it from its end. How
// long they take is logged, beside what they take on an idle server: on a machine
// that others use it can be no test.
func TestDetectionDuringTraining(t *testing.T) {
	t.Parallel()
	server := serve(t, "--limits", "none", "--training-cores", fmt.Sprint(runtime.NumCPU()))
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	trainParts(t, server, "small", putParts(t, server, 4, 2, false))
	trainedParts(t, server, "small")
	startModel(t, server, "small")
	photo, _ := part(999, true)
	image := pngOf(t, photo)
	want := verdictOn(t, server, "small", image)
	detect := func() time.Duration {
		began := time.Now()
		if diff := cmp.Diff(want, verdictOn(t, server, "small", image)); diff != "" {
			t.Errorf("it says (-before +now):\n%s", diff)
		}
		return time.Since(began)
	}
	var idle, busy []time.Duration
	for range 50 {
		idle = append(idle, detect())
	}
	manifest := putParts(t, server, 16, 10, false)
	for n := 0; len(busy) < 3; n++ {
		if n == 10 {
			t.Fatalf("%d detections were answered during %d trainings", len(busy), n)
		}
		large := fmt.Sprint("large", n)
		trainParts(t, server, large, manifest)
		for {
			took := detect()
			got, err := lookoutModel(t, server, large, "1")()
			if err != nil {
				t.Fatal(err)
			}
			if match(lvStatus("TRAINING"), got) != "" {
				break
			}
			busy = append(busy, took)
		}
		trainedParts(t, server, large)
	}
	slices.Sort(idle)
	slices.Sort(busy)
	t.Logf("p50 and p99 of %d detections on an idle server: %v, %v; of %d during a training on all processors: %v, %v",
		len(idle), idle[len(idle)/2], idle[len(idle)*99/100], len(busy), busy[len(busy)/2], busy[len(busy)*99/100])
}
