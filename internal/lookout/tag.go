package lookout

import (
	"context"
	"regexp"
	"strings"

	"fovea"
	"fovea/internal/lookout/api"
)

// modelARN is the form of the ARNs that may be tagged (LV-1.65, LV-2.95).
var modelARN = regexp.MustCompile(`^arn:[a-z\d-]+:lookoutvision:[a-z\d-]+:\d{12}:model/([a-zA-Z0-9][a-zA-Z0-9_\-]*/[1-9][0-9]*)$`)

// taggable reports why a resource has no tags. Only models have, and none
// exists yet.
func taggable(arn string) error {
	m := modelARN.FindStringSubmatch(arn)
	if m == nil {
		return fovea.Errorf(fovea.Invalid, "The resource %s is not the ARN of a model. Only models can be tagged.", arn)
	}
	return fovea.Errorf(fovea.NotFound, "The model %s does not exist.", m[1]).About(fovea.ModelResource, m[1])
}

// checkTags refuses keys that are AWS's own, which the API description lets pass
// (LV-2.96).
func checkTags(tags []api.Tag) error {
	for _, t := range tags {
		if strings.HasPrefix(t.Key, "aws:") {
			return fovea.Errorf(fovea.Invalid, "The key of a tag cannot begin with aws:, as %q does. Choose another one.", t.Key)
		}
	}
	return nil
}

func (s *Server) tagResource(_ context.Context, in *api.TagResourceRequest) (*api.TagResourceResponse, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	return nil, taggable(in.ResourceArn)
}

func (s *Server) untagResource(_ context.Context, in *api.UntagResourceRequest) (*api.UntagResourceResponse, error) {
	return nil, taggable(in.ResourceArn)
}

func (s *Server) listTagsForResource(_ context.Context, in *api.ListTagsForResourceRequest) (*api.ListTagsForResourceResponse, error) {
	return nil, taggable(in.ResourceArn)
}
