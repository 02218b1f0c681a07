package rekognition

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/imaging"
	"fovea/internal/manifest"
	"fovea/internal/ml/head"
	"fovea/internal/model"
	"fovea/internal/rekognition/api"
)

// labeledSample returns a sample with labels of the whole image.
func labeledSample(number int64, labels ...string) sample {
	return sample{number: number, image: fovea.ObjectRef{Bucket: "b", Key: fmt.Sprint(number)}, labels: labels, width: 100, height: 50}
}

// boxedSample returns a sample with a box of each label.
func boxedSample(number int64, labels ...string) sample {
	s := labeledSample(number)
	for _, l := range labels {
		s.boxes = append(s.boxes, target{l, head.Box{Left: 10, Top: 10, Width: 20, Height: 10}, 100, 50})
	}
	return s
}

// TestAskedOf (CL-2.122 to CL-2.124, CL-9.6, CL-9.8 to CL-9.10).
func TestAskedOf(t *testing.T) {
	yes, no := true, false
	assets := []api.Asset{{GroundTruthManifest: &api.GroundTruthManifest{S3Object: &api.S3Object{Bucket: "b", Name: "m"}}}}
	out := &api.OutputConfig{S3Bucket: "out"}
	for _, tt := range []struct {
		name string
		in   api.CreateProjectVersionRequest
		says string // "" for taken
	}{
		{"CL-9.1", api.CreateProjectVersionRequest{OutputConfig: out}, ""},
		{"CL-9.2", api.CreateProjectVersionRequest{OutputConfig: out, TrainingData: &api.TrainingData{Assets: assets}, TestingData: &api.TestingData{Assets: assets}}, ""},
		{"CL-2.123 CL-9.3", api.CreateProjectVersionRequest{OutputConfig: out, TrainingData: &api.TrainingData{Assets: assets}, TestingData: &api.TestingData{Assets: []api.Asset{}, AutoCreate: &yes}}, ""},
		{"CL-9.6 training only", api.CreateProjectVersionRequest{OutputConfig: out, TrainingData: &api.TrainingData{Assets: assets}}, "go together"},
		{"CL-9.6 testing only", api.CreateProjectVersionRequest{OutputConfig: out, TestingData: &api.TestingData{Assets: assets}}, "go together"},
		{"CL-9.8", api.CreateProjectVersionRequest{OutputConfig: out, TrainingData: &api.TrainingData{Assets: assets}, TestingData: &api.TestingData{Assets: assets, AutoCreate: &yes}}, "Choose one"},
		{"CL-9.9", api.CreateProjectVersionRequest{OutputConfig: out, TrainingData: &api.TrainingData{Assets: assets}, TestingData: &api.TestingData{AutoCreate: &no}}, "no Assets and no AutoCreate"},
		{"no training assets", api.CreateProjectVersionRequest{OutputConfig: out, TrainingData: &api.TrainingData{}, TestingData: &api.TestingData{AutoCreate: &yes}}, "TrainingData has no Assets"},
		{"an empty asset", api.CreateProjectVersionRequest{OutputConfig: out, TrainingData: &api.TrainingData{Assets: []api.Asset{{}}}, TestingData: &api.TestingData{AutoCreate: &yes}}, "GroundTruthManifest"},
		{"CL-9.10", api.CreateProjectVersionRequest{OutputConfig: &api.OutputConfig{S3KeyPrefix: "p"}}, "S3Bucket"},
		{"CL-2.124", api.CreateProjectVersionRequest{OutputConfig: out, FeatureConfig: &api.CustomizationFeatureConfig{ContentModeration: &api.CustomizationFeatureContentModerationConfig{}}}, "ContentModeration"},
	} {
		_, err := askedOf(&tt.in)
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || fovea.KindOf(err) != fovea.Invalid || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestMayTrainVersion (CL-9.1 to CL-9.7).
func TestMayTrainVersion(t *testing.T) {
	some, external := &model.Data{}, []fovea.ObjectRef{{Bucket: "b", Key: "m"}}
	for _, tt := range []struct {
		name        string
		manifests   []fovea.ObjectRef
		train, test *model.Data
		ok          bool
	}{
		{"CL-9.1", nil, some, some, true},
		{"CL-9.2", external, nil, nil, true},
		{"CL-9.4", nil, some, nil, true},
		{"CL-9.5", nil, nil, nil, false},
		{"CL-9.5 test only", nil, nil, some, false},
		{"CL-9.7", external, some, nil, false},
		{"CL-9.7 test", external, nil, some, false},
	} {
		err := mayTrain("p", &fovea.Asked{TrainManifests: tt.manifests}, tt.train, tt.test)
		if (err == nil) != tt.ok || err != nil && fovea.KindOf(err) != fovea.Invalid {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestSplitSamples (CL-6.84, CL-9.3, OQ-29): about a fifth of every label tests,
// the same images every time, and each label keeps an image to train with.
func TestSplitSamples(t *testing.T) {
	var all []sample
	for i := range 70 {
		all = append(all, labeledSample(int64(i+1), []string{"oak", "elm"}[i%2]))
	}
	all = append(all, labeledSample(71, "rare", "oak"), labeledSample(72, "rare"))
	train, test, ok := splitSamples(all)
	if !ok || len(train)+len(test) != len(all) || len(test) < 14 || len(test) > 17 {
		t.Fatalf("%d train, %d test, %v", len(train), len(test), ok)
	}
	if diff := cmp.Diff([]string{"elm", "oak", "rare"}, labelsOf(train)); diff != "" {
		t.Errorf("labels to train with (-want +got):\n%s", diff)
	}
	slices.Reverse(all)
	_, again, _ := splitSamples(all)
	if !slices.EqualFunc(test, again, func(a, b sample) bool { return a.number == b.number }) {
		t.Error("in another order other images test")
	}
	if _, _, ok := splitSamples(append(all, labeledSample(99, "once"))); ok {
		t.Error("a label of one image is shared out")
	}
	if _, _, ok := splitSamples(nil); ok {
		t.Error("nothing is shared out")
	}
}

// TestChoose goes through the minima of labels and the choice of the kind of
// model (CL-6.85 to CL-6.89, CL-9.20 to CL-9.26, CL-9.31, CL-9.32).
func TestChoose(t *testing.T) {
	many := func(n int) (list []sample) {
		for i := range n {
			list = append(list, labeledSample(int64(i), fmt.Sprintf("label %03d", i)))
		}
		return list
	}
	for _, tt := range []struct {
		name        string
		train, test []sample
		useCase     string
		labels      []string
		message     string
	}{
		{"CL-9.30 labels", []sample{labeledSample(1, "a"), labeledSample(2, "b")}, []sample{labeledSample(3, "a"), labeledSample(4, "b")}, imageLabels, []string{"a", "b"}, ""},
		{"CL-6.85 CL-9.20", []sample{labeledSample(1, "a")}, []sample{labeledSample(3, "a")}, "", nil, errTooFewLabels.Message},
		{"CL-6.85 in the test data", []sample{labeledSample(1, "a"), labeledSample(2, "b")}, []sample{labeledSample(3, "a")}, "", nil, errTooFewLabels.Message},
		{"CL-9.21 boxes", []sample{boxedSample(1, "a")}, []sample{boxedSample(2, "a")}, boxLabels, []string{"a"}, ""},
		{"CL-6.86 CL-9.23", many(251), many(251), "", nil, errTooManyLabels.Message},
		{"CL-9.23 as many as may be", many(250), many(250), imageLabels, nil, ""},
		{"CL-6.87", []sample{labeledSample(1, "a"), labeledSample(2, "b"), labeledSample(3, "c")}, []sample{labeledSample(4, "a"), labeledSample(5, "x")}, "", nil, errOverlap.Message},
		{"CL-9.26 half", []sample{labeledSample(1, "a"), labeledSample(2, "b")}, []sample{labeledSample(4, "a"), labeledSample(5, "x")}, imageLabels, []string{"a", "b"}, ""},
		{"CL-9.32 brand", []sample{labeledSample(1, "logo")}, []sample{boxedSample(2, "logo")}, boxLabels, []string{"logo"}, ""},
		{"CL-9.32 boxes to train, majority", []sample{boxedSample(1, "a"), boxedSample(2, "b"), labeledSample(3, "a")}, []sample{labeledSample(4, "a"), labeledSample(5, "b")}, boxLabels, nil, errTooFewUsable.Message},
		{"CL-9.32 boxes to train, minority", []sample{boxedSample(1, "a"), labeledSample(2, "b"), labeledSample(3, "a")}, []sample{labeledSample(4, "a"), labeledSample(5, "b")}, imageLabels, []string{"a", "b"}, ""},
		{"CL-6.88", []sample{boxedSample(1, "a"), labeledSample(2, "b"), labeledSample(3, "b")}, []sample{labeledSample(4, "a"), labeledSample(5, "b")}, imageLabels, nil, errTooFewUsable.Message},
	} {
		m, s := &material{train: tt.train, test: tt.test}, newSummary()
		m.choose(s)
		if s.first() != tt.message || m.useCase != tt.useCase {
			t.Errorf("%s: use case %q, message %q", tt.name, m.useCase, s.first())
		}
		if tt.labels != nil && tt.message == "" && !slices.Equal(m.labels, tt.labels) {
			t.Errorf("%s: labels %v", tt.name, m.labels)
		}
		want := tt.useCase
		if want == "" {
			want = notDetermined // CL-6.112
		}
		if s.Statistics.Training.UseCase != want || s.Statistics.Testing.UseCase != want {
			t.Errorf("%s: the summary has %+v", tt.name, s.Statistics)
		}
	}
	brand := &material{train: []sample{labeledSample(1, "logo")}, test: []sample{boxedSample(2, "logo")}}
	brand.choose(newSummary())
	if diff := cmp.Diff([]target{{"logo", head.Box{Width: 100, Height: 50}, 100, 50}}, brand.train[0].boxes, cmp.AllowUnexported(target{})); diff != "" {
		t.Errorf("CL-9.32: a brand's image (-want +got):\n%s", diff)
	}
}

// TestSummary (CL-6.92, CL-6.111 to CL-6.114): counts and lines, and which error
// is told first.
func TestSummary(t *testing.T) {
	s := newSummary()
	s.Statistics.Training.count([]sample{
		{number: 1}, {number: 2, state: invalidLine, failed: true}, {number: 3, state: ignoredLine}, {number: 4, failed: true},
	})
	got := s.Statistics.Training
	if got.Total != 4 || got.Valid != 2 || got.Invalid != 1 || got.Ignored != 1 || !slices.Equal(got.Indices, []int64{2, 4}) {
		t.Errorf("%+v", got)
	}
	if s.first() != "" {
		t.Errorf("of none the first is %q", s.first())
	}
	s.Errors = append(s.Errors, errOverlap)
	s.Statistics.Testing.Errors = append(s.Statistics.Testing.Errors, errTooFewLabels)
	s.Statistics.Training.Errors = append(s.Statistics.Training.Errors, errFailedCopy, errBuckets)
	if s.first() != errBuckets.Message {
		t.Errorf("the first is %q", s.first())
	}
}

// TestJudge (CL-6.54, CL-6.80 to CL-6.82, CL-6.90 to CL-6.92, OQ-23): what is wrong
// with a manifest as a whole.
func TestJudge(t *testing.T) {
	const share = 0.2
	lines := func(valid, invalid, ignored int) *list {
		l := &list{buckets: map[string]bool{"b": true}}
		for i, n := range []int{valid, invalid, ignored} {
			for range n {
				l.samples = append(l.samples, sample{number: int64(len(l.samples) + 1), state: []lineState{validLine, invalidLine, ignoredLine}[i]})
			}
		}
		return l
	}
	dropped := func(l *list, n int64) *list { l.dropped = n; return l }
	buckets := lines(10, 0, 0)
	buckets.buckets["other"] = true
	for _, tt := range []struct {
		name  string
		list  *list
		found opened
		want  string // codes, without their beginning
	}{
		{"nothing", lines(10, 0, 0), opened{images: 10}, ""},
		{"CL-6.80 a fifth", lines(8, 2, 0), opened{images: 10}, ""},
		{"CL-6.80 more", lines(7, 2, 0), opened{images: 9}, "TOO_MANY_INVALID_ROWS_IN_MANIFEST"},
		{"CL-6.54 ignored lines do not count", lines(7, 2, 100), opened{images: 9}, "TOO_MANY_INVALID_ROWS_IN_MANIFEST"},
		{"CL-6.81", buckets, opened{images: 10}, "IMAGES_IN_MULTIPLE_S3_BUCKETS"},
		{"CL-6.39 some images are not there", lines(8, 2, 0), opened{10, 2, 0}, ""},
		{"CL-6.39 some images may not be read", lines(8, 2, 0), opened{10, 2, 2}, ""},
		{"CL-6.90", lines(0, 10, 0), opened{10, 10, 0}, "TOO_MANY_INVALID_ROWS_IN_MANIFEST FAILED_IMAGES_S3_COPY"},
		{"CL-6.82", lines(0, 10, 0), opened{10, 10, 3}, "TOO_MANY_INVALID_ROWS_IN_MANIFEST INVALID_PERMISSIONS_IMAGES_S3_BUCKET FAILED_IMAGES_S3_COPY"},
		{"CL-6.90 no images to look at", lines(0, 0, 3), opened{}, ""},
		{"CL-6.91 a fifth", dropped(lines(8, 2, 0), 2), opened{images: 8}, ""},
		{"CL-6.91", dropped(lines(7, 3, 0), 3), opened{images: 7}, "TOO_MANY_INVALID_ROWS_IN_MANIFEST TOO_MANY_RECORDS_IN_ERROR"},
		{"CL-6.91 of all lines", dropped(lines(7, 3, 10), 3), opened{images: 7}, "TOO_MANY_INVALID_ROWS_IN_MANIFEST"},
	} {
		s := newSummary()
		s.Statistics.Training.judge(tt.list, tt.found, share)
		var codes []string
		for _, e := range s.Statistics.Training.Errors {
			codes = append(codes, strings.TrimPrefix(e.Code, "ERROR_"))
			if !slices.Contains(contentErrorOrder, e) {
				t.Errorf("%s: %s has no place in the order", tt.name, e.Code)
			}
		}
		if got := strings.Join(codes, " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if (s.first() == "") != (tt.want == "") {
			t.Errorf("%s: the first is %q", tt.name, s.first())
		}
	}
}

// TestScore (CL-9.60, CL-9.66): the worked examples.
func TestScore(t *testing.T) {
	for _, tt := range []struct {
		tp, fp, fn            int
		precision, recall, f1 float64
	}{
		{9, 1, 0, 0.9, 1, 0.947}, {3, 7, 0, 0.3, 1, 0.46}, {19, 1, 76, 0.95, 0.2, 0.33}, {8, 1, 0, 0.889, 1, 0.941}, {5, 0, 3, 1, 0.625, 0.769}, {0, 0, 0, 0, 0, 0},
	} {
		s := score{truePositives: tt.tp, falsePos: tt.fp, falseNegatives: tt.fn}
		s.finish()
		for i, d := range []float64{s.precision - tt.precision, s.recall - tt.recall, s.f1 - tt.f1} {
			if math.Abs(d) > 0.005 {
				t.Errorf("%+v: %+v, number %d", tt, s, i)
			}
		}
	}
}

// TestDetails (CL-9.75): one flag is true, and presence does not depend on the
// threshold.
func TestDetails(t *testing.T) {
	for _, positive := range []bool{true, false} {
		for _, present := range []bool{true, false} {
			d := detailsOf(positive, present)
			n := 0
			for _, flag := range []bool{d.TruePositive, d.TrueNegative, d.FalsePositive, d.FalseNegative} {
				if flag {
					n++
				}
			}
			if n != 1 || d.PresentInTruth != present || (d.TruePositive || d.FalsePositive) != positive || d.Version != 1 || len(d.Jobs) != 1 {
				t.Errorf("positive %v, present %v: %+v", positive, present, d)
			}
		}
	}
}

// TestObjects (CL-10.41): boxes are scaled by image_size as it is given, and
// into what training takes of a large image.
func TestObjects(t *testing.T) {
	s := sample{width: 2560, height: 1280, boxes: []target{{"a", head.Box{Left: 64, Top: 32, Width: 64, Height: 32}, 256, 128}, {"other", head.Box{}, 1, 1}}}
	want := []head.Object{{Class: 1, Box: head.Box{Left: 320, Top: 160, Width: 320, Height: 160}}}
	if diff := cmp.Diff(want, s.objects([]string{"", "a"})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestManyBoxes (CL-5.34): where the limit of boxes allows more than AWS does, all
// of a line train, and the check of images compares a part of them.
func TestManyBoxes(t *testing.T) {
	const box, confidence = `{"class_id":0,"left":10,"top":20,"width":100,"height":80}`, `{"confidence":1}`
	times := func(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	line := edit(t, boxLine, box, times(300, box), confidence, times(300, confidence))
	limits := Limits().Lifted()
	var doc manifest.Doc
	e := manifest.Entry{Line: []byte(line), Number: 1}
	bad := doc.Parse(e.Line, int(limits.LineChars))
	newChecker(limits).Check(&e, &doc, bad)
	if s := sampleOf(&doc, &e); s.state != validLine || len(s.boxes) != 301 {
		t.Errorf("of 301 boxes %d train, the line is %v: %+v", len(s.boxes), s.state, e.Problems)
	}
	if want := imageOf(&doc, &e); len(want.Boxes) != maxExpected {
		t.Errorf("of 301 boxes %d are compared, not %d", len(want.Boxes), maxExpected)
	}
}

// TestValidated (CL-6.102, CL-6.103, CL-6.105, CL-6.106): lines as validation
// manifests have them.
func TestValidated(t *testing.T) {
	const meta = `"l-metadata":{"class-name":"oak","confidence":1,"type":"groundtruth/image-classification","job-name":"j","human-annotated":"yes","creation-date":"2021-07-11T03:32:13.456Z"`
	for _, tt := range []struct {
		name, line, want string
		of               sample
	}{
		{"valid", `{"source-ref":"s3://b/1.jpg","l":1,` + meta + `}}`, `{"source-ref":"s3://b/1.jpg","l":1,` + meta + `}}`, sample{}},
		{"CL-6.105", `{"source-ref":"s3://b/1.jpg","l":1,` + meta + `},"errors":[{"code":"X"}],"warnings":[]}`, `{"source-ref":"s3://b/1.jpg","l":1,` + meta + `}}`, sample{}},
		{"CL-6.39", `{"source-ref":"s3://b/1.gif","l":1,` + meta + `}}`, `{"source-ref":"s3://b/1.gif","l":1,` + meta +
			`},"errors":[{"code":"ERROR_INVALID_IMAGE","message":"The image is invalid. Check S3 path and/or image properties."}]}`, sample{state: invalidLine, image: fovea.ObjectRef{Bucket: "b", Key: "1.gif"}}},
		{"CL-6.22", `{"source-ref":"s3://b/1.jpg","l":1,` + meta + `}}`, `{"source-ref":"s3://b/1.jpg","l":1,` + meta +
			`},"errors":[{"code":"ERROR_DUPLICATE_SOURCE_REF","message":"The source-ref is that of an earlier line."}]}`, sample{state: invalidLine, repeat: true}},
		{"CL-6.54", `{"source-ref":"s3://b/9.jpg"}`, `{"source-ref":"s3://b/9.jpg","warnings":[{"code":"WARNING_UNANNOTATED_RECORD","message":"Record is unannotated."}]}`, sample{}},
		{"CL-6.103", `{"source-ref"`, `{"errors":[{"code":"ERROR_INVALID_JSON_LINE","message":"The JSON Line has an invalid format."}]}`, sample{}},
	} {
		var doc manifest.Doc
		var entry manifest.Entry
		bad := doc.Parse([]byte(tt.line), 100_000)
		entry.Line = []byte(tt.line)
		newChecker(Limits()).Check(&entry, &doc, bad)
		if got := string(appendValidated(nil, &doc, &entry, bad, tt.of.faults(&entry)...)); got != tt.want {
			t.Errorf("%s:\n%s, want\n%s", tt.name, got, tt.want)
		}
	}
}

// TestRepeats (CL-6.20, CL-6.22): of the lines of an external manifest that have
// one image the first counts, and the others as dropped.
func TestRepeats(t *testing.T) {
	l := &list{buckets: map[string]bool{}, seen: map[[sha256.Size]byte]bool{}}
	for i, line := range []string{imageLine, `{}`, boxLine, imageLine, `{}`} {
		var doc manifest.Doc
		entry := manifest.Entry{Line: []byte(line)}
		newChecker(Limits()).Check(&entry, &doc, doc.Parse(entry.Line, 100_000))
		l.add(int64(i+1), &doc, &entry)
	}
	var valid, repeats []int64
	for _, s := range l.samples {
		if s.state == validLine {
			valid = append(valid, s.number)
		}
		if s.repeat {
			repeats = append(repeats, s.number)
		}
	}
	if !slices.Equal(valid, []int64{1, 3}) || !slices.Equal(repeats, []int64{4}) || l.dropped != 3 || l.lines != 5 {
		t.Errorf("valid %v, repeated %v, %d dropped of %d; want 1 and 3, 4, 3 of 5", valid, repeats, l.dropped, l.lines)
	}
}

// TestVersionFileName (CL-9.40, CL-9.42).
func TestVersionFileName(t *testing.T) {
	p := &fovea.Project{Name: "P"}
	for prefix, want := range map[string]string{"": "ManifestSummary-P-v1.json", "a": "a/ManifestSummary-P-v1.json", "a/": "a/ManifestSummary-P-v1.json"} {
		m := &fovea.Model{Name: "v1", Asked: fovea.Asked{Output: fovea.ObjectRef{Key: prefix}}}
		if got := (Trainer{}).FileName(p, m, "ManifestSummary"); got != want {
			t.Errorf("prefix %q: %s, want %s", prefix, got, want)
		}
	}
}

// TestChosenLabels (CL-10.20 to CL-10.26, CL-10.30 to CL-10.34).
func TestChosenLabels(t *testing.T) {
	p := &predictor{Labels: []string{"a", "b", "c"}, Thresholds: []float64{0.9, 0.2, 0.5}}
	img := &imaging.Image{W: 200, H: 100}
	found := []finding{{label: 0, score: 0.8}, {label: 1, score: 0.3}, {label: 2, score: 0.7}}
	ptr := func(v float32) *float32 { return &v }
	num := func(v int) *int { return &v }
	for _, tt := range []struct {
		name  string
		least *float32
		most  *int
		want  string
	}{
		{"CL-10.30", nil, nil, "c b"}, {"CL-10.31", ptr(75), nil, "a"}, {"CL-10.32", ptr(0), nil, "a c b"}, {"CL-10.32 the best", ptr(0), num(1), "a"},
		{"CL-10.33", ptr(70), nil, "a c"}, {"CL-10.34", nil, num(1), "c"}, {"CL-10.34 OQ-13", ptr(0), num(0), ""}, {"CL-10.31 all", ptr(100), nil, ""},
	} {
		var names []string
		for _, l := range p.choose(slices.Clone(found), tt.least, tt.most, img) {
			names = append(names, l.Name)
			if l.Geometry != nil {
				t.Errorf("%s: %+v has a geometry (CL-10.23)", tt.name, l)
			}
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	box := []finding{{0, 0.95, clip(head.Box{Left: -20, Top: 50, Width: 60, Height: 80}, img)}}
	got := p.choose(box, nil, nil, img)
	want := []api.CustomLabel{{Name: "a", Confidence: 95, Geometry: &api.Geometry{BoundingBox: &api.BoundingBox{Width: 0.2, Height: 0.5, Left: 0, Top: 0.5}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("CL-10.26: a box at the edge (-want +got):\n%s", diff)
	}
}
