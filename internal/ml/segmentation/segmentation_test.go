package segmentation_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/container"
	"fovea/internal/ml/segmentation"
)

// drawn returns pictures on grey noise: in turn with a bright disc (type 1),
// without anything, with a dark square (type 2), without anything.
func drawn(n int) *segmentation.Set {
	images, masks := make([]*imaging.Image, n), make([]*imaging.LabelMap, n)
	for i := range n {
		r := rand.New(rand.NewPCG(uint64(i), 5))
		m := imaging.New(120, 90)
		for k := range m.Pix {
			m.Pix[k] = uint8(110 + r.IntN(30))
		}
		images[i] = m
		if i%2 == 1 {
			continue
		}
		l := &imaging.LabelMap{W: m.W, H: m.H, Pix: make([]uint8, m.W*m.H)}
		label, cx, cy, radius := uint8(1+i/2%2), 20+r.IntN(80), 20+r.IntN(50), 8+r.IntN(6)
		for y := range m.H {
			for x := range m.W {
				dx, dy := x-cx, y-cy
				if label == 1 && dx*dx+dy*dy < radius*radius {
					m.Set(x, y, 200, 200, 190)
				} else if label == 2 && max(dx, -dx, dy, -dy) < radius {
					m.Set(x, y, 60, 50, 50)
				} else {
					continue
				}
				l.Pix[y*m.W+x] = label
			}
		}
		masks[i] = l
	}
	return &segmentation.Set{
		N:     n,
		Image: func(ctx context.Context, i int) (*imaging.Image, error) { return images[i], ctx.Err() },
		Mask:  func(_ context.Context, i int) (*imaging.LabelMap, error) { return masks[i], nil },
	}
}

var both = []string{"disc", "square"}

// first returns the first n images of a set.
func first(s *segmentation.Set, n int) *segmentation.Set {
	out := *s
	out.N = n
	return &out
}

func TestTrain(t *testing.T) {
	all := drawn(20)
	var last float64
	m, report, err := segmentation.Train(t.Context(), first(all, 16), segmentation.Options{Types: both, Workers: 2, Fast: true,
		Progress: func(done float64, stage string) {
			if done < last || done > 1 || stage == "" {
				t.Errorf("progress %v after %v: %q", done, last, stage)
			}
			last = done
		}})
	if err != nil {
		t.Fatal(err)
	}
	for k, r := range report.Types {
		if r.Images != 4 || r.IoU < 0.7 || m.Types[k].Name != both[k] {
			t.Errorf("type %d: %+v, %+v", k, r, m.Types[k])
		}
	}
	if report.Held != 16 || len(report.Peaks) != 16 {
		t.Errorf("%d images held, %d peaks", report.Held, len(report.Peaks))
	}
	for i, p := range report.Peaks {
		for k := range both {
			if there := i%2 == 0 && i/2%2 == k; (p[k] > 0.5) != there {
				t.Errorf("image %d, type %d: peak %v", i, k, p[k])
			}
		}
	}
	for i := 16; i < 20; i++ {
		img, _ := all.Image(t.Context(), i)
		r, err := m.Predict(img)
		if err != nil {
			t.Fatal(err)
		}
		mask, _ := all.Mask(t.Context(), i)
		wrong := 0
		for k, l := range r.Labels.Pix {
			if mask == nil && l != 0 || mask != nil && mask.Pix[k] != l {
				wrong++
			}
		}
		if wrong > 120 || r.Labels.W != img.W || r.Labels.H != img.H || len(r.Peaks) != 2 {
			t.Errorf("image %d: %d pixels are wrong, peaks %v", i, wrong, r.Peaks)
		}
	}

	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := segmentation.Train(t.Context(), first(all, 16), segmentation.Options{Types: both, Workers: 5, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	if second, err := again.Marshal(); err != nil || string(second) != string(file) {
		t.Errorf("with more workers it is another model: %v", err)
	}
}

// TestTrainNetwork trains a network so shortly that it learns nothing; what is
// tried is what surrounds it.
func TestTrainNetwork(t *testing.T) {
	all := drawn(9)
	m, report, err := segmentation.Train(t.Context(), all, segmentation.Options{Types: both, Workers: 2, Steps: 2})
	if err != nil {
		t.Fatal(err)
	}
	if report.Steps != 2 || report.Held == 0 || report.Held > 4 {
		t.Errorf("%d steps, %d images held", report.Steps, report.Held)
	}
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	read, err := segmentation.Unmarshal(file)
	if err != nil {
		t.Fatal(err)
	}
	img, _ := all.Image(t.Context(), 0)
	before, err := m.Predict(img)
	if err != nil {
		t.Fatal(err)
	}
	after, err := read.Predict(img)
	if diff := cmp.Diff(before, after); err != nil || diff != "" {
		t.Errorf("%v (-before +after):\n%s", err, diff)
	}
	for _, size := range [][2]int{{1, 1}, {64, 64}, {900, 3}, {3, 900}, {600, 500}} {
		r, err := m.Predict(imaging.New(size[0], size[1]))
		if err != nil || r.Labels.W != size[0] || r.Labels.H != size[1] || len(r.Labels.Pix) != size[0]*size[1] {
			t.Errorf("%v: %v", size, err)
		}
	}
	p, err := m.Probabilities(img)
	if err != nil || p.C != 2 || p.W < 120 {
		t.Errorf("probabilities of %dx%dx%d: %v", p.C, p.H, p.W, err)
	}
}

func TestTrainFails(t *testing.T) {
	all := drawn(8)
	broken := errors.New("broken")
	none := *all
	none.Mask = func(context.Context, int) (*imaging.LabelMap, error) { return nil, nil }
	small := *all
	small.Mask = func(_ context.Context, i int) (*imaging.LabelMap, error) {
		return &imaging.LabelMap{W: 10, H: 10, Pix: append(make([]uint8, 99), 1)}, nil
	}
	unreadable := *all
	unreadable.Image = func(_ context.Context, i int) (*imaging.Image, error) { return nil, broken }
	for _, tt := range []struct {
		name string
		set  *segmentation.Set
		o    segmentation.Options
		want string
	}{
		{"no types", all, segmentation.Options{}, "0 types"},
		{"one image", first(all, 1), segmentation.Options{Types: both}, "two images"},
		{"no defect", &none, segmentation.Options{Types: both}, "no mask"},
		{"a label beyond the types", all, segmentation.Options{Types: both[:1]}, "label 2 of 1"},
		{"a mask of another size", &small, segmentation.Options{Types: both}, "mask 10x10"},
		{"an image that cannot be read", &unreadable, segmentation.Options{Types: both}, "broken"},
	} {
		tt.o.Fast = true
		if _, _, err := segmentation.Train(t.Context(), tt.set, tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	for _, at := range []float64{0.1, 0.93} {
		ctx, cancel := context.WithCancel(t.Context())
		_, _, err := segmentation.Train(ctx, all, segmentation.Options{Types: both, Steps: 2, Progress: func(done float64, _ string) {
			if done >= at {
				cancel()
			}
		}})
		if cancel(); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled at %v: %v", at, err)
		}
	}
}

// small returns the file of a model without a network.
var small = sync.OnceValues(func() ([]byte, error) {
	m, _, err := segmentation.Train(context.Background(), drawn(5), segmentation.Options{Types: both, Fast: true})
	if err != nil {
		return nil, err
	}
	return m.Marshal()
})

// TestHardeningT23: a model that was changed by someone who knows the checksums is refused.
func TestHardeningT23(t *testing.T) {
	file, err := small()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := segmentation.Unmarshal(file); err != nil {
		t.Fatal(err)
	}
	parts, err := container.Split(file, 3)
	if err != nil {
		t.Fatal(err)
	}
	type object = map[string]any
	types := []object{{"Name": "a", "Threshold": 0.5, "Area": 0}, {"Name": "b", "Threshold": 0.5, "Area": 0}}
	for name, d := range map[string]object{
		"no types":      {"types": nil, "side": 256, "network": false},
		"fewer types":   {"types": types[:1], "side": 256, "network": false},
		"no side":       {"types": types, "side": 0, "network": false},
		"a great side":  {"types": types, "side": 1 << 30, "network": false},
		"a network":     {"types": types, "side": 256, "network": true},
		"no threshold":  {"types": []object{{"Name": "a", "Threshold": 0}, types[1]}, "side": 256, "network": false},
		"all the image": {"types": []object{{"Name": "a", "Threshold": 0.5, "Area": 2}, types[1]}, "side": 256, "network": false},
	} {
		description, err := container.Seal("segmentation", 1, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := segmentation.Unmarshal(container.Join(description, parts[1])); err == nil {
			t.Errorf("with %s it is taken", name)
		}
	}
	for _, changed := range [][]byte{nil, file[:len(file)-1], container.Join(parts[0]), container.Join(parts[0], parts[1], parts[1]), container.Join(parts[1], parts[0])} {
		if _, err := segmentation.Unmarshal(changed); err == nil {
			t.Errorf("%d bytes of other files are taken", len(changed))
		}
	}
}

// FuzzUnmarshal: whatever the bytes, a model is refused, or works.
func FuzzUnmarshal(f *testing.F) {
	file, err := small()
	if err != nil {
		f.Fatal(err)
	}
	parts, err := container.Split(file, 3)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(parts[0])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, description []byte) {
		m, err := segmentation.Unmarshal(container.Join(description, parts[1]))
		if err != nil {
			return
		}
		if _, err := m.Predict(imaging.New(20, 20)); err != nil {
			t.Error(err)
		}
	})
}
