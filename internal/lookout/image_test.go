package lookout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/manifest"
)

func TestImageOf(t *testing.T) {
	ref := func(key string) fovea.ObjectRef { return fovea.ObjectRef{Bucket: "bkt", Key: key} }
	colors := []fovea.MaskColor{{Label: "BACKGROUND", Color: 0xffffff, Background: true}, {Label: "scratch", Color: 0x2ca02c}, {Label: "dent", Color: 0x1f77b4}}
	cracked := []fovea.MaskColor{{Label: "cracked", Color: 0x23a436}}
	mask := func(key string, unused bool, colors []fovea.MaskColor) *fovea.MaskExpectation {
		return &fovea.MaskExpectation{Image: ref(key), Colors: colors, Unused: unused}
	}
	second := `"x-ref":"s3://bkt/mask/8.png","x-ref-metadata":{"internal-color-map":{},"type":"groundtruth/semantic-segmentation"},`
	for _, tt := range []struct {
		name     string
		line     string
		old, new string
		want     fovea.ImageExpectation
	}{
		{name: "no mask", line: labelLine, want: fovea.ImageExpectation{Image: ref("train/anomaly/a-1.jpg")}},
		{name: "mask", line: maskLine, want: fovea.ImageExpectation{Image: ref("img/7.jpg"), Mask: mask("mask/7.png", false, colors)}},
		{name: "LV-5.29 the console's", line: consoleLine, want: fovea.ImageExpectation{Image: ref("img/anomaly-1.jpg"), Mask: mask("mask/anomaly-1.png", false, cracked)}},
		{name: "LV-5.38 normal", line: maskLine, old: `"class-name":"anomaly"`, new: `"class-name":"normal"`,
			want: fovea.ImageExpectation{Image: ref("img/7.jpg"), Mask: mask("mask/7.png", true, colors)}},
		{name: "LV-5.37 unlabelled", line: maskLine, old: `"class-name":"anomaly"`, new: `"class-name":"rust"`,
			want: fovea.ImageExpectation{Image: ref("img/7.jpg"), Mask: mask("mask/7.png", true, colors)}},
		{name: "LV-5.33 the last of two", line: maskLine, old: `"anomaly-mask-ref"`, new: second + `"anomaly-mask-ref"`,
			want: fovea.ImageExpectation{Image: ref("img/7.jpg"), Mask: mask("mask/7.png", false, colors)}},
		{name: "LV-5.80 without type", line: maskLine, old: `"type":"groundtruth/semantic-segmentation",`, new: ``,
			want: fovea.ImageExpectation{Image: ref("img/7.jpg"), Mask: mask("mask/7.png", false, colors)}},
		{name: "background of another colour", line: maskLine, old: "#ffffff", new: "#000000",
			want: fovea.ImageExpectation{Image: ref("img/7.jpg"), Mask: mask("mask/7.png", false, []fovea.MaskColor{{Label: "BACKGROUND", Background: true}, colors[1], colors[2]})}},
		{name: "white without name", line: maskLine, old: `"class-name":"BACKGROUND",`, new: ``,
			want: fovea.ImageExpectation{Image: ref("img/7.jpg"), Mask: mask("mask/7.png", false, []fovea.MaskColor{{Color: 0xffffff, Background: true}, colors[1], colors[2]})}},
		{name: "another type", line: maskLine, old: "semantic-segmentation", new: "object-detection", want: fovea.ImageExpectation{Image: ref("img/7.jpg")}},
		{name: "no S3 URI", line: maskLine, old: "s3://bkt/mask", new: "mask", want: fovea.ImageExpectation{Image: ref("img/7.jpg")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(tt.line, tt.old) {
				t.Fatalf("the line has no %s", tt.old)
			}
			e := checkLines(strings.Replace(tt.line, tt.old, tt.new, 1))[0]
			at := func(value, pointer string) fovea.Place {
				return fovea.Place{Pointer: pointer, Offset: strings.Index(string(e.Line), value)}
			}
			tt.want.At = at(`"s3://bkt/`+tt.want.Image.Key, "/source-ref")
			if m := tt.want.Mask; m != nil {
				m.At = at(`"s3://bkt/`+m.Image.Key, "/anomaly-mask-ref")
				m.Map = at(`{"0"`, "/anomaly-mask-ref-metadata/internal-color-map")
			}
			var doc manifest.Doc
			if bad := doc.Parse(e.Line, 0); bad != nil {
				t.Fatal(bad)
			}
			if diff := cmp.Diff(tt.want, imageOf(&doc, e)); diff != "" {
				t.Errorf("expectation (-want +got):\n%s", diff)
			}
		})
	}
}
