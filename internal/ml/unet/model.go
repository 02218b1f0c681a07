package unet

import (
	"fmt"
	"slices"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/container"
	"fovea/internal/ml/kernel"
	"fovea/internal/ml/nn"
)

// A Model finds defects. It is safe for use by several goroutines.
type Model struct {
	types  []string
	side   int
	runner *nn.Runner
}

// Types returns the names of the types of defects.
func (m *Model) Types() []string { return slices.Clone(m.types) }

// Side returns what the longer side of images is fitted to.
func (m *Model) Side() int { return m.side }

// Predict returns how probable each type is at each pixel of the image fitted to
// Side: the mean over the image and its mirror image.
func (m *Model) Predict(img *imaging.Image) (*imaging.Planes, error) {
	padded, w, h := fit(img, m.side)
	out := imaging.NewPlanes(len(m.types), h, w)
	err := m.runner.Run(padded.H, padded.W, func(s *nn.Session) {
		for _, mirror := range []bool{false, true} {
			x := padded
			if mirror {
				x = padded.Mirror()
			}
			backbone.Fill(s.Input(), 0, x)
			s.Forward()
			addMap(out, s.Value(m.runner.Net().Outputs()[0]), mirror)
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// addMap adds to p half of the sigmoid of logits.
func addMap(p *imaging.Planes, x *kernel.Tensor, mirror bool) {
	for y := range p.H {
		row := x.Row(0, y)
		for i := range p.W {
			from := i
			if mirror {
				from = x.W - 1 - i
			}
			for c := range p.C {
				p.Data[(c*p.H+y)*p.W+i] += kernel.Sigmoid(row[from*x.C+c]) / 2
			}
		}
	}
}

// Enlarge returns the plane of w x h numbers scaled to another size, linear
// between them.
func Enlarge(plane []float32, w, h, toW, toH int) []float32 {
	out := make([]float32, toW*toH)
	for y := range toH {
		y0, y1, fy := place(y, toH, h)
		for x := range toW {
			x0, x1, fx := place(x, toW, w)
			up := plane[y0*w+x0] + fx*(plane[y0*w+x1]-plane[y0*w+x0])
			down := plane[y1*w+x0] + fx*(plane[y1*w+x1]-plane[y1*w+x0])
			out[y*toW+x] = up + fy*(down-up)
		}
	}
	return out
}

// place returns which two of n numbers number i of a line of to is between, and
// how far.
func place(i, to, n int) (a, b int, f float32) {
	at := max(0, (float32(i)+0.5)*float32(n)/float32(to)-0.5)
	a = min(n-1, int(at))
	return a, min(n-1, a+1), at - float32(a)
}

// The kind and version of a model's file.
const (
	kind    = "unet"
	version = 1
)

// description is what a model's file says of it.
type description struct {
	Types []string `json:"types"`
	Side  int      `json:"side"`
}

// Marshal returns the model as a file.
func (m *Model) Marshal() ([]byte, error) {
	return container.Seal(kind, version, description{m.types, m.side}, m.runner.Net().Tensors())
}

// Unmarshal returns the model in a file.
func Unmarshal(file []byte) (*Model, error) {
	var d description
	tensors, err := container.Open(file, kind, version, &d)
	if err != nil {
		return nil, err
	}
	if len(d.Types) == 0 || len(d.Types) > MaxTypes || d.Side < 1 || d.Side > MaxSide {
		return nil, fmt.Errorf("unet: a model of %d types, side %d", len(d.Types), d.Side)
	}
	net := build(len(d.Types))
	if err := net.LoadAll(tensors); err != nil {
		return nil, fmt.Errorf("unet: %w", err)
	}
	return &Model{types: d.Types, side: d.Side, runner: nn.NewRunner(net)}, nil
}
