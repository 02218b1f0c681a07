package lookout

import (
	"context"
	"testing"

	"fovea/internal/hosting"
	"fovea/internal/imaging"
	"fovea/internal/ml/classify"
	"fovea/internal/model"
)

// speckled returns a drawn image, with a spot or without.
func speckled(n int, spot bool) *imaging.Image {
	m := imaging.New(64, 64)
	for i := range m.Pix {
		m.Pix[i] = uint8(100 + (i*i*7+n*31)%23)
	}
	for y := 20; spot && y < 36; y++ {
		for x := 20 + n%9; x < 40; x++ {
			m.Set(x, y, 240, 20, 20)
		}
	}
	return m
}

// FuzzLoad (T23): whatever settings somebody has put beside the classifier of a
// model, and whatever the bytes of its weights, it is refused or it detects.
func FuzzLoad(f *testing.F) {
	set := &classify.Set{Image: func(_ context.Context, i int) (*imaging.Image, error) { return speckled(i, i%2 == 1), nil }}
	for i := range 6 {
		set.Labels = append(set.Labels, []int{i % 2})
	}
	m, _, err := classify.Train(context.Background(), set, classify.Options{Task: classify.Anomaly})
	if err != nil {
		f.Fatal(err)
	}
	classifier, err := m.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	img := speckled(99, true)
	f.Add([]byte(`{"Width":64,"Height":64,"Labels":[]}`), false)
	f.Add([]byte(`{"Width":-1,"Height":9223372036854775807,"Labels":[{"Name":"a","Color":"x","RGB":4294967295,"Threshold":1}]}`), false)
	f.Add([]byte(`null`), false)
	f.Add(model.JoinParts(model.Part{Name: settingsPart, Data: []byte(`{}`)}, model.Part{Name: segmenterPart}), true)
	f.Fuzz(func(t *testing.T, data []byte, whole bool) {
		if !whole {
			data = model.JoinParts(model.Part{Name: settingsPart, Data: data}, model.Part{Name: classifierPart, Data: classifier})
		}
		p, err := load(data, &hosting.Backbones{})
		if err != nil {
			return
		}
		out, err := p.predict(img)
		if err != nil {
			t.Fatal(err)
		}
		if !(out.confidence >= 0.5 && out.confidence <= 1) {
			t.Errorf("the confidence is %v", out.confidence)
		}
	})
}
