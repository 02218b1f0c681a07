package integration

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestModelOfCookies trains a model with masks on some of the real photographs
// of the guide of Lookout for Vision, and shows it two that it has not seen: the
// flow of the guide, in a size for tests.
func TestModelOfCookies(t *testing.T) {
	t.Parallel()
	const learn = 8 // of each class
	folder := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../shared/data"), "cookies", "dataset-files")
	files, unseen := map[string][]byte{}, map[string][]byte{}
	for _, class := range []string{"normal", "anomaly"} {
		photos, err := filepath.Glob(filepath.Join(folder, "training-images", class+"-*.jpg"))
		if err != nil || len(photos) <= learn {
			t.Skipf("no cookies in %s, set FOVEA_TEST_DATA", folder)
		}
		unseen[class] = readFile(t, photos[learn])
		for _, path := range photos[:learn] {
			name := filepath.Base(path)
			files[class+"/"+name] = readFile(t, path)
			if class == "anomaly" {
				mask := strings.TrimSuffix(name, ".jpg") + ".png"
				files["masks/"+mask] = readFile(t, filepath.Join(folder, "mask-images", mask))
			}
		}
	}
	tree := t.TempDir()
	writeTree(t, tree, files)
	server := running(t, t.TempDir(), "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	mustCommand(t, importCommand(server, "lookout", "cookies", tree)...)
	beginModel(t, server, "cookies")
	trainedParts(t, server, "cookies")
	startModel(t, server, "cookies")
	for class, photo := range unseen {
		out := verdictOn(t, server, "cookies", photo)
		anomalous, _ := lookup(out, "DetectAnomalyResult.IsAnomalous")
		if anomalous != (class == "anomaly") {
			t.Errorf("a cookie that is %s: %s", class, show(out))
		}
		if mask, _ := lookup(out, "DetectAnomalyResult.AnomalyMask"); mask == nil || mask == "" {
			t.Errorf("a cookie that is %s has no mask of what is where: %s", class, show(out))
		}
	}
}
