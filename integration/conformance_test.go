package integration

import (
	"net/http"
	"testing"

	"fovea/internal/awsjson"
	"fovea/internal/awsjson/conformance"
	lookout "fovea/internal/lookout/api"
	rekognition "fovea/internal/rekognition/api"
)

// built are the operations that must not answer that they are not.
var built = map[string][]string{
	"rekognition": {"CopyProjectVersion", "CreateDataset", "CreateProject", "CreateProjectVersion", "DeleteDataset", "DeleteProject",
		"DeleteProjectVersion", "DescribeDataset", "DescribeProjectVersions", "DescribeProjects", "DetectCustomLabels",
		"DistributeDatasetEntries", "ListDatasetEntries", "ListDatasetLabels", "ListTagsForResource", "StartProjectVersion",
		"StopProjectVersion", "TagResource", "UntagResource", "UpdateDatasetEntries"},
	"lookoutvision": {"CreateDataset", "CreateModel", "CreateProject", "DeleteDataset", "DeleteModel", "DeleteProject", "DescribeDataset",
		"DescribeModel", "DescribeProject", "DetectAnomalies", "ListDatasetEntries", "ListModels", "ListProjects", "ListTagsForResource",
		"StartModel", "StopModel", "TagResource", "UntagResource", "UpdateDatasetEntries"},
}

// TestConformance sends values just inside and just outside of each constraint
// of each member of all operations to a running server.
func TestConformance(t *testing.T) {
	t.Parallel()
	server := serve(t, "--limits", "none")
	for _, d := range []*awsjson.Description{rekognition.Description, lookout.Description} {
		t.Run(d.SigningName, func(t *testing.T) {
			cases, answered := 0, map[string]bool{}
			for c := range conformance.Cases(d) {
				req, err := c.Request(server.URL())
				if err != nil {
					t.Fatalf("%v: %v", c, err)
				}
				if err := server.Sign(req, d.SigningName, c.Body); err != nil {
					t.Fatalf("%v: %v", c, err)
				}
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatalf("%v: %v", c, err)
				}
				if c.Accepted && resp.StatusCode != http.StatusNotImplemented {
					answered[c.Operation] = true
				}
				if err := c.Check(resp); err != nil {
					t.Errorf("%v: %v", c, err)
				}
				resp.Body.Close()
				cases++
			}
			for _, operation := range built[d.SigningName] {
				if !answered[operation] {
					t.Errorf("%s says that it is not built", operation)
				}
			}
			t.Logf("%d cases", cases)
		})
	}
}
