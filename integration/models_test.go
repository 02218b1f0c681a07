package integration

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"fovea/integration/process"
)

const (
	lvTraining = `{"ModelDescription":{"Status":"TRAINING"}}`
	clTraining = `{"ProjectVersionDescriptions":[{"Status":"TRAINING_IN_PROGRESS"}]}`
)

// trainParts makes a project of Lookout whose model 1 is in training.
func trainParts(t *testing.T, server *process.Server, project, manifest string) {
	t.Helper()
	makeParts(t, server, project, manifest)
	beginModel(t, server, project)
}

// makeParts makes a project of Lookout with a dataset.
func makeParts(t *testing.T, server *process.Server, project, manifest string) {
	t.Helper()
	upload(t, server, project+".manifest", manifest)
	makeDataset(t, server, project)
}

// makeDataset makes a project of Lookout with the dataset of the manifest that
// has its name.
func makeDataset(t *testing.T, server *process.Server, project string) {
	t.Helper()
	for _, call := range []struct {
		path string
		in   map[string]any
	}{
		{"/projects", map[string]any{"ProjectName": project}},
		{"/projects/" + project + "/datasets", map[string]any{"DatasetType": "train", "DatasetSource": map[string]any{
			"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": "factory", "Key": project + ".manifest"}}}}},
	} {
		if err := server.Lookout(t.Context(), "POST", call.path, nil, call.in, nil); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "the dataset", func() (out map[string]any, err error) {
		err = server.Lookout(t.Context(), "GET", "/projects/"+project+"/datasets/train", nil, nil, &out)
		return out, err
	}, `{"DatasetDescription":{"Status":"CREATE_IN_PROGRESS"}}`)
}

// beginModel begins to train model 1 of a project of Lookout.
func beginModel(t *testing.T, server *process.Server, project string) {
	t.Helper()
	in := map[string]any{"OutputConfig": map[string]any{"S3Location": map[string]any{"Bucket": "factory", "Prefix": "lv/"}}}
	if err := server.Lookout(t.Context(), "POST", "/projects/"+project+"/models", nil, in, nil); err != nil {
		t.Fatal(err)
	}
}

// trainLeaves makes a project of Custom Labels whose model v1 is in training,
// and returns the ARNs of both.
func trainLeaves(t *testing.T, server *process.Server, name, train, test string) (project, version string) {
	t.Helper()
	project, err := makeProject(t.Context(), server, name)
	if err != nil {
		t.Fatal(err)
	}
	for split, manifest := range map[string]string{"TRAIN": train, "TEST": test} {
		upload(t, server, name+split, manifest)
		var made struct{ DatasetArn string }
		err := server.Rekognition(t.Context(), "CreateDataset", map[string]any{"ProjectArn": project, "DatasetType": split, "DatasetSource": map[string]any{
			"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": "factory", "Name": name + split}}}}, &made)
		if err != nil {
			t.Fatal(err)
		}
		await(t, "the dataset", func() (out map[string]any, err error) {
			err = server.Rekognition(t.Context(), "DescribeDataset", map[string]any{"DatasetArn": made.DatasetArn}, &out)
			return out, err
		}, `{"DatasetDescription":{"Status":"CREATE_IN_PROGRESS"}}`)
	}
	return project, beginVersion(t, server, project)
}

// beginVersion begins to train the model v1 of a project of Custom Labels, and
// returns its ARN.
func beginVersion(t *testing.T, server *process.Server, project string) string {
	t.Helper()
	var made struct{ ProjectVersionArn string }
	err := server.Rekognition(t.Context(), "CreateProjectVersion", map[string]any{"ProjectArn": project, "VersionName": "v1",
		"OutputConfig": map[string]any{"S3Bucket": "factory", "S3KeyPrefix": "cl"}}, &made)
	if err != nil {
		t.Fatal(err)
	}
	return made.ProjectVersionArn
}

// TestModels trains a model of each service once, and lets every client ask for
// them, run them, detect with them, stop them, and copy and delete what it
// made.
func TestModels(t *testing.T) {
	t.Parallel()
	server := serve(t, "--limits", "none", "--limit", "lookout.units=5,custom-labels.units=5") // which also lifts how many images there must be
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	trainParts(t, server, "trained", putParts(t, server, 12, 8, true))
	project, version := trainLeaves(t, server, "leaves", putLeaves(t, server, "train", 8), putLeaves(t, server, "test", 4))
	lv := await(t, "the training of Lookout", lookoutModel(t, server, "trained", "1"), lvTraining)
	t.Logf("Lookout was trained after %v", time.Since(began))
	cl := await(t, "the training of Custom Labels", versionsOf(t, server, project), clTraining)
	t.Logf("Custom Labels was trained after %v: %s %s", time.Since(began), show(lv), show(cl))
	photo, _ := part(999, true)
	texts := map[string]string{
		"project": project, "version": version, "image": "base64:" + base64.StdEncoding.EncodeToString(pngOf(t, photo)),
	}
	put(t, server, "new.png", pngOf(t, photo))
	t.Run("guide", func(t *testing.T) { guideOfModels(t, server, project, version) })
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) { // one after the other: they start and stop the same models
			c := m.make(t, server, 1)
			for _, s := range modelScenarios {
				if s.runsOn(m.services) && s.brief == (m.name == "cli") { // which takes a second a call
					s.texts = texts
					t.Run(s.name, func(t *testing.T) { s.run(t, m.name, c) })
				}
			}
		})
	}
}

// guideOfModels runs the scripts of the guide about models, with the waiters of
// boto3 (CL-15.1, CL-15.2).
func guideOfModels(t *testing.T, server *process.Server, project, version string) {
	b := newBoto3(t, server)
	args := map[string]any{"project": project, "version": "v1"}
	b.script(t, "wait_trained", args)
	_, printed := b.script(t, "describe_model", args)
	if !strings.Contains(printed, "Status: TRAINING_COMPLETED\nMessage: The model is ready to run.\nF1 score: 1.0\n"+
		"Metrics: ['ConfusionMatrix', 'F1Score', 'Precision', 'Recall']\nOutput: factory cl\n") {
		t.Errorf("describe_model printed:\n%s", printed)
	}
	args["arn"] = version
	if _, printed := b.script(t, "start_model", args); printed != "Status: STARTING\nStatus: RUNNING\nMessage: The model is running.\n" {
		t.Errorf("start_model printed:\n%s", printed)
	}
	if _, printed := b.script(t, "stop_model", args); printed != "Status: STOPPED\n" {
		t.Errorf("stop_model printed:\n%s", printed)
	}
}
