package rekognition

import (
	"context"
	"regexp"

	"fovea"
	"fovea/internal/project"
	"fovea/internal/rekognition/api"
)

// taggable is the form of the ARNs that may be tagged: of projects, datasets and
// model versions (CL-11.40).
var taggable = regexp.MustCompile(`^arn:[a-z\d-]+:rekognition:[a-z\d-]+:\d{12}:project/[a-zA-Z0-9_.\-]{1,255}/((dataset/(train|test)|version/[a-zA-Z0-9_.\-]{1,255})/)?[0-9]+$`)

// resource returns what an ARN of a tag operation names.
func (s *Server) resource(ctx context.Context, text string) (project.Resource, error) {
	m := taggable.FindStringSubmatch(text)
	if m == nil {
		return project.Resource{}, fovea.Errorf(fovea.Invalid, "The resource %s is not an ARN of a Custom Labels project, dataset or model version.", text)
	}
	a := parseARN(text)
	key, err := s.find(ctx, a)
	return project.Resource{Name: text, Project: key, Split: a.split, Model: a.version, Is: a.is}, err
}

func (s *Server) tagResource(ctx context.Context, in *api.TagResourceRequest) (*api.TagResourceResponse, error) {
	r, err := s.resource(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &api.TagResourceResponse{}, s.Projects.Tag(ctx, r, in.Tags)
}

func (s *Server) untagResource(ctx context.Context, in *api.UntagResourceRequest) (*api.UntagResourceResponse, error) {
	r, err := s.resource(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &api.UntagResourceResponse{}, s.Projects.Untag(ctx, r, in.TagKeys)
}

func (s *Server) listTagsForResource(ctx context.Context, in *api.ListTagsForResourceRequest) (*api.ListTagsForResourceResponse, error) {
	r, err := s.resource(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := s.Projects.Tags(ctx, r)
	return &api.ListTagsForResourceResponse{Tags: tags}, err
}
