package integration

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"fovea/integration/process"
)

// heldScenarios are told while the update that their first part starts cannot
// end: until then, and after it, are the parts. There may be one project of each
// service, and one dataset that is changed at a time.
var heldScenarios = []struct {
	name          string
	texts         map[string]string
	before, after []step
	while         []step
}{
	{
		name:  "cl",
		texts: map[string]string{"line": leaf("h/1.jpg", "leaf"), "lines": leaf("h/1.jpg", "leaf") + leaf("h/2.jpg", "thorn")},
		before: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}-2"}`, err: "LimitExceededException", status: 400, says: "1 projects"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN"}`, save: "train=DatasetArn"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST"}`, save: "test=DatasetArn"},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("train", "line")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE"}}`},
		},
		while: []step{
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("train", "lines")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, want: `{"DatasetDescription":{"Status":"UPDATE_IN_PROGRESS","StatusMessage":"The dataset is being updated.","StatusMessageCode":"SUCCESS","DatasetStats":{"TotalEntries":1,"LabeledEntries":1,"TotalLabels":1,"ErrorEntries":0}}}`}, // CL-7.50
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}"]}`, want: `{"ProjectDescriptions":[{"Datasets":[{"Status":"UPDATE_IN_PROGRESS"},{"Status":"CREATE_COMPLETE"}]}]}`, unless: "cli"},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}"}`, err: "ResourceInUseException", status: 400, unless: "cli"},
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${train}"}`, err: "ResourceInUseException", status: 400, unless: "cli"},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("train", "lines"), err: "ResourceInUseException", status: 400},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("train", "test"), err: "ResourceNotReadyException", status: 400, unless: "cli"},
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${train}"}`, err: "ResourceInUseException", status: 400, unless: "cli"},
			{call: "rekognition.DeleteProject", in: `{"ProjectArn":"${project}"}`, err: "ResourceInUseException", status: 400, unless: "cli"},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("test", "lines"), err: "LimitExceededException", status: 400, says: "1 datasets"}, // CL-2.105
			{call: "rekognition.TagResource", in: tag("train", `{"a":"b"}`), unless: "cli"},
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${test}"}`},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST","DatasetSource":{"DatasetArn":"${train}"}}`, err: "InvalidParameterException", status: 400, unless: "cli"},
			{call: "rekognition.CreateDataset", in: fromManifest("TEST", "a.manifest"), err: "LimitExceededException", status: 400, unless: "cli"},
		},
		after: []step{
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","DatasetStats":{"TotalEntries":2,"TotalLabels":2}}}`},
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${train}"}`},
			{call: "rekognition.DeleteProject", in: `{"ProjectArn":"${project}"}`},
		},
	},
	{
		name:  "lv",
		texts: map[string]string{"line": cookie("h/1.jpg", "normal", "2026-01-01T00:00:00Z"), "lines": cookie("h/1.jpg", "anomaly", "2026-01-01T00:00:00Z") + cookie("h/2.jpg", "", "")},
		before: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}-2"}`, err: "ServiceQuotaExceededException", status: 402, says: "1 projects", fields: `{"QuotaCode":"~L-[0-9A-F]{8}","ServiceCode":"lookoutvision","ResourceType":"PROJECT","ResourceId":"${p}-2"}`},
			{call: "lookoutvision.CreateDataset", in: trainOf},
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("line", "")},
			{call: "lookoutvision.DescribeDataset", in: trainOf, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE"}}`},
		},
		while: []step{
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("lines", ""), want: `{"Status":"UPDATE_IN_PROGRESS"}`},
			{call: "lookoutvision.DescribeDataset", in: trainOf, want: `{"DatasetDescription":{"Status":"UPDATE_IN_PROGRESS","StatusMessage":"The dataset is updating.","ImageStats":{"Total":1,"Labeled":1,"Normal":1,"Anomaly":0}}}`},
			{call: "lookoutvision.ListDatasetEntries", in: trainOf, want: `{"DatasetEntries":[{"anomaly-label-metadata":{"class-name":"normal"}}]}`, unless: "cli"}, // LV-2.50
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("lines", ""), err: "ConflictException", status: 409, fields: `{"ResourceType":"DATASET","ResourceId":"${p}/train"}`},
			{call: "lookoutvision.CreateDataset", in: trainOf, err: "ConflictException", status: 409, unless: "cli"},
			{call: "lookoutvision.DeleteDataset", in: trainOf, err: "ConflictException", status: 409, fields: `{"ResourceType":"DATASET"}`, unless: "cli"},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"${p}"}`, err: "ConflictException", status: 409, fields: `{"ResourceType":"PROJECT"}`, unless: "cli"},
			{call: "lookoutvision.CreateDataset", in: lookoutManifest("test", "a.manifest"), err: "ServiceQuotaExceededException", status: 402, fields: `{"QuotaCode":"~L-[0-9A-F]{8}","ServiceCode":"lookoutvision","ResourceType":"DATASET","ResourceId":"${p}/test"}`},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"test"}`},
			// An operation without a quota error of its own (LV-1.41).
			{call: "lookoutvision.UpdateDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"test","Changes":"${line}"}`, err: "ThrottlingException", status: 429, says: "1 datasets", fields: `{"ServiceCode":"lookoutvision"}`},
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"${p}","DatasetType":"test"}`},
		},
		after: []step{
			{call: "lookoutvision.DescribeDataset", in: trainOf, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","ImageStats":{"Total":2,"Labeled":1,"Normal":0,"Anomaly":1}}}`},
			{call: "lookoutvision.DeleteDataset", in: trainOf},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"${p}"}`},
		},
	},
}

// TestUpdating has every client call everything while a dataset is updated
// (section 4.2 of Custom Labels, 3.1 of Lookout), and reach the quotas on
// projects and on changes at a time. The update cannot end because S3, which
// keeps the segments, does not answer.
func TestUpdating(t *testing.T) {
	t.Parallel()
	store := serve(t)
	if err := store.MakeBucket(t.Context(), "segments"); err != nil {
		t.Fatal(err)
	}
	gate := newFaulty(t, store)
	server := serve(t, "--blobs", "s3://segments/one", "--s3-endpoint", gate.URL, "--s3-access-key", store.KeyID(), "--s3-secret-key", store.Secret(),
		"--limit", "custom-labels.projects=1,lookout.projects=1,custom-labels.changes=1,lookout.changes=1")
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			c := m.make(t, server, 1)
			for _, s := range heldScenarios {
				if !(scenario{steps: s.before}).runsOn(m.services) {
					continue
				}
				t.Run(s.name, func(t *testing.T) {
					tell := func(vars map[string]string, steps []step) map[string]string {
						return scenario{name: m.name + "-" + s.name, texts: vars, steps: steps}.run(t, m.name, c)
					}
					vars := tell(s.texts, s.before)
					open := gate.hold(func(r *http.Request) bool {
						return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/one/segments/")
					})
					defer open()
					vars = tell(vars, s.while)
					open()
					tell(vars, s.after)
				})
			}
		})
	}
}

// hold lets no request that matches through until the function that it returns
// is called.
func (f *faulty) hold(matches func(*http.Request) bool) (open func()) {
	held := make(chan struct{})
	f.set(func(_ int64, w http.ResponseWriter, r *http.Request) bool {
		if matches(r) {
			select {
			case <-held:
			case <-r.Context().Done():
			}
		}
		return false
	})
	return func() {
		f.set(nil)
		select {
		case <-held:
		default:
			close(held)
		}
	}
}

// TestThrottled calls too often: the error is that of the service, in every
// client's own class (CL-12.28, LV-9.20).
func TestThrottled(t *testing.T) {
	t.Parallel()
	server := serve(t, "--rate-limits", "custom-labels=0.0001,lookout=0.0001")
	first := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	first(server.Rekognition(t.Context(), "DescribeProjects", map[string]any{}, nil))
	first(server.Lookout(t.Context(), "GET", "/projects", nil, nil, nil))
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			c := m.make(t, server, 1)
			for _, s := range []scenario{
				{name: "cl", steps: []step{{call: "rekognition.DescribeProjects", err: "ProvisionedThroughputExceededException", status: 400, says: "Provisioned Rate exceeded"}}},
				{name: "lv", steps: []step{{call: "lookoutvision.ListProjects", err: "ThrottlingException", status: 429, says: "Rate exceeded", fields: `{"RetryAfterSeconds":"?"}`}}},
			} {
				if s.runsOn(m.services) {
					t.Run(s.name, func(t *testing.T) { s.run(t, m.name, c) })
				}
			}
		})
	}
}

// TestRetries lets clients call too often that try again: their users see no
// error (CL-1.44, LV-1.38). The AWS CLI does so by the code of boto3.
func TestRetries(t *testing.T) {
	t.Parallel()
	for _, m := range makers {
		if m.name == "cli" {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, "--rate-limits", "custom-labels=0.5,lookout=0.5")
			c := m.make(t, server, 12)
			for service, s := range map[string]step{
				"rekognition":   {call: "rekognition.DescribeProjects", want: `{"ProjectDescriptions":[]}`},
				"lookoutvision": {call: "lookoutvision.ListProjects", want: `{"Projects":[]}`},
			} {
				list := scenario{name: service, steps: []step{s}}
				if !list.runsOn(m.services) {
					continue
				}
				for range 20 { // until two calls came within the two seconds that a call takes to be allowed
					list.run(t, m.name, c)
					if refusals(t, server, service) > 0 {
						break
					}
				}
				if refusals(t, server, service) == 0 {
					t.Errorf("no call to %s was refused", service)
				}
			}
		})
	}
}

// refusals returns how many calls to a service a server has answered with a
// status 4xx.
func refusals(t *testing.T, server *process.Server, service string) (n int) {
	t.Helper()
	resp, err := http.Get(server.URL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(fmt.Sprintf(`(?m)^fovea_requests_total\{service="%s",operation="\w+",status="4\d\d"\} (\d+)$`, service))
	for _, m := range line.FindAllStringSubmatch(string(text), -1) {
		count, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		n += count
	}
	return n
}
