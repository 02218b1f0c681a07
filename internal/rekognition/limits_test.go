package rekognition

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/manifest"
)

// TestLimits: the limits on a line are those of the profile, one by one, and
// lifting takes all of them away but that on its length, which bounds memory.
func TestLimits(t *testing.T) {
	box := `{"class_id":0,"left":10,"top":20,"width":100,"height":80},`
	boxes := edit(t, boxLine, box, strings.Repeat(box, 50), `{"confidence":1},`, strings.Repeat(`{"confidence":1},`, 50))
	large := edit(t, boxLine, `"width":640`, `"width":5000`)
	small := edit(t, boxLine, `"width":640,"height":480`, `"width":300,"height":60`,
		`"top":20,"width":100,"height":80`, `"top":20,"width":100,"height":20`, `"top":100,"width":60,"height":70`, `"top":10,"width":60,"height":7`)
	long := edit(t, imageLine, "labeling-job/leaves", strings.Repeat("x", 100_000))
	none := func(*fovea.Limits) {}
	for _, tt := range []struct {
		name  string
		line  string
		code  string // at AWS
		raise func(*fovea.Limits)
	}{
		{"CL-12.2", long, codeLineTooLong, func(l *fovea.Limits) { l.LineChars = 200_000 }},
		{"CL-12.10", boxes, codeTooManyBoxes, func(l *fovea.Limits) { l.Boxes = 51 }},
		{"CL-12.12 large", large, codeDimension, func(l *fovea.Limits) { l.Image.MaxSide = 5000 }},
		{"CL-12.12 small", small, codeDimension, func(l *fovea.Limits) { l.Image.MinSide = 60 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			codes := func(limits fovea.Limits, change func(*fovea.Limits)) (list []string) {
				change(&limits)
				var doc manifest.Doc
				e := &manifest.Entry{Line: []byte(tt.line), Number: 1}
				Profile(limits).NewChecker().Check(e, &doc, doc.Parse(e.Line, int(limits.LineChars)))
				for _, p := range e.Problems {
					list = append(list, p.Code)
				}
				return list
			}
			lifted := []string(nil)
			if tt.code == codeLineTooLong {
				lifted = []string{tt.code}
			}
			aws := codes(Limits(), none)
			if !slices.Contains(aws, tt.code) {
				t.Errorf("at AWS: %v, want %s among them", aws, tt.code)
			}
			if diff := cmp.Diff(lifted, codes(Limits().Lifted(), none)); diff != "" {
				t.Errorf("lifted (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string(nil), codes(Limits(), tt.raise)); diff != "" {
				t.Errorf("raised (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSides: what is expected of a side is what the limits say.
func TestSides(t *testing.T) {
	line := edit(t, boxLine, `"width":640`, `"width":30`, `"left":200`, `"left":0`, `"width":60`, `"width":20`, `"left":10`, `"left":0`, `"width":100`, `"width":20`)
	for max, want := range map[int]string{4096: "64 to 4096 pixels", 0: "64 pixels or more"} {
		limits := Limits()
		limits.Image.MaxSide = max
		var doc manifest.Doc
		e := &manifest.Entry{Line: []byte(line), Number: 1}
		Profile(limits).NewChecker().Check(e, &doc, doc.Parse(e.Line, int(limits.LineChars)))
		if !slices.ContainsFunc(e.Problems, func(p manifest.Problem) bool { return p.Expected == want }) {
			t.Errorf("at most %d: %s", max, fmt.Sprint(e.Problems))
		}
	}
}
