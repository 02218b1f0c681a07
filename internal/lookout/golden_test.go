package lookout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"fovea"
	"fovea/internal/lint/golden"
	"fovea/internal/manifest"
)

// goldenSuite compares what is found in the manifests in testdata/golden with
// the reports beside them.
var goldenSuite = golden.Suite{Profile: Profile(Limits()), Codes: slices.Sorted(maps.Keys(messages)), Write: writeEntry}

func TestGolden(t *testing.T)      { goldenSuite.Reports(t) }
func TestGoldenCodes(t *testing.T) { goldenSuite.Shown(t) }

// writeEntry writes what a checker found in a line, for people to review.
func writeEntry(w *strings.Builder, e *manifest.Entry, _ *manifest.Doc) {
	if e.Dropped {
		w.WriteString("dropped\n")
	} else {
		fmt.Fprintf(w, "%s class=%q labeled=%t date=%d labels=[%s]\n", e.SourceRef, e.Class, e.Labeled, e.Date, labels(e))
	}
	for _, p := range e.Problems {
		golden.WriteProblem(w, &p, "")
		if p.Severity == manifest.Fatal {
			_, message := faultText(fovea.Fault{Kind: fovea.FaultLine, Line: e.Number, Problem: &p})
			fmt.Fprintf(w, "    message   %s\n", message)
		}
	}
}
