package fovea_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/dataset"
	"fovea/internal/repair"
)

// TestDocsQuality compares the rules that docs/quality.md explains with those
// that there are.
func TestDocsQuality(t *testing.T) {
	var written []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(WARNING_\\w+)` \\|").FindAllStringSubmatch(section(t, page(t, "quality.md"), "## The rules"), -1) {
		written = append(written, m[1])
	}
	slices.Sort(written)
	if diff := cmp.Diff(dataset.QualityCodes(), written); diff != "" {
		t.Errorf("docs/quality.md: codes (-program +page):\n%s", diff)
	}
}

// TestDocsMending compares the repairs that docs/quality.md explains with those
// that there are.
func TestDocsMending(t *testing.T) {
	var written []repair.Rule
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(section(t, page(t, "quality.md"), "## Mending"), -1) {
		written = append(written, repair.Rule(m[1]))
	}
	slices.Sort(written)
	if diff := cmp.Diff(repair.Rules(), written); diff != "" {
		t.Errorf("docs/quality.md: rules (-program +page):\n%s", diff)
	}
}
