package classify_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/feature"
)

// A drawing is a synthetic picture: a ground with a pattern, and marks on it.
type drawing struct {
	period       float64 // of stripes, in pixels
	angle        float64
	scratch, dot bool
}

// draw draws with noise that depends on the seed.
func (d drawing) draw(seed uint64) *imaging.Image {
	r := rand.New(rand.NewPCG(seed, 77))
	m := imaging.New(96, 72)
	phase := r.Float64() * 10
	for y := range m.H {
		for x := range m.W {
			v := 128 + 40*math.Sin(phase+2*math.Pi*(math.Cos(d.angle)*float64(x)+math.Sin(d.angle)*float64(y))/d.period) + 6*r.NormFloat64()
			g := uint8(min(255, max(0, v)))
			m.Set(x, y, g, g, g)
		}
	}
	if d.scratch {
		x0, y0 := 10+r.IntN(50), 10+r.IntN(40)
		for i := range 22 {
			m.Set(x0+i, y0+i/2, 250, 250, 250)
			m.Set(x0+i, y0+i/2+1, 250, 250, 250)
		}
	}
	if d.dot {
		x0, y0 := 8+r.IntN(70), 8+r.IntN(50)
		for i := range 64 {
			m.Set(x0+i%8, y0+i/8, 220, 20, 20)
		}
	}
	return m
}

// setOf returns a set of drawings.
func setOf(labels [][]int, kind func(i int) drawing) *classify.Set {
	return &classify.Set{Labels: labels, Image: func(_ context.Context, i int) (*imaging.Image, error) {
		return kind(i).draw(uint64(i)), nil
	}}
}

// parts returns images of which some have a scratch, and as many more to test.
func parts(normal, anomalous int) *classify.Set {
	var labels [][]int
	for range normal {
		labels = append(labels, []int{classify.Normal})
	}
	for range anomalous {
		labels = append(labels, []int{classify.Anomalous})
	}
	return setOf(labels, func(i int) drawing {
		return drawing{period: 12, scratch: i < len(labels) && labels[i][0] == classify.Anomalous}
	})
}

// predict returns the scores of images that the model has not seen.
func predict(t *testing.T, m *classify.Model, n int, kind func(i int) drawing) [][]float32 {
	t.Helper()
	var out [][]float32
	for i := range n {
		p, err := m.Predict(kind(i).draw(uint64(10_000 + i)))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p.Scores)
	}
	return out
}

// A fake is a backbone that looks at images in another way.
type fake struct{ hash string }

func (f fake) Name() string { return "fake" }
func (f fake) Hash() string { return f.hash }

func (f fake) Dense(_ context.Context, m *imaging.Image) ([]backbone.Map, error) {
	c := feature.Classical(m, 16)
	return []backbone.Map{{Width: c.W, Height: c.H, Channels: c.C, Stride: 16, Data: c.Data}}, nil
}

func (f fake) Global(_ context.Context, m *imaging.Image) ([]float32, error) {
	return feature.Classical(m, 16).Pool(), nil
}

func TestAnomaly(t *testing.T) {
	test := func(i int) drawing { return drawing{period: 12, scratch: i%2 == 1} }
	for _, tt := range []struct {
		name              string
		normal, anomalous int
		backbone          backbone.Backbone
		alone             bool
	}{
		{"both", 12, 8, nil, false},
		{"with a backbone", 12, 8, fake{"1"}, false},
		{"hardly any anomalies", 14, 3, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var last float64
			m, report, err := classify.Train(context.Background(), parts(tt.normal, tt.anomalous), classify.Options{
				Task: classify.Anomaly, Workers: 2, Backbone: tt.backbone,
				Progress: func(done float64, stage string) {
					if done < last || done > 1 || stage == "" {
						t.Errorf("progress %v after %v: %q", done, last, stage)
					}
					last = done
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if m.Alone() != tt.alone || report.Alone != tt.alone || len(report.Scores) != tt.normal+tt.anomalous {
				t.Errorf("alone %v, %d scores", report.Alone, len(report.Scores))
			}
			scores := predict(t, m, 16, test)
			var labels [][]int
			for i := range scores {
				labels = append(labels, []int{i % 2})
			}
			e := m.Evaluate(scores, labels)
			if c := e.Classes[classify.Anomalous]; c.AUROC < 0.97 || c.F1() < 0.85 {
				t.Errorf("AUROC %v, F1 %v, confusion %v", c.AUROC, c.F1(), e.Confusion)
			}
			if tt.anomalous >= classify.MinAnomalies && report.Classes[classify.Anomalous].F1() < 0.85 {
				t.Errorf("out of fold: F1 %v", report.Classes[classify.Anomalous].F1())
			}
			for _, s := range scores {
				anomalous, confidence := classify.Prediction{Scores: s}.IsAnomalous()
				if confidence < 0.5 || confidence > 1 || anomalous != (m.Decide(s) == classify.Anomalous) {
					t.Errorf("scores %v: anomalous %v with confidence %v", s, anomalous, confidence)
				}
			}
		})
	}
}

func TestAnomalyHeat(t *testing.T) {
	m, _, err := classify.Train(context.Background(), parts(8, 5), classify.Options{Task: classify.Anomaly})
	if err != nil {
		t.Fatal(err)
	}
	img := drawing{period: 12}.draw(999)
	for i := range 12 {
		for j := range 3 {
			img.Set(60+i, 20+j, 255, 255, 255)
		}
	}
	h := m.Heat(img, classify.Anomalous)
	if h.W != 32 || h.H != 24 || len(h.Data) != h.W*h.H {
		t.Fatalf("%dx%d with %d numbers", h.W, h.H, len(h.Data))
	}
	top := 0
	for i, v := range h.Data {
		if v > h.Data[top] {
			top = i
		}
	}
	x, y := float64(top%h.W)*3+1.5, float64(top/h.W)*3+1.5 // in pixels of the picture
	if x < 55 || x > 77 || y < 15 || y > 28 || h.Data[top] <= 1 {
		t.Errorf("hottest with %v at %v, %v", h.Data[top], x, y)
	}
}

func TestSingleLabel(t *testing.T) {
	kind := func(i int) drawing { return drawing{period: 12, angle: float64(i%3) * math.Pi / 3} }
	var labels [][]int
	for i := range 30 {
		labels = append(labels, []int{i % 3})
	}
	labels[4] = []int{0} // wrong
	for _, backbone := range []backbone.Backbone{nil, fake{"1"}} {
		m, report, err := classify.Train(context.Background(), setOf(labels, kind), classify.Options{
			Task: classify.SingleLabel, Classes: []string{"flat", "steep", "steeper"}, Workers: 2, Backbone: backbone})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range predict(t, m, 15, kind) {
			if sum := s[0] + s[1] + s[2]; m.Decide(s) != i%3 || math.Abs(float64(sum)-1) > 1e-4 {
				t.Errorf("image %d: scores %v", i, s)
			}
		}
		if report.MeanF1() < 0.9 || len(report.Confusion) != 3 || report.Classes[1].Name != "steep" || report.Classes[1].Images != 9 {
			t.Errorf("mean F1 %v, confusion %v", report.MeanF1(), report.Confusion)
		}
		if len(report.Doubtful) == 0 || report.Doubtful[0].Image != 4 || report.Doubtful[0].Class != 0 || !report.Doubtful[0].Has {
			t.Errorf("doubtful: %+v", report.Doubtful)
		}
		if h := m.Heat(kind(0).draw(1), 0); h.W != 32 || h.H != 24 {
			t.Errorf("heat of %dx%d", h.W, h.H)
		}
	}
}

func TestMultiLabel(t *testing.T) {
	kind := func(i int) drawing { return drawing{period: 12, scratch: i&1 > 0, dot: i&2 > 0} }
	var labels [][]int
	for i := range 48 {
		var l []int
		for k := range 2 {
			if i>>k&1 > 0 {
				l = append(l, k)
			}
		}
		labels = append(labels, l)
	}
	m, report, err := classify.Train(context.Background(), setOf(labels, kind), classify.Options{
		Task: classify.MultiLabel, Classes: []string{"scratch", "dot", "never"}, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	scores := predict(t, m, 24, kind)
	e := m.Evaluate(scores, labels[:24])
	for _, c := range e.Classes[:2] {
		if c.AUROC < 0.95 || c.F1() < 0.8 {
			t.Errorf("%s: AUROC %v, F1 %v", c.Name, c.AUROC, c.F1())
		}
	}
	if report.Confusion != nil || report.Classes[2].Images != 0 || report.Classes[2].FalsePositives > 0 && m.Thresholds[2] > 0.5 {
		t.Errorf("of a class that no image has: %+v", report.Classes[2])
	}
}

// TestWorkers: the number of workers changes nothing, and the seed something.
func TestWorkers(t *testing.T) {
	set := parts(5, 5)
	var first []byte
	for _, o := range []classify.Options{{Workers: 1}, {Workers: 5}, {Workers: 1, Seed: 1}} {
		o.Task, o.Backbone = classify.Anomaly, fake{"1"}
		m, _, err := classify.Train(context.Background(), set, o)
		if err != nil {
			t.Fatal(err)
		}
		file, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case first == nil:
			first = file
		case (string(file) == string(first)) != (o.Seed == 0):
			t.Errorf("with %d workers and seed %d: the same model: %v", o.Workers, o.Seed, string(file) == string(first))
		}
	}
}

func TestTrainFails(t *testing.T) {
	good := parts(6, 6)
	broken := errors.New("broken image")
	for _, tt := range []struct {
		name string
		set  *classify.Set
		o    classify.Options
		want string
	}{
		{"no task", good, classify.Options{}, "no task"},
		{"no images", &classify.Set{}, classify.Options{Task: classify.Anomaly}, "0 images"},
		{"no normal image", parts(0, 9), classify.Options{Task: classify.Anomaly}, "0 normal images"},
		{"no classes", good, classify.Options{Task: classify.SingleLabel}, "0 classes"},
		{"an unknown class", good, classify.Options{Task: classify.MultiLabel, Classes: []string{"a"}}, "class 1 of 1"},
		{"two classes of one", setOf([][]int{{0, 1}, {0}}, nil), classify.Options{Task: classify.SingleLabel, Classes: []string{"a", "b"}}, "has 2 classes"},
		{"an image that cannot be read", &classify.Set{Labels: good.Labels, Image: func(_ context.Context, i int) (*imaging.Image, error) {
			if i == 7 {
				return nil, broken
			}
			return good.Image(context.Background(), i)
		}}, classify.Options{Task: classify.Anomaly}, "image 7: broken image"},
	} {
		_, _, err := classify.Train(context.Background(), tt.set, tt.o)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestOdd: images of any size, and images that tell nothing, give scores.
func TestOdd(t *testing.T) {
	net := network(t)
	sizes := [][2]int{{1, 1}, {64, 64}, {700, 3}, {3, 700}, {250, 256}, {257, 100}}
	for name, o := range map[string]classify.Options{
		"anomaly": {Task: classify.Anomaly, Backbone: net},
		"label":   {Task: classify.SingleLabel, Classes: []string{"a", "b"}, Backbone: net},
	} {
		var labels [][]int
		for i := range 10 {
			labels = append(labels, []int{i % 2})
		}
		black := &classify.Set{Labels: labels, Image: func(_ context.Context, i int) (*imaging.Image, error) { return imaging.New(64, 64), nil }}
		any := &classify.Set{Labels: labels, Image: func(_ context.Context, i int) (*imaging.Image, error) {
			s := sizes[i%len(sizes)]
			return drawing{period: 5}.draw(uint64(i)).Resize(s[0], s[1]), nil
		}}
		for which, set := range map[string]*classify.Set{"black": black, "of any size": any} {
			m, _, err := classify.Train(context.Background(), set, o)
			if err != nil {
				t.Errorf("%s, %s: %v", name, which, err)
				continue
			}
			for _, s := range sizes {
				img := drawing{period: 7}.draw(1).Resize(s[0], s[1])
				p, err := m.Predict(img)
				if err != nil {
					t.Errorf("%s, %s, %v: %v", name, which, s, err)
				}
				for _, score := range append(p.Scores, m.Heat(img, 0).Data...) {
					if score != score {
						t.Fatalf("%s, %s, %v: scores %v", name, which, s, p.Scores)
					}
				}
			}
		}
	}
}

func TestTrainCancelled(t *testing.T) {
	for _, at := range []float64{0, 0.3, 0.5, 0.8} {
		ctx, cancel := context.WithCancel(context.Background())
		_, _, err := classify.Train(ctx, parts(5, 5), classify.Options{Task: classify.Anomaly, Progress: func(done float64, _ string) {
			if done >= at {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled at %v: %v", at, err)
		}
		cancel()
	}
}

// speck returns a picture of 640 x 480 pixels of large blotches, and where a
// speck is on it that is easily passed over; an empty mask for none.
func speck(seed uint64, there bool) (*imaging.Image, *imaging.LabelMap) {
	r := rand.New(rand.NewPCG(seed, 4))
	small := imaging.New(40, 30)
	for i := range small.W * small.H {
		v := uint8(60 + r.IntN(130))
		small.Set(i%small.W, i/small.W, v, v, v+uint8(r.IntN(20)))
	}
	m, mask := small.Resize(640, 480), &imaging.LabelMap{W: 640, H: 480, Pix: make([]uint8, 640*480)}
	if there {
		x0, y0 := 20+r.IntN(600), 20+r.IntN(440)
		for i := range 25 {
			x, y := x0+i%5, y0+i/5
			m.Set(x, y, 150, 110, 90)
			mask.Pix[y*640+x] = 1
		}
	}
	return m, mask
}

// TestTiles: where masks show small defects, tiles find them.
func TestTiles(t *testing.T) {
	set := &classify.Set{
		Image: func(_ context.Context, i int) (*imaging.Image, error) {
			m, _ := speck(uint64(i), i%2 == 1)
			return m, nil
		},
		Mask: func(_ context.Context, i int) (*imaging.LabelMap, error) {
			if i == 1 {
				return nil, nil // not known
			}
			_, mask := speck(uint64(i), true)
			return mask, nil
		},
	}
	for i := range 20 {
		set.Labels = append(set.Labels, []int{i % 2})
	}
	m, report, err := classify.Train(context.Background(), set, classify.Options{Task: classify.Anomaly, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	weight := map[string]float64{}
	for _, h := range report.Heads {
		weight[h.Feature] = h.Weight
	}
	if weight["C:tiles"] == 0 || report.Classes[classify.Anomalous].AUROC < 0.95 {
		t.Errorf("out of fold: AUROC %v, heads %+v", report.Classes[classify.Anomalous].AUROC, report.Heads)
	}
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := classify.Unmarshal(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i := range uint64(6) {
		img, _ := speck(100+i, i%2 == 1)
		p, err := m.Predict(img)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := again.Predict(img); err != nil || cmp.Diff(p, q) != "" {
			t.Errorf("read from its file it says something else: %v, %v; %v", p, q, err)
		}
		if m.Decide(p.Scores) == int(i%2) {
			right++
		}
	}
	if right < 5 {
		t.Errorf("%d of 6 unseen images are right", right)
	}
}

// TestGiven: features that are given decide where images tell nothing.
func TestGiven(t *testing.T) {
	set := parts(8, 8)
	plain := setOf(set.Labels, func(int) drawing { return drawing{period: 12} })
	for i, l := range set.Labels {
		plain.Given = append(plain.Given, []float32{float32(i % 3), float32(l[0])})
	}
	m, report, err := classify.Train(context.Background(), plain, classify.Options{Task: classify.Anomaly})
	if err != nil {
		t.Fatal(err)
	}
	if got := report.Classes[classify.Anomalous].AUROC; got < 0.99 {
		t.Errorf("out of fold: AUROC %v", got)
	}
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if m, err = classify.Unmarshal(file, nil); err != nil {
		t.Fatal(err)
	}
	img := drawing{period: 12}.draw(400)
	for class := range 2 {
		p, err := m.Predict(img, 1, float32(class))
		if err != nil {
			t.Fatal(err)
		}
		if m.Decide(p.Scores) != class {
			t.Errorf("given %d: scores %v", class, p.Scores)
		}
	}
	if _, err := m.Predict(img); err == nil || !strings.Contains(err.Error(), "0 features") {
		t.Errorf("with nothing given: %v", err)
	}
	plain.Given[3] = plain.Given[3][:1]
	if _, _, err := classify.Train(context.Background(), plain, classify.Options{Task: classify.Anomaly}); err == nil {
		t.Error("fewer features of one image are taken")
	}
}

func TestMarshal(t *testing.T) {
	b := fake{"1"}
	find := func(name, hash string) (backbone.Backbone, error) {
		if name != "fake" {
			return nil, errors.New("unknown")
		}
		return b, nil
	}
	labels := [][]int{}
	for i := range 12 {
		labels = append(labels, []int{i % 2})
	}
	kind := func(i int) drawing { return drawing{period: 12, scratch: i%2 == 1} }
	for _, tt := range []struct {
		name string
		set  *classify.Set
		o    classify.Options
	}{
		{"anomaly with a backbone", parts(6, 5), classify.Options{Task: classify.Anomaly, Backbone: b}},
		{"normal only", parts(6, 0), classify.Options{Task: classify.Anomaly}},
		{"with networks", parts(8, 0), classify.Options{Task: classify.Anomaly, Synthetic: true, Steps: 1, Workers: 2}},
		{"label with a backbone", setOf(labels, kind), classify.Options{Task: classify.SingleLabel, Classes: []string{"a", "ü\n"}, Backbone: b}},
		{"labels", setOf(labels, kind), classify.Options{Task: classify.MultiLabel, Classes: []string{"a", "b"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, _, err := classify.Train(context.Background(), tt.set, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			file, err := m.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := classify.Unmarshal(file[:len(file)-1], find); err == nil {
				t.Error("without its last byte it is taken")
			}
			again, err := classify.Unmarshal(file, find)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(predict(t, m, 4, kind), predict(t, again, 4, kind)); diff != "" {
				t.Errorf("scores (-before +after):\n%s", diff)
			}
			img := kind(1).draw(5)
			if diff := cmp.Diff(m.Heat(img, 1), again.Heat(img, 1)); diff != "" {
				t.Errorf("heat (-before +after):\n%s", diff)
			}
			second, err := again.Marshal()
			if err != nil || string(second) != string(file) {
				t.Errorf("marshalled again it is another file: %v", err)
			}
			if tt.o.Backbone == nil {
				return
			}
			if _, err := classify.Unmarshal(file, nil); err == nil || !strings.Contains(err.Error(), "fake") {
				t.Errorf("without the backbone: %v", err)
			}
			other := func(string, string) (backbone.Backbone, error) { return fake{"2"}, nil }
			if _, err := classify.Unmarshal(file, other); err == nil || !strings.Contains(err.Error(), "hash") {
				t.Errorf("with another backbone: %v", err)
			}
		})
	}
}
