package classify_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/container"
)

// A keen backbone sees what is hardly there: pixels that are not quite grey. It
// was made for images of 96 pixels.
type keen struct{ fake }

func (keen) Side() int { return 96 }

func (keen) Dense(_ context.Context, m *imaging.Image) ([]backbone.Map, error) {
	const stride = 12
	out := backbone.Map{Width: m.W / stride, Height: m.H / stride, Channels: 2, Stride: stride}
	for y := range out.Height {
		for x := range out.Width {
			grey, coloured := 0.0, 0.0
			for i := range stride * stride {
				r, g, b := m.At(x*stride+i%stride, y*stride+i/stride)
				grey += float64(g)
				if r != g || g != b {
					coloured++
				}
			}
			out.Data = append(out.Data, float32(grey), float32(grey+100*coloured))
		}
	}
	return []backbone.Map{out}, nil
}

// hidden returns an image, or one with a spot that is one level too red.
func hidden(seed uint64, spot bool) *imaging.Image {
	m := drawing{period: 12}.draw(seed)
	if spot {
		for i := range 36 {
			x, y := 30+i%6, 40+i/6
			r, g, b := m.At(x, y)
			m.Set(x, y, r-r/64-1, g, b)
		}
	}
	return m
}

// TestAloneWithBackbone: where there are only normal images, a network of the
// user's own says how far they are from others, too; P does not.
func TestAloneWithBackbone(t *testing.T) {
	set := parts(16, 0)
	train := func(b backbone.Backbone, workers int) *classify.Model {
		t.Helper()
		m, _, err := classify.Train(context.Background(), set, classify.Options{Task: classify.Anomaly, Backbone: b, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if !m.Alone() {
			t.Fatal("there were anomalies to learn from")
		}
		return m
	}
	of := func(m *classify.Model, spot bool) (scores []float32) {
		for i := range uint64(6) {
			p, err := m.Predict(hidden(500+i, spot))
			if err != nil {
				t.Fatal(err)
			}
			scores = append(scores, p.Scores[classify.Anomalous])
		}
		return scores
	}
	plain := train(fake{"1"}, 1)
	if got := classify.BackboneOf(plain); got != "" {
		t.Errorf("it looks through %s", got)
	}
	for i, s := range of(plain, true) {
		if clean := of(plain, false)[i]; s > clean+0.2 {
			t.Fatalf("what is hidden is seen without the network: %g, and %g without it", s, clean)
		}
	}
	m := train(keen{fake{"2"}}, 2)
	if got := classify.BackboneOf(m); got != "fake 2" {
		t.Errorf("it looks through %q", got)
	}
	scores := of(m, true)
	for i, s := range scores {
		if clean := of(m, false)[i]; s < 0.9 || clean > s-0.3 {
			t.Errorf("what is hidden has the score %g, and %g is that of the image without it", s, clean)
		}
	}
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := train(keen{fake{"2"}}, 1).Marshal()
	if err != nil || cmp.Diff(file, again) != "" {
		t.Errorf("trained again it is another model: %v", err)
	}
	read, err := classify.Unmarshal(file, func(_, hash string) (backbone.Backbone, error) { return keen{fake{hash}}, nil })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(scores, of(read, true)); diff != "" {
		t.Errorf("read again it says (-before +after):\n%s", diff)
	}
	if _, err := classify.Unmarshal(file, func(string, string) (backbone.Backbone, error) { return keen{fake{"3"}}, nil }); err == nil {
		t.Error("it takes another network")
	}
	parts, err := container.Split(file, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(d map[string]any){
		"without the spread of distances": func(d map[string]any) { delete(d["normal"].(map[string]any), "deep") },
		"with a spread of nothing": func(d map[string]any) {
			d["normal"].(map[string]any)["deep"] = map[string]any{"mean": 1, "deviation": 0}
		},
		"without the network":          func(d map[string]any) { delete(d, "backbone") },
		"without the second memory":    func(d map[string]any) { d["blocks"] = d["blocks"].([]any)[:1] },
		"with the second memory first": func(d map[string]any) { slices.Reverse(d["blocks"].([]any)) },
	} {
		var d map[string]any
		tensors, err := container.Open(parts[0], "classifier", 1, &d)
		if err != nil {
			t.Fatal(err)
		}
		change(d)
		changed, err := container.Seal("classifier", 1, d, tensors)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := classify.Unmarshal(container.Join(changed), func(_, hash string) (backbone.Backbone, error) { return keen{fake{hash}}, nil }); err == nil {
			t.Errorf("it is taken %s", name)
		}
	}
}
