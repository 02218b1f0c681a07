// Package golden compares what the checkers of both services find in manifests
// with reports beside these, which people have reviewed. It is for tests.
package golden

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/manifest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// folder holds the manifests, NAME.jsonl, and their reports, NAME.report.txt. A
// manifest is named for the code that it shows, or for what is special about it.
const folder = "testdata/golden/"

// maxLine is more than any line of a golden manifest has, in bytes.
const maxLine = 1 << 20

// A Suite says how a service judges manifests and how that is written.
type Suite struct {
	Profile fovea.Profile
	Codes   []string // those that a line can have

	// Write writes what the checker has found in a line, after its number.
	Write func(w *strings.Builder, e *manifest.Entry, doc *manifest.Doc)
}

// Reports compares the report of every manifest with the one beside it, and
// checks that a manifest shows the code for which it is named.
func (s Suite) Reports(t *testing.T) {
	t.Helper()
	names, err := filepath.Glob(folder + "*.jsonl")
	if err != nil || len(names) == 0 {
		t.Fatal("no golden manifests", err)
	}
	for _, name := range names {
		code := strings.TrimSuffix(filepath.Base(name), ".jsonl")
		t.Run(code, func(t *testing.T) {
			got, codes := s.report(t, code)
			if slices.Contains(s.Codes, code) && !slices.Contains(codes, code) {
				t.Errorf("the manifest does not show %s", code)
			}
			golden := folder + code + ".report.txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
}

// Shown checks that every code is shown: an error by the manifest of its name,
// a warning by WARNINGS.jsonl.
func (s Suite) Shown(t *testing.T) {
	t.Helper()
	for _, code := range s.Codes {
		name := code
		if strings.HasPrefix(code, "WARNING_") {
			name = "WARNINGS"
		}
		if _, codes := s.report(t, name); !slices.Contains(codes, code) {
			t.Errorf("no line of %s.jsonl shows %s", name, code)
		}
	}
}

// report returns what a checker finds in a manifest, and the codes.
func (s Suite) report(t *testing.T, name string) (report string, codes []string) {
	t.Helper()
	text, err := os.ReadFile(folder + name + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var w strings.Builder
	c := s.Profile.NewChecker()
	lines := manifest.NewLines(bytes.NewReader(text), int64(len(text)), 0, int64(len(text)), maxLine)
	var doc manifest.Doc
	var e manifest.Entry
	for {
		line, ok := lines.Next()
		if !ok {
			break
		}
		if !s.Profile.BlankLines && line.Bad == nil && len(bytes.TrimSpace(line.Text)) == 0 {
			continue
		}
		e.Line, e.Offset, e.Number = line.Text, line.Offset, line.Number
		c.Check(&e, &doc, doc.Parse(e.Line, int(s.Profile.Limits.LineChars)))
		fmt.Fprintf(&w, "line %d: ", e.Number)
		s.Write(&w, &e, &doc)
		for _, p := range e.Problems {
			codes = append(codes, p.Code)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return w.String(), codes
}

// WriteProblem writes a problem; place is what else is to be said of where it is.
func WriteProblem(w *strings.Builder, p *manifest.Problem, place string) {
	fmt.Fprintf(w, "  %s %s %s\n", p.Severity, p.Code, p.Message)
	fmt.Fprintf(w, "    at        byte %d, pointer %q%s\n", p.Offset, p.Pointer, place)
	fmt.Fprintf(w, "    found     %s\n    expected  %s\n    mend      %s\n", p.Found, p.Expected, p.Mend)
}
