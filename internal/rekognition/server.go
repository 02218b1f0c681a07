// Package rekognition is the Custom Labels part of the Amazon Rekognition API:
// its operations by name, its ARNs, statuses, messages and error names, and the
// rules by which it judges the lines of a manifest (Profile). It translates;
// what happens is in packages project, dataset and model.
package rekognition

import (
	"context"
	"log/slog"

	"fovea"
	"fovea/internal/awsjson"
	"fovea/internal/dataset"
	"fovea/internal/hosting"
	"fovea/internal/model"
	"fovea/internal/project"
	"fovea/internal/rekognition/api"
	"fovea/internal/room"
)

// A Server answers the operations. All fields but ObjectMemory are required.
type Server struct {
	Projects  *project.Ops
	Datasets  *dataset.Ops
	Models    *model.Ops
	Host      *hosting.Host
	Objects   fovea.Objects
	Partition string // of ARNs, such as aws
	Log       *slog.Logger

	// ObjectMemory is how many bytes of images from S3 calls hold at a time;
	// 128 MiB by default.
	ObjectMemory int64

	objects room.Room // what they hold
}

// errorNames are what errors are called (CL 1.5). Operations that call one
// otherwise say so in the table.
var errorNames = map[fovea.Kind]string{
	fovea.Internal:  "InternalServerError",
	fovea.Invalid:   "InvalidParameterException",
	fovea.NotFound:  "ResourceNotFoundException",
	fovea.Exists:    "ResourceAlreadyExistsException",
	fovea.InUse:     "ResourceInUseException",
	fovea.NotReady:  "ResourceNotReadyException",
	fovea.Limit:     "LimitExceededException",
	fovea.Quota:     "ServiceQuotaExceededException",
	fovea.Denied:    "AccessDeniedException",
	fovea.Throttled: "ProvisionedThroughputExceededException",
	fovea.BadToken:  "InvalidPaginationTokenException",
	fovea.BadObject: "InvalidS3ObjectException",
	fovea.BadImage:  "InvalidImageFormatException",
	fovea.TooLarge:  "ImageTooLargeException",
}

// API returns the operations as an http.Handler.
func (s *Server) API() *awsjson.API {
	return awsjson.New(awsjson.Config{
		Description: api.Description,
		Errors:      errorNames,
		Log:         s.Log,
		Ops: map[string]awsjson.Op{
			"CreateProject": awsjson.Call(s.createProject).
				Naming(fovea.Exists, "ResourceInUseException"). // CL-2.11
				Naming(fovea.Quota, "LimitExceededException"),  // CL-2.14
			"DeleteProject":      awsjson.Call(s.deleteProject),
			"DescribeProjects":   awsjson.Call(s.describeProjects),
			"CreateDataset":      awsjson.Call(s.createDataset).Naming(fovea.Denied, "InvalidS3ObjectException"), // OQ-4
			"DeleteDataset":      awsjson.Call(s.deleteDataset),
			"DescribeDataset":    awsjson.Call(s.describeDataset),
			"ListDatasetEntries": awsjson.Call(s.listDatasetEntries),
			"ListDatasetLabels":  awsjson.Call(s.listDatasetLabels),
			"UpdateDatasetEntries": awsjson.Call(s.updateDatasetEntries).
				Naming(fovea.NotReady, "InvalidParameterException"), // CL-2.104
			"DistributeDatasetEntries": awsjson.Call(s.distributeDatasetEntries),
			"CreateProjectVersion":     awsjson.Call(s.createProjectVersion),
			"DescribeProjectVersions":  awsjson.Call(s.describeProjectVersions),
			"DeleteProjectVersion":     awsjson.Call(s.deleteProjectVersion),
			"StartProjectVersion":      awsjson.Call(s.startProjectVersion),
			"StopProjectVersion":       awsjson.Call(s.stopProjectVersion),
			"CopyProjectVersion":       awsjson.Call(s.copyProjectVersion),
			"DetectCustomLabels":       awsjson.Call(s.detectCustomLabels),
			"TagResource":              awsjson.Call(s.tagResource),
			"UntagResource":            awsjson.Call(s.untagResource),
			"ListTagsForResource":      awsjson.Call(s.listTagsForResource),
		},
	})
}

// key returns what names a project of the caller.
func key(ctx context.Context, name string) fovea.ProjectKey {
	c := fovea.CallerOf(ctx)
	return fovea.ProjectKey{Service: fovea.CustomLabels, Account: c.Account, Region: c.Region, Name: name}
}

// pageSize returns the number of elements of a page (CL 2.1).
func pageSize(max int) int {
	if max == 0 {
		return 100
	}
	return max
}
