package integration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fovea/bench/groundtruth"
	"fovea/integration/process"
)

// kills is how often the server is killed while it imports.
const kills = 50

// A content is what clients see of a dataset.
type content struct {
	Stats   map[string]any
	Labels  string // JSON
	Entries int
	Digest  string // SHA-256 of the entries in their order
}

// TestKill kills the server with SIGKILL at random moments of imports and
// starts it again, and compares what comes of them with an import that was
// left alone.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	manifest := groundtruth.Manifest{Lines: 60_000, Errors: 0.05, Dropped: 0.05}
	server := serve(t, "--limits", "none", "--import-range", "1048576")
	var text bytes.Buffer
	if _, err := manifest.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	upload(t, server, "kill.manifest", text.String())

	began := time.Now()
	want, took := importAlone(t, server, "alone")
	t.Logf("an import left alone took %v, all in all %v", took, time.Since(began))
	entries, errs := manifest.Totals()
	if int64(want.Entries) != entries || want.Stats["TotalEntries"] != float64(entries) || want.Stats["ErrorEntries"] != float64(errs) {
		t.Fatalf("the import has %d entries and stats %v, want %d and %d with errors", want.Entries, want.Stats, entries, errs)
	}

	imports, hits := 0, 0
	for hits < kills {
		imports++
		name := fmt.Sprintf("kill-%d", imports)
		project, err := makeProject(t.Context(), server, name)
		if err != nil {
			t.Fatal(err)
		}
		for done := false; !done; {
			hit := killWhileImporting(t, server, project, took)
			if hit {
				hits++
			}
			done = imported(t, server, project, hits < kills)
		}
		if got := contentOf(t, server, datasetOf(t, server, project)); got.Digest != want.Digest || got.Labels != want.Labels ||
			fmt.Sprint(got.Stats) != fmt.Sprint(want.Stats) || got.Entries != want.Entries {
			t.Fatalf("after %d kills import %d has\n%+v, want\n%+v", hits, imports, got, want)
		}
		if time.Since(began) > patience {
			t.Fatalf("only %d kills in %v", hits, time.Since(began))
		}
	}
	t.Logf("%d kills in %d imports, %v", hits, imports, time.Since(began))
}

// importAlone imports into a project without a kill and returns what came of it,
// and how long the import took.
func importAlone(t *testing.T, server *process.Server, name string) (content, time.Duration) {
	t.Helper()
	project, err := makeProject(t.Context(), server, name)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := createDataset(t.Context(), server, project); err != nil {
		t.Fatal(err)
	}
	imported(t, server, project, false)
	took := time.Since(began)
	return contentOf(t, server, datasetOf(t, server, project)), took
}

// killWhileImporting starts the import unless it goes on already, kills the
// server before the import can be expected to end, and starts it again. It
// reports whether the import had still something to do.
func killWhileImporting(t *testing.T, server *process.Server, project string, took time.Duration) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan error, 1)
	if datasetOf(t, server, project) == "" {
		go func() { asked <- createDataset(ctx, server, project) }()
	} else {
		asked <- nil
	}
	time.Sleep(rand.N(took))
	server.Kill()
	cancel()
	<-asked // with whatever error: nobody promised that call anything
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	arn := datasetOf(t, server, project)
	return arn == "" || describe(t, server, arn).Status == "CREATE_IN_PROGRESS"
}

// imported waits until the project's dataset is complete and reports true, or,
// if the import is to be killed again, reports at once how it is.
func imported(t *testing.T, server *process.Server, project string, again bool) bool {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		arn := datasetOf(t, server, project)
		if arn == "" {
			if again {
				return false
			}
			if err := createDataset(t.Context(), server, project); err != nil {
				t.Fatal(err)
			}
			continue
		}
		switch d := describe(t, server, arn); {
		case d.Status == "CREATE_COMPLETE":
			return true
		case d.Status != "CREATE_IN_PROGRESS":
			t.Fatalf("the import ended as %s: %s", d.Status, d.StatusMessage)
		case again:
			return false
		case time.Now().After(deadline):
			t.Fatal("the import does not end")
		}
	}
}

func makeProject(ctx context.Context, server *process.Server, name string) (string, error) {
	var made struct{ ProjectArn string }
	err := server.Rekognition(ctx, "CreateProject", map[string]any{"ProjectName": name}, &made)
	return made.ProjectArn, err
}

func createDataset(ctx context.Context, server *process.Server, project string) error {
	return server.Rekognition(ctx, "CreateDataset", map[string]any{
		"ProjectArn": project, "DatasetType": "TRAIN",
		"DatasetSource": map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": "factory", "Name": "kill.manifest"}}},
	}, nil)
}

// datasetOf returns the ARN of a project's only dataset, "" if it has none.
func datasetOf(t *testing.T, server *process.Server, project string) string {
	t.Helper()
	var found struct {
		ProjectDescriptions []struct {
			ProjectArn string
			Datasets   []struct{ DatasetArn string }
		}
	}
	name := strings.Split(project, "/")[1] // a page has room for 100 projects
	if err := server.Rekognition(t.Context(), "DescribeProjects", map[string]any{"ProjectNames": []string{name}}, &found); err != nil {
		t.Fatal(err)
	}
	for _, p := range found.ProjectDescriptions {
		if p.ProjectArn == project && len(p.Datasets) > 0 {
			return p.Datasets[0].DatasetArn
		}
	}
	return ""
}

type description struct {
	Status, StatusMessage string
	DatasetStats          map[string]any
}

func describe(t *testing.T, server *process.Server, arn string) description {
	t.Helper()
	var found struct{ DatasetDescription description }
	if err := server.Rekognition(t.Context(), "DescribeDataset", map[string]any{"DatasetArn": arn}, &found); err != nil {
		t.Fatal(err)
	}
	return found.DatasetDescription
}

// contentOf lists everything in a dataset.
func contentOf(t *testing.T, server *process.Server, arn string) content {
	t.Helper()
	c := content{Stats: describe(t, server, arn).DatasetStats}
	sum := sha256.New()
	for token := ""; ; {
		var page struct {
			DatasetEntries []string
			NextToken      string
		}
		if err := server.Rekognition(t.Context(), "ListDatasetEntries", map[string]any{"DatasetArn": arn, "NextToken": token}, &page); err != nil {
			t.Fatal(err)
		}
		for _, entry := range page.DatasetEntries {
			fmt.Fprintln(sum, entry)
			c.Entries++
		}
		if token = page.NextToken; token == "" {
			break
		}
	}
	c.Digest = hex.EncodeToString(sum.Sum(nil))
	var labels map[string]any
	if err := server.Rekognition(t.Context(), "ListDatasetLabels", map[string]any{"DatasetArn": arn}, &labels); err != nil {
		t.Fatal(err)
	}
	c.Labels = encode(labels)
	return c
}
