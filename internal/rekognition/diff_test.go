package rekognition

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/manifest"
)

// The tests of this file pin differences of docs/differences.md, whose numbers
// they have in their names.

func TestDiff18ClErrorsAndErrors(t *testing.T) {
	line := edit(t, imageLine, `"class-name":"with_leaves",`, "")
	e := checkLine(line)
	var doc manifest.Doc
	if bad := doc.Parse([]byte(line), 0); bad != nil {
		t.Fatal(bad)
	}
	listed := string(AppendListed(nil, &doc, e.Labeled, stored(e)))
	for _, list := range []string{
		`[{"code":"ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT","message":"The format of the label attribute metadata is invalid."}]`,
		`[{"code":"ERROR_NO_VALID_LABEL_ATTRIBUTES","message":"No valid label attributes found."}]`,
	} {
		if want := `,"cl-errors":` + list + `,"errors":` + list; !strings.Contains(listed, want) {
			t.Errorf("the entry lacks %s:\n%s", want, listed)
		}
	}
}

func TestDiff21ImageSizeAsAnObject(t *testing.T) {
	e := checkLine(edit(t, boxLine, `[{"width":640,"height":480,"depth":3}]`, `{"width":640,"height":480,"depth":3}`))
	if diff := cmp.Diff([]string(nil), outline(e)); diff != "" || len(e.Labels) != 2 {
		t.Errorf("%d labels, problems (-want +got):\n%s", len(e.Labels), diff)
	}
}

func TestDiff22TheSchemeInUpperCase(t *testing.T) {
	e := checkLine(edit(t, imageLine, "s3://", "S3://"))
	if e.Dropped || string(e.Bucket) != "plants" {
		t.Errorf("dropped %v, bucket %q", e.Dropped, e.Bucket)
	}
	if diff := cmp.Diff([]string{"warning WARNING_SOURCE_REF_SCHEME /source-ref"}, outline(e)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestDiff28MultilabelTypeWithAClassName(t *testing.T) {
	const old, multilabel = "groundtruth/image-classification", "groundtruth/image-classification-multilabel"
	e := checkLine(edit(t, imageLine, old, multilabel))
	if diff := cmp.Diff([]manifest.Label{{Name: "with_leaves", Used: true}}, e.Labels); diff != "" {
		t.Errorf("labels of one class (-want +got):\n%s", diff)
	}
	e = checkLine(edit(t, imageLine, old, multilabel, `"leaves":1`, `"leaves":[0,1]`))
	if len(e.Labels) > 0 || len(e.Problems) == 0 || e.Problems[len(e.Problems)-1].Code != codeUseCase {
		t.Errorf("an array of classes: labels %v, problems %v", e.Labels, outline(e))
	}
}

func TestDiff45LabelsWithoutTestImagesDoNotCount(t *testing.T) {
	e := &evaluation{result: &fovea.TrainingResult{}, scores: []score{
		{images: 3, precision: 1, recall: 0.5, f1: 0.6}, {images: 1, precision: 0.5, recall: 0.25, f1: 0.2}, {},
	}}
	e.average()
	if r := e.result; r.Precision != 0.75 || r.Recall != 0.375 || r.F1 != 0.4 {
		t.Errorf("%+v", r)
	}
}

func TestDiff47AnyNumberOfTestImages(t *testing.T) {
	m, s := &material{train: []sample{labeledSample(1, "a"), labeledSample(2, "b")}, test: []sample{labeledSample(3, "b")}}, newSummary()
	for n := range int64(1001) {
		m.test = append(m.test, labeledSample(4+n, "a"))
	}
	m.choose(s)
	if s.first() != "" || len(m.test) != 1002 {
		t.Errorf("%d test images: %s", len(m.test), s.first())
	}
}
