package rekognition

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/manifest"
)

func TestImageOf(t *testing.T) {
	at := func(line, value, pointer string) fovea.Place {
		return fovea.Place{Pointer: pointer, Offset: strings.Index(line, value)}
	}
	board := fovea.ObjectRef{Bucket: "boards", Key: "img/0042.png"}
	size := fovea.ImageSize{Width: 640, Height: 480, At: at(boxLine, `[{"width"`, "/BB/image_size")}
	for _, tt := range []struct {
		name  string
		line  string
		edits []string
		want  fovea.ImageExpectation
	}{
		{name: "image", line: imageLine, want: fovea.ImageExpectation{Image: fovea.ObjectRef{Bucket: "plants", Key: "img/0007.jpg"}}},
		{name: "boxes", line: boxLine, want: fovea.ImageExpectation{Image: board, Sizes: []fovea.ImageSize{size}}},
		{name: "CL-5.33 an object", line: boxLine, edits: []string{`[{"width":640,"height":480,"depth":3}]`, `{"width":6.4e2,"height":480,"depth":3} `},
			want: fovea.ImageExpectation{Image: board, Sizes: []fovea.ImageSize{size}}},
		{name: "escaped source-ref", line: boxLine, edits: []string{"img/0042", `img\/\u0030042`, `[{"width"`, `  [{"width"`},
			want: fovea.ImageExpectation{Image: board, Sizes: []fovea.ImageSize{{Width: 640, Height: 480, At: fovea.Place{Pointer: "/BB/image_size", Offset: size.At.Offset + 8}}}}},
		{name: "no size", line: boxLine, edits: []string{"image_size", "size"}, want: fovea.ImageExpectation{Image: board}},
		{name: "size of two objects", line: boxLine, edits: []string{`"depth":3}]`, `"depth":3},{}]`}, want: fovea.ImageExpectation{Image: board}},
		{name: "empty size", line: boxLine, edits: []string{`{"width":640,"height":480,"depth":3}`, ``}, want: fovea.ImageExpectation{Image: board}},
		{name: "size as text", line: boxLine, edits: []string{`"width":640`, `"width":"640"`}, want: fovea.ImageExpectation{Image: board}},
		{name: "without metadata", line: boxLine, edits: []string{`"BB-metadata"`, `"BB-meta"`}, want: fovea.ImageExpectation{Image: board}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			line := edit(t, tt.line, tt.edits...)
			tt.want.At = at(line, `"s3://`, "/source-ref")
			var doc manifest.Doc
			if bad := doc.Parse([]byte(line), 0); bad != nil {
				t.Fatal(bad)
			}
			got := imageOf(&doc, nil)
			got.Boxes = nil // see TestImageOfBoxes
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("expectation (-want +got):\n%s", diff)
			}
		})
	}
}

// TestImageOfBoxes: of the boxes those are told whose label is known.
func TestImageOfBoxes(t *testing.T) {
	first := fovea.BoxExpectation{Label: "comparator", Left: 10, Top: 20, Width: 100, Height: 80}
	second := fovea.BoxExpectation{Label: "ir_led", Left: 200, Top: 100, Width: 60, Height: 70}
	for _, tt := range []struct {
		name  string
		edits []string
		want  []fovea.BoxExpectation
	}{
		{name: "both", want: []fovea.BoxExpectation{first, second}},
		{name: "CL-6.37 no class", edits: []string{`"0":"comparator"`, `"7":"comparator"`}, want: []fovea.BoxExpectation{second}},
		{name: "no width", edits: []string{`"width":100`, `"w":100`}, want: []fovea.BoxExpectation{second}},
		{name: "width as text", edits: []string{`"width":100`, `"width":"100"`}, want: []fovea.BoxExpectation{second}},
		{name: "no object", edits: []string{`"annotations":[`, `"annotations":[7,`}, want: []fovea.BoxExpectation{first, second}},
		{name: "no class map", edits: []string{`"class-map":{`, `"classes":{`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			line := edit(t, boxLine, tt.edits...)
			var doc manifest.Doc
			if bad := doc.Parse([]byte(line), 0); bad != nil {
				t.Fatal(bad)
			}
			got := imageOf(&doc, nil).Boxes
			for i := range got {
				if !strings.HasPrefix(got[i].At.Pointer, "/BB/annotations/") || line[got[i].At.Offset] != '{' {
					t.Errorf("box %d is at %+v", i, got[i].At)
				}
				got[i].At = fovea.Place{}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("boxes (-want +got):\n%s", diff)
			}
		})
	}
}
