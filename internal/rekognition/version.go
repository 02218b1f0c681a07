package rekognition

import (
	"context"

	"fovea"
	"fovea/internal/model"
	"fovea/internal/rekognition/api"
)

func (s *Server) createProjectVersion(ctx context.Context, in *api.CreateProjectVersionRequest) (*api.CreateProjectVersionResponse, error) {
	a := parseARN(in.ProjectArn)
	key, err := s.find(ctx, a)
	if err != nil {
		return nil, err
	}
	asked, err := askedOf(in)
	if err != nil {
		return nil, err
	}
	v, err := s.Models.Create(ctx, model.Spec{
		Project: key, Match: a.isProject, Name: in.VersionName, Asked: *asked, Tags: in.Tags, TagsOf: s.versionARN,
		Allow: func(train, test *model.Data) error { return mayTrain(a.project, asked, train, test) },
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateProjectVersionResponse{ProjectVersionArn: s.versionARN(v)}, nil
}

// askedOf returns what a request asks for, and what is wrong with it whatever
// the project has (CL 9.1).
func askedOf(in *api.CreateProjectVersionRequest) (*fovea.Asked, error) {
	if in.FeatureConfig != nil && in.FeatureConfig.ContentModeration != nil { // CL-2.124
		return nil, fovea.Errorf(fovea.Invalid, "FeatureConfig has a ContentModeration, and the project is one of Custom Labels.")
	}
	out, err := outputOf(in.OutputConfig)
	if err != nil {
		return nil, err
	}
	asked := &fovea.Asked{Output: out, KMSKey: in.KmsKeyId, Description: in.VersionDescription}
	if (in.TrainingData == nil) != (in.TestingData == nil) { // CL-9.6
		return nil, fovea.Errorf(fovea.Invalid, "TrainingData and TestingData go together. Leave both out to train with the datasets of the project.")
	}
	if in.TrainingData == nil {
		return asked, nil
	}
	if asked.TrainManifests, err = assetsOf("TrainingData", in.TrainingData.Assets); err != nil {
		return nil, err
	}
	if asked.TestManifests, err = assetsOf("TestingData", in.TestingData.Assets); err != nil {
		return nil, err
	}
	asked.AutoSplit = in.TestingData.AutoCreate != nil && *in.TestingData.AutoCreate
	switch {
	case len(asked.TrainManifests) == 0:
		return nil, fovea.Errorf(fovea.Invalid, "TrainingData has no Assets. Name a manifest, or leave out TrainingData and TestingData.")
	case asked.AutoSplit && len(asked.TestManifests) > 0: // CL-9.8
		return nil, fovea.Errorf(fovea.Invalid, "TestingData has Assets and AutoCreate. Choose one of them.")
	case !asked.AutoSplit && len(asked.TestManifests) == 0: // CL-9.9
		return nil, fovea.Errorf(fovea.Invalid, "TestingData has no Assets and no AutoCreate. Name a manifest, or set AutoCreate.")
	}
	return asked, nil
}

// outputOf returns where the files about a training are to go (CL-9.10).
func outputOf(out *api.OutputConfig) (fovea.ObjectRef, error) {
	if out.S3Bucket == "" {
		return fovea.ObjectRef{}, fovea.Errorf(fovea.Invalid, "OutputConfig has no S3Bucket.")
	}
	return fovea.ObjectRef{Bucket: out.S3Bucket, Key: out.S3KeyPrefix}, nil
}

// assetsOf returns the manifests of assets.
func assetsOf(member string, assets []api.Asset) ([]fovea.ObjectRef, error) {
	var refs []fovea.ObjectRef
	for _, a := range assets {
		if a.GroundTruthManifest == nil || a.GroundTruthManifest.S3Object == nil || a.GroundTruthManifest.S3Object.Bucket == "" || a.GroundTruthManifest.S3Object.Name == "" {
			return nil, fovea.Errorf(fovea.Invalid, "An asset of %s has no GroundTruthManifest with an S3Object of a Bucket and a Name.", member)
		}
		o := a.GroundTruthManifest.S3Object
		refs = append(refs, fovea.ObjectRef{Bucket: o.Bucket, Key: o.Name, Version: o.Version})
	}
	return refs, nil
}

// mayTrain reports why a project cannot be trained with what it has (CL 9.1).
func mayTrain(project string, asked *fovea.Asked, train, test *model.Data) error {
	if len(asked.TrainManifests) > 0 {
		if train != nil || test != nil { // CL-9.7, CL-2.122
			return fovea.Errorf(fovea.Invalid, "The project %s has datasets, so TrainingData and TestingData cannot be given.", project)
		}
		return nil
	}
	if train == nil { // CL-9.5
		return fovea.Errorf(fovea.Invalid, "The project %s has no train dataset. Create one, or give TrainingData and TestingData.", project)
	}
	return nil
}

// version returns what names the model of an ARN.
func (s *Server) version(ctx context.Context, text string) (model.Ref, error) {
	a := parseARN(text)
	key, err := s.find(ctx, a)
	if err != nil {
		return model.Ref{}, err
	}
	return model.Ref{Project: key, Name: a.version, Match: func(v *model.View) bool { return a.is(v.Model.Created) }}, nil
}

func (s *Server) describeProjectVersions(ctx context.Context, in *api.DescribeProjectVersionsRequest) (*api.DescribeProjectVersionsResponse, error) {
	a := parseARN(in.ProjectArn)
	key, err := s.find(ctx, a)
	if err != nil {
		return nil, err
	}
	p, list, next, err := s.Models.List(ctx, model.Query{
		Project: key, Match: a.isProject, Names: in.VersionNames, Token: in.NextToken, Max: pageSize(in.MaxResults),
	})
	if err != nil {
		return nil, err
	}
	out := &api.DescribeProjectVersionsResponse{ProjectVersionDescriptions: []api.ProjectVersionDescription{}, NextToken: next}
	for _, m := range list {
		out.ProjectVersionDescriptions = append(out.ProjectVersionDescriptions, s.describeVersion(p, m))
	}
	return out, nil
}

func (s *Server) describeVersion(p *fovea.Project, m *fovea.Model) api.ProjectVersionDescription {
	d := api.ProjectVersionDescription{
		ProjectVersionArn: versionARN(s.Partition, p, m), CreationTimestamp: m.Created, Status: versionStatuses[m.Status],
		StatusMessage: versionMessage(m), MinInferenceUnits: m.MinUnits, MaxInferenceUnits: m.MaxUnits, // CL-10.8
		OutputConfig: &api.OutputConfig{S3Bucket: m.Asked.Output.Bucket, S3KeyPrefix: m.Asked.Output.Key},
		KmsKeyId:     m.Asked.KMSKey, SourceProjectVersionArn: m.Asked.Source, VersionDescription: m.Asked.Description,
		Feature: api.CustomizationFeatureCustomLabels,
	}
	r := m.Result
	if r == nil || m.Status == fovea.Copying || m.Status == fovea.CopyFailed { // what a copy has then is its source's
		return d
	}
	d.TrainingEndTimestamp = m.Evaluated()
	d.ManifestSummary = manifestAt(r.ManifestSummary)
	d.TrainingDataResult = &api.TrainingDataResult{Input: &api.TrainingData{Assets: assets(m.Asked.TrainManifests...)}}
	d.TestingDataResult = &api.TestingDataResult{Input: &api.TestingData{Assets: assets(m.Asked.TestManifests...), AutoCreate: &m.Asked.AutoSplit}}
	if r.TrainValidation.Key != "" {
		d.TrainingDataResult.Validation = &api.ValidationData{Assets: assets(r.TrainValidation)}
		d.TestingDataResult.Validation = &api.ValidationData{Assets: assets(r.TestValidation)}
	}
	if m.Weights == "" { // CL-9.43
		if r.ManifestSummary.Key == "" {
			d.TrainingDataResult, d.TestingDataResult = nil, nil
		}
		return d
	}
	d.TrainingDataResult.Output = &api.TrainingData{Assets: assets(r.TrainTruth)}
	d.TestingDataResult.Output = &api.TestingData{Assets: assets(r.TestTruth), AutoCreate: &m.Asked.AutoSplit}
	d.EvaluationResult = &api.EvaluationResult{F1Score: float32(r.F1)}
	if r.Summary.Key != "" { // which an imported model may have come without
		d.EvaluationResult.Summary = &api.Summary{S3Object: s3Object(r.Summary)}
	}
	if m.Asked.Source == "" {
		d.BillableTrainingTimeInSeconds = &r.Seconds
	}
	return d
}

// assets returns manifests as assets, nil for none that is anywhere.
func assets(refs ...fovea.ObjectRef) (list []api.Asset) {
	for _, ref := range refs {
		if ref.Key != "" {
			list = append(list, api.Asset{GroundTruthManifest: manifestAt(ref)})
		}
	}
	return list
}

func manifestAt(ref fovea.ObjectRef) *api.GroundTruthManifest {
	if ref.Key == "" {
		return nil
	}
	return &api.GroundTruthManifest{S3Object: s3Object(ref)}
}

// s3Object returns a reference without its version where there is none
// (CL-9.44).
func s3Object(ref fovea.ObjectRef) *api.S3Object {
	return &api.S3Object{Bucket: ref.Bucket, Name: ref.Key, Version: ref.Version}
}

// deleteProjectVersion removes the model before it answers.
func (s *Server) deleteProjectVersion(ctx context.Context, in *api.DeleteProjectVersionRequest) (*api.DeleteProjectVersionResponse, error) {
	ref, err := s.version(ctx, in.ProjectVersionArn)
	if err == nil {
		_, err = s.Models.Delete(ctx, ref, s.versionARN)
	}
	if err != nil {
		return nil, err
	}
	return &api.DeleteProjectVersionResponse{Status: api.ProjectVersionStatusDeleting}, nil
}

func (s *Server) startProjectVersion(ctx context.Context, in *api.StartProjectVersionRequest) (*api.StartProjectVersionResponse, error) {
	ref, err := s.version(ctx, in.ProjectVersionArn)
	if err != nil {
		return nil, err
	}
	v, err := s.Models.Start(ctx, ref, model.Units{Min: in.MinInferenceUnits, Max: in.MaxInferenceUnits})
	if err != nil {
		return nil, err
	}
	return &api.StartProjectVersionResponse{Status: versionStatuses[v.Model.Status]}, nil
}

func (s *Server) stopProjectVersion(ctx context.Context, in *api.StopProjectVersionRequest) (*api.StopProjectVersionResponse, error) {
	ref, err := s.version(ctx, in.ProjectVersionArn)
	if err != nil {
		return nil, err
	}
	v, err := s.Models.Stop(ctx, ref)
	if err != nil {
		return nil, err
	}
	return &api.StopProjectVersionResponse{Status: versionStatuses[v.Model.Status]}, nil
}

// copyProjectVersion copies a model within the server (CL 11.1).
func (s *Server) copyProjectVersion(ctx context.Context, in *api.CopyProjectVersionRequest) (*api.CopyProjectVersionResponse, error) {
	source, to := parseARN(in.SourceProjectArn), parseARN(in.DestinationProjectArn)
	if region := parseARN(in.SourceProjectVersionArn).region(); source.region() != region || to.region() != region { // CL-11.9
		return nil, fovea.Errorf(fovea.Invalid, "The version %s can be copied within its region only, not to %s.", in.SourceProjectVersionArn, in.DestinationProjectArn)
	}
	from, err := s.version(ctx, in.SourceProjectVersionArn)
	if err != nil {
		return nil, err
	}
	sourceKey, err := s.find(ctx, source)
	if err != nil {
		return nil, err
	}
	if sourceKey != from.Project { // CL-11.5
		return nil, fovea.Errorf(fovea.Invalid, "The version %s is not one of the project %s.", in.SourceProjectVersionArn, in.SourceProjectArn)
	}
	match := from.Match
	from.Match = func(v *model.View) bool { return match(v) && source.isProject(v.Project) }
	toKey, err := s.find(ctx, to)
	if err != nil {
		return nil, err
	}
	out, err := outputOf(in.OutputConfig)
	if err != nil {
		return nil, err
	}
	v, err := s.Models.Copy(ctx, model.CopySpec{
		From: from, SourceID: in.SourceProjectVersionArn, Project: toKey, Match: to.isProject, Name: in.VersionName,
		Output: out, KMSKey: in.KmsKeyId, Tags: in.Tags, TagsOf: s.versionARN,
	})
	if err != nil {
		return nil, err
	}
	return &api.CopyProjectVersionResponse{ProjectVersionArn: s.versionARN(v)}, nil
}
