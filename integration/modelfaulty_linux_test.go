package integration

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea/integration/cutfs"
	"fovea/integration/process"
)

var retriedTraining = regexp.MustCompile(`kind=train id=\d+ .*state=retried`)

// lastRetry returns what the log says of the last training that failed and is to
// be tried again.
func lastRetry(server *process.Server) string {
	list := retriedTraining.FindAllString(server.Output(), -1)
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

// TestTrainingFaultyDisk (T19): the disk fails where a training keeps images,
// weights or evaluation files, and a little later it does not. The training fails,
// is tried again without a restart, and ends as if nothing had been; a model that
// runs answers meanwhile.
func TestTrainingFaultyDisk(t *testing.T) {
	t.Parallel()
	m := newMachine(t, nil)
	if err := m.server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	manifest := putParts(t, m.server, 4, 2, false)
	trainParts(t, m.server, "sound", manifest)
	trainedParts(t, m.server, "sound")
	startModel(t, m.server, "sound")
	photo, _ := part(999, true)
	want := verdictOn(t, m.server, "sound", pngOf(t, photo))
	writes := func(folder string) func(cutfs.Op) bool {
		return func(op cutfs.Op) bool {
			return (op.Kind == "write" || op.Kind == "create") && strings.HasPrefix(op.Path, folder) && !strings.Contains(op.Path, ".db")
		}
	}
	for i, tt := range []struct {
		name  string
		errno syscall.Errno
		fails func(cutfs.Op) bool
	}{
		{"full for images", syscall.ENOSPC, writes("data/training/")},
		{"full for weights", syscall.ENOSPC, writes("data/blobs/")},
		{"full for evaluation files", syscall.ENOSPC, writes("data/s3/")},
		{"weights cannot be synced", syscall.EIO, func(op cutfs.Op) bool { return op.Kind == "fsync" && strings.HasPrefix(op.Path, "data/blobs/") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			project := fmt.Sprint("parts", i)
			var hit atomic.Int64
			before := lastRetry(m.server)
			makeParts(t, m.server, project, manifest)
			m.disk.Fail(func(op cutfs.Op) syscall.Errno {
				if !tt.fails(op) {
					return 0
				}
				hit.Add(1)
				return tt.errno
			})
			beginModel(t, m.server, project)
			for deadline := time.Now().Add(patience); lastRetry(m.server) == "" || lastRetry(m.server) == before; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("the training does not fail; the fault was met %d times", hit.Load())
				}
			}
			if diff := cmp.Diff(want, verdictOn(t, m.server, "sound", pngOf(t, photo))); diff != "" {
				t.Errorf("meanwhile the model that runs says (-before +now):\n%s", diff)
			}
			m.disk.Fail(nil)
			trainedParts(t, m.server, project)
		})
	}
	if err := m.cut(cutfs.All, nil); err != nil {
		t.Fatal(err)
	}
	if lost := m.lost(); len(lost) > 0 {
		t.Errorf("lost: %v", lost)
	}
	if diff := cmp.Diff(want, verdictOn(t, m.server, "sound", pngOf(t, photo))); diff != "" {
		t.Errorf("in the end the model that runs says (-before +now):\n%s", diff)
	}
}

// TestTrainingS3 (T20): the S3 with the images and the output fails during a
// training: for a while, and the training ends as on a sound one; or its bucket
// for the output is gone, and the training fails with a message that says so
// (CL-6.73).
func TestTrainingS3(t *testing.T) {
	t.Parallel()
	store := serve(t)
	if err := store.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	proxy := newFaulty(t, store)
	node := serve(t, "--limits", "none", "--s3-endpoint", proxy.URL, "--s3-access-key", store.KeyID(), "--s3-secret-key", store.Secret())
	manifest := putParts(t, store, 4, 2, false)
	isOutput := func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/factory/lv/")
	}
	for i, tt := range []struct {
		name    string
		fault   func(n int64, w http.ResponseWriter, r *http.Request) bool
		status  string
		message string
	}{
		{"one answer in three is 503 SlowDown", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n%3 == 0 {
				slowDown(w)
			}
			return n%3 == 0
		}, "TRAINED", "Training completed successfully."},
		{"one connection in four breaks", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n%4 == 0 {
				panic(http.ErrAbortHandler)
			}
			return false
		}, "TRAINED", "Training completed successfully."},
		{"every third body breaks off", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet && n%3 == 0 {
				w.Header().Set("Content-Length", "1000000")
				w.WriteHeader(http.StatusPartialContent)
				panic(http.ErrAbortHandler)
			}
			return false
		}, "TRAINED", "Training completed successfully."},
		{"the bucket of the output is deleted meanwhile", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if !isOutput(r) {
				return false
			}
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>`)
			return true
		}, "TRAINING_FAILED", "Unable to write to output S3 bucket."},
		{"the output may not be written any more", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if !isOutput(r) {
				return false
			}
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
			return true
		}, "TRAINING_FAILED", "Unable to write to output S3 bucket."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			project := fmt.Sprint("parts", i)
			upload(t, store, project+".manifest", manifest)
			makeDataset(t, node, project)
			proxy.set(tt.fault)
			defer proxy.set(nil)
			beginModel(t, node, project)
			got := await(t, "the training", lookoutModel(t, node, project, "1"), lvTraining)
			status, _ := lookup(got, "ModelDescription.Status")
			message, _ := lookup(got, "ModelDescription.StatusMessage")
			if status != tt.status || message != tt.message {
				t.Errorf("it is %s", show(got))
			}
			t.Logf("%d requests to S3", proxy.calls.Load())
		})
	}
	if out := mustCommand(t, "verify", "--data", node.Data, "--s3-endpoint", store.URL(), "--s3-access-key", store.KeyID(), "--s3-secret-key", store.Secret()); !strings.Contains(out, "3 models") || !strings.Contains(out, ": 0 damaged") {
		t.Error(out)
	}
}

// TestTrainingTakeover (T17): of two nodes the one that trains is killed. The
// other one trains the model, and comes to the same weights as a training that
// nobody disturbs.
func TestTrainingTakeover(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 2)
	if err := c.s3.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	upload(t, c.s3, "parts.manifest", putParts(t, c.s3, 20, 16, false))
	makeDataset(t, c.nodes[0], "parts")
	beginModel(t, c.nodes[0], "parts")
	worker := ""
	for deadline := time.Now().Add(patience); worker == ""; time.Sleep(5 * time.Millisecond) {
		if err := c.db.QueryRow(`SELECT COALESCE(MAX(worker), '') FROM jobs WHERE kind = 'train' AND state = 'running'`).Scan(&worker); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody trains")
		}
	}
	time.Sleep(200 * time.Millisecond)
	dead, other := c.nodes[0], c.nodes[1]
	if !strings.Contains(worker, fmt.Sprintf("/%d/", dead.PID())) {
		dead, other = other, dead
	}
	dead.Kill()
	trainedParts(t, other, "parts")
	weights := func() (name string, attempt int) {
		t.Helper()
		if err := c.db.QueryRow(`SELECT weights, attempt FROM models, jobs WHERE kind = 'train'`).Scan(&name, &attempt); err != nil {
			t.Fatal(err)
		}
		return name, attempt
	}
	name, attempt := weights()
	if attempt < 2 {
		t.Fatalf("it was trained at attempt %d: the kill came too late", attempt)
	}
	taken := timeless(objectsUnder(t, c.s3, "lv/"))
	for _, again := range []string{
		`UPDATE models SET status = 'training', weights = ''`,
		`UPDATE jobs SET state = 'queued', due = 0, ended = 0 WHERE kind = 'train'`,
	} {
		if _, err := c.db.Exec(again); err != nil {
			t.Fatal(err)
		}
	}
	trainedParts(t, other, "parts")
	if alone, _ := weights(); alone != name {
		t.Errorf("undisturbed the weights are %s, and were %s", alone, name)
	}
	if diff := cmp.Diff(timeless(objectsUnder(t, c.s3, "lv/")), taken); diff != "" {
		t.Errorf("the files (-undisturbed +taken over):\n%s", diff)
	}
}
