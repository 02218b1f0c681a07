package lookout

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"fovea"
	"fovea/internal/lookout/api"
	"fovea/internal/project"
)

// modelARN is the form of the ARNs that may be tagged (LV-1.65, LV-2.95).
var modelARN = regexp.MustCompile(`^arn:[a-z\d-]+:lookoutvision:([a-z\d-]+):(\d{12}):model/([a-zA-Z0-9][a-zA-Z0-9_\-]*/[1-9][0-9]*)$`)

// tagged returns what an ARN of a tag operation names. Only models have tags.
func tagged(ctx context.Context, arn string) (project.Resource, error) {
	m := modelARN.FindStringSubmatch(arn)
	if m == nil {
		return project.Resource{}, fovea.Errorf(fovea.Invalid, "The resource %s is not the ARN of a model. Only models can be tagged.", arn)
	}
	c := fovea.CallerOf(ctx)
	name, version, _ := strings.Cut(m[3], "/")
	r := project.Resource{Name: arn, Project: key(ctx, name), Model: version, Is: func(time.Time) bool { return true }}
	if m[1] != c.Region || m[2] != c.Account {
		return r, noModel(m[3])
	}
	return r, nil
}

func noModel(id string) error {
	return fovea.Errorf(fovea.NotFound, "The model %s does not exist.", id).About(fovea.ModelResource, id)
}

// about gives NotFound of any kind of resource the words of a model.
func about(err error, arn string) error {
	if err != nil && fovea.KindOf(err) == fovea.NotFound {
		return noModel(modelARN.FindStringSubmatch(arn)[3])
	}
	return err
}

// tagMap returns tags by their keys. It refuses keys that are AWS's own, which
// the API description lets pass (LV-2.96). Of two tags with one key the last
// counts.
func tagMap(tags []api.Tag) (map[string]string, error) {
	m := map[string]string{}
	for _, t := range tags {
		if strings.HasPrefix(t.Key, "aws:") {
			return nil, fovea.Errorf(fovea.Invalid, "The key of a tag cannot begin with aws:, as %q does. Choose another one.", t.Key)
		}
		m[t.Key] = t.Value
	}
	return m, nil
}

func (s *Server) tagResource(ctx context.Context, in *api.TagResourceRequest) (*api.TagResourceResponse, error) {
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	r, err := tagged(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &api.TagResourceResponse{}, about(s.Projects.Tag(ctx, r, tags), in.ResourceArn)
}

func (s *Server) untagResource(ctx context.Context, in *api.UntagResourceRequest) (*api.UntagResourceResponse, error) {
	r, err := tagged(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &api.UntagResourceResponse{}, about(s.Projects.Untag(ctx, r, in.TagKeys), in.ResourceArn)
}

func (s *Server) listTagsForResource(ctx context.Context, in *api.ListTagsForResourceRequest) (*api.ListTagsForResourceResponse, error) {
	r, err := tagged(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := s.Projects.Tags(ctx, r)
	out := &api.ListTagsForResourceResponse{Tags: []api.Tag{}}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out.Tags = append(out.Tags, api.Tag{Key: k, Value: tags[k]})
	}
	return out, about(err, in.ResourceArn)
}
