package rekognition

import (
	"context"
	"slices"

	"fovea"
	"fovea/internal/project"
	"fovea/internal/rekognition/api"
)

func (s *Server) createProject(ctx context.Context, in *api.CreateProjectRequest) (*api.CreateProjectResponse, error) {
	if in.Feature != "" && in.Feature != api.CustomizationFeatureCustomLabels {
		return nil, fovea.Errorf(fovea.Invalid, "The feature %s is not supported: fovea trains CUSTOM_LABELS only.", in.Feature)
	}
	if in.AutoUpdate != "" {
		return nil, fovea.Errorf(fovea.Invalid, "AutoUpdate applies to adapters only. Leave it out for CUSTOM_LABELS.")
	}
	p, err := s.Projects.Create(ctx, key(ctx, in.ProjectName), in.Tags, s.projectARN)
	if err != nil {
		return nil, err
	}
	return &api.CreateProjectResponse{ProjectArn: s.projectARN(p)}, nil
}

// deleteProject removes the project before it answers: a client that polls for
// its end finds it at once (CL-2.21).
func (s *Server) deleteProject(ctx context.Context, in *api.DeleteProjectRequest) (*api.DeleteProjectResponse, error) {
	a := parseARN(in.ProjectArn)
	key, err := s.find(ctx, a)
	if err != nil {
		return nil, err
	}
	if _, err := s.Projects.Delete(ctx, key, a.isProject, s.projectARN); err != nil {
		return nil, err
	}
	return &api.DeleteProjectResponse{Status: api.ProjectStatusDeleting}, nil
}

func (s *Server) describeProjects(ctx context.Context, in *api.DescribeProjectsRequest) (*api.DescribeProjectsResponse, error) {
	out := &api.DescribeProjectsResponse{ProjectDescriptions: []api.ProjectDescription{}}
	if len(in.Features) > 0 && !slices.Contains(in.Features, api.CustomizationFeatureCustomLabels) {
		return out, nil
	}
	list, next, err := s.Projects.List(ctx, project.Query{Key: key(ctx, ""), Names: in.ProjectNames, Token: in.NextToken, Max: pageSize(in.MaxResults)})
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		d, err := s.describeProject(ctx, p)
		if err != nil {
			return nil, err
		}
		out.ProjectDescriptions = append(out.ProjectDescriptions, d)
	}
	out.NextToken = next
	return out, nil
}

func (s *Server) describeProject(ctx context.Context, p *fovea.Project) (api.ProjectDescription, error) {
	d := api.ProjectDescription{
		ProjectArn:        s.projectARN(p),
		CreationTimestamp: p.Created,
		Status:            api.ProjectStatusCreated,
		Datasets:          []api.DatasetMetadata{},
		Feature:           api.CustomizationFeatureCustomLabels, // OQ-21
	}
	list, err := s.Datasets.OfProject(ctx, p.ID)
	for _, ds := range list {
		d.Datasets = append(d.Datasets, api.DatasetMetadata{
			CreationTimestamp: ds.Created,
			DatasetType:       types[ds.Split],
			DatasetArn:        s.datasetARN(p, ds),
			Status:            statuses[ds.Status],
			StatusMessage:     statusMessage(ds),
			StatusMessageCode: messageCode(ds),
		})
	}
	return d, err
}
