// Package lookout is the Amazon Lookout for Vision API: its operations by
// name, its ARNs, statuses, messages and error names, and the rules by which it
// judges the lines of a manifest (Profile). It translates; what happens is in
// packages project, dataset and model.
package lookout

import (
	"context"
	"fmt"
	"log/slog"

	"fovea"
	"fovea/internal/awsjson"
	"fovea/internal/dataset"
	"fovea/internal/hosting"
	"fovea/internal/lookout/api"
	"fovea/internal/model"
	"fovea/internal/project"
)

// A Server answers the operations. All fields are required.
type Server struct {
	Projects  *project.Ops
	Datasets  *dataset.Ops
	Models    *model.Ops
	Host      *hosting.Host
	Partition string // of ARNs, such as aws
	Log       *slog.Logger
}

// errorNames are what errors are called (LV 1.6). The service has no word for a
// bad page token or a missing manifest but ValidationException (LV-2.101,
// LV-2.28).
var errorNames = map[fovea.Kind]string{
	fovea.Internal:  "InternalServerException",
	fovea.Invalid:   "ValidationException",
	fovea.NotFound:  "ResourceNotFoundException",
	fovea.Exists:    "ConflictException",
	fovea.InUse:     "ConflictException",
	fovea.NotReady:  "ConflictException",
	fovea.Limit:     "ServiceQuotaExceededException",
	fovea.Quota:     "ServiceQuotaExceededException",
	fovea.Denied:    "AccessDeniedException",
	fovea.Throttled: "ThrottlingException",
	fovea.BadToken:  "ValidationException",
	fovea.BadObject: "ValidationException",
	fovea.BadImage:  "ValidationException",
	fovea.TooLarge:  "ValidationException",
}

// API returns the operations as an http.Handler.
func (s *Server) API() *awsjson.API {
	return awsjson.New(awsjson.Config{
		Description: api.Description,
		Errors:      errorNames,
		Log:         s.Log,
		Ops: map[string]awsjson.Op{
			"CreateProject":        awsjson.Call(s.createProject),
			"DescribeProject":      awsjson.Call(s.describeProject),
			"ListProjects":         awsjson.Call(s.listProjects),
			"DeleteProject":        awsjson.Call(s.deleteProject),
			"CreateDataset":        awsjson.Call(s.createDataset).Naming(fovea.Denied, "ValidationException"), // LV-2.28
			"DescribeDataset":      awsjson.Call(s.describeDataset),
			"DeleteDataset":        awsjson.Call(s.deleteDataset),
			"ListDatasetEntries":   awsjson.Call(s.listDatasetEntries),
			"UpdateDatasetEntries": awsjson.Call(s.updateDatasetEntries).Naming(fovea.Limit, "ThrottlingException"), // LV-1.41
			"CreateModel":          awsjson.Call(s.createModel),
			"DescribeModel":        awsjson.Call(s.describeModel),
			"ListModels":           awsjson.Call(s.listModels),
			"DeleteModel":          awsjson.Call(s.deleteModel),
			"StartModel":           awsjson.Call(s.startModel),
			"StopModel":            awsjson.Call(s.stopModel),
			"DetectAnomalies":      awsjson.Call(s.detectAnomalies),
			"TagResource":          awsjson.Call(s.tagResource),
			"UntagResource":        awsjson.Call(s.untagResource),
			"ListTagsForResource":  awsjson.Call(s.listTagsForResource),
		},
	})
}

// key returns what names a project of the caller.
func key(ctx context.Context, name string) fovea.ProjectKey {
	c := fovea.CallerOf(ctx)
	return fovea.ProjectKey{Service: fovea.Lookout, Account: c.Account, Region: c.Region, Name: name}
}

// projectARN returns the ARN of a project (LV-1.64).
func (s *Server) projectARN(p *fovea.Project) string {
	return fmt.Sprintf("arn:%s:lookoutvision:%s:%s:project/%s", s.Partition, p.Region, p.Account, p.Name)
}

// pageSize returns the number of elements of a page (LV-1.48).
func pageSize(max int) int {
	if max == 0 {
		return 100
	}
	return max
}
