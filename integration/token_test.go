package integration

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"
)

// TestClientTokenRace sends one CreateDataset a hundred times at once: one
// dataset comes of it, and every accepted call has the same answer, also after
// a crash (LV-4.9, LV-4.12, LV-4.14).
func TestClientTokenRace(t *testing.T) {
	t.Parallel()
	const calls = 100
	server := serve(t)
	upload(t, server, "a.manifest", cookie("c/1.jpg", "normal", "2026-01-01T00:00:00Z"))
	if err := server.Lookout(t.Context(), "POST", "/projects", nil, map[string]any{"ProjectName": "p"}, nil); err != nil {
		t.Fatal(err)
	}
	type outcome struct {
		status int
		body   []byte
	}
	create := func(kind string) outcome {
		header := http.Header{"Content-Type": {"application/json"}, "X-Amzn-Client-Token": {"only-once"}}
		body := `{"DatasetType":"` + kind + `","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"factory","Key":"a.manifest"}}}}`
		resp, err := server.Do(t.Context(), "lookoutvision", "POST", "/2020-11-20/projects/p/datasets", header, []byte(body))
		if err != nil {
			t.Error(err)
			return outcome{}
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		return outcome{resp.StatusCode, answer}
	}

	outcomes := make([]outcome, calls)
	var wg sync.WaitGroup
	for i := range outcomes {
		wg.Go(func() { outcomes[i] = create("train") })
	}
	wg.Wait()
	var first []byte
	for i, o := range outcomes {
		switch {
		case o.status == http.StatusConflict:
			continue
		case o.status != http.StatusAccepted:
			t.Fatalf("call %d: status %d: %s", i, o.status, o.body)
		case first == nil:
			first = o.body
		case !bytes.Equal(o.body, first):
			t.Fatalf("call %d answered %s, another %s", i, o.body, first)
		}
	}
	if first == nil {
		t.Fatal("no call was accepted")
	}

	server.Kill()
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := create("train"); again.status != http.StatusAccepted || !bytes.Equal(again.body, first) {
		t.Errorf("after a crash: status %d, %s; before: %s", again.status, again.body, first)
	}
	if other := create("test"); other.status != http.StatusBadRequest {
		t.Errorf("with other parameters: status %d, %s", other.status, other.body)
	}
	var found struct {
		ProjectDescription struct {
			Datasets []struct{ DatasetType string }
		}
	}
	if err := server.Lookout(t.Context(), "GET", "/projects/p", nil, nil, &found); err != nil {
		t.Fatal(err)
	}
	if d := found.ProjectDescription.Datasets; len(d) != 1 || d[0].DatasetType != "train" {
		t.Errorf("the project has the datasets %v", d)
	}
}
