package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fovea/integration/process"
)

// nextBinary returns the program as the next version of fovea: that of the
// build tag nextschema, with another file of the schema.
var nextBinary = sync.OnceValues(func() (string, error) {
	return process.Build(context.Background(), filepath.Join(filepath.Dir(binary), "next"), "-tags", "nextschema")
})

// becomes replaces the program of a server, as an upgrade does.
func becomes(t *testing.T, node *process.Server, program string) error {
	t.Helper()
	if err := node.Stop(); err != nil {
		t.Fatal(err)
	}
	node.Binary = program
	return node.Start(t.Context())
}

// refused reports a downgrade that is not refused as it must be.
func refused(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "made by a newer fovea") || strings.Contains(err.Error(), "goroutine") {
		t.Errorf("the older program on the newer schema: %v, want a refusal", err)
	}
}

// TestUpgradeSQLite (T22): a data folder with an import under way goes on with
// the next version. The older program refuses it and leaves every byte as it
// is; it still runs on the backup from before.
func TestUpgradeSQLite(t *testing.T) {
	t.Parallel()
	next, err := nextBinary()
	if err != nil {
		t.Fatal(err)
	}
	server := running(t, t.TempDir(), "--limits", "none", "--import-range", "65536", "--import-workers", "1")
	train := manifestDataset(t, server, "whole", labeled("a.jpg", "bolt")+labeled("b.jpg", "nut"))
	want := contentOf(t, server, train)
	backup := filepath.Join(t.TempDir(), "backup")
	mustCommand(t, "backup", "--data", server.Data, "--to", backup)
	upload(t, server, "kill.manifest", strings.Repeat(labeled(strings.Repeat("x", 100), "bolt"), 1)+manyLines(8000))
	project, err := makeProject(t.Context(), server, "under-way")
	if err == nil {
		err = createDataset(t.Context(), server, project)
	}
	if err != nil {
		t.Fatal(err)
	}
	server.Kill()
	server.Binary = next
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	arn := datasetOf(t, server, project)
	t.Logf("after the upgrade the import is %s", describe(t, server, arn).Status)
	if d := ended(t, server, arn); d.Status != "CREATE_COMPLETE" || d.DatasetStats["TotalEntries"] != 8001.0 {
		t.Errorf("after the upgrade the import ends as %+v", d)
	}
	if err := change(t.Context(), server, arn, labeled("new", "nut")); err != nil {
		t.Error(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(server.Data, "fovea.db"))
	if err != nil {
		t.Fatal(err)
	}
	server.Binary = binary
	refused(t, server.Start(t.Context()))
	after, err := os.ReadFile(filepath.Join(server.Data, "fovea.db"))
	if err != nil || string(before) != string(after) {
		t.Errorf("the refused start has changed the database, %v", err)
	}
	if status, out := command(t, "verify", "--data", server.Data); status != 2 || !strings.Contains(out, "version") {
		t.Errorf("the older verify ended with %d: %s", status, out)
	}
	server.Binary = next
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, server, train); got.Digest != want.Digest {
		t.Errorf("the dataset is %+v, want %+v", got, want)
	}
	old := running(t, backup)
	if got := contentOf(t, old, train); got.Digest != want.Digest {
		t.Errorf("in the backup the dataset is %+v, want %+v", got, want)
	}
}

func manyLines(n int) string {
	var text strings.Builder
	for i := range n {
		text.WriteString(labeled(fmt.Sprint(i), "part"))
	}
	return text.String()
}

// TestUpgradeRolling (T22): two nodes over one PostgreSQL become the next
// version one after the other while clients work. No call fails but for those
// to a node that is being replaced, nothing acknowledged is lost, the older node
// works beside the newer one, and cannot come back.
func TestUpgradeRolling(t *testing.T) {
	t.Parallel()
	next, err := nextBinary()
	if err != nil {
		t.Fatal(err)
	}
	c := startCluster(t, 2)
	upload(t, c.s3, "kill.manifest", labeled("a.jpg", "bolt")+labeled("b.jpg", "nut"))
	w := &worker{t: t, nodes: c.nodes}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for who := range 3 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					w.round(fmt.Sprintf("w-%d-%d", who, n))
				}
			}
		})
	}
	defer func() { close(stop); wg.Wait() }()
	for i, node := range c.nodes {
		w.await(2)
		w.down.Store(int64(i + 1))
		if err := becomes(t, node, next); err != nil {
			t.Fatal(err)
		}
		w.down.Store(0)
		w.await(2) // with both versions, or the newer one
	}
	w.down.Store(1)
	refused(t, becomes(t, c.nodes[0], binary))
	w.await(1)
	if err := becomes(t, c.nodes[0], next); err != nil {
		t.Fatal(err)
	}
	w.down.Store(0)
	w.await(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Logf("%d datasets were made and changed", len(w.done))
	for _, arn := range w.done {
		for i, node := range c.nodes {
			if got := contentOf(t, node, arn); got.Entries != 3 || got.Stats["TotalEntries"] != 3.0 {
				t.Errorf("node %d: %s has %+v, want 3 entries", i, arn, got)
			}
		}
	}
}

// A worker is clients that work at any node that is up.
type worker struct {
	t     *testing.T
	nodes []*process.Server
	down  atomic.Int64 // one more than the index of the node that may be down, 0 for none
	turns atomic.Int64

	mu   sync.Mutex
	done []string // the ARNs of datasets with three entries
}

// await waits until that many more rounds are done.
func (w *worker) await(rounds int) {
	count := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.done)
	}
	want := count() + rounds
	for deadline := time.Now().Add(patience); count() < want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) || w.t.Failed() {
			w.t.Fatal("the clients make no progress")
		}
	}
}

// call makes a call at one node after the other, as a load balancer does, until
// one is reached. A call that broke off may have happened.
func (w *worker) call(operation string, in, out any) (again bool, err error) {
	for try := 0; ; try++ {
		i := int(w.turns.Add(1)) % len(w.nodes)
		if w.down.Load() == int64(i+1) && try < 20 {
			again = again || try > 0
			continue
		}
		err := w.nodes[i].Rekognition(context.WithoutCancel(w.t.Context()), operation, in, out)
		if answer := (*process.AnswerError)(nil); err == nil || errors.As(err, &answer) || try >= 20 {
			return again, err
		}
		again = true
		time.Sleep(20 * time.Millisecond)
	}
}

// round makes a project with a dataset and changes it.
func (w *worker) round(name string) {
	fail := func(what string, again bool, err error) bool {
		if answer := (*process.AnswerError)(nil); again && errors.As(err, &answer) {
			if text := string(answer.Body); strings.Contains(text, "ResourceInUse") || strings.Contains(text, "ResourceAlreadyExists") {
				return false // the first try had happened
			}
		}
		if err != nil {
			w.t.Errorf("%s: %s: %v", name, what, err)
		}
		return err != nil
	}
	again, err := w.call("CreateProject", map[string]any{"ProjectName": name}, nil)
	if fail("CreateProject", again, err) {
		return
	}
	var found struct {
		ProjectDescriptions []struct {
			ProjectArn string
			Datasets   []struct{ DatasetArn, Status string }
		}
	}
	look := func() bool {
		again, err := w.call("DescribeProjects", map[string]any{"ProjectNames": []string{name}}, &found)
		return !fail("DescribeProjects", again, err)
	}
	if !look() {
		return
	}
	again, err = w.call("CreateDataset", map[string]any{
		"ProjectArn": found.ProjectDescriptions[0].ProjectArn, "DatasetType": "TRAIN", "Tags": map[string]string{"a": "b"},
		"DatasetSource": map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": "factory", "Name": "kill.manifest"}}},
	}, nil)
	if fail("CreateDataset", again, err) {
		return
	}
	settled := func(want string) bool {
		for {
			if !look() {
				return false
			}
			switch status := found.ProjectDescriptions[0].Datasets[0].Status; {
			case status == want:
				return true
			case !strings.HasSuffix(status, "_IN_PROGRESS"):
				w.t.Errorf("%s became %s", name, status)
				return false
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	if !settled("CREATE_COMPLETE") {
		return
	}
	arn := found.ProjectDescriptions[0].Datasets[0].DatasetArn
	again, err = w.call("UpdateDatasetEntries", map[string]any{"DatasetArn": arn, "Changes": map[string]any{"GroundTruth": []byte(labeled("c.jpg", "nut"))}}, nil)
	if fail("UpdateDatasetEntries", again, err) || !settled("UPDATE_COMPLETE") {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = append(w.done, arn)
}
