package rekognition

import (
	"context"
	"testing"

	"fovea/internal/hosting"
	"fovea/internal/imaging"
	"fovea/internal/ml/classify"
	"fovea/internal/model"
)

// FuzzLoad (T23): whatever settings somebody has put beside the classifier of a
// model, and whatever the bytes of its weights, it is refused or it detects.
func FuzzLoad(f *testing.F) {
	set := &classify.Set{Image: func(_ context.Context, i int) (*imaging.Image, error) { return dotted(i, i%2 == 1), nil }}
	for i := range 6 {
		set.Labels = append(set.Labels, []int{i % 2})
	}
	m, _, err := classify.Train(context.Background(), set, classify.Options{Task: classify.SingleLabel, Classes: []string{"plain", "dotted"}})
	if err != nil {
		f.Fatal(err)
	}
	classifier, err := m.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	img := dotted(99, true)
	f.Add([]byte(`{"Labels":["plain","dotted"],"Thresholds":[0.5,0.5]}`), false)
	f.Add([]byte(`{"Labels":["",""],"Thresholds":[-1,1e300]}`), false)
	f.Add([]byte(`{"Labels":null}`), false)
	f.Add(model.JoinParts(model.Part{Name: settingsPart, Data: []byte(`{}`)}, model.Part{Name: detectorPart}), true)
	f.Fuzz(func(t *testing.T, data []byte, whole bool) {
		if !whole {
			data = model.JoinParts(model.Part{Name: settingsPart, Data: data}, model.Part{Name: classifierPart, Data: classifier})
		}
		loaded, err := Load(data, &hosting.Backbones{})
		if err != nil {
			return
		}
		p := loaded.(*predictor)
		found, err := p.find(img)
		if err != nil {
			t.Fatal(err)
		}
		if list := p.choose(found, nil, nil, img); len(list) > len(p.Labels) {
			t.Errorf("%d findings of %d labels", len(list), len(p.Labels))
		}
	})
}
