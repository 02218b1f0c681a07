package lookout

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

// TestGolden checks the manifests in testdata/golden and compares with the
// report beside each. A manifest is named for the code that it shows, or for
// what is special about it.
func TestGolden(t *testing.T) {
	names, err := filepath.Glob("testdata/golden/*.jsonl")
	if err != nil || len(names) == 0 {
		t.Fatal("no golden manifests", err)
	}
	for _, name := range names {
		code := strings.TrimSuffix(filepath.Base(name), ".jsonl")
		t.Run(code, func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got, codes := report(t, text)
			if _, ok := messages[code]; ok && !slices.Contains(codes, code) {
				t.Errorf("the manifest does not show %s", code)
			}
			golden := strings.TrimSuffix(name, ".jsonl") + ".report.txt"
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

// TestGoldenCodes checks that every code that a line can have is shown.
func TestGoldenCodes(t *testing.T) {
	for code := range messages {
		name := code
		if strings.HasPrefix(code, "WARNING_") {
			name = "WARNINGS"
		}
		text, err := os.ReadFile("testdata/golden/" + name + ".jsonl")
		if err != nil {
			t.Error(err)
			continue
		}
		if _, codes := report(t, text); !slices.Contains(codes, code) {
			t.Errorf("no line of %s.jsonl shows %s", name, code)
		}
	}
}

// report writes what a checker finds in a manifest, and returns the codes too.
func report(t *testing.T, text []byte) (report string, codes []string) {
	t.Helper()
	var s strings.Builder
	limits := Limits()
	c := Profile(limits).NewChecker()
	lines := manifest.NewLines(bytes.NewReader(text), int64(len(text)), 0, int64(len(text)), 1<<20)
	var doc manifest.Doc
	var e manifest.Entry
	for {
		line, ok := lines.Next()
		if !ok {
			break
		}
		if len(bytes.TrimSpace(line.Text)) == 0 && line.Bad == nil {
			continue // LV-5.5
		}
		e.Line, e.Offset, e.Number = line.Text, line.Offset, line.Number
		c.Check(&e, &doc, doc.Parse(e.Line, int(limits.LineChars)))
		writeEntry(&s, &e)
		for _, p := range e.Problems {
			codes = append(codes, p.Code)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return s.String(), codes
}

// writeEntry writes what a checker found in a line, for people to review.
func writeEntry(s *strings.Builder, e *manifest.Entry) {
	fmt.Fprintf(s, "line %d: ", e.Number)
	if e.Dropped {
		s.WriteString("dropped\n")
	} else {
		fmt.Fprintf(s, "%s class=%q labeled=%t date=%d labels=[%s]\n", e.SourceRef, e.Class, e.Labeled, e.Date, labels(e))
	}
	for _, p := range e.Problems {
		fmt.Fprintf(s, "  %s %s %s\n", p.Severity, p.Code, p.Message)
		fmt.Fprintf(s, "    at        byte %d, pointer %q\n", p.Offset, p.Pointer)
		fmt.Fprintf(s, "    found     %s\n    expected  %s\n    mend      %s\n", p.Found, p.Expected, p.Mend)
		if p.Severity == manifest.Fatal {
			_, message := faultText(fovea.Fault{Kind: fovea.FaultLine, Line: e.Number, Problem: &p})
			fmt.Fprintf(s, "    message   %s\n", message)
		}
	}
}
