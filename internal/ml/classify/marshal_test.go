package classify_test

import (
	"context"
	"encoding/json"
	"testing"

	"fovea/internal/ml/backbone"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/container"
)

// trained returns the file of a small model.
func trained(t testing.TB) []byte {
	t.Helper()
	m, _, err := classify.Train(context.Background(), parts(4, 6), classify.Options{Task: classify.Anomaly, Backbone: fake{"1"}})
	if err != nil {
		t.Fatal(err)
	}
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	parts, err := container.Split(file, 1)
	if err != nil {
		t.Fatal(err)
	}
	return parts[0]
}

// TestHardeningT23: a model that was changed by someone who knows the checksum is refused,
// or works.
func TestHardeningT23(t *testing.T) {
	file := trained(t)
	find := func(string, string) (backbone.Backbone, error) { return fake{"1"}, nil }
	change := func(fn func(d map[string]any, t container.Tensors)) error {
		var d map[string]any
		tensors, err := container.Open(file, "classifier", 1, &d)
		if err != nil {
			t.Fatal(err)
		}
		fn(d, tensors)
		changed, err := container.Seal("classifier", 1, d, tensors)
		if err != nil {
			return err
		}
		m, err := classify.Unmarshal(container.Join(changed), find)
		if err == nil {
			img := drawing{period: 12}.draw(3)
			if _, err := m.Predict(img); err != nil {
				t.Errorf("a changed model is taken and then: %v", err)
			}
			m.Heat(img, 0)
		}
		return err
	}
	if err := change(func(map[string]any, container.Tensors) {}); err != nil {
		t.Fatalf("not changed: %v", err)
	}
	var names []string
	_ = change(func(_ map[string]any, tensors container.Tensors) {
		for name := range tensors {
			names = append(names, name)
		}
	})
	for _, name := range names {
		if err := change(func(_ map[string]any, tensors container.Tensors) { delete(tensors, name) }); err == nil {
			t.Errorf("without %s it is taken", name)
		}
		if err := change(func(_ map[string]any, tensors container.Tensors) {
			x := tensors[name]
			x.Shape = append([]int(nil), x.Shape...)
			last := len(x.Shape) - 1
			rows := 1
			for _, d := range x.Shape[:last] {
				rows *= d
			}
			x.Data = append(append([]float32(nil), x.Data...), make([]float32, rows)...)
			x.Shape[last]++
			tensors[name] = x
		}); err == nil {
			t.Errorf("with a longer %s it is taken", name)
		}
	}
	for field, values := range map[string][]any{
		"task":       {0, 2, 3, 9, "anomaly"},
		"classes":    {nil, []string{"a"}, []string{"a", "b", "c"}},
		"thresholds": {nil, []float64{0.5}},
		"side":       {0, -1, 1 << 30},
		"cell":       {0, -8, 1, 1 << 30},
		"backbone":   {nil, map[string]any{"name": "fake", "hash": "1", "numbers": 0}, map[string]any{"name": "fake", "hash": "2", "numbers": 26}},
		"blocks":     {nil, []any{}, []any{map[string]any{"name": "x", "source": 7, "method": 1}}, make([]any, 99)},
		"normal":     {map[string]any{"distance": map[string]any{"mean": 1, "deviation": 1}}},
		"heat":       {map[string]any{"Low": 1, "High": 1}},
		"more":       {1},
	} {
		for _, v := range values {
			if err := change(func(d map[string]any, _ container.Tensors) { d[field] = v }); err == nil {
				t.Errorf("with %s %v it is taken", field, v)
			}
		}
	}
	if err := change(func(_ map[string]any, tensors container.Tensors) { tensors.Put("more", []float32{1}, 1) }); err == nil {
		t.Error("with another tensor it is taken")
	}
}

// FuzzUnmarshal: whatever describes a model, it is refused, or works. The
// fuzzer changes the description, and the container around it is right.
func FuzzUnmarshal(f *testing.F) {
	file := trained(f)
	var d json.RawMessage
	tensors, err := container.Open(file, "classifier", 1, &d)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(d))
	f.Add([]byte(`{"task":1,"classes":["",""],"thresholds":[0,0],"side":16,"cell":2,"blocks":[{}]}`))
	img := drawing{period: 12}.draw(3)
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return
		}
		changed, err := container.Seal("classifier", 1, json.RawMessage(text), tensors)
		if err != nil {
			return
		}
		m, err := classify.Unmarshal(container.Join(changed), func(_, hash string) (backbone.Backbone, error) { return fake{hash}, nil })
		if err != nil {
			return
		}
		if _, err := m.Predict(img); err != nil {
			t.Skip(err)
		}
		m.Heat(img, 0)
	})
}
