package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea/bench/groundtruth"
	"fovea/integration/process"
)

// command runs a command of the program and returns its exit status and output.
func command(t *testing.T, args ...string) (status int, out string) {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), binary, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		status = exit.ExitCode()
	}
	return status, string(text)
}

// mustCommand runs a command that must succeed.
func mustCommand(t *testing.T, args ...string) string {
	t.Helper()
	status, out := command(t, args...)
	if status != 0 {
		t.Fatalf("fovea %v ended with %d:\n%s", args, status, out)
	}
	return out
}

// labeled returns a line of a manifest.
func labeled(key, label string) string {
	return fmt.Sprintf(`{"source-ref":"s3://factory/%s","l":1,"l-metadata":{"class-name":%q,"confidence":1,"human-annotated":"yes",`+
		`"creation-date":"2021-01-01T00:00:00","type":"groundtruth/image-classification","job-name":"j"}}`, key, label) + "\n"
}

// change updates entries of a dataset and waits until that is done.
func change(ctx context.Context, server *process.Server, arn, lines string) error {
	err := server.Rekognition(ctx, "UpdateDatasetEntries", map[string]any{"DatasetArn": arn, "Changes": map[string]any{"GroundTruth": []byte(lines)}}, nil)
	for err == nil {
		var found struct{ DatasetDescription struct{ Status string } }
		err = server.Rekognition(ctx, "DescribeDataset", map[string]any{"DatasetArn": arn}, &found)
		switch status := found.DatasetDescription.Status; {
		case err != nil:
		case status == "UPDATE_COMPLETE":
			return nil
		case status != "UPDATE_IN_PROGRESS":
			err = fmt.Errorf("the dataset is %s", status)
		}
		time.Sleep(2 * time.Millisecond)
	}
	return err
}

// manifestDataset makes a project with a train dataset of a manifest, which is
// imported when it returns.
func manifestDataset(t *testing.T, server *process.Server, name, text string) (arn string) {
	t.Helper()
	upload(t, server, "kill.manifest", text)
	project, err := makeProject(t.Context(), server, name)
	if err == nil {
		err = createDataset(t.Context(), server, project)
	}
	if err != nil {
		t.Fatal(err)
	}
	imported(t, server, project, false)
	return datasetOf(t, server, project)
}

// TestHistoryCommands: log, diff, restore and verify against a server.
func TestHistoryCommands(t *testing.T) {
	server := serve(t)
	arn := manifestDataset(t, server, "parts", labeled("a.jpg", "bolt")+labeled("b.jpg", "nut"))
	if err := change(t.Context(), server, arn, labeled("a.jpg", "nut")+labeled("c.jpg", "washer")); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--data", server.Data, "--listen", server.Addr}
	run := func(args ...string) string { return mustCommand(t, append(args, flags...)...) }
	const name = "custom-labels/parts/train"
	if out := run("restore", name, "1"); !strings.Contains(out, "revision 3, 2 entries") {
		t.Errorf("restore: %s", out)
	}
	var log []string
	for line := range strings.Lines(run("log", name)) {
		fields := strings.Fields(line)
		if len(fields) > 2 && strings.HasPrefix(fields[1], "20") { // the time
			fields = slices.Delete(fields, 1, 3)
		}
		log = append(log, strings.Join(fields, " "))
	}
	want := []string{
		"REVISION TIME CHANGE ENTRIES LABELLED ERRORS",
		"*3 ? 2 2 0", "restore of 1, by " + server.KeyID(),
		"2 +1 3 3 0", "update of 2 lines, by " + server.KeyID(),
		"1 +2 2 2 0", "import s3://factory/kill.manifest, by " + server.KeyID(),
	}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if out := run("log", name, "-n", "1", "--output", "json"); strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, `{"revision":3,`) {
		t.Errorf("log -n 1 --output json: %s", out)
	}
	wantDiff := "~ s3://factory/a.jpg\n+ s3://factory/c.jpg\n\nrevision 1 to 2: 1 added, 0 removed, 1 changed; 2 entries, then 3\n\n" +
		"LABEL   ADDED  REMOVED  CHANGED\nbolt    +0     -1       ~0\nnut     +1     -0       ~0\nwasher  +1     -0       ~0\n"
	if diff := cmp.Diff(wantDiff, run("diff", name, "1", "2")); diff != "" {
		t.Errorf("diff 1 2 (-want +got):\n%s", diff)
	}
	if out := run("diff", name, "--output", "json"); strings.Count(out, "\n") != 3 || !strings.Contains(out, `"old":{"source-ref"`) {
		t.Errorf("diff --output json: %s", out)
	}
	for _, args := range [][]string{
		{"log", "parts/train"}, {"log", name, "--output", "xml"}, {"log", "custom-labels/none/train"},
		{"diff", name, "x"}, {"diff", name, "1", "9"}, {"restore", name, "9"}, {"restore", name, "0"}, {"restore", name},
	} {
		if status, out := command(t, append(args, flags...)...); status != 2 || !strings.HasPrefix(out, "fovea: ") {
			t.Errorf("fovea %v ended with %d: %s", args, status, out)
		}
	}
}

// TestVerifyCommand: verify beside a server finds nothing; a flipped bit in a
// segment and one in an object of S3 it names, with status 1.
func TestVerifyCommand(t *testing.T) {
	server := serve(t)
	manifestDataset(t, server, "parts", labeled("a.jpg", "bolt")+labeled("b.jpg", "nut"))
	if out := mustCommand(t, "verify", "--data", server.Data); out[strings.LastIndex(out, ":"):] != ": 0 damaged\n" {
		t.Errorf("verify: %s", out)
	}
	flip := func(pattern string) {
		files, err := filepath.Glob(filepath.Join(server.Data, pattern))
		if err != nil || len(files) != 1 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if err := os.WriteFile(files[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flip("blobs/segments/*/*.parquet")
	flip("s3/blobs/*/*")
	status, out := command(t, "verify", "--data", server.Data)
	if status != 1 || !strings.Contains(out, "its checksum is") || !strings.Contains(out, "holds 2 entries of custom-labels/parts/train, in revisions 1, the current one") ||
		!strings.Contains(out, "s3://factory/kill.manifest?versionId=null: its bytes have the ETag") || !strings.Contains(out, ": 2 damaged\n") {
		t.Errorf("verify ended with %d: %s", status, out)
	}
	status, out = command(t, "verify", "--data", server.Data, "--output", "json")
	var found struct{ Damaged []any }
	if err := json.Unmarshal([]byte(out), &found); err != nil || status != 1 || len(found.Damaged) != 2 {
		t.Errorf("verify --output json ended with %d: %s", status, out)
	}
	empty := filepath.Join(t.TempDir(), "none")
	if status, out := command(t, "verify", "--data", empty); status != 2 || !strings.Contains(out, "there is no server's data") {
		t.Errorf("verify of nothing ended with %d: %s", status, out)
	}
	if _, err := os.Stat(empty); err == nil {
		t.Error("verify made a folder")
	}
}

// TestBackup: backups made while imports and updates run are whole, and a
// server on each has every dataset as it was at one of its revisions, and
// finishes what was under way.
func TestBackup(t *testing.T) {
	server := serve(t, "--limits", "none", "--import-range", "65536")
	arn := manifestDataset(t, server, "parts", labeled("a.jpg", "bolt"))
	var text strings.Builder
	manifest := groundtruth.Manifest{Lines: 3000}
	if _, err := manifest.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	upload(t, server, "kill.manifest", text.String())
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	worker := func(fn func(n int) error) {
		busy.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if err := fn(n); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	worker(func(n int) error {
		return change(ctx, server, arn, labeled("a.jpg", "nut")+labeled(fmt.Sprintf("%d.jpg", n), "bolt"))
	})
	worker(func(n int) error {
		project, err := makeProject(ctx, server, fmt.Sprintf("import-%d", n))
		if err == nil {
			err = createDataset(ctx, server, project)
		}
		time.Sleep(50 * time.Millisecond)
		return err
	})
	worker(func(n int) error { // objects that come and go
		key := fmt.Sprintf("tmp/%d", n)
		if err := server.Put(ctx, "factory", key, strings.NewReader(text.String()), int64(text.Len())); err != nil {
			return err
		}
		resp, err := server.Do(ctx, "s3", http.MethodDelete, "/factory/"+key, nil, nil)
		if err == nil {
			resp.Body.Close()
		}
		return err
	})
	var copies []string
	for n := range 4 {
		to := filepath.Join(t.TempDir(), "copy")
		t.Logf("backup %d: %s", n, mustCommand(t, "backup", "--data", server.Data, "--to", to))
		copies = append(copies, to)
		if out := mustCommand(t, "verify", "--data", server.Data); !strings.HasSuffix(out, " 0 damaged\n") {
			t.Errorf("verify beside a busy server: %s", out)
		}
	}
	stop()
	busy.Wait()
	if status, out := command(t, "backup", "--data", server.Data, "--to", copies[0]); status != 2 || !strings.Contains(out, "is not empty") {
		t.Errorf("a backup over a backup ended with %d: %s", status, out)
	}
	for _, to := range copies {
		if out := mustCommand(t, "verify", "--data", to); !strings.HasSuffix(out, " 0 damaged\n") {
			t.Errorf("verify of a backup: %s", out)
		}
		checkBackup(t, server, to)
	}
}

// checkBackup starts a server on a backup and compares what it has with the
// history of the server that it is of.
func checkBackup(t *testing.T, server *process.Server, data string) {
	t.Helper()
	copied := &process.Server{Binary: binary, Data: data, Args: []string{"--limits", "none"}}
	if err := copied.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := copied.Stop(); err != nil {
			t.Error(err)
		}
	}()
	var found struct {
		ProjectDescriptions []struct {
			ProjectArn string
			Datasets   []struct{ DatasetArn, Status string }
		}
	}
	if err := copied.Rekognition(t.Context(), "DescribeProjects", map[string]any{"MaxResults": 100}, &found); err != nil {
		t.Fatal(err)
	}
	for _, p := range found.ProjectDescriptions {
		name := p.ProjectArn[strings.Index(p.ProjectArn, "project/")+8:]
		name = name[:strings.IndexByte(name, '/')]
		if len(p.Datasets) == 0 {
			continue // made just before its dataset
		}
		awaitDone(t, copied, p.Datasets[0].DatasetArn)
		number, entries := revisionOf(t, copied, name)
		if number == 0 {
			t.Errorf("%s has no content", name)
			continue
		}
		if want := entriesAt(t, server, name, number); want != entries {
			t.Errorf("%s has other entries at revision %d than the server that it is a copy of", name, number)
		}
	}
}

// awaitDone waits until nothing changes a dataset.
func awaitDone(t *testing.T, server *process.Server, arn string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		switch status := describe(t, server, arn).Status; {
		case strings.HasSuffix(status, "_COMPLETE"):
			return
		case strings.HasSuffix(status, "_FAILED") || time.Now().After(deadline):
			t.Fatalf("the dataset of a backup is %s", status)
		}
	}
}

// revisionOf returns the number of the current revision of a train dataset and
// its entries.
func revisionOf(t *testing.T, server *process.Server, project string) (number int64, entries string) {
	t.Helper()
	var list struct {
		Revisions []struct {
			Revision int64
			Current  bool
		}
	}
	if err := json.Unmarshal([]byte(own(t, server, project, "revisions?max=1")), &list); err != nil {
		t.Fatal(err)
	}
	for _, r := range list.Revisions {
		if r.Current {
			return r.Revision, entriesAt(t, server, project, r.Revision)
		}
	}
	return 0, ""
}

func entriesAt(t *testing.T, server *process.Server, project string, revision int64) string {
	t.Helper()
	return own(t, server, project, fmt.Sprintf("entries?revision=%d", revision))
}

// own calls fovea's own API about a train dataset.
func own(t *testing.T, server *process.Server, project, call string) string {
	t.Helper()
	resp, err := server.Do(t.Context(), "fovea", http.MethodGet, "/fovea/v1/custom-labels/"+project+"/train/"+call, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s of %s: %s %.300s, %v", call, project, resp.Status, text, err)
	}
	return string(text)
}
