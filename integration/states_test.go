package integration

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"fovea/bench/groundtruth"
)

// TestInProgress calls everything while an import is under way (section 4.2 of
// Custom Labels, 3.1 of Lookout). It cannot end because the S3, which keeps the
// manifest, gives no more than its beginning.
func TestInProgress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		manifest     groundtruth.Manifest
		steps, after []step
	}{
		{name: "rekognition", manifest: groundtruth.Manifest{Lines: 5000}, steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}-2"}`, save: "other=ProjectArn"},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "large.manifest"), save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, want: `{"DatasetDescription":{"Status":"CREATE_IN_PROGRESS","StatusMessage":"~.+","StatusMessageCode":"SUCCESS","DatasetStats":{"TotalEntries":0,"LabeledEntries":0,"TotalLabels":0,"ErrorEntries":0}}}`},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}"]}`, want: `{"ProjectDescriptions":[{"Datasets":[{"Status":"CREATE_IN_PROGRESS","StatusMessage":"~.+","StatusMessageCode":"SUCCESS"}]}]}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}"}`, err: "ResourceNotReadyException", status: 400},
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${train}"}`, err: "ResourceNotReadyException", status: 400},
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${train}"}`, err: "ResourceInUseException", status: 400},
			{call: "rekognition.DeleteProject", in: `{"ProjectArn":"${project}"}`, err: "ResourceInUseException", status: 400},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN"}`, err: "ResourceAlreadyExistsException", status: 400},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${other}","DatasetType":"TRAIN","DatasetSource":{"DatasetArn":"${train}"}}`, err: "InvalidParameterException", status: 400},
		}, after: []step{
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE","DatasetStats":{"TotalEntries":5000}}}`},
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${train}"}`},
		}},
		{name: "lookoutvision", manifest: groundtruth.Manifest{Lines: 5000, Kind: groundtruth.Anomaly}, steps: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
			{call: "lookoutvision.CreateDataset", in: lookoutManifest("train", "large.manifest"), want: `{"DatasetMetadata":{"Status":"CREATE_IN_PROGRESS"}}`},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, want: `{"DatasetDescription":{"Status":"CREATE_IN_PROGRESS","StatusMessage":"The dataset is creating.","ImageStats":{"Total":0,"Labeled":0,"Normal":0,"Anomaly":0}}}`},
			{call: "lookoutvision.DescribeProject", in: `{"ProjectName":"${p}"}`, want: `{"ProjectDescription":{"Datasets":[{"Status":"CREATE_IN_PROGRESS"}]}}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train"}`, want: `{"DatasetEntries":[]}`},
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, err: "ConflictException", status: 409, fields: `{"ResourceType":"DATASET"}`},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"${p}"}`, err: "ConflictException", status: 409, fields: `{"ResourceType":"PROJECT"}`},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, err: "ConflictException", status: 409, fields: `{"ResourceType":"DATASET"}`},
		}, after: []step{
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, while: importing, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE","ImageStats":{"Total":5000,"Labeled":5000}}}`},
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := serve(t)
			gate := newFaulty(t, store)
			server := serve(t, "--limits", "none", "--import-range", "65536", "--s3-endpoint", gate.URL, "--s3-access-key", store.KeyID(), "--s3-secret-key", store.Secret())
			var text bytes.Buffer
			if _, err := tt.manifest.WriteTo(&text); err != nil {
				t.Fatal(err)
			}
			upload(t, store, "large.manifest", text.String())
			open := gate.hold(func(r *http.Request) bool {
				return strings.HasSuffix(r.URL.Path, "/large.manifest") && r.Method == http.MethodGet && !strings.HasPrefix(r.Header.Get("Range"), "bytes=0-")
			})
			defer open()
			c, err := newGoV1(server, 1)
			if err != nil {
				t.Fatal(err)
			}
			vars := scenario{name: "p", steps: tt.steps}.run(t, "go1", c)
			open()
			scenario{name: "p", texts: vars, steps: tt.after}.run(t, "go1", c)
		})
	}
}

// TestQuotas reaches quotas, which the operator has made small.
func TestQuotas(t *testing.T) {
	t.Parallel()
	server := serve(t, "--limit", "custom-labels.projects=1,custom-labels.labels=2,custom-labels.train-entries=3,"+
		"custom-labels.manifest-bytes=2000,lookout.projects=1,lookout.train-entries=2")
	upload(t, server, "labels.manifest", leaf("1.jpg", "a", "b", "c"))
	upload(t, server, "rows.manifest", leaf("1.jpg")+leaf("2.jpg")+leaf("3.jpg")+leaf("4.jpg"))
	upload(t, server, "size.manifest", leaf("1.jpg", "a")+string(bytes.Repeat([]byte(" "), 2000)))
	failed := func(key, message string) []step {
		return []step{
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", key), save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_FAILED","StatusMessage":"~` + message + `.*","StatusMessageCode":"CLIENT_ERROR"}}`},
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${train}"}`},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: `{"DatasetDescription":{"Status":"DELETE_IN_PROGRESS"}}`, err: "ResourceNotFoundException", status: 400},
		}
	}
	steps := []step{
		{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
		{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}-2"}`, err: "LimitExceededException", status: 400},
		{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
		{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}-2"}`, err: "ServiceQuotaExceededException", status: 402, fields: `{"QuotaCode":"~L-.+","ServiceCode":"lookoutvision"}`},
		{call: "lookoutvision.CreateDataset", in: lookoutManifest("train", "rows.manifest")},
		{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, while: importing, want: `{"DatasetDescription":{"Status":"CREATE_FAILED","StatusMessage":"~The dataset exceeds the maximum number of images.*"}}`},
	}
	steps = append(steps, failed("labels.manifest", "The manifest file has too many labels\\\\.")...)
	steps = append(steps, failed("rows.manifest", "The manifest file has too many rows\\\\.")...)
	steps = append(steps, failed("size.manifest", "The manifest file size exceeds the maximum supported size\\\\.")...)
	tell(t, server, "p", steps...)
}

// TestRestart stops a server as an operator does, and goes on listing where it
// was with the next one: page tokens are not of a process (LV-2.102).
func TestRestart(t *testing.T) {
	t.Parallel()
	server := serve(t)
	upload(t, server, "a.manifest", cookie("1.jpg", "", "")+cookie("2.jpg", "", "")+cookie("3.jpg", "", ""))
	vars := tell(t, server, "p",
		step{call: "lookoutvision.CreateProject", in: `{"ProjectName":"p"}`},
		step{call: "lookoutvision.CreateDataset", in: lookoutManifest("train", "a.manifest")},
		step{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"p","DatasetType":"train"}`, while: importing},
		step{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"p","DatasetType":"train","MaxResults":1}`, save: "token=NextToken"})
	for name, stop := range map[string]func(){
		"SIGTERM": func() {
			if err := server.Stop(); err != nil {
				t.Error(err)
			}
		},
		"SIGKILL": server.Kill,
	} {
		t.Logf("after %s", name)
		stop()
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		tell(t, server, "p",
			step{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"p","DatasetType":"train","MaxResults":1,"NextToken":"` + vars["token"] + `"}`,
				want: `{"DatasetEntries":[{"source-ref":"s3://factory/2.jpg"}],"NextToken":"?"}`},
			step{call: "s3.GetObject", in: `{"Bucket":"factory","Key":"a.manifest"}`, want: `{"ContentLength":108}`})
	}
}
