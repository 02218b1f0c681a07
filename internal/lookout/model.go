package lookout

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"fovea"
	"fovea/internal/lookout/api"
	"fovea/internal/model"
)

// modelARNOf returns the ARN of a model (LV-1.65).
func (s *Server) modelARNOf(v *model.View) string {
	return modelARNText(s.Partition, v.Project, v.Model)
}

func modelARNText(partition string, p *fovea.Project, m *fovea.Model) string {
	return fmt.Sprintf("arn:%s:lookoutvision:%s:%s:model/%s/%s", partition, p.Region, p.Account, p.Name, m.Name)
}

func (s *Server) createModel(ctx context.Context, in *api.CreateModelRequest) (*api.CreateModelResponse, error) {
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	out := in.OutputConfig.S3Location
	if out == nil {
		return nil, fovea.Errorf(fovea.Invalid, "OutputConfig needs an S3Location with a Bucket.")
	}
	v, err := s.Models.Create(ctx, model.Spec{
		Project: key(ctx, in.ProjectName),
		Asked: fovea.Asked{
			Output: fovea.ObjectRef{Bucket: out.Bucket, Key: out.Prefix}, KMSKey: in.KmsKeyId, Description: in.Description,
		},
		Tags: tags, TagsOf: s.modelARNOf,
		Allow: func(train, test *model.Data) error {
			return s.mayTrain(in.ProjectName, train, test)
		},
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateModelResponse{ModelMetadata: s.modelMetadata(v.Project, v.Model)}, nil
}

// The least images of each class (LV-6.7, LV-6.8).
const (
	minNormal       = 20 // in the one dataset of a project
	minAnomaly      = 10
	minSplitNormal  = 10 // in each of two
	minSplitAnomaly = 10 // in the test dataset
)

// mayTrain reports why a project cannot be trained, as far as the counts of its
// datasets tell (LV 6.2).
func (s *Server) mayTrain(project string, train, test *model.Data) error {
	if train == nil {
		return fovea.Errorf(fovea.InUse, "The project %s has no train dataset. Create one first.", project).
			About(fovea.DatasetResource, project+"/train")
	}
	limits := s.Models.Profiles[fovea.Lookout].Limits
	if err := cmp.Or(atMost(limits.TrainEntries, "train", train), atMost(limits.TestEntries, "test", test)); err != nil {
		return err
	}
	if !limits.Minima {
		return nil
	}
	type least struct {
		data   *model.Data
		name   string
		class  string
		have   func(fovea.Stats) int64
		images int64
	}
	normal := func(s fovea.Stats) int64 { return s.Normal }
	anomaly := func(s fovea.Stats) int64 { return s.Anomaly }
	rules := []least{{train, "train", "normal", normal, minNormal}, {train, "train", "anomaly", anomaly, minAnomaly}}
	if test != nil {
		rules = []least{{train, "train", "normal", normal, minSplitNormal}, {test, "test", "normal", normal, minSplitNormal},
			{test, "test", "anomaly", anomaly, minSplitAnomaly}}
	}
	for _, r := range rules {
		if r.data.Revision == nil || r.data.Dataset.InProgress() {
			continue // its status says why, better than a count that changes (LV-14.48)
		}
		if n := r.have(r.data.Revision.Stats); n < r.images {
			return fovea.Errorf(fovea.Invalid, "The %s dataset has %d images labelled %s; training needs at least %d.", r.name, n, r.class, r.images)
		}
	}
	return nil
}

// atMost reports a dataset of more images than a limit allows, which may have
// been higher when it was filled (LV-6.11).
func atMost(most int64, name string, d *model.Data) error {
	if d == nil || d.Revision == nil || most == 0 || d.Revision.Stats.Entries <= most {
		return nil
	}
	return fovea.Errorf(fovea.Invalid, "The %s dataset has %d images; training takes %d at most.", name, d.Revision.Stats.Entries, most)
}

// modelRef names a model; latest is a version where one may be asked for
// (LV-1.45).
func modelRef(ctx context.Context, project, version string, allowLatest bool) (model.Ref, error) {
	if n, err := strconv.Atoi(version); (err != nil || n < 1 || strconv.Itoa(n) != version) && !(allowLatest && version == model.Latest) {
		return model.Ref{}, fovea.Errorf(fovea.Invalid, "The model version %q is not a number.", version)
	}
	return model.Ref{Project: key(ctx, project), Name: version}, nil
}

func (s *Server) findModel(ctx context.Context, project, version string) (*model.View, error) {
	ref, err := modelRef(ctx, project, version, true)
	if err != nil {
		return nil, err
	}
	return s.Models.Find(ctx, ref)
}

func (s *Server) describeModel(ctx context.Context, in *api.DescribeModelRequest) (*api.DescribeModelResponse, error) {
	v, err := s.findModel(ctx, in.ProjectName, in.ModelVersion)
	if err != nil {
		return nil, err
	}
	m := v.Model
	d := &api.ModelDescription{
		ModelVersion: m.Name, ModelArn: s.modelARNOf(v), CreationTimestamp: m.Created, Description: m.Asked.Description,
		Status: modelStatuses[m.Status], StatusMessage: modelMessage(m), Performance: performance(m), KmsKeyId: m.Asked.KMSKey,
		OutputConfig: &api.OutputConfig{S3Location: &api.S3Location{Bucket: m.Asked.Output.Bucket, Prefix: m.Asked.Output.Key}},
	}
	if d.Performance != nil {
		d.EvaluationManifest, d.EvaluationResult = outputObject(m.Result.TestTruth), outputObject(m.Result.Summary)
		d.EvaluationEndTimestamp = m.Evaluated()
	}
	switch m.Status {
	case fovea.Starting, fovea.Running, fovea.Stopping: // LV 2.11
		d.MinInferenceUnits, d.MaxInferenceUnits = m.MinUnits, m.MaxUnits
	}
	return &api.DescribeModelResponse{ModelDescription: d}, nil
}

// outputObject returns a file of a training, nil for one that is nowhere: an
// imported model may have come without.
func outputObject(ref fovea.ObjectRef) *api.OutputS3Object {
	if ref.Key == "" {
		return nil
	}
	return &api.OutputS3Object{Bucket: ref.Bucket, Key: ref.Key}
}

// performance returns what a model is worth, nil unless it was trained
// (LV-2.74).
func performance(m *fovea.Model) *api.ModelPerformance {
	if m.Result == nil || m.Weights == "" {
		return nil
	}
	return &api.ModelPerformance{F1Score: float32(m.Result.F1), Recall: float32(m.Result.Recall), Precision: float32(m.Result.Precision)}
}

func (s *Server) modelMetadata(p *fovea.Project, m *fovea.Model) *api.ModelMetadata {
	return &api.ModelMetadata{
		CreationTimestamp: m.Created, ModelVersion: m.Name, ModelArn: modelARNText(s.Partition, p, m), Description: m.Asked.Description,
		Status: modelStatuses[m.Status], StatusMessage: modelMessage(m), Performance: performance(m),
	}
}

func (s *Server) listModels(ctx context.Context, in *api.ListModelsRequest) (*api.ListModelsResponse, error) {
	p, list, next, err := s.Models.List(ctx, model.Query{Project: key(ctx, in.ProjectName), Token: in.NextToken, Max: pageSize(in.MaxResults)})
	if err != nil {
		return nil, err
	}
	out := &api.ListModelsResponse{Models: make([]api.ModelMetadata, len(list)), NextToken: next}
	for i, m := range list {
		out.Models[i] = *s.modelMetadata(p, m)
	}
	return out, nil
}

// deleteModel removes the model before it answers (LV-2.79).
func (s *Server) deleteModel(ctx context.Context, in *api.DeleteModelRequest) (*api.DeleteModelResponse, error) {
	ref, err := modelRef(ctx, in.ProjectName, in.ModelVersion, false) // LV-2.77
	if err != nil {
		return nil, err
	}
	v, err := s.Models.Delete(ctx, ref, s.modelARNOf)
	if err != nil {
		return nil, err
	}
	return &api.DeleteModelResponse{ModelArn: s.modelARNOf(v)}, nil
}

func (s *Server) startModel(ctx context.Context, in *api.StartModelRequest) (*api.StartModelResponse, error) {
	ref, err := modelRef(ctx, in.ProjectName, in.ModelVersion, true)
	if err != nil {
		return nil, err
	}
	v, err := s.Models.Start(ctx, ref, model.Units{Min: in.MinInferenceUnits, Max: in.MaxInferenceUnits})
	if err != nil {
		return nil, err
	}
	return &api.StartModelResponse{Status: api.ModelHostingStatus(modelStatuses[v.Model.Status])}, nil
}

func (s *Server) stopModel(ctx context.Context, in *api.StopModelRequest) (*api.StopModelResponse, error) {
	ref, err := modelRef(ctx, in.ProjectName, in.ModelVersion, true)
	if err != nil {
		return nil, err
	}
	v, err := s.Models.Stop(ctx, ref)
	if err != nil {
		return nil, err
	}
	return &api.StopModelResponse{Status: api.ModelHostingStatus(modelStatuses[v.Model.Status])}, nil
}
