package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fovea/integration/process"
)

// lvStatus is a model of Lookout in a status, for match.
func lvStatus(status string) map[string]any {
	return map[string]any{"ModelDescription": map[string]any{"Status": status}}
}

// trainedParts waits until model 1 of a project of Lookout is trained.
func trainedParts(t *testing.T, server *process.Server, project string) {
	t.Helper()
	got := await(t, "the training", lookoutModel(t, server, project, "1"), lvTraining)
	if diff := match(lvStatus("TRAINED"), got); diff != "" {
		t.Fatal(show(got))
	}
}

// trainedLeaves waits until the models of a project of Custom Labels are
// trained.
func trainedLeaves(t *testing.T, server *process.Server, project string) {
	t.Helper()
	got := await(t, "the training", versionsOf(t, server, project), clTraining)
	if status, _ := lookup(got, "ProjectVersionDescriptions.0.Status"); status != "TRAINING_COMPLETED" {
		t.Fatal(show(got))
	}
}

// versionNamed describes a version of a project of Custom Labels; it is nil if
// there is none.
func versionNamed(ctx context.Context, server *process.Server, project, name string) (map[string]any, error) {
	var out struct{ ProjectVersionDescriptions []map[string]any }
	err := server.Rekognition(ctx, "DescribeProjectVersions", map[string]any{"ProjectArn": project, "VersionNames": []string{name}}, &out)
	if err != nil || len(out.ProjectVersionDescriptions) == 0 {
		return nil, err
	}
	return out.ProjectVersionDescriptions[0], nil
}

// copyVersion begins to copy a model of Custom Labels within its project, and
// returns the ARN of the copy.
func copyVersion(ctx context.Context, server *process.Server, project, version, name string) (string, error) {
	var made struct{ ProjectVersionArn string }
	err := server.Rekognition(ctx, "CopyProjectVersion", map[string]any{"SourceProjectArn": project, "SourceProjectVersionArn": version,
		"DestinationProjectArn": project, "VersionName": name, "OutputConfig": map[string]any{"S3Bucket": "factory", "S3KeyPrefix": "copies/"}}, &made)
	return made.ProjectVersionArn, err
}

// ownModel calls fovea's own API about the models of a project and returns the
// answer, whatever its status.
func ownModel(ctx context.Context, server *process.Server, method, path string, body []byte) (status int, text []byte, err error) {
	resp, err := server.Do(ctx, "fovea", method, "/fovea/v1/"+path, nil, body)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(resp.Body)
	return resp.StatusCode, text, err
}

// bundleOf exports a model.
func bundleOf(t *testing.T, server *process.Server, path string) []byte {
	t.Helper()
	status, data, err := ownModel(t.Context(), server, "GET", path+"/bundle", nil)
	if err != nil || status != http.StatusOK {
		t.Fatalf("export of %s: %d %.300s, %v", path, status, data, err)
	}
	return data
}

// importBundle makes a model of Custom Labels of a bundle.
func importBundle(ctx context.Context, server *process.Server, project, name string, bundle []byte) error {
	status, text, err := ownModel(ctx, server, "POST", "custom-labels/"+project+"/models?output=s3://factory/in/&name="+name, bundle)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, text)
	}
	return err
}

var objectKey = regexp.MustCompile(`<Key>([^<]*)</Key>`)

// objectsUnder returns the objects whose keys begin with a prefix.
func objectsUnder(t *testing.T, server *process.Server, prefix string) map[string]string {
	t.Helper()
	get := func(path string) string {
		resp, err := server.Do(t.Context(), "s3", "GET", "/factory"+path, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %v", path, resp.Status, err)
		}
		return string(text)
	}
	texts := map[string]string{}
	for _, m := range objectKey.FindAllStringSubmatch(get("?list-type=2&prefix="+prefix), -1) {
		texts[m[1]] = get("/" + m[1])
	}
	return texts
}

// evaluationTimes are what two runs of a training may write differently.
var evaluationTimes = regexp.MustCompile(`("EvaluationEndTimestamp":|"creation-date":|"EvaluationDate":)\s*"[^"]*"`)

// timeless returns texts without the times in them.
func timeless(texts map[string]string) map[string]string {
	for key, text := range texts {
		texts[key] = evaluationTimes.ReplaceAllString(text, "$1")
	}
	return texts
}

// weightsIn returns the checksums of the weights in a data folder, each once.
// They are their content's as far as `fovea verify` finds nothing.
func weightsIn(t *testing.T, data string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "blobs", "weights", "*", "*", "model"))
	if err != nil {
		t.Fatal(err)
	}
	var sums []string
	for _, f := range files {
		sums = append(sums, filepath.Base(filepath.Dir(f)))
	}
	slices.Sort(sums)
	return slices.Compact(sums)
}

// resultOf returns what came of the training of model 1 of a project of Lookout:
// what it is worth, its evaluation files and all weights of the server.
func resultOf(t *testing.T, server *process.Server, project string) map[string]any {
	t.Helper()
	got, err := lookoutModel(t, server, project, "1")()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{"weights": weightsIn(t, server.Data), "files": timeless(objectsUnder(t, server, "lv/"))}
	for _, member := range []string{"Status", "Performance"} {
		out[member], _ = lookup(got, "ModelDescription."+member)
	}
	return out
}

// detections returns what a running model of each service says of an image, for
// comparison.
func detections(t *testing.T, server *process.Server, lookout, version string) string {
	t.Helper()
	photo, _ := part(999, true)
	image := pngOf(t, photo)
	text, err := json.Marshal(verdictOn(t, server, lookout, image))
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + strings.Join(labelsIn(t, server, version, image), ",")
}
