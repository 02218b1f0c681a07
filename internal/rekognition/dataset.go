package rekognition

import (
	"context"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/manifest"
	"fovea/internal/rekognition/api"
	"fovea/internal/segment"
)

// splits and types translate a dataset's type (CL-3.5).
var (
	splits = map[api.DatasetType]fovea.Split{api.DatasetTypeTrain: fovea.Train, api.DatasetTypeTest: fovea.Test}
	types  = map[fovea.Split]api.DatasetType{fovea.Train: api.DatasetTypeTrain, fovea.Test: api.DatasetTypeTest}
)

func (s *Server) createDataset(ctx context.Context, in *api.CreateDatasetRequest) (*api.CreateDatasetResponse, error) {
	a := parseARN(in.ProjectArn)
	key, err := s.find(ctx, a)
	if err != nil {
		return nil, err
	}
	spec := dataset.Spec{Project: key, Match: a.isProject, Split: splits[in.DatasetType], Tags: in.Tags, TagsOf: s.datasetARN}
	if err := s.source(ctx, &spec, in.DatasetSource); err != nil {
		return nil, err
	}
	v, err := s.Datasets.Create(ctx, spec)
	if err != nil {
		return nil, err
	}
	return &api.CreateDatasetResponse{DatasetArn: s.datasetARN(v.Project, v.Dataset)}, nil
}

// source fills in from what a dataset is made (CL-2.40 to CL-2.42).
func (s *Server) source(ctx context.Context, spec *dataset.Spec, src *api.DatasetSource) error {
	switch {
	case src == nil:
		return nil
	case src.GroundTruthManifest != nil && src.DatasetArn != "":
		return fovea.Errorf(fovea.Invalid, "DatasetSource has both GroundTruthManifest and DatasetArn. Give one of them.")
	case src.GroundTruthManifest != nil:
		o := src.GroundTruthManifest.S3Object
		if o == nil || o.Bucket == "" || o.Name == "" {
			return fovea.Errorf(fovea.Invalid, "DatasetSource.GroundTruthManifest.S3Object needs a Bucket and a Name.")
		}
		spec.Manifest = &fovea.ObjectRef{Bucket: o.Bucket, Key: o.Name, Version: o.Version}
		return nil
	case src.DatasetArn != "":
		a := parseARN(src.DatasetArn)
		key, err := s.find(ctx, a)
		spec.Copy = &dataset.CopyOf{Project: key, Split: a.split, Match: a.isDataset}
		return err
	}
	return fovea.Errorf(fovea.Invalid, "DatasetSource has neither GroundTruthManifest nor DatasetArn. "+
		"Give one of them, or leave DatasetSource out to create an empty dataset.")
}

// deleteDataset removes the dataset before it answers (CL-2.60).
func (s *Server) deleteDataset(ctx context.Context, in *api.DeleteDatasetRequest) (*api.DeleteDatasetResponse, error) {
	a := parseARN(in.DatasetArn)
	key, err := s.find(ctx, a)
	if err != nil {
		return nil, err
	}
	return &api.DeleteDatasetResponse{}, s.Datasets.Delete(ctx, key, a.split, a.isDataset, s.datasetARN)
}

// view returns the dataset that an ARN names.
func (s *Server) view(ctx context.Context, text string) (*dataset.View, error) {
	a := parseARN(text)
	key, err := s.find(ctx, a)
	if err != nil {
		return nil, err
	}
	v, err := s.Datasets.Find(ctx, key, a.split)
	if err == nil && !a.isDataset(v) {
		return nil, a.notFound()
	}
	return v, err
}

func (s *Server) describeDataset(ctx context.Context, in *api.DescribeDatasetRequest) (*api.DescribeDatasetResponse, error) {
	v, err := s.view(ctx, in.DatasetArn)
	if err != nil {
		return nil, err
	}
	d := &api.DatasetDescription{
		CreationTimestamp:    v.Dataset.Created,
		LastUpdatedTimestamp: v.Dataset.Updated,
		Status:               statuses[v.Dataset.Status],
		StatusMessage:        statusMessage(v.Dataset),
		StatusMessageCode:    messageCode(v.Dataset),
	}
	if r := v.Revision; r != nil {
		d.DatasetStats = api.DatasetStats{
			TotalEntries:   int(r.Stats.Entries),
			LabeledEntries: int(r.Stats.Labeled),
			TotalLabels:    len(r.Labels),
			ErrorEntries:   int(r.Stats.Errors),
		}
	}
	return &api.DescribeDatasetResponse{DatasetDescription: d}, nil
}

// listable returns a dataset whose content may be listed (CL 4.2).
func (s *Server) listable(ctx context.Context, arn string) (*dataset.View, error) {
	v, err := s.view(ctx, arn)
	switch {
	case err != nil:
		return nil, err
	case v.Dataset.Status == fovea.Updating:
		return nil, fovea.Errorf(fovea.InUse, "The dataset %s is being updated. Try again when DescribeDataset says UPDATE_COMPLETE.", arn)
	case !v.Dataset.Usable():
		return nil, fovea.Errorf(fovea.NotReady, "The dataset %s is %s; its entries can be listed when it is CREATE_COMPLETE.", arn, statuses[v.Dataset.Status])
	}
	return v, nil
}

func (s *Server) listDatasetEntries(ctx context.Context, in *api.ListDatasetEntriesRequest) (*api.ListDatasetEntriesResponse, error) {
	v, err := s.listable(ctx, in.DatasetArn)
	if err != nil {
		return nil, err
	}
	page, err := s.Datasets.Entries(ctx, v, dataset.Query{
		Filter: segment.Filter{
			Labels:    in.ContainsLabels,
			Labeled:   in.Labeled,
			SourceRef: in.SourceRefContains,
			Errors:    in.HasErrors != nil && *in.HasErrors, // false is no filter (CL-7.23)
		},
		Token: in.NextToken,
		Max:   pageSize(in.MaxResults),
	})
	if err != nil {
		return nil, err
	}
	out := &api.ListDatasetEntriesResponse{DatasetEntries: make([]string, len(page.Rows)), NextToken: page.Next}
	var doc manifest.Doc
	var text []byte
	for i, row := range page.Rows {
		if bad := doc.Parse(row.Line, 0); bad != nil {
			return nil, errStored(in.DatasetArn, row.Seq)
		}
		text = AppendListed(text[:0], &doc, row.Labeled, storedProblems(row.Problems))
		out.DatasetEntries[i] = string(text)
	}
	return out, nil
}

func storedProblems(list []segment.Problem) []StoredProblem {
	out := make([]StoredProblem, len(list))
	for i, p := range list {
		out[i] = StoredProblem(p)
	}
	return out
}

func (s *Server) listDatasetLabels(ctx context.Context, in *api.ListDatasetLabelsRequest) (*api.ListDatasetLabelsResponse, error) {
	v, err := s.listable(ctx, in.DatasetArn)
	if err != nil {
		return nil, err
	}
	labels, next, err := s.Datasets.Labels(ctx, v, in.NextToken, pageSize(in.MaxResults))
	if err != nil {
		return nil, err
	}
	out := &api.ListDatasetLabelsResponse{DatasetLabelDescriptions: make([]api.DatasetLabelDescription, len(labels)), NextToken: next}
	for i, l := range labels {
		out.DatasetLabelDescriptions[i] = api.DatasetLabelDescription{
			LabelName:  l.Name,
			LabelStats: api.DatasetLabelStats{EntryCount: int(l.Entries), BoundingBoxCount: int(l.Boxed)},
		}
	}
	return out, nil
}
