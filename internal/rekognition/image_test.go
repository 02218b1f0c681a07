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
			if diff := cmp.Diff(tt.want, imageOf(&doc, nil)); diff != "" {
				t.Errorf("expectation (-want +got):\n%s", diff)
			}
		})
	}
}
