package lookout

import (
	"encoding/json"
	"errors"
	"fmt"

	"fovea/internal/hosting"
	"fovea/internal/imaging"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/segmentation"
	"fovea/internal/model"
)

// A predictor is a trained model, in memory.
type predictor struct {
	Width, Height int         // of the images, in pixels (LV-7.22)
	Labels        []areaLabel // kinds of anomalies, in the order of the colour table; none without masks

	classifier *classify.Model
	segmenter  *segmentation.Model // nil without masks
	size       int64               // bytes of the weights

	// anomaly is the score from which on an image is anomalous that was set in
	// place of 0.5, which the training made it; nil if none was.
	anomaly *float64
}

// An areaLabel is a kind of anomaly that has areas.
type areaLabel struct {
	Name      string
	Color     string // as the colour map has it (LV-7.35)
	RGB       imaging.Color
	Threshold float32 // from which probability on a pixel has it
}

// Bytes implements hosting.Predictor: the weights, and what they become in
// memory, about.
func (p *predictor) Bytes() int64 { return 3 * p.size }

// The parts of the weights of a model.
const (
	settingsPart   = "settings"
	classifierPart = "classifier"
	segmenterPart  = "segmenter"
)

// weights returns the model as it is stored.
func (p *predictor) weights() ([]byte, error) {
	settings, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	classifier, err := p.classifier.Marshal()
	if err != nil {
		return nil, err
	}
	parts := []model.Part{{Name: settingsPart, Data: settings}, {Name: classifierPart, Data: classifier}}
	if p.segmenter != nil {
		segmenter, err := p.segmenter.Marshal()
		if err != nil {
			return nil, err
		}
		parts = append(parts, model.Part{Name: segmenterPart, Data: segmenter})
	}
	return model.JoinParts(parts...), nil
}

// load returns the model that weights are. It looks through the backbone that it
// was trained with, and is NotReady where there is none of these.
func load(weights []byte, backbones *hosting.Backbones) (*predictor, error) {
	parts, err := model.SplitParts(weights)
	if err != nil {
		return nil, err
	}
	p := &predictor{size: int64(len(weights))}
	if err := json.Unmarshal(parts[settingsPart], p); err != nil {
		return nil, fmt.Errorf("the settings of the model: %w", err)
	}
	if p.classifier, err = classify.Unmarshal(parts[classifierPart], backbones.Find); err != nil {
		return nil, fmt.Errorf("The classifier of the model cannot be loaded: %w", err)
	}
	if p.classifier.Task != classify.Anomaly {
		return nil, errors.New("the classifier of the model is none of normal and anomalous images")
	}
	if data, ok := parts[segmenterPart]; ok {
		if p.segmenter, err = segmentation.Unmarshal(data); err != nil {
			return nil, fmt.Errorf("the segmenter of the model: %w", err)
		}
		if n := len(p.segmenter.Types); n != len(p.Labels) {
			return nil, fmt.Errorf("the segmenter of the model knows %d kinds of anomalies and not %d", n, len(p.Labels))
		}
	}
	return p, nil
}

// A prediction is what a model says of an image.
type prediction struct {
	anomalous  bool
	confidence float32           // in that, from 0.5 to 1 (LV-7.37)
	labels     *imaging.LabelMap // of the image's size; nil from a model without masks
}

// score returns how anomalous the image is, from 0 to 1 (LV-6.38).
func (p prediction) score() float32 {
	if p.anomalous {
		return p.confidence
	}
	return 1 - p.confidence
}

// predict returns what the model says of an image, which has the right size.
// Where it knows areas, how sure it is of them helps to judge the whole.
func (p *predictor) predict(img *imaging.Image) (out prediction, err error) {
	var peaks []float32
	if p.segmenter != nil {
		found, err := p.segmenter.Predict(img)
		if err != nil {
			return prediction{}, err
		}
		out.labels, peaks = found.Labels, found.Peaks
	}
	verdict, err := p.classifier.Predict(img, peaks...)
	if err != nil {
		return prediction{}, err
	}
	out.anomalous, out.confidence = p.decide(verdict)
	return out, nil
}

// names returns the names of the kinds of anomalies.
func (p *predictor) names() []string {
	var names []string
	for _, l := range p.Labels {
		names = append(names, l.Name)
	}
	return names
}

// areas returns the share of the background, and of each label, in the pixels
// of a map: they add up to 1 (LV-7.34).
func (p *predictor) areas(labels *imaging.LabelMap) []float32 {
	counts := make([]int64, len(p.Labels)+1)
	for _, l := range labels.Pix {
		counts[l]++
	}
	shares := make([]float32, len(counts))
	for i, n := range counts {
		shares[i] = float32(float64(n) / float64(len(labels.Pix)))
	}
	return shares
}

// maskPNG returns a map as an image in the colours of the labels, on white: 8-bit
// RGB without alpha (LV-7.41).
func (p *predictor) maskPNG(labels *imaging.LabelMap) ([]byte, error) {
	colors := []imaging.Color{imaging.White}
	for _, l := range p.Labels {
		colors = append(colors, l.RGB)
	}
	return imaging.EncodeMask(labels, colors)
}
