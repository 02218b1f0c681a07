package integration

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"math"
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
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
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

// TestCookiesModel trains on some of the real cookies, smaller than they are,
// with their masks, as the official example does, and detects on others.
func TestCookiesModel(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for half a minute")
	}
	t.Parallel()
	folder := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../shared/data"), "cookies", "dataset-files")
	template, err := os.ReadFile(filepath.Join(folder, "manifests", "template.manifest"))
	if err != nil {
		t.Skipf("no cookies here, set FOVEA_TEST_DATA: %v", err)
	}
	server := serve(t, "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	var manifest strings.Builder
	held := map[string][]byte{} // an image of each class, not trained on
	taken := map[string]int{}
	for line := range strings.Lines(located(t, template, "s3://factory/cookies/")) {
		class := "normal"
		if strings.Contains(line, `"class-name":"anomaly"`) {
			class = "anomaly"
		}
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		photo := smaller(t, folder, strings.TrimPrefix(entry["source-ref"].(string), "s3://factory/cookies/"))
		switch taken[class]++; {
		case taken[class] == 12:
			held[class] = pngOf(t, photo)
		case taken[class] < 12:
			manifest.WriteString(line)
			put(t, server, strings.TrimPrefix(entry["source-ref"].(string), "s3://factory/"), pngOf(t, photo))
			if mask, ok := entry["anomaly-mask-ref"].(string); ok {
				put(t, server, strings.TrimPrefix(mask, "s3://factory/"), pngOf(t, smaller(t, folder, strings.TrimPrefix(mask, "s3://factory/cookies/"))))
			}
		}
	}
	began := time.Now()
	trainParts(t, server, "cookies", manifest.String())
	got := await(t, "the training", lookoutModel(t, server, "cookies", "1"), lvTraining)
	t.Logf("trained in %v: %s", time.Since(began), show(got))
	startModel(t, server, "cookies")
	for class, image := range held {
		var v struct {
			DetectAnomalyResult struct {
				IsAnomalous bool
				Confidence  float64
				Anomalies   []struct {
					Name         string
					PixelAnomaly struct{ TotalPercentageArea float64 }
				}
				AnomalyMask []byte
			}
		}
		if err := json.Unmarshal([]byte(encode(verdictOn(t, server, "cookies", image))), &v); err != nil {
			t.Fatal(err)
		}
		r := v.DetectAnomalyResult
		t.Logf("one %s cookie: anomalous %v, %.3f sure, %v", class, r.IsAnomalous, r.Confidence, r.Anomalies)
		sum := 0.0
		for _, a := range r.Anomalies {
			sum += a.PixelAnomaly.TotalPercentageArea
		}
		if math.Abs(sum-1) > 1e-6 || len(r.Anomalies) == 0 || r.Anomalies[0].Name != "background" || r.Confidence < 0.5 { // LV-7.32, LV-7.34, LV-7.37
			t.Errorf("the areas %v add up to %v", r.Anomalies, sum)
		}
		mask, err := png.Decode(bytes.NewReader(r.AnomalyMask))
		if err != nil || mask.Bounds() != decoded(t, image).Bounds() { // LV-7.40
			t.Errorf("the mask of a %s cookie: %v", class, err)
		}
	}
}

func decoded(t *testing.T, data []byte) image.Image {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// smaller returns an image of a folder with a third of its sides, every third
// pixel of it, so that the colours of masks stay what they are.
func smaller(t *testing.T, folder, name string) *image.NRGBA {
	t.Helper()
	f, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	const part = 3
	small := image.NewNRGBA(image.Rect(0, 0, m.Bounds().Dx()/part, m.Bounds().Dy()/part))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			small.Set(x, y, m.At(part*x, part*y))
		}
	}
	return small
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
