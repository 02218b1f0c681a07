package lookout

import (
	"context"
	"time"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/lookout/api"
	"fovea/internal/manifest"
	"fovea/internal/segment"
)

// split translates a DatasetType (LV-1.43).
func split(text string) (fovea.Split, error) {
	switch s := fovea.Split(text); s {
	case fovea.Train, fovea.Test:
		return s, nil
	}
	return "", fovea.Errorf(fovea.Invalid, "The dataset type %q is not one of train and test.", text)
}

func (s *Server) createDataset(ctx context.Context, in *api.CreateDatasetRequest) (*api.CreateDatasetResponse, error) {
	t, err := split(in.DatasetType)
	if err != nil {
		return nil, err
	}
	spec := dataset.Spec{Project: key(ctx, in.ProjectName), Split: t}
	if src := in.DatasetSource; src != nil {
		if src.GroundTruthManifest == nil || src.GroundTruthManifest.S3Object == nil {
			// An empty dataset would hide the mistake (LV-2.25).
			return nil, fovea.Errorf(fovea.Invalid, "DatasetSource needs a GroundTruthManifest with an S3Object. Leave it out to create an empty dataset.")
		}
		o := src.GroundTruthManifest.S3Object
		spec.Manifest = &fovea.ObjectRef{Bucket: o.Bucket, Key: o.Key, Version: o.VersionId}
	}
	v, err := s.Datasets.Create(ctx, spec)
	switch kind := fovea.KindOf(err); {
	case err == nil:
		return &api.CreateDatasetResponse{DatasetMetadata: datasetMetadata(v.Dataset)}, nil
	case kind == fovea.BadObject || kind == fovea.Denied:
		return nil, fovea.Errorf(kind, "The manifest file %s couldn't be read. %w", spec.Manifest, err) // LV-5.70
	}
	return nil, err
}

func datasetMetadata(ds *fovea.Dataset) *api.DatasetMetadata {
	return &api.DatasetMetadata{
		DatasetType:       string(ds.Split),
		CreationTimestamp: ds.Created,
		Status:            statuses[ds.Status],
		StatusMessage:     statusMessage(ds),
	}
}

func (s *Server) view(ctx context.Context, projectName, datasetType string) (*dataset.View, error) {
	t, err := split(datasetType)
	if err != nil {
		return nil, err
	}
	return s.Datasets.Find(ctx, key(ctx, projectName), t)
}

func (s *Server) describeDataset(ctx context.Context, in *api.DescribeDatasetRequest) (*api.DescribeDatasetResponse, error) {
	v, err := s.view(ctx, in.ProjectName, in.DatasetType)
	if err != nil {
		return nil, err
	}
	d := &api.DatasetDescription{
		ProjectName:          v.Project.Name,
		DatasetType:          string(v.Dataset.Split),
		CreationTimestamp:    v.Dataset.Created,
		LastUpdatedTimestamp: v.Dataset.Updated,
		Status:               statuses[v.Dataset.Status],
		StatusMessage:        statusMessage(v.Dataset),
	}
	if r := v.Revision; r != nil {
		d.ImageStats = api.DatasetImageStats{
			Total:   int(r.Stats.Entries),
			Labeled: int(r.Stats.Labeled),
			Normal:  int(r.Stats.Normal),
			Anomaly: int(r.Stats.Anomaly),
		}
	}
	return &api.DescribeDatasetResponse{DatasetDescription: d}, nil
}

// deleteDataset removes the dataset before it answers (LV-2.40).
func (s *Server) deleteDataset(ctx context.Context, in *api.DeleteDatasetRequest) (*api.DeleteDatasetResponse, error) {
	t, err := split(in.DatasetType)
	if err != nil {
		return nil, err
	}
	return &api.DeleteDatasetResponse{}, s.Datasets.Delete(ctx, key(ctx, in.ProjectName), t, nil, nil)
}

func (s *Server) updateDatasetEntries(ctx context.Context, in *api.UpdateDatasetEntriesRequest) (*api.UpdateDatasetEntriesResponse, error) {
	t, err := split(in.DatasetType)
	if err != nil {
		return nil, err
	}
	v, err := s.Datasets.Update(ctx, dataset.Change{Project: key(ctx, in.ProjectName), Split: t, Lines: in.Changes})
	if err != nil {
		return nil, err
	}
	return &api.UpdateDatasetEntriesResponse{Status: statuses[v.Dataset.Status]}, nil
}

// classes translates an AnomalyClass.
var classes = map[string]manifest.Class{"": manifest.NoClass, "normal": manifest.Normal, "anomaly": manifest.Anomaly}

// listDatasetEntries works in every status: while there is no content it
// lists none (LV-2.50).
func (s *Server) listDatasetEntries(ctx context.Context, in *api.ListDatasetEntriesRequest) (*api.ListDatasetEntriesResponse, error) {
	class, ok := classes[in.AnomalyClass]
	if !ok {
		return nil, fovea.Errorf(fovea.Invalid, "The anomaly class %q is not one of normal and anomaly.", in.AnomalyClass)
	}
	v, err := s.view(ctx, in.ProjectName, in.DatasetType)
	if err != nil {
		return nil, err
	}
	page, err := s.Datasets.Entries(ctx, v, dataset.Query{
		Filter: segment.Filter{
			Labeled:   in.Labeled,
			Class:     class,
			Before:    millis(in.BeforeCreationDate),
			After:     millis(in.AfterCreationDate),
			SourceRef: in.SourceRefContains,
		},
		Token: in.NextToken,
		Max:   pageSize(in.MaxResults),
	})
	if err != nil {
		return nil, err
	}
	out := &api.ListDatasetEntriesResponse{DatasetEntries: make([]string, len(page.Rows)), NextToken: page.Next}
	for i, row := range page.Rows {
		out.DatasetEntries[i] = string(row.Line) // as it came (LV-5.60)
	}
	return out, nil
}

// millis returns a time in milliseconds since the Unix epoch, 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
