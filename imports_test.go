package fovea_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport says which packages of fovea each package of fovea may import,
// "." being the root. Imports go one way (design §8): protocols, operations,
// root and engines. A new package starts with a line here. Tests may import
// more.
var mayImport = map[string][]string{
	".":                            {"internal/manifest"},
	"internal/manifest":            {},
	"internal/lint":                {"internal/manifest"},
	"internal/lint/golden":         {".", "internal/manifest"}, // the suite of golden manifests that both checkers run
	"internal/segment":             {".", "internal/manifest"},
	"internal/dataset":             {".", "internal/manifest", "internal/segment", "internal/imaging", "internal/quality"},
	"internal/quality":             {"internal/imaging"},
	"internal/repair":              {".", "internal/imaging", "internal/lint", "internal/manifest"},
	"internal/qualitytest":         {"internal/imaging"},
	"internal/project":             {"."},
	"internal/model":               {".", "internal/appraisal", "internal/bundle", "internal/certificate", "internal/imaging", "internal/manifest", "internal/segment"},
	"internal/appraisal":           {"internal/imaging", "internal/ml/classify", "internal/ml/head"},
	"internal/bundle":              {"internal/certificate"},
	"internal/hosting":             {".", "internal/ml/backbone"},
	"internal/imaging":             {},
	"internal/ml/matrix":           {"internal/ml/kernel"},
	"internal/ml/feature":          {"internal/imaging", "internal/ml/kernel", "internal/ml/matrix"},
	"internal/ml/baseline":         {"internal/imaging", "internal/ml/feature", "internal/ml/head", "internal/ml/matrix"},
	"internal/ml/forest":           {"internal/imaging", "internal/ml/container", "internal/ml/feature", "internal/ml/matrix"},
	"internal/ml/segmentation":     {"internal/imaging", "internal/ml/container", "internal/ml/feature", "internal/ml/forest", "internal/ml/head", "internal/ml/matrix", "internal/ml/unet"},
	"internal/ml/container":        {"internal/ml/safetensors"},
	"internal/ml/blemish":          {"internal/imaging"},
	"internal/ml/classify":         {"internal/imaging", "internal/ml/backbone", "internal/ml/blemish", "internal/ml/container", "internal/ml/feature", "internal/ml/head", "internal/ml/matrix", "internal/ml/unet"},
	"internal/ml/head":             {"internal/ml/matrix"},
	"internal/ml/kernel":           {},
	"internal/ml/nn":               {"internal/ml/kernel", "internal/ml/safetensors"},
	"internal/ml/safetensors":      {},
	"internal/ml/backbone":         {"internal/imaging", "internal/ml/kernel", "internal/ml/nn", "internal/ml/safetensors"},
	"internal/ml/onnx":             {"internal/imaging", "internal/ml/backbone", "internal/ml/kernel"},
	"internal/ml/onnx/onnxtest":    {"internal/ml/safetensors"},
	"internal/ml/augment":          {"internal/imaging", "internal/ml/kernel"},
	"internal/ml/unet":             {"internal/imaging", "internal/ml/augment", "internal/ml/backbone", "internal/ml/container", "internal/ml/head", "internal/ml/kernel", "internal/ml/nn"},
	"internal/ml/detect":           {"internal/imaging", "internal/ml/augment", "internal/ml/backbone", "internal/ml/container", "internal/ml/head", "internal/ml/kernel", "internal/ml/matrix", "internal/ml/nn"},
	"internal/jobs":                {"."},
	"internal/sqlitefile":          {},
	"internal/sqlstore":            {".", "internal/sqlitefile"},
	"internal/storetest":           {"."},
	"internal/pgtest":              {"internal/freeport"},
	"internal/freeport":            {}, // ports for the servers that tests start
	"internal/room":                {}, // memory that requests share
	"internal/blob/disk":           {"."},
	"internal/blob/mem":            {"."},
	"internal/blob/s3":             {".", "internal/objects/s3"},
	"internal/blobtest":            {"."},
	"internal/objects/s3":          {"."},
	"internal/sigv4":               {},
	"internal/s3api":               {".", "internal/sigv4", "internal/sqlitefile"},
	"internal/apigen":              {},
	"internal/awsjson":             {"."},
	"internal/awsjson/conformance": {"internal/awsjson"},
	"internal/rekognition/api":     {"internal/awsjson"},
	"internal/lookout/api":         {"internal/awsjson"},
	"internal/rekognition":         {".", "internal/appraisal", "internal/awsjson", "internal/rekognition/api", "internal/lint", "internal/manifest", "internal/dataset", "internal/project", "internal/segment", "internal/model", "internal/hosting", "internal/imaging", "internal/ml/backbone", "internal/ml/classify", "internal/ml/detect", "internal/ml/head", "internal/room"},
	"internal/lookout":             {".", "internal/appraisal", "internal/awsjson", "internal/lookout/api", "internal/lint", "internal/manifest", "internal/dataset", "internal/project", "internal/segment", "internal/model", "internal/hosting", "internal/imaging", "internal/ml/backbone", "internal/ml/classify", "internal/ml/head", "internal/ml/segmentation"},
	"internal/sdkmodel":            {},
	"internal/server":              {".", "internal/room", "internal/sigv4"},
	"internal/certificate":         {"internal/manifest"},
	"internal/extension":           {".", "internal/appraisal", "internal/bundle", "internal/certificate", "internal/dataset", "internal/manifest", "internal/model", "internal/segment"},
	"internal/console":             {},
	"internal/demo":                {".", "internal/sigv4"},
	"internal/exchange":            {".", "internal/imaging", "internal/manifest"},
	"internal/transfer":            {".", "internal/client", "internal/exchange", "internal/imaging", "internal/manifest"},
	"internal/client":              {"internal/sigv4"},
	"internal/migrate":             {".", "internal/certificate", "internal/client", "internal/manifest", "internal/objects/s3"},
	"cmd/fovea":                    {"*"},
	"integration":                  {"*"},
	"recipes/backbone":             {"internal/ml/backbone", "internal/ml/kernel", "internal/ml/nn", "internal/ml/safetensors"},
	"bench":                        {"*"},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	local := func(path string) (string, bool) {
		if path == "fovea" {
			return ".", true
		}
		return strings.CutPrefix(path, "fovea/")
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		name, _ := local(p.ImportPath)
		may, ok := mayImport[name]
		if !ok {
			for dir := name; strings.Contains(dir, "/"); {
				dir = dir[:strings.LastIndex(dir, "/")]
				if m := mayImport[dir]; slices.Contains(m, "*") {
					may, ok = m, true
				}
			}
		}
		if !ok {
			t.Errorf("package %s has no line in mayImport", name)
			continue
		}
		for _, imp := range p.Imports {
			if l, ok := local(imp); ok && !slices.Contains(may, l) && !slices.Contains(may, "*") {
				t.Errorf("package %s imports %s, which mayImport does not allow", name, l)
			}
		}
	}
}
