package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fovea/integration/cutfs"
	"fovea/integration/process"
)

// cutDisk mounts a file system that knows what is durable, for the time of a
// test.
func cutDisk(t *testing.T) (disk *cutfs.FS, dir string) {
	t.Helper()
	dir = t.TempDir()
	disk, err := cutfs.Mount(dir)
	if err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := disk.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return disk, dir
}

// A machine is a server on a disk whose power may be cut.
type machine struct {
	t      *testing.T
	disk   *cutfs.FS
	server *process.Server
	facts  []fact // what was acknowledged
}

// A fact is something that a client was told: what, and how to look whether it
// is still so.
type fact struct {
	what string
	look func() error
}

// newMachine starts a server on a disk that lies about what it has synced as
// it is told, nil for an honest one.
func newMachine(t *testing.T, lies func(path string) bool) *machine {
	t.Helper()
	disk, dir := cutDisk(t)
	disk.Lie(lies)
	return &machine{t: t, disk: disk, server: running(t, filepath.Join(dir, "data"), "--limits", "none", "--import-range", "65536")}
}

// cut cuts the power and starts the server again.
func (m *machine) cut(loss cutfs.Loss, rng *rand.Rand) error {
	m.t.Helper()
	m.server.Kill()
	if err := m.disk.Cut(loss, rng); err != nil {
		m.t.Fatal(err)
	}
	return m.server.Start(m.t.Context())
}

// told notes a fact, which must be so now.
func (m *machine) told(what string, look func() error) {
	m.t.Helper()
	if err := look(); err != nil {
		m.t.Fatalf("%s: %v", what, err)
	}
	m.facts = append(m.facts, fact{what, look})
}

// lost returns what of the facts is no longer so, and what fovea verify finds.
func (m *machine) lost() []string {
	m.t.Helper()
	lost := m.look()
	if status, out := command(m.t, "verify", "--data", m.server.Data); status != 0 {
		lost = append(lost, fmt.Sprintf("verify: %d %s", status, out))
	}
	return lost
}

// object returns a look at an object of S3.
func (m *machine) object(key, want string) func() error {
	return func() error {
		resp, err := m.server.Do(m.t.Context(), "s3", "GET", "/factory/"+key, nil, nil)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err == nil && (resp.StatusCode != http.StatusOK || string(text) != want) {
			err = fmt.Errorf("status %d and %d bytes, want %d", resp.StatusCode, len(text), len(want))
		}
		return err
	}
}

// only returns the only dataset of a project and its status.
func (m *machine) only(ctx context.Context, project string) (arn, status string, err error) {
	var found struct {
		ProjectDescriptions []struct {
			Datasets []struct{ DatasetArn, Status string }
		}
	}
	err = m.server.Rekognition(ctx, "DescribeProjects", map[string]any{"ProjectNames": []string{project}}, &found)
	if err == nil && (len(found.ProjectDescriptions) != 1 || len(found.ProjectDescriptions[0].Datasets) != 1) {
		err = errors.New("there is no such project with one dataset")
	}
	if err != nil {
		return "", "", err
	}
	d := found.ProjectDescriptions[0].Datasets[0]
	return d.DatasetArn, d.Status, nil
}

// dataset returns a look at the status and the entries of the only dataset of a
// project.
func (m *machine) dataset(project string, entries int, status string) func() error {
	return func() error {
		arn, is, err := m.only(m.t.Context(), project)
		if err != nil {
			return err
		}
		if is != status {
			return fmt.Errorf("it is %s, want %s", is, status)
		}
		n := 0
		for token := ""; ; {
			var page struct {
				DatasetEntries []string
				NextToken      string
			}
			if err := m.server.Rekognition(m.t.Context(), "ListDatasetEntries", map[string]any{"DatasetArn": arn, "NextToken": token}, &page); err != nil {
				return err
			}
			n += len(page.DatasetEntries)
			if token = page.NextToken; token == "" {
				break
			}
		}
		if n != entries {
			return fmt.Errorf("%d entries, want %d", n, entries)
		}
		return nil
	}
}

// workEntries is how many entries a dataset of work has: several ranges.
const workEntries = 600

// work has the server acknowledge something of every kind: objects whole and in
// parts, a project, datasets that are imported, updated and deleted.
func (m *machine) work(name string) {
	m.t.Helper()
	t, s, ctx := m.t, m.server, m.t.Context()
	var manifest strings.Builder
	for n := range workEntries {
		manifest.WriteString(leaf(fmt.Sprintf("%s-%d", name, n), "part"))
	}
	upload(t, s, "kill.manifest", manifest.String())
	m.facts = slices.DeleteFunc(m.facts, func(f fact) bool { return f.what == "the manifest" })
	m.told("the manifest", m.object("kill.manifest", manifest.String()))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	first := strings.Repeat("a", 5<<20)
	must(multipart(ctx, s, name+".bin", first, "the end"))
	m.told("the object in parts of "+name, m.object(name+".bin", first+"the end"))

	_, train, _ := killProject(t, s, name, false)
	must(change(ctx, s, train, leaf(name+"-more", "part", "scratch")))
	m.told("the import and update of "+name, m.dataset(name, workEntries+1, "UPDATE_COMPLETE"))
	_, gone, _ := killProject(t, s, name+"-gone", false)
	must(s.Rekognition(ctx, "DeleteDataset", map[string]any{"DatasetArn": gone}, nil))
	m.told("the deletion of "+name, func() error {
		err := s.Rekognition(ctx, "DescribeDataset", map[string]any{"DatasetArn": gone}, nil)
		if answer := (*process.AnswerError)(nil); errors.As(err, &answer) && strings.Contains(string(answer.Body), "ResourceNotFound") {
			return nil
		}
		return fmt.Errorf("it is there, or %v", err)
	})
}

var uploadID = regexp.MustCompile(`<UploadId>(.*)</UploadId>`)

// multipart uploads an object in parts.
func multipart(ctx context.Context, s *process.Server, key string, parts ...string) error {
	call := func(method, query, body string) (http.Header, string, error) {
		resp, err := s.Do(ctx, "s3", method, "/factory/"+key+query, nil, []byte(body))
		if err != nil {
			return nil, "", err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s %s: status %d: %s", method, query, resp.StatusCode, text)
		}
		return resp.Header, string(text), err
	}
	_, text, err := call("POST", "?uploads", "")
	if err != nil {
		return err
	}
	found := uploadID.FindStringSubmatch(text)
	if found == nil {
		return fmt.Errorf("no upload in %s", text)
	}
	var list strings.Builder
	for i, part := range parts {
		header, _, err := call("PUT", fmt.Sprintf("?partNumber=%d&uploadId=%s", i+1, found[1]), part)
		if err != nil {
			return err
		}
		fmt.Fprintf(&list, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, header.Get("ETag"))
	}
	_, _, err = call("POST", "?uploadId="+found[1], "<CompleteMultipartUpload>"+list.String()+"</CompleteMultipartUpload>")
	return err
}

// TestPowerCut (T17): the power goes as soon as everything is acknowledged, and
// all that was not synced is lost. Nothing that was acknowledged is.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	m := newMachine(t, nil)
	for n := range 3 {
		m.work(fmt.Sprint("all-", n))
		if err := m.cut(cutfs.All, nil); err != nil {
			t.Fatal(err)
		}
		if lost := m.lost(); len(lost) > 0 {
			t.Errorf("cut %d has lost %s", n, strings.Join(lost, "; "))
		}
	}
	t.Logf("%d syncs", m.disk.Syncs())
}

// powerCuts is how often the power is cut in the middle of work.
const powerCuts = 12

// TestPowerCutAnywhere (T17): the power goes at any moment of imports, updates
// and uploads, and any part of what was not synced is lost. What was
// acknowledged is there, what was not is whole or not there, and imports go on.
func TestPowerCutAnywhere(t *testing.T) {
	t.Parallel()
	m := newMachine(t, nil)
	m.work("before")
	resumed := 0
	for n := range powerCuts {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		name := fmt.Sprint("cut-", n)
		project, err := makeProject(t.Context(), m.server, name)
		if err != nil {
			t.Fatal(err)
		}
		told := make(chan []fact, 1)
		go func() { told <- m.disturbed(name, project) }()
		time.Sleep(time.Duration(rng.Int64N(int64(200 * time.Millisecond))))
		m.server.Kill()
		m.facts = append(m.facts, <-told...)
		if err := m.cut([]cutfs.Loss{cutfs.All, cutfs.Some}[n%2], rng); err != nil {
			t.Fatalf("cut %d, seed %d: %v", n, seed, err)
		}
		if arn := datasetOf(t, m.server, project); arn != "" {
			if strings.HasSuffix(describe(t, m.server, arn).Status, "_IN_PROGRESS") {
				resumed++
			}
			if d := ended(t, m.server, arn); !strings.HasSuffix(d.Status, "_COMPLETE") || d.DatasetStats["TotalEntries"].(float64) < workEntries {
				t.Errorf("cut %d, seed %d: the dataset is %+v", n, seed, d)
			}
		}
		if lost := m.lost(); len(lost) > 0 {
			t.Fatalf("cut %d, seed %d, has lost %s", n, seed, strings.Join(lost, "; "))
		}
	}
	t.Logf("%d of %d cuts were in the middle of a job, %d facts, %d syncs", resumed, powerCuts, len(m.facts), m.disk.Syncs())
}

// disturbed works until the server is gone and returns what was acknowledged.
func (m *machine) disturbed(name, project string) (facts []fact) {
	ctx := context.WithoutCancel(m.t.Context())
	if createDataset(ctx, m.server, project) != nil {
		return nil
	}
	for n := 0; ; n++ {
		key, text := fmt.Sprintf("%s-%d", name, n), strings.Repeat(name, 1+n)
		if m.server.Put(ctx, "factory", key, strings.NewReader(text), int64(len(text))) != nil {
			return facts
		}
		facts = append(facts, fact{"the object " + key, m.object(key, text)})
		arn, status, err := m.only(ctx, name)
		if err == nil && n%3 == 0 && strings.HasSuffix(status, "_COMPLETE") {
			err = update(ctx, m.server, arn, leaf(key, "part"))
		}
		if err != nil {
			return facts
		}
	}
}

// TestPowerCutNeedsSyncs (T17): each kind of sync is needed. On a disk that
// claims to do it and does not, something that was acknowledged is lost; so the
// tests above would notice if one were left out.
func TestPowerCutNeedsSyncs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		lies   string // a regular expression for paths
		needed bool
	}{
		{"the database's log", `^data/fovea\.db-wal$`, true},
		{"the data folder", `^data$`, true},
		{"the parent of the data folder", `^$`, true},
		{"the content of segments", `^data/blobs/@tmp/`, true},
		{"the folders of segments", `^data/blobs/segments/`, true},
		{"the log of the S3", `^data/s3/s3\.db-wal$`, true},
		{"the folder of the S3", `^data/s3$`, true},
		{"the content of objects", `^data/s3/blobs/../`, true},
		{"the folders of objects", `^data/s3/blobs/..$`, true},
		{"what an import has done so far", `^data/blobs/imports/`, false}, // it is done again
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, regexp.MustCompile(tt.lies).MatchString)
			m.work("w")
			key, err := os.ReadFile(filepath.Join(m.server.Data, "root-key.json"))
			if err != nil {
				t.Fatal(err)
			}
			var lost []string
			err = m.cut(cutfs.All, nil)
			now, _ := os.ReadFile(filepath.Join(m.server.Data, "root-key.json"))
			switch {
			case err != nil:
				lost = []string{"it does not start: " + tail(err.Error(), 200)}
			case !slices.Equal(now, key):
				lost = []string{"everything, the key included"}
			default:
				lost = m.lost()
			}
			if tt.needed != (len(lost) > 0) {
				t.Errorf("without a sync of %s was lost: %q", tt.name, lost)
			}
			t.Logf("lost: %.300q", lost)
		})
	}
}
