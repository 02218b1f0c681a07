package integration

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"fovea/integration/process"
)

// upload makes the bucket "factory" if need be and puts a text into it.
func upload(t *testing.T, server *process.Server, key, text string) {
	t.Helper()
	resp, err := server.Do(t.Context(), "s3", "HEAD", "/factory", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		if err := server.MakeBucket(t.Context(), "factory"); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.Put(t.Context(), "factory", key, strings.NewReader(text), int64(len(text))); err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
}

// TestGuideScripts runs the loops of the Custom Labels guide (CL-15.2).
func TestGuideScripts(t *testing.T) {
	t.Parallel()
	server := serve(t)
	b := newBoto3(t, server)
	var manifest strings.Builder
	for i := range 250 {
		manifest.WriteString(leaf(fmt.Sprintf("img/%03d.jpg", i), "leaf"))
	}
	upload(t, server, "a.manifest", manifest.String())
	made, err := b.call(t.Context(), "rekognition", "CreateProject", map[string]any{"ProjectName": "guide"})
	if err != nil || made.Error != nil {
		t.Fatal(err, made.Error)
	}
	project := made.Out["ProjectArn"].(string)

	source := map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": "factory", "Name": "a.manifest"}}}
	train, _ := b.script(t, "create_dataset", map[string]any{"ProjectArn": project, "DatasetType": "TRAIN", "DatasetSource": source})
	test, _ := b.script(t, "create_dataset", map[string]any{"ProjectArn": project, "DatasetType": "TEST", "DatasetSource": map[string]any{"DatasetArn": train}})
	if _, printed := b.script(t, "describe_dataset", map[string]any{"arn": test}); !strings.Contains(printed, "Entries: 250 250 1 0") {
		t.Errorf("describe_dataset printed:\n%s", printed)
	}
	_, printed := b.script(t, "describe_projects", map[string]any{"name": "guide"})
	if !strings.Contains(printed, "Project: guide CREATED\nDatasets: 2\n") {
		t.Errorf("describe_projects printed:\n%s", printed)
	}
	for _, tt := range []struct {
		errors               bool
		page, entries, pages int
	}{
		{errors: false, page: 100, entries: 250, pages: 3},
		{errors: true, page: 100, entries: 0, pages: 1},
		{errors: false, page: 50, entries: 250, pages: 5},
	} {
		listed, _ := b.script(t, "list_entries", map[string]any{"arn": train, "errors": tt.errors, "page": tt.page})
		got := listed.(map[string]any)
		if n := len(got["entries"].([]any)); n != tt.entries || got["pages"] != float64(tt.pages) {
			t.Errorf("list_entries %+v gave %d entries on %v pages", tt, n, got["pages"])
		}
	}
	for _, arn := range []any{train, test} {
		b.script(t, "delete_dataset", map[string]any{"arn": arn})
	}
	if status, _ := b.script(t, "delete_project", map[string]any{"arn": project}); status != "DELETING" {
		t.Errorf("delete_project got status %v", status)
	}
}

// TestLookoutExport exports a dataset of several pages as the AWS example
// does, and imports what it wrote (LV-5.61, LV-13.19b).
func TestLookoutExport(t *testing.T) {
	t.Parallel()
	server := serve(t)
	b := newBoto3(t, server)
	var manifest strings.Builder
	for i := range 230 {
		manifest.WriteString(cookie(fmt.Sprintf("c/%03d.jpg", i), []string{"normal", "anomaly", ""}[i%3], "2026-01-01T00:00:00Z"))
	}
	upload(t, server, "a.manifest", manifest.String())
	if made, err := b.call(t.Context(), "lookoutvision", "CreateProject", map[string]any{"ProjectName": "p"}); err != nil || made.Error != nil {
		t.Fatal(err, made.Error)
	}
	first, printed := b.script(t, "lookout_create_dataset", map[string]any{"project": "p", "type": "train", "bucket": "factory", "key": "a.manifest"})
	if want := "CREATE_IN_PROGRESS The dataset is creating. train\nCREATE_COMPLETE The dataset was created successfully.\n"; printed != want {
		t.Errorf("lookout_create_dataset printed %q, want %q", printed, want)
	}
	exported, _ := b.script(t, "lookout_export", map[string]any{"project": "p"})
	entries := exported.(map[string]any)["train"].([]any)
	if len(entries) != 230 {
		t.Fatalf("exported %d entries, want 230", len(entries))
	}
	var again bytes.Buffer
	for _, e := range entries {
		fmt.Fprintln(&again, encode(e))
	}
	upload(t, server, "b.manifest", again.String())
	second, _ := b.script(t, "lookout_create_dataset", map[string]any{"project": "p", "type": "test", "bucket": "factory", "key": "b.manifest"})
	stats := map[string]any{"ImageStats": map[string]any{"Total": 230.0, "Labeled": 154.0, "Normal": 77.0, "Anomaly": 77.0}}
	for _, d := range []any{first, second} {
		if diff := match(stats, d); diff != "" {
			t.Error(diff)
		}
	}
}

// TestTransferManager moves 20 MB in parts, and reads by a presigned URL.
func TestTransferManager(t *testing.T) {
	t.Parallel()
	server := serve(t)
	b := newBoto3(t, server)
	upload(t, server, "small", "hello")
	moved, _ := b.script(t, "transfer", map[string]any{"bucket": "factory", "key": "large", "size": 20 << 20})
	want := map[string]any{"same": true, "size": float64(20 << 20), "etag": `~"[0-9a-f]{32}-4"`}
	if diff := match(want, moved); diff != "" {
		t.Error(diff)
	}

	url, _ := b.script(t, "presign", map[string]any{"bucket": "factory", "key": "small", "seconds": 60})
	old, _ := b.script(t, "presign", map[string]any{"bucket": "factory", "key": "small", "seconds": 60, "version": nil})
	for _, tt := range []struct {
		name, url, body string
		status          int
	}{
		{"of version 2", old.(string), "Config(signature_version=", http.StatusBadRequest},
		{"as signed", url.(string), "hello", http.StatusOK},
		{"of another key", strings.Replace(url.(string), "/small", "/large", 1), "SignatureDoesNotMatch", http.StatusForbidden},
	} {
		resp, err := http.Get(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status || !strings.Contains(string(body), tt.body) {
			t.Errorf("presigned URL %s: status %d, body %.300s, %v", tt.name, resp.StatusCode, body, err)
		}
	}
}
