package integration

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCookies imports the official example of Lookout for Vision: its real
// photographs and masks, and its manifest with the locations filled in as its
// getting-started script does (LV-13.19d). FOVEA_TEST_DATA says where it is.
func TestCookies(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../shared/data"), "cookies", "dataset-files")
	template, err := os.ReadFile(filepath.Join(folder, "manifests", "template.manifest"))
	if err != nil {
		t.Skipf("no cookies here, set FOVEA_TEST_DATA: %v", err)
	}
	server := serve(t)
	if err := server.MakeBucket(t.Context(), "cookies"); err != nil {
		t.Fatal(err)
	}
	images := 0
	for _, sub := range []string{"training-images", "mask-images"} {
		err := filepath.WalkDir(filepath.Join(folder, sub), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			images++
			return server.Put(t.Context(), "cookies", "getting-started/"+sub+"/"+entry.Name(), bytes.NewReader(data), int64(len(data)))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if images != 63+32 {
		t.Fatalf("uploaded %d images", images)
	}
	manifest := located(t, template, "s3://cookies/getting-started/")
	if err := server.Put(t.Context(), "cookies", "manifests/train.manifest", strings.NewReader(manifest), int64(len(manifest))); err != nil {
		t.Fatal(err)
	}

	if err := server.Lookout(t.Context(), "POST", "/projects", nil, map[string]any{"ProjectName": "cookies"}, nil); err != nil {
		t.Fatal(err)
	}
	source := map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": "cookies", "Key": "manifests/train.manifest"}}}
	if err := server.Lookout(t.Context(), "POST", "/projects/cookies/datasets", nil, map[string]any{"DatasetType": "train", "DatasetSource": source}, nil); err != nil {
		t.Fatal(err)
	}
	var found map[string]any
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if err := server.Lookout(t.Context(), "GET", "/projects/cookies/datasets/train", nil, nil, &found); err != nil {
			t.Fatal(err)
		}
		if status, _ := lookup(found, "DatasetDescription.Status"); status != "CREATE_IN_PROGRESS" || time.Now().After(deadline) {
			break
		}
	}
	want := map[string]any{"DatasetDescription": map[string]any{"Status": "CREATE_COMPLETE",
		"ImageStats": map[string]any{"Total": 63.0, "Labeled": 63.0, "Normal": 31.0, "Anomaly": 32.0}}}
	if diff := match(want, found); diff != "" {
		t.Fatal(diff)
	}

	var listed struct{ DatasetEntries []string }
	if err := server.Lookout(t.Context(), "GET", "/projects/cookies/datasets/train/entries?maxResults=100", nil, nil, &listed); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(manifest), "\n")
	if len(listed.DatasetEntries) != len(lines) {
		t.Fatalf("listed %d entries, want %d", len(listed.DatasetEntries), len(lines))
	}
	for i, line := range lines {
		var want, got any
		if err := json.Unmarshal([]byte(line), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(listed.DatasetEntries[i]), &got); err != nil {
			t.Fatal(err)
		}
		if encode(want) != encode(got) {
			t.Errorf("entry %d is %s, want %s", i, listed.DatasetEntries[i], line)
		}
	}
}

// located puts the prefix before every relative reference of a manifest.
func located(t *testing.T, template []byte, prefix string) string {
	t.Helper()
	var b strings.Builder
	for line := range bytes.Lines(template) {
		var entry map[string]any
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatal(err)
		}
		for key, value := range entry {
			if path, ok := value.(string); ok && strings.HasSuffix(key, "-ref") {
				entry[key] = prefix + path
			}
		}
		text, err := json.Marshal(entry)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", text)
	}
	return b.String()
}
