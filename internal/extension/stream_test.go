package extension

import (
	"strings"
	"testing"

	"fovea"
	"fovea/internal/dataset"
)

// A dataset that was never changed has nothing to compare, and says so.
func TestComparesOneRevision(t *testing.T) {
	for revision, says := range map[int64]string{0: "has no content", 1: "has one revision only", 7: "its first"} {
		v := &dataset.View{
			Project: &fovea.Project{Name: "parts"},
			Dataset: &fovea.Dataset{Split: fovea.Train, Revision: revision},
		}
		if err := nothingBefore(v, 1); !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "parts/train") {
			t.Errorf("of %d revisions: %v, want %q", revision, err, says)
		}
	}
}
