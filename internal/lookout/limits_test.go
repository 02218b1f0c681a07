package lookout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/manifest"
)

// TestLimits: the limits on a line are those of the profile, one by one, and
// lifting takes all of them away but that on its length, which bounds memory.
func TestLimits(t *testing.T) {
	none := func(*fovea.Limits) {}
	for _, tt := range []struct {
		name  string
		line  string
		code  string // at AWS
		raise func(*fovea.Limits)
	}{
		{"LV-9.7", `{"source-ref":"s3://bkt/a.jpg","notes":"` + strings.Repeat("x", 9000) + `"}`, codeLineTooLong, func(l *fovea.Limits) { l.LineChars = 10_000 }},
		{"LV-9.16", edit(t, maskLine, manyLabels(21)...), codeAnomalyLabels, func(l *fovea.Limits) { l.MaskLabels = 21 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			codes := func(limits fovea.Limits, change func(*fovea.Limits)) (list []string) {
				change(&limits)
				var doc manifest.Doc
				e := &manifest.Entry{Line: []byte(tt.line), Number: 1}
				Profile(limits).NewChecker().Check(e, &doc, doc.Parse(e.Line, int(limits.LineChars)))
				for _, p := range e.Problems {
					if p.Severity == manifest.Fatal {
						list = append(list, p.Code)
					}
				}
				return list
			}
			lifted := []string(nil)
			if tt.code == codeLineTooLong {
				lifted = []string{tt.code}
			}
			for _, run := range []struct {
				name   string
				limits fovea.Limits
				change func(*fovea.Limits)
				want   []string
			}{{"at AWS", Limits(), none, []string{tt.code}}, {"lifted", Limits().Lifted(), none, lifted}, {"raised", Limits(), tt.raise, nil}} {
				if diff := cmp.Diff(run.want, codes(run.limits, run.change)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", run.name, diff)
				}
			}
		})
	}
}
