package unet

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fovea/internal/imaging"
	"fovea/internal/ml/nn"
)

// drawn returns a set of pictures with bright discs (type 0) and dark squares
// (type 1) on grey noise; every second has none.
func drawn(n int) *Set {
	images, masks, shows := make([]*imaging.Image, n), make([]*imaging.LabelMap, n), make([][]int, n)
	for i := range n {
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		m := imaging.New(150, 110)
		for k := range m.Pix {
			m.Pix[k] = uint8(110 + rng.IntN(30))
		}
		images[i] = m
		if i%2 == 1 {
			continue
		}
		l := &imaging.LabelMap{W: m.W, H: m.H, Pix: make([]uint8, m.W*m.H)}
		label := uint8(1 + i/2%2)
		cx, cy, r := 20+rng.IntN(110), 20+rng.IntN(70), 8+rng.IntN(8)
		for y := range m.H {
			for x := range m.W {
				dx, dy := x-cx, y-cy
				if label == 1 && dx*dx+dy*dy < r*r {
					m.Set(x, y, 200, 200, 190)
				} else if label == 2 && max(dx, -dx) < r && max(dy, -dy) < r {
					m.Set(x, y, 60, 50, 50)
				} else {
					continue
				}
				l.Pix[y*m.W+x] = label
			}
		}
		masks[i], shows[i] = l, []int{int(label) - 1}
	}
	return &Set{
		Shows: shows,
		Image: func(_ context.Context, i int) (*imaging.Image, error) { return images[i], nil },
		Mask:  func(_ context.Context, i int) (*imaging.LabelMap, error) { return masks[i], nil },
	}
}

// iou returns the intersection over union of each type over a set, at a
// probability of a half.
func iou(t testing.TB, m *Model, s *Set, from, to int) []float64 {
	t.Helper()
	both, either := make([]float64, len(m.types)), make([]float64, len(m.types))
	for i := from; i < to; i++ {
		img, err := s.Image(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		mask, err := s.Mask(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.Predict(img)
		if err != nil {
			t.Fatal(err)
		}
		for c := range both {
			for k, v := range Enlarge(p.Plane(c), p.W, p.H, img.W, img.H) {
				found, there := v > 0.5, mask != nil && int(mask.Pix[k]) == c+1
				if found && there {
					both[c]++
				}
				if found || there {
					either[c]++
				}
			}
		}
	}
	for c := range both {
		both[c] /= max(1, either[c])
	}
	return both
}

// TestTrain wants defects to be found in pictures that were not learned from,
// the same model from two numbers of workers, and from its file.
func TestTrain(t *testing.T) {
	s := drawn(24)
	few := *s
	few.Shows = s.Shows[:16]
	o := Options{Types: []string{"disc", "square"}, Seed: 3, Side: 150, Steps: 50}
	m, report, err := Train(t.Context(), &few, o)
	if err != nil {
		t.Fatal(err)
	}
	got := iou(t, m, s, 16, 24)
	t.Logf("loss %.3f, IoU %.3f", report.Loss, got)
	for c, v := range got {
		if v < 0.4 {
			t.Errorf("IoU of type %d is %.3f", c, v)
		}
	}
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	o.Workers, o.Steps = 2, 3
	var files [][]byte
	for range 2 {
		m, _, err := Train(t.Context(), &few, o)
		if err != nil {
			t.Fatal(err)
		}
		f, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		o.Workers = 1
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two workers give another model than one")
	}
	again, err := Unmarshal(file)
	if err != nil {
		t.Fatal(err)
	}
	img, _ := s.Image(t.Context(), 0)
	a, err := m.Predict(img)
	if err != nil {
		t.Fatal(err)
	}
	b, err := again.Predict(img)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range a.Data {
		if v != b.Data[i] {
			t.Fatalf("the model from the file says %g at %d, not %g", b.Data[i], i, v)
		}
	}
}

func TestTrainErrors(t *testing.T) {
	good := Options{Types: []string{"a", "b"}, Steps: 1, Side: 64}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	failing := *drawn(2)
	failing.Image = func(context.Context, int) (*imaging.Image, error) { return nil, errors.New("no such image") }
	other := *drawn(2)
	other.Mask = func(context.Context, int) (*imaging.LabelMap, error) {
		return &imaging.LabelMap{W: 1, H: 1, Pix: []uint8{1}}, nil
	}
	normal := *drawn(2)
	normal.Mask = func(context.Context, int) (*imaging.LabelMap, error) { return nil, nil }
	lying := *drawn(4)
	lying.Shows = make([][]int, 4)
	for _, tt := range []struct {
		name string
		ctx  context.Context
		set  *Set
		o    Options
		want string
	}{
		{"no types", t.Context(), drawn(2), Options{}, "0 types"},
		{"no images", t.Context(), drawn(0), good, "no images"},
		{"side", t.Context(), drawn(2), Options{Types: good.Types, Side: MaxSide + 1}, "at most 1024"},
		{"canceled", canceled, drawn(2), good, "canceled"},
		{"unreadable", t.Context(), &failing, good, "image 0: no such image"},
		{"mask of other size", t.Context(), &other, good, "mask has 1x1"},
		{"only normal", t.Context(), &normal, Options{Types: good.Types}, "no mask shows"},
		{"unknown type", t.Context(), drawn(4), Options{Types: []string{"a"}, Side: 64}, "image 2 shows type 1 of 1"},
		{"unknown label", t.Context(), &lying, Options{Types: []string{"a"}, Side: 64}, "label 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Train(tt.ctx, tt.set, tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestUnmarshalErrors(t *testing.T) {
	m := &Model{types: []string{"a"}, side: 64, runner: nn.NewRunner(build(1))}
	m.runner.Net().Init(1)
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	two := &Model{types: []string{"a", "b"}, side: 64, runner: m.runner}
	wrong, _ := two.Marshal()
	huge, _ := (&Model{types: []string{"a"}, side: 1 << 20, runner: m.runner}).Marshal()
	for name, f := range map[string][]byte{
		"cut off": file[:len(file)-4], "other types": wrong, "huge side": huge, "empty": nil,
		"changed": append(bytes.Clone(file[:len(file)-1]), file[len(file)-1]^1),
	} {
		if _, err := Unmarshal(f); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	m := &Model{types: []string{"a"}, side: 64, runner: nn.NewRunner(build(1))}
	m.runner.Net().Init(1)
	file, err := m.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file[:4096])
	f.Add([]byte{8, 0, 0, 0, 0, 0, 0, 0, '{', '}'})
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = Unmarshal(b) })
}

func TestEnlarge(t *testing.T) {
	got := Enlarge([]float32{0, 4, 8, 12}, 2, 2, 4, 1)
	for i, want := range []float32{4, 5, 7, 8} {
		if math.Abs(float64(got[i]-want)) > 1e-5 {
			t.Errorf("number %d is %g, want %g", i, got[i], want)
		}
	}
}

// BenchmarkCookies trains on 16 cracked and 16 normal cookies and prints the IoU
// on the others.
func BenchmarkCookies(b *testing.B) {
	dir := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../../../shared/data"), "cookies/dataset-files")
	text, err := os.ReadFile(filepath.Join(dir, "manifests/template.manifest"))
	if err != nil {
		b.Skipf("no cookies: %v", err)
	}
	var images, masks []string
	for line := range strings.Lines(string(text)) {
		var l struct {
			Image string `json:"source-ref"`
			Mask  string `json:"anomaly-mask-ref"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			b.Fatal(err)
		}
		images, masks = append(images, l.Image), append(masks, l.Mask)
	}
	var train, test []int
	count := map[bool]int{}
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(len(images)) {
		if count[masks[i] != ""]++; count[masks[i] != ""] <= 16 {
			train = append(train, i)
		} else {
			test = append(test, i)
		}
	}
	part := func(places []int) *Set {
		shows := make([][]int, len(places))
		for i, place := range places {
			if masks[place] != "" {
				shows[i] = []int{0}
			}
		}
		return &Set{
			Shows: shows,
			Image: func(ctx context.Context, i int) (*imaging.Image, error) {
				data, err := os.ReadFile(filepath.Join(dir, images[places[i]]))
				if err != nil {
					return nil, err
				}
				return imaging.Decode(ctx, bytes.NewReader(data), int64(len(data)), imaging.Decoding{Stored: true})
			},
			Mask: func(ctx context.Context, i int) (*imaging.LabelMap, error) {
				if masks[places[i]] == "" {
					return nil, nil
				}
				data, err := os.ReadFile(filepath.Join(dir, masks[places[i]]))
				if err != nil {
					return nil, err
				}
				return imaging.DecodeMask(ctx, bytes.NewReader(data), []imaging.MapColor{{Color: 0x23a436}})
			},
		}
	}
	for b.Loop() {
		m, report, err := Train(b.Context(), part(train), Options{Types: []string{"cracked"}, Seed: 1, Workers: 1})
		if err != nil {
			b.Fatal(err)
		}
		s := part(test)
		b.ReportMetric(iou(b, m, s, 0, len(test))[0], "IoU")
		b.ReportMetric(float64(report.Side), "side")
	}
}
