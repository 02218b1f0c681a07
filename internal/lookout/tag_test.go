package lookout

import (
	"context"
	"testing"

	"fovea"
	"fovea/internal/lookout/api"
)

// TestTagErrors (LV-2.95, LV-2.96): why something cannot be tagged. Keys are
// looked at before the resource.
func TestTagErrors(t *testing.T) {
	const model = "arn:aws:lookoutvision:us-east-1:123456789012:model/p/1"
	s := &Server{}
	for _, tt := range []struct {
		name, arn, key string
		kind           fovea.Kind
		id             string
	}{
		{"no such model", model, "stage", fovea.NotFound, "p/1"},
		{"a key of AWS", model, "aws:stage", fovea.Invalid, ""},
		{"that key in another case", model, "AWS:stage", fovea.NotFound, "p/1"},
		{"a project", "arn:aws:lookoutvision:us-east-1:123456789012:project/p", "stage", fovea.Invalid, ""},
		{"a model without a version", "arn:aws:lookoutvision:us-east-1:123456789012:model/p", "stage", fovea.Invalid, ""},
		{"version 0", "arn:aws:lookoutvision:us-east-1:123456789012:model/p/0", "stage", fovea.Invalid, ""},
		{"another service", "arn:aws:rekognition:us-east-1:123456789012:project/p/1", "stage", fovea.Invalid, ""},
		{"no ARN", "p/1", "stage", fovea.Invalid, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.tagResource(context.Background(), &api.TagResourceRequest{ResourceArn: tt.arn, Tags: []api.Tag{{Key: "a", Value: "b"}, {Key: tt.key}}})
			e, _ := err.(*fovea.Error)
			if e == nil || e.Kind != tt.kind || e.ResourceID != tt.id {
				t.Errorf("%v, want %v about %q", err, tt.kind, tt.id)
			}
		})
	}
}
