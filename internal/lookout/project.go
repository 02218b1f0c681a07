package lookout

import (
	"context"
	"slices"

	"fovea"
	"fovea/internal/lookout/api"
	"fovea/internal/project"
)

func (s *Server) createProject(ctx context.Context, in *api.CreateProjectRequest) (*api.CreateProjectResponse, error) {
	p, err := s.Projects.Create(ctx, key(ctx, in.ProjectName), nil, nil)
	if err != nil {
		return nil, err
	}
	m := s.metadata(p)
	return &api.CreateProjectResponse{ProjectMetadata: &m}, nil
}

func (s *Server) metadata(p *fovea.Project) api.ProjectMetadata {
	return api.ProjectMetadata{ProjectArn: s.projectARN(p), ProjectName: p.Name, CreationTimestamp: p.Created}
}

func (s *Server) describeProject(ctx context.Context, in *api.DescribeProjectRequest) (*api.DescribeProjectResponse, error) {
	p, err := s.Projects.Find(ctx, key(ctx, in.ProjectName))
	if err != nil {
		return nil, err
	}
	list, err := s.Datasets.OfProject(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	d := &api.ProjectDescription{
		ProjectArn:        s.projectARN(p),
		ProjectName:       p.Name,
		CreationTimestamp: p.Created,
		Datasets:          []api.DatasetMetadata{}, // present also when empty (LV-2.7)
	}
	slices.SortFunc(list, func(a, b *fovea.Dataset) int { return order[a.Split] - order[b.Split] })
	for _, ds := range list {
		d.Datasets = append(d.Datasets, *datasetMetadata(ds))
	}
	return &api.DescribeProjectResponse{ProjectDescription: d}, nil
}

// order is that of a project's datasets (LV-2.7).
var order = map[fovea.Split]int{fovea.Train: 0, fovea.Test: 1}

func (s *Server) listProjects(ctx context.Context, in *api.ListProjectsRequest) (*api.ListProjectsResponse, error) {
	list, next, err := s.Projects.List(ctx, project.Query{Key: key(ctx, ""), Token: in.NextToken, Max: pageSize(in.MaxResults)})
	if err != nil {
		return nil, err
	}
	out := &api.ListProjectsResponse{Projects: make([]api.ProjectMetadata, len(list)), NextToken: next}
	for i, p := range list {
		out.Projects[i] = s.metadata(p)
	}
	return out, nil
}

// deleteProject removes the project before it answers (LV-2.15).
func (s *Server) deleteProject(ctx context.Context, in *api.DeleteProjectRequest) (*api.DeleteProjectResponse, error) {
	p, err := s.Projects.Delete(ctx, key(ctx, in.ProjectName), nil, nil)
	if err != nil {
		return nil, err
	}
	return &api.DeleteProjectResponse{ProjectArn: s.projectARN(p)}, nil
}
