package detect

import (
	"cmp"
	"fmt"
	"slices"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/container"
	"fovea/internal/ml/head"
	"fovea/internal/ml/kernel"
	"fovea/internal/ml/nn"
)

// How maps become objects (vision.md §2.7).
const (
	minScore   = 0.03
	maxPeaks   = 100  // of a class
	maxOverlap = 0.45 // IoU of two objects of a class
)

// A Model finds objects. It is safe for use by several goroutines.
type Model struct {
	description
	runner *nn.Runner
}

// description is what a model's file says of it.
type description struct {
	Names       []string     `json:"classes"`
	Longer      int          `json:"side"`
	Calibration []head.Platt `json:"calibration"` // of each class
	Cuts        []float64    `json:"thresholds"`
}

// newModel returns a model whose scores are as the network gives them.
func newModel(net *nn.Net, classes []string, side int) *Model {
	m := &Model{runner: nn.NewRunner(net), description: description{Names: classes, Longer: side}}
	for range classes {
		m.Calibration = append(m.Calibration, head.Platt{A: 1})
		m.Cuts = append(m.Cuts, usualThreshold)
	}
	return m
}

// Classes returns the names of the classes.
func (m *Model) Classes() []string { return slices.Clone(m.Names) }

// Side returns what the longer side of images is fitted to.
func (m *Model) Side() int { return m.Longer }

// Thresholds returns of each class the score from which on its objects are best
// told: that with the best F1 in training images that models had not seen; a
// half where too few were.
func (m *Model) Thresholds() []float64 { return slices.Clone(m.Cuts) }

// Detect returns the objects of an image, in its pixels, the highest scores
// first: at most 100 of a class, each of which the network gives more than 3 %.
func (m *Model) Detect(img *imaging.Image) ([]head.Object, error) {
	small := img.Fit(m.Longer)
	padded := small.PadTo(backbone.Multiple)
	fx, fy := float64(img.W)/float64(small.W), float64(img.H)/float64(small.H)
	var all []head.Object
	err := m.runner.Run(padded.H, padded.W, func(s *nn.Session) {
		backbone.Fill(s.Input(), 0, padded)
		s.Forward()
		outputs := m.runner.Net().Outputs()
		centres, sides := s.Value(outputs[0]), s.Value(outputs[1])
		for c, platt := range m.Calibration {
			for _, b := range suppress(peaks(centres, sides, c, float64(small.W), float64(small.H))) {
				b.Box, b.Score = scaled(b.Box, fx, fy), float32(platt.At(float64(b.Score)))
				all = append(all, b)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	sortByScore(all)
	return all, nil
}

// sortByScore sorts objects, the highest scores first.
func sortByScore(o []head.Object) {
	slices.SortStableFunc(o, func(a, b head.Object) int { return cmp.Compare(b.Score, a.Score) })
}

// peaks returns the objects of a class whose cells are above all around them,
// the highest first, cut at the edge of an image of w x h pixels.
func peaks(centres, sides *kernel.Tensor, class int, w, h float64) []head.Object {
	var found []head.Object
	for y := range centres.H {
		for x := range centres.W {
			logit := centres.Pixel(0, y, x)[class]
			score := kernel.Sigmoid(logit)
			if score <= minScore || !isPeak(centres, class, x, y, logit) {
				continue
			}
			var d [4]float64
			for i, v := range sides.Pixel(0, y, x) {
				d[i] = nn.Softplus(float64(v)) * unit
			}
			px, py := (float64(x)+0.5)*stride, (float64(y)+0.5)*stride
			left, top, right, bottom := max(0, px-d[0]), max(0, py-d[1]), min(w, px+d[2]), min(h, py+d[3])
			if right > left && bottom > top {
				found = append(found, head.Object{Box: head.Box{Left: left, Top: top, Width: right - left, Height: bottom - top}, Class: class, Score: score})
			}
		}
	}
	sortByScore(found)
	return found[:min(len(found), maxPeaks)]
}

// isPeak reports whether no neighbour of a cell has a higher value. Of equal
// ones, the first is the peak.
func isPeak(t *kernel.Tensor, class, x, y int, v float32) bool {
	for ny := max(0, y-1); ny <= min(t.H-1, y+1); ny++ {
		for nx := max(0, x-1); nx <= min(t.W-1, x+1); nx++ {
			other := t.Pixel(0, ny, nx)[class]
			before := ny < y || ny == y && nx < x
			if other > v || other == v && before {
				return false
			}
		}
	}
	return true
}

// suppress returns those of the objects, the highest first, that overlap none
// before them by much.
func suppress(found []head.Object) []head.Object {
	var kept []head.Object
	for _, b := range found {
		if !slices.ContainsFunc(kept, func(k head.Object) bool { return k.IoU(b.Box) > maxOverlap }) {
			kept = append(kept, b)
		}
	}
	return kept
}

// The kind and version of a model's file.
const (
	kind    = "detector"
	version = 2
)

// Marshal returns the model as a file.
func (m *Model) Marshal() ([]byte, error) {
	return container.Seal(kind, version, m.description, m.runner.Net().Tensors())
}

// Unmarshal returns the model in a file.
func Unmarshal(file []byte) (*Model, error) {
	m := &Model{}
	tensors, err := container.Open(file, kind, version, &m.description)
	if err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	net := build(len(m.Names))
	if err := net.LoadAll(tensors); err != nil {
		return nil, fmt.Errorf("detect: %w", err)
	}
	m.runner = nn.NewRunner(net)
	return m, nil
}

// check reports what no training writes.
func (d *description) check() error {
	n := len(d.Names)
	if n == 0 || n > MaxClasses || d.Longer < 1 || d.Longer > MaxSide || len(d.Calibration) != n || len(d.Cuts) != n {
		return fmt.Errorf("detect: a model of %d classes, %d calibrations, %d thresholds, side %d", n, len(d.Calibration), len(d.Cuts), d.Longer)
	}
	for c, p := range d.Calibration {
		if !(p.A > 0) || !(d.Cuts[c] >= 0 && d.Cuts[c] <= 1) {
			return fmt.Errorf("detect: class %d has the slope %g and the threshold %g", c, p.A, d.Cuts[c])
		}
	}
	return nil
}
