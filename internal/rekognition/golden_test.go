package rekognition

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"fovea/internal/lint/golden"
	"fovea/internal/manifest"
)

// goldenSuite compares what is found in the manifests in testdata/golden with
// the reports beside them.
var goldenSuite = golden.Suite{Profile: Profile(Limits()), Codes: slices.Sorted(maps.Keys(messages)), Write: writeEntry}

func TestGolden(t *testing.T)      { goldenSuite.Reports(t) }
func TestGoldenCodes(t *testing.T) { goldenSuite.Shown(t) }

// writeEntry writes what a checker found in a line, for people to review.
func writeEntry(w *strings.Builder, e *manifest.Entry, doc *manifest.Doc) {
	if e.Dropped {
		w.WriteString("dropped\n")
	} else {
		fmt.Fprintf(w, "%s labeled=%t date=%d labels=%s\n", e.SourceRef, e.Labeled, e.Date, writeLabels(e.Labels))
	}
	for _, p := range e.Problems {
		golden.WriteProblem(w, &p, fmt.Sprintf(", carried by %q", p.At))
	}
	if !e.Dropped {
		fmt.Fprintf(w, "  listed %s\n", manifest.Excerpt(AppendListed(nil, doc, e.Labeled, stored(e)), 1500))
	}
}

func writeLabels(labels []manifest.Label) string {
	var list []string
	for _, l := range labels {
		use := "declared"
		switch {
		case l.Boxed:
			use = "boxed"
		case l.Used:
			use = "used"
		}
		list = append(list, fmt.Sprintf("%q %s", l.Name, use))
	}
	if len(list) > 10 {
		list = append(list[:2], fmt.Sprintf("and %d more", len(list)-2))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// stored returns the problems that are stored with an entry.
func stored(e *manifest.Entry) (list []StoredProblem) {
	for _, p := range e.Problems {
		if p.Severity == manifest.Error {
			list = append(list, StoredProblem{p.Code, p.Message, p.At})
		}
	}
	return list
}
