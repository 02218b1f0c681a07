package lookout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/imaging"
	"fovea/internal/manifest"
	"fovea/internal/model"
)

func examples(class manifest.Class, n int) (list []example) {
	for i := range n {
		list = append(list, example{class: class, image: fovea.ObjectRef{Bucket: "b", Key: fmt.Sprintf("%d/%d.jpg", class, i)}})
	}
	return list
}

// TestSplitExamples (LV-6.19): a fifth of each class tests, five at least where
// there are ten, the same images every time whatever their order.
func TestSplitExamples(t *testing.T) {
	for _, tt := range []struct{ normal, anomalous, testNormal, testAnomalous int }{
		{20, 10, 5, 5}, {31, 32, 6, 6}, {100, 50, 20, 10}, {1000, 10, 200, 5}, {4, 3, 2, 1}, {1, 0, 0, 0},
	} {
		all := slices.Concat(examples(manifest.Normal, tt.normal), examples(manifest.Anomaly, tt.anomalous))
		train, test := splitExamples(slices.Clone(all))
		got := []int{count(test, manifest.Normal), count(test, manifest.Anomaly), len(train) + len(test)}
		if diff := cmp.Diff([]int{tt.testNormal, tt.testAnomalous, tt.normal + tt.anomalous}, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt, diff)
		}
		slices.Reverse(all)
		if _, again := splitExamples(all); !slices.EqualFunc(test, again, func(a, b example) bool { return a.image == b.image }) {
			t.Errorf("%+v: in another order other images test", tt)
		}
		for _, e := range test {
			if slices.ContainsFunc(train, func(x example) bool { return x.image == e.image }) {
				t.Errorf("%v trains and tests", e.image)
			}
		}
	}
}

// TestMayTrain (LV-6.7, LV-6.8, LV-6.10): what the counts of the datasets must
// be, for one and for two.
func TestMayTrain(t *testing.T) {
	data := func(normal, anomaly int64) *model.Data {
		return &model.Data{Dataset: &fovea.Dataset{}, Revision: &fovea.Revision{Stats: fovea.Stats{Normal: normal, Anomaly: anomaly}}}
	}
	limits := Profile(Limits())
	s := &Server{Models: &model.Ops{Profiles: map[fovea.Service]fovea.Profile{fovea.Lookout: limits}}}
	for _, tt := range []struct {
		name        string
		train, test *model.Data
		kind        fovea.Kind
		says        string // "" for allowed
	}{
		{"LV-6.7 one", data(20, 10), nil, 0, ""},
		{"LV-6.7 one, too few normal", data(19, 10), nil, fovea.Invalid, "19 images labelled normal"},
		{"LV-6.8 one, too few anomalous", data(20, 9), nil, fovea.Invalid, "9 images labelled anomaly"},
		{"LV-6.8 two, none to train", data(10, 0), data(10, 10), 0, ""},
		{"LV-6.7 two, train", data(9, 50), data(10, 10), fovea.Invalid, "The train dataset has 9"},
		{"LV-6.7 two, test", data(50, 50), data(9, 10), fovea.Invalid, "The test dataset has 9"},
		{"LV-6.8 two, test", data(50, 50), data(10, 9), fovea.Invalid, "9 images labelled anomaly"},
		{"LV-6.10 none", nil, nil, fovea.InUse, "no train dataset"},
		{"LV-6.10 test only", nil, data(50, 50), fovea.InUse, "no train dataset"},
		{"LV-6.11", &model.Data{Dataset: &fovea.Dataset{}, Revision: &fovea.Revision{Stats: fovea.Stats{Entries: 16_001, Normal: 50, Anomaly: 50}}}, nil, fovea.Invalid, "16001 images; training takes 16000"},
		{"LV-6.11 test", data(50, 50), &model.Data{Dataset: &fovea.Dataset{}, Revision: &fovea.Revision{Stats: fovea.Stats{Entries: 4001, Normal: 50, Anomaly: 50}}}, fovea.Invalid, "4001 images; training takes 4000"},
		{"LV-14.48 a dataset that changes", &model.Data{Dataset: &fovea.Dataset{Status: fovea.Updating}, Revision: &fovea.Revision{}}, nil, 0, ""},
		{"a dataset without a revision", &model.Data{Dataset: &fovea.Dataset{}}, nil, 0, ""},
	} {
		err := s.mayTrain("p", tt.train, tt.test)
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || fovea.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	limits.Limits = limits.Limits.Lifted()
	s.Models.Profiles[fovea.Lookout] = limits
	if err := s.mayTrain("p", data(1, 0), nil); err != nil {
		t.Errorf("without limits: %v", err)
	}
}

// TestSameSize (LV-6.21): the message begins with AWS's and names both images.
func TestSameSize(t *testing.T) {
	a := example{image: fovea.ObjectRef{Bucket: "b", Key: "a"}, size: [2]int{100, 80}}
	b := example{image: fovea.ObjectRef{Bucket: "b", Key: "b"}, size: [2]int{80, 100}}
	if err := sameSize([]example{a, a}, []example{a}); err != nil {
		t.Error(err)
	}
	err := sameSize([]example{a}, []example{a, b})
	if err == nil || !strings.HasPrefix(err.Error(), "Images in the dataset must have the same dimensions.") || !strings.Contains(err.Error(), "s3://b/b has 80 x 100") {
		t.Errorf("%v", err)
	}
}

// twoLabels is a model with two kinds of anomalies; it cannot predict.
func twoLabels() *predictor {
	return &predictor{Width: 96, Height: 64, Labels: []areaLabel{
		{Name: "scratch", Color: "#7ED321", RGB: 0x7ED321, Threshold: 0.5}, {Name: "dent", Color: "#4dd8ff", RGB: 0x4DD8FF, Threshold: 0.5},
	}}
}

// TestAreas (LV-7.33, LV-7.34, LV-7.44): shares of the pixels, which add up to 1
// and are those of the mask.
func TestAreas(t *testing.T) {
	p := twoLabels()
	labels := &imaging.LabelMap{W: 576, H: 768, Pix: make([]uint8, 576*768)}
	for i := range 8008 {
		labels.Pix[1000+i] = 1
	}
	areas := p.areas(labels)
	if areas[1] != 0.018102575093507767 || areas[2] != 0 { // as the service printed it
		t.Errorf("areas %v", areas)
	}
	if sum := float64(areas[0]) + float64(areas[1]) + float64(areas[2]); math.Abs(sum-1) > 1e-7 {
		t.Errorf("they add up to %v", sum)
	}
}

// TestMaskPNG (LV-7.40, LV-7.41, LV-7.43): 8-bit RGB without alpha, not
// interlaced, of the image's size and of exactly the colours of the labels.
func TestMaskPNG(t *testing.T) {
	p := twoLabels()
	labels := &imaging.LabelMap{W: 96, H: 64, Pix: make([]uint8, 96*64)}
	labels.Pix[0], labels.Pix[96*64-1] = 1, 2
	data, err := p.maskPNG(labels)
	if err != nil {
		t.Fatal(err)
	}
	info, err := imaging.Probe(bytes.NewReader(data), int64(len(data)))
	if err != nil || info.Model != imaging.RGB || info.Depth != 8 || info.Progressive || info.Width != 96 || info.Height != 64 {
		t.Errorf("%+v, %v", info, err)
	}
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"#7ED321", "#FFFFFF", "#4DD8FF"} {
		x, y := []int{0, 50, 95}[i], []int{0, 30, 63}[i]
		r, g, b, a := m.At(x, y).RGBA()
		if got := fmt.Sprintf("#%02X%02X%02X", r>>8, g>>8, b>>8); got != want || a != 0xffff {
			t.Errorf("at %d,%d it is %s, want %s", x, y, got, want)
		}
	}
}

// TestPixelMetrics (LV-6.30 to LV-6.32, LV-6.35, LV-6.37, LV-6.38).
func TestPixelMetrics(t *testing.T) {
	var m pixelMetrics
	m.compare([]uint8{1, 1, 1, 1, 0, 0, 2, 2}, []uint8{1, 1, 0, 2, 1, 0, 2, 0}, 1) // shared 2, there 4, found 3, union 5
	m.compare(nil, []uint8{0, 0, 0, 1}, 1)                                         // a normal image with a false find
	m.compare(nil, []uint8{0, 0, 0, 2}, 1)                                         // nothing of this label
	m.finish()
	want := pixelMetrics{Precision: 2.0 / 4, Recall: 2.0 / 4, F1Score: 0.5, AIOU: (2.0/5 + 0) / 2}
	if diff := cmp.Diff([]float64{want.Precision, want.Recall, want.F1Score, want.AIOU}, []float64{m.Precision, m.Recall, m.F1Score, m.AIOU}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var none pixelMetrics
	none.finish()
	if none.Precision != 0 || none.Recall != 0 || none.F1Score != 0 || none.AIOU != 0 {
		t.Errorf("of nothing: %+v", none)
	}
}

// TestUsed (LV-6.51): of a training that leaves images out, those count that a
// part of the model learned from.
func TestUsed(t *testing.T) {
	all := slices.Concat(examples(manifest.Normal, 3), examples(manifest.Anomaly, 2), masked(2, "dent", "dent"))
	for _, tt := range []struct {
		name       string
		classified []int
		areas      bool
		want       int
	}{
		{"all", []int{0, 1, 2, 3, 4, 5, 6}, false, 7},
		{"all, with areas", []int{0, 1, 2, 3, 4, 5, 6}, true, 7},
		{"some", []int{0, 3, 5}, false, 3},
		{"the finder of areas uses more", []int{0, 3, 5}, true, 6}, // all but the anomalous image 4, which has no mask
		{"it has no use for anomalous images without a mask", []int{0, 1}, true, 5},
	} {
		if got := used(all, tt.classified, tt.areas); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestEvaluationResult (LV-6.49, LV-6.50, LV-6.52, LV-6.53): the members and
// their order; labels that test images have, and no key without masks.
func TestEvaluationResult(t *testing.T) {
	run := &model.Run{Project: &fovea.Project{Name: "p", Region: "r", Account: "123456789012"}, Model: &fovea.Model{Name: "3"}}
	e := &evaluation{trainer: Trainer{Partition: "aws"}, run: run, trained: 66, result: &fovea.TrainingResult{Precision: 1, Recall: 0.9, F1: 0.947}}
	text, err := json.Marshal(e.summary(0.993, 0.99, 34))
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(text), `"EvaluationEndTimestamp":"`)
	if want := `{"Version":1,"EvaluationDetails":{"ModelArn":"arn:aws:lookoutvision:r:123456789012:model/p/3",`; head != want {
		t.Errorf("it begins with\n%s, want\n%s", head, want)
	}
	stamp, rest, _ := strings.Cut(rest, `"`)
	if len(stamp) != len("2020-11-28T17:51:00.681000") {
		t.Errorf("it ended at %q", stamp)
	}
	if want := `,"NumberOfTrainingImages":66,"NumberOfTestingImages":34},"AggregatedEvaluationResults":{"Metrics":` +
		`{"ROCAUC":0.993,"AveragePrecision":0.99,"Precision":1,"Recall":0.9,"F1Score":0.947}}}`; rest != want {
		t.Errorf("it ends with\n%s, want\n%s", rest, want)
	}
	e.classes = []pixelMetrics{{ClassName: "seen", there: 4, found: 4, shared: 2, overlap: 0.5, images: 1}, {ClassName: "never", found: 3}}
	text, err = json.Marshal(e.summary(0.993, 0.99, 34))
	if err != nil {
		t.Fatal(err)
	}
	if want := `"PixelAnomalyClassMetrics":[{"Precision":0.5,"Recall":0.5,"F1Score":0.5,"AIOU":0.5,"ClassName":"seen"}]`; !strings.Contains(string(text), want) {
		t.Errorf("it is\n%s, want in it\n%s", text, want)
	}
}

// TestFileName (LV-6.40): the prefix is joined as it is.
func TestFileName(t *testing.T) {
	p := &fovea.Project{Name: "my-sdk-project"}
	for prefix, want := range map[string]string{
		"my-output/": "my-output/EvaluationResult-my-sdk-project-1.json",
		"k_fold_":    "k_fold_EvaluationResult-my-sdk-project-1.json",
		"":           "EvaluationResult-my-sdk-project-1.json",
	} {
		m := &fovea.Model{Name: "1", Asked: fovea.Asked{Output: fovea.ObjectRef{Key: prefix}}}
		if got := (Trainer{}).FileName(p, m, "EvaluationResultSummary"); got != want {
			t.Errorf("prefix %q: %s, want %s", prefix, got, want)
		}
	}
}
