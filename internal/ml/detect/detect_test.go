package detect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/augment"
	"fovea/internal/ml/head"
	"fovea/internal/ml/kernel"
)

// drawn returns pictures with some bright discs (class 0) and dark bars (class
// 1) on grey noise.
func drawn(n int) *Set {
	s := &Set{}
	images := make([]*imaging.Image, n)
	for i := range n {
		rng := rand.New(rand.NewPCG(uint64(i), 2))
		m := imaging.New(192, 144)
		for k := range m.Pix {
			m.Pix[k] = uint8(110 + rng.IntN(30))
		}
		var objects []head.Object
		for k := range 1 + rng.IntN(3) {
			class := (i + k) % 2
			w, h := 24+rng.IntN(20), 24
			if class == 0 {
				h = w
			}
			x0, y0 := 60*k+rng.IntN(14), rng.IntN(144-h)
			for y := range h {
				for x := range w {
					dx, dy := 2*x-w+1, 2*y-h+1
					if class == 1 {
						m.Set(x0+x, y0+y, 60, 50, 50)
					} else if dx*dx+dy*dy <= w*w {
						m.Set(x0+x, y0+y, 200, 200, 190)
					}
				}
			}
			objects = append(objects, head.Object{Class: class, Box: head.Box{Left: float64(x0), Top: float64(y0), Width: float64(w), Height: float64(h)}})
		}
		images[i] = m
		s.Objects = append(s.Objects, objects)
	}
	s.Image = func(_ context.Context, i int) (*imaging.Image, error) { return images[i], nil }
	return s
}

// measure returns the mean average precision at an IoU of a half.
func measure(t testing.TB, m *Model, s *Set, from int) float64 {
	t.Helper()
	d := head.NewDetected(len(m.Names), 0.5)
	for i := from; i < len(s.Objects); i++ {
		img, err := s.Image(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		found, err := m.Detect(img)
		if err != nil {
			t.Fatal(err)
		}
		d.Add(found, s.Objects[i])
	}
	for c, name := range m.Names {
		t.Logf("%s: average precision %.3f of %d", name, d.AveragePrecision(c), d.There[c])
	}
	return d.MeanAveragePrecision()
}

// TestTrain wants objects to be found in pictures that were not learned from, the
// same model from two numbers of workers, and from its file.
func TestTrain(t *testing.T) {
	s := drawn(30)
	few := &Set{Objects: s.Objects[:20], Image: s.Image}
	var last float64
	o := Options{Classes: []string{"disc", "bar"}, Seed: 3, Side: 144, Steps: 36, Progress: func(done float64) {
		if done <= last || done > 1 {
			t.Errorf("progress %v after %v", done, last)
		}
		last = done
	}}
	m, report, err := Train(t.Context(), few, o)
	if err != nil {
		t.Fatal(err)
	}
	got := measure(t, m, s, 20)
	t.Logf("loss %.3f, mAP %.3f", report.Loss, got)
	if got < 0.6 {
		t.Errorf("the mean average precision is %.3f", got)
	}
	if last < 0.999 || report.Folds != 2 {
		t.Errorf("progress ended at %v; %d folds", last, report.Folds)
	}
	unseen := head.NewDetected(2, 0.5)
	for i, found := range report.Found {
		unseen.Add(found, few.Objects[i])
	}
	if got := unseen.MeanAveragePrecision(); got < 0.05 { // with half of the images and half of the steps
		t.Errorf("out of fold the mean average precision is %.3f", got)
	}
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Unmarshal(file)
	if err != nil {
		t.Fatal(err)
	}
	img, _ := s.Image(t.Context(), 25)
	a, errA := m.Detect(img)
	b, errB := again.Detect(img)
	if errA != nil || errB != nil || len(a) == 0 {
		t.Fatalf("%d objects, %v, %v", len(a), errA, errB)
	}
	if diff := gocmp.Diff(a, b); diff != "" {
		t.Errorf("the model from the file differs (-model +file):\n%s", diff)
	}
	o.Steps, o.Progress = 2, nil
	var files [][]byte
	var reports []*Report
	for workers := 1; workers <= 2; workers++ {
		o.Workers = workers
		m, r, err := Train(t.Context(), few, o)
		if err != nil {
			t.Fatal(err)
		}
		f, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		files, reports = append(files, f), append(reports, r)
	}
	if diff := gocmp.Diff(reports[0], reports[1]); diff != "" {
		t.Errorf("two workers report something else than one (-one +two):\n%s", diff)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two workers give another model than one")
	}
}

func TestTrainErrors(t *testing.T) {
	good := Options{Classes: []string{"a", "b"}, Steps: 1, Side: 64}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	failing := *drawn(2)
	failing.Image = func(context.Context, int) (*imaging.Image, error) { return nil, errors.New("no such image") }
	empty, endless, outside := drawn(1), drawn(1), drawn(1)
	empty.Objects[0][0].Width = 0
	endless.Objects[0][0].Left = math.NaN()
	outside.Objects[0] = []head.Object{{Box: head.Box{Left: 500, Width: 10, Height: 10}}}
	for _, tt := range []struct {
		name string
		ctx  context.Context
		set  *Set
		o    Options
		want string
	}{
		{"no classes", t.Context(), drawn(2), Options{}, "0 classes"},
		{"no objects", t.Context(), &Set{Objects: make([][]head.Object, 3)}, good, "no image has an object"},
		{"class", t.Context(), drawn(2), Options{Classes: []string{"a"}}, "class 1 of 1"},
		{"empty box", t.Context(), empty, good, "0 pixels wide"},
		{"box that is nowhere", t.Context(), endless, good, "nowhere in an image"},
		{"box outside", t.Context(), outside, good, "no object is within its image"},
		{"side", t.Context(), drawn(2), Options{Classes: good.Classes, Side: MaxSide + 1}, "at most 640"},
		{"canceled", canceled, drawn(2), good, "canceled"},
		{"unreadable", t.Context(), &failing, good, "image 0: no such image"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Train(tt.ctx, tt.set, tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	for _, tt := range []struct {
		size float64
		want int
	}{{0.01, 640}, {0.1, 320}, {0.4, 192}} {
		if got := choose([]float64{0, tt.size, 1}); got != tt.want {
			t.Errorf("objects of %g: side %d, want %d", tt.size, got, tt.want)
		}
	}
}

// TestTargets wants the decoded targets to be the objects they were drawn from.
func TestTargets(t *testing.T) {
	want := targets{kernel.NewTensor(1, 20, 20, 2), kernel.NewTensor(1, 20, 20, 5)}
	boxes := []head.Object{
		{Class: 1, Box: head.Box{Left: 10, Top: 12, Width: 21, Height: 30}},
		{Class: 0, Box: head.Box{Left: 50, Top: 44, Width: 28, Height: 9}},
	}
	for _, b := range boxes {
		draw(want, 0, b.Class, b.Box)
	}
	logits, sides := kernel.NewTensor(1, 20, 20, 2), kernel.NewTensor(1, 20, 20, 4)
	for i := range 400 {
		for c, v := range want.centres.Pixel(0, i/20, i%20) {
			logits.Pixel(0, i/20, i%20)[c] = 20*v - 15
		}
		for c, v := range want.sides.Pixel(0, i/20, i%20)[:4] {
			sides.Pixel(0, i/20, i%20)[c] = float32(math.Log(math.Expm1(max(1e-3, float64(v)))))
		}
	}
	for _, b := range boxes {
		found := suppress(peaks(logits, sides, b.Class, 80, 80))
		if len(found) != 1 || found[0].IoU(b.Box) < 0.999 || found[0].Class != b.Class {
			t.Errorf("found %v, want %v", found, b)
		}
	}
}

func TestVisible(t *testing.T) {
	same := augment.Warp{A: 1, D: 1}
	for _, tt := range []struct {
		box  head.Box
		want head.Box
		ok   bool
	}{
		{head.Box{Left: 5, Top: 6, Width: 10, Height: 20}, head.Box{Left: 5, Top: 6, Width: 10, Height: 20}, true},
		{head.Box{Left: -4, Top: 0, Width: 10, Height: 20}, head.Box{Left: 0, Top: 0, Width: 6, Height: 20}, true},
		{head.Box{Left: -7, Top: 0, Width: 10, Height: 20}, head.Box{}, false},
		{head.Box{Left: 200, Top: 0, Width: 10, Height: 20}, head.Box{}, false},
	} {
		if got, ok := visible(same, tt.box, 100); got != tt.want || ok != tt.ok {
			t.Errorf("of %v %v is visible (%v), want %v", tt.box, got, ok, tt.want)
		}
	}
}

func TestUnmarshalErrors(t *testing.T) {
	m := newModel(build(1), []string{"a"}, 64)
	m.runner.Net().Init(1)
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	wrong, _ := newModel(m.runner.Net(), []string{"a", "b"}, 64).Marshal()
	huge, _ := newModel(m.runner.Net(), []string{"a"}, 1<<20).Marshal()
	falling := newModel(m.runner.Net(), []string{"a"}, 64)
	falling.Calibration[0].A = -1
	down, _ := falling.Marshal()
	for name, f := range map[string][]byte{
		"cut off": file[:len(file)-4], "other classes": wrong, "huge side": huge, "scores turned round": down, "empty": nil,
	} {
		if _, err := Unmarshal(f); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	m := newModel(build(1), []string{"a"}, 64)
	m.runner.Net().Init(1)
	file, err := m.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file[:4096])
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = Unmarshal(b) })
}

// BenchmarkBCCD trains on 200 blood-cell photographs for 450 steps and prints
// the mean average precision on 80 others.
func BenchmarkBCCD(b *testing.B) {
	dir := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../../../shared/data"), "bccd/BCCD")
	files, err := filepath.Glob(filepath.Join(dir, "Annotations/*.xml"))
	if err != nil || len(files) == 0 {
		b.Skipf("no photographs in %s", dir)
	}
	classes := []string{"RBC", "WBC", "Platelets"}
	all := &Set{}
	var names []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		var a struct {
			Object []struct {
				Name string `xml:"name"`
				Box  struct {
					X0 float64 `xml:"xmin"`
					Y0 float64 `xml:"ymin"`
					X1 float64 `xml:"xmax"`
					Y1 float64 `xml:"ymax"`
				} `xml:"bndbox"`
			} `xml:"object"`
		}
		if err := xml.Unmarshal(text, &a); err != nil {
			b.Fatal(err)
		}
		var objects []head.Object
		for _, o := range a.Object {
			for c, name := range classes {
				if o.Name == name && o.Box.X1 > o.Box.X0 && o.Box.Y1 > o.Box.Y0 {
					objects = append(objects, head.Object{Class: c, Box: head.Box{Left: o.Box.X0, Top: o.Box.Y0, Width: o.Box.X1 - o.Box.X0, Height: o.Box.Y1 - o.Box.Y0}})
				}
			}
		}
		all.Objects = append(all.Objects, objects)
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".xml")+".jpg")
	}
	perm := rand.New(rand.NewPCG(1, 1)).Perm(len(names))
	part := func(places []int) *Set {
		s := &Set{Image: func(ctx context.Context, i int) (*imaging.Image, error) {
			data, err := os.ReadFile(filepath.Join(dir, "JPEGImages", names[places[i]]))
			if err != nil {
				return nil, err
			}
			return imaging.Decode(ctx, bytes.NewReader(data), int64(len(data)), imaging.Decoding{Stored: true})
		}}
		for _, i := range places {
			s.Objects = append(s.Objects, all.Objects[i])
		}
		return s
	}
	for b.Loop() {
		m, report, err := Train(b.Context(), part(perm[:200]), Options{Classes: classes, Seed: 1, Steps: 450})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(measure(b, m, part(perm[200:280]), 0), "mAP50")
		b.ReportMetric(float64(report.Side), "side")
	}
}
