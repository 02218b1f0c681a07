package integration

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// An importSummary is what import --output json says first.
type importSummary struct {
	Sent      int64 `json:"sent_objects"`
	Unchanged int64 `json:"unchanged_objects"`
	LeftOut   int64 `json:"left_out"`
	Datasets  []struct {
		Dataset, Action, Status string
		Entries                 int64
	}
}

// importsOf runs an import and returns what it says.
func importsOf(t *testing.T, want int, args []string) (r importSummary) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, append(args, "--output", "json")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Fatalf("fovea %v ended with %d, want %d:\n%s%s", args, got, want, out, stderr.String())
	}
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r
}

// TestImportAgain imports a folder again: unchanged, and changed with each way
// to go on.
func TestImportAgain(t *testing.T) {
	t.Parallel()
	server := serve(t)
	tree := t.TempDir()
	writeTree(t, tree, classFolders(t, 30))
	args := importCommand(server, "custom-labels", "p", tree)
	if r := importsOf(t, 0, args); r.Sent != 30 || r.Unchanged != 0 || len(r.Datasets) != 1 || r.Datasets[0].Action != "created" || r.Datasets[0].Entries != 30 {
		t.Fatalf("the first time: %+v", r)
	}
	before := holdings(t, server, "custom-labels/p/train")
	if r := importsOf(t, 0, args); r.Sent != 0 || r.Unchanged != 30 || r.Datasets[0].Action != "unchanged" {
		t.Errorf("the second time: %+v", r)
	}

	// same size, other bytes; a new one; one less
	writeTree(t, tree, map[string][]byte{"leaf/000.png": drawn(t, "else", 64, 64), "leaf/new.png": drawn(t, "new", 64, 64)})
	if err := os.Remove(filepath.Join(tree, "leaf", "003.png")); err != nil {
		t.Fatal(err)
	}
	status, out := command(t, args...)
	if status != 1 || !strings.Contains(out, "--update") || !strings.Contains(out, "--replace") {
		t.Errorf("a changed folder: %d %s", status, out)
	}
	if r := importsOf(t, 0, append(args, "--update")); r.Datasets[0].Action != "updated" || r.Datasets[0].Entries != 31 {
		t.Errorf("--update: %+v", r)
	}
	if r := importsOf(t, 0, append(args, "--replace")); r.Datasets[0].Action != "replaced" || r.Datasets[0].Entries != 30 {
		t.Errorf("--replace: %+v", r)
	}
	after := holdings(t, server, "custom-labels/p/train")
	if len(after) != 30 || gocmp.Equal(before, after) {
		t.Errorf("after --replace there are %d entries", len(after))
	}
	if r := importsOf(t, 0, args); r.Sent != 0 || r.Datasets[0].Action != "unchanged" {
		t.Errorf("the last time: %+v", r)
	}

	// a dataset that failed only takes the place
	bad := t.TempDir()
	writeTree(t, bad, map[string][]byte{"normal/1.png": drawn(t, "1", 64, 64)})
	if err := server.Lookout(t.Context(), "POST", "/projects", nil, map[string]any{"ProjectName": "failed"}, nil); err != nil {
		t.Fatal(err)
	}
	upload(t, server, "broken.manifest", "{\n")
	source := map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": "factory", "Key": "broken.manifest"}}}
	if err := server.Lookout(t.Context(), "POST", "/projects/failed/datasets", nil, map[string]any{"DatasetType": "train", "DatasetSource": source}, nil); err != nil {
		t.Fatal(err)
	}
	if r := importsOf(t, 0, importCommand(server, "lookout", "failed", bad)); r.Datasets[0].Action != "created" || r.Datasets[0].Status != "CREATE_COMPLETE" {
		t.Errorf("after a failure: %+v", r)
	}
}

// TestImportLeavesOut imports what is right of a folder in which much is wrong,
// and names the rest.
func TestImportLeavesOut(t *testing.T) {
	t.Parallel()
	server := serve(t)
	tree := t.TempDir()
	writeTree(t, tree, classFolders(t, 6))
	writeTree(t, tree, map[string][]byte{
		"leaf/lies.jpg": []byte("GIF89a is no JPEG"), "leaf/empty.png": nil, "leaf/cut.png": drawn(t, "cut", 64, 64)[:20], "leaf/page.png": []byte("<html>"),
	})
	if err := os.Symlink("/etc/passwd", filepath.Join(tree, "leaf", "link.png")); err != nil {
		t.Fatal(err)
	}
	status, out := command(t, importCommand(server, "custom-labels", "p", tree)...)
	if status != 1 {
		t.Errorf("the exit status is %d", status)
	}
	for _, text := range []string{"leaf/lies.jpg", "leaf/empty.png", "leaf/cut.png", "leaf/page.png", "6 images"} {
		if !strings.Contains(out, text) {
			t.Errorf("it does not name %s:\n%s", text, out)
		}
	}
	if got := holdings(t, server, "custom-labels/p/train"); len(got) != 6 {
		t.Errorf("%d entries", len(got))
	}
	if status, out := command(t, importCommand(server, "lookout", "p", t.TempDir())...); status == 0 {
		t.Errorf("an empty folder was imported: %s", out)
	}
	status, out = command(t, "import", tree, "--service", "lookout", "--project", "p", "--data", server.Data, "--listen", "127.0.0.1:1")
	if status != 2 || !strings.Contains(out, "fovea serve") {
		t.Errorf("without a server: %d %s", status, out)
	}
}

// TestImportKilled kills the import with SIGKILL again and again, each time some
// requests further on; started again, it ends with what one that was left alone
// ends with.
func TestImportKilled(t *testing.T) {
	t.Parallel()
	server := serve(t)
	proxy := newFaulty(t, server)
	tree := t.TempDir()
	writeTree(t, tree, classFolders(t, 90))
	flags := func(project string) []string {
		return []string{"import", tree, "--service", "custom-labels", "--project", project, "--split", "70/30", "--jobs", "4",
			"--data", server.Data, "--listen", strings.TrimPrefix(proxy.URL, "http://")}
	}
	mustCommand(t, importCommand(server, "custom-labels", "alone", tree, "--split", "70/30")...)
	kills := untilDone(t, proxy, flags("killed"), 17)
	if kills < 4 {
		t.Errorf("only %d kills", kills)
	}
	for _, split := range []string{"train", "test"} {
		equal(t, split, holdings(t, server, "custom-labels/alone/"+split), holdings(t, server, "custom-labels/killed/"+split))
	}
}

// untilDone runs a command and kills it when so many requests have passed the
// proxy, until it ends by itself. It returns how often it was killed.
func untilDone(t *testing.T, proxy *faulty, args []string, after int64) (kills int) {
	t.Helper()
	for {
		cmd := exec.CommandContext(t.Context(), binary, args...)
		var said bytes.Buffer
		cmd.Stderr = &said
		proxy.set(func(n int64, _ http.ResponseWriter, _ *http.Request) bool {
			if n == after {
				cmd.Process.Kill()
			}
			return false
		})
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		err := cmd.Wait()
		var exit *exec.ExitError
		switch {
		case err == nil:
			return kills
		case errors.As(err, &exit) && exit.ExitCode() == -1:
			kills++
			after += 2 // or a command that begins with as many questions never gets further
		default:
			t.Fatalf("%v: %s", err, said.String())
		}
		if kills > 100 {
			t.Fatal("it does not end")
		}
	}
}

// TestImportBrokenNetwork breaks the network under an import: what is short is
// waited for; what lasts ends the command, which goes on when it is started
// again.
func TestImportBrokenNetwork(t *testing.T) {
	t.Parallel()
	server := serve(t)
	proxy := newFaulty(t, server)
	tree := t.TempDir()
	writeTree(t, tree, classFolders(t, 60))
	flags := func(project string, attempts int) []string {
		return []string{"import", tree, "--service", "lookout", "--project", project, "--attempts", fmt.Sprint(attempts),
			"--data", server.Data, "--listen", strings.TrimPrefix(proxy.URL, "http://")}
	}
	mustCommand(t, importCommand(server, "lookout", "alone", tree)...)
	want := holdings(t, server, "lookout/alone/train")

	proxy.set(func(n int64, w http.ResponseWriter, _ *http.Request) bool { return n%5 == 0 && broke(n, w) })
	mustCommand(t, flags("short", 8)...)
	equal(t, "a network that breaks for short", want, holdings(t, server, "lookout/short/train"))

	breaks := 0
	for done := false; !done; breaks++ {
		proxy.set(func(n int64, w http.ResponseWriter, _ *http.Request) bool { return n > 25 && broke(n, w) })
		status, out := command(t, flags("long", 2)...)
		if done = status == 0; !done && (status != 2 || !strings.Contains(out, "Started again")) {
			t.Fatalf("with a broken network: %d %s", status, out)
		}
		if breaks > 20 {
			t.Fatal("it does not end")
		}
	}
	if breaks < 3 {
		t.Errorf("the network broke %d times only", breaks)
	}
	equal(t, "a network that breaks for long", want, holdings(t, server, "lookout/long/train"))
}

// broke breaks a connection: before the answer, or in the middle of it.
func broke(n int64, w http.ResponseWriter) bool {
	if n%2 == 0 {
		w.Header().Set("Content-Length", "100000")
		w.Write([]byte("{"))
	}
	panic(http.ErrAbortHandler)
}

// TestExportKilled kills an export again and again, and breaks the network under
// another, in each form; what they end with equals an export that was left alone.
func TestExportKilled(t *testing.T) {
	t.Parallel()
	server := serve(t)
	proxy := newFaulty(t, server)
	tree := t.TempDir()
	writeTree(t, tree, classFolders(t, 60))
	mustCommand(t, importCommand(server, "custom-labels", "p", tree, "--split", "50/50")...)
	for _, form := range []string{"manifest", "folder"} {
		flags := func(to, attempts string) []string {
			return []string{"export", "custom-labels/p", "--to", to, "--form", form, "--jobs", "3", "--attempts", attempts,
				"--data", server.Data, "--listen", strings.TrimPrefix(proxy.URL, "http://")}
		}
		alone, killed, broken := t.TempDir(), t.TempDir(), t.TempDir()
		proxy.set(nil)
		mustCommand(t, flags(alone, "8")...)
		want := treeOf(t, alone)
		if len(want) < 60 {
			t.Fatalf("%d files", len(want))
		}
		if kills := untilDone(t, proxy, flags(killed, "8"), 15); kills < 3 {
			t.Errorf("only %d kills", kills)
		}
		if diff := gocmp.Diff(want, treeOf(t, killed)); diff != "" {
			t.Errorf("%s, killed: (-alone +killed)\n%s", form, diff)
		}
		breaks := 0
		for done := false; !done && breaks < 30; breaks++ {
			var seen atomic.Int64
			proxy.set(func(_ int64, w http.ResponseWriter, _ *http.Request) bool {
				n := seen.Add(1)
				return n > 90 && broke(n, w)
			})
			status, out := command(t, flags(broken, "2")...)
			if done = status == 0; !done && (status != 2 || !strings.Contains(out, "Started again")) {
				t.Fatalf("with a broken network: %d %s", status, out)
			}
			if breaks > 1 { // the images that are there are asked for, too
				proxy.set(nil)
				mustCommand(t, flags(broken, "2")...)
				break
			}
		}
		if diff := gocmp.Diff(want, treeOf(t, broken)); diff != "" {
			t.Errorf("%s, with a broken network: (-alone +broken)\n%s", form, diff)
		}
	}
}

// treeOf returns the hashes of the files of a folder.
func treeOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		files[name] = fmt.Sprintf("%.6x", sha256.Sum256(readFile(t, path)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestExportAttacks (T03): keys and links that lead out of the folder lead
// nowhere.
func TestExportAttacks(t *testing.T) {
	t.Parallel()
	server := serve(t)
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	lines := ""
	keys := []string{"../../evil", "/" + outside + "/evil", "a/../../../evil", `..\..\evil`, "./x", "a//b", "link/evil", "file", "file/evil", "ok.png"}
	for _, key := range keys {
		data := drawn(t, key, 64, 64)
		if err := server.Put(t.Context(), "factory", escaped(key), bytes.NewReader(data), int64(len(data))); err != nil {
			t.Logf("%q is no key here: %v", key, err)
		}
		text, _ := json.Marshal("s3://factory/" + key)
		lines += fmt.Sprintf(`{"source-ref":%s,"l":1,"l-metadata":{"class-name":"..","confidence":1,"human-annotated":"yes","creation-date":"2021-01-01T00:00:00","type":"groundtruth/image-classification"}}`+"\n", text)
	}
	upload(t, server, "kill.manifest", lines)
	project, err := makeProject(t.Context(), server, "p")
	if err != nil {
		t.Fatal(err)
	}
	if err := createDataset(t.Context(), server, project); err != nil {
		t.Fatal(err)
	}
	ended(t, server, datasetOf(t, server, project))
	for _, form := range []string{"manifest", "folder"} {
		parent := t.TempDir()
		to := filepath.Join(parent, "a", "b", "to")
		if err := os.MkdirAll(filepath.Join(to, "images"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, filepath.Join(to, "images", "link")); err != nil {
			t.Fatal(err)
		}
		status, out := command(t, exportCommand(server, "custom-labels/p/train", to, "--form", form)...)
		if status > 1 {
			t.Errorf("%s: %d %s", form, status, out)
		}
		if found, _ := os.ReadDir(outside); len(found) > 0 {
			t.Errorf("%s: there is %v outside", form, found)
		}
		for name := range treeOf(t, parent) {
			if !strings.HasPrefix(name, filepath.Join("a", "b", "to")+string(filepath.Separator)) {
				t.Errorf("%s: %s was written", form, name)
			}
		}
		if form == "manifest" {
			if _, err := os.Stat(filepath.Join(to, "images", "ok.png")); err != nil {
				t.Errorf("the rest was not exported: %v\n%s", err, out)
			}
		}
	}
}
