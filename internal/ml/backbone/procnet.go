package backbone

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"math"
	"sync"

	"fovea/internal/imaging"
	"fovea/internal/ml/kernel"
	"fovea/internal/ml/nn"
	"fovea/internal/ml/safetensors"
)

// weights is the artefact of recipes/backbone.
//
//go:embed procnet16.safetensors
var weights []byte

// Width is the number of channels of P's first layer; those of the maps behind
// it are 2, 4 and 8 times as many.
const Width = 16

// Multiple is what both sides of an image must be multiples of, for every map to
// have whole cells. Dense and Global pad images by reflection.
const Multiple = 16

// An Encoder is the values of P in a network, at 1/2, 1/4, 1/8 and 1/16 of the
// input's size.
type Encoder struct{ Stem, S1, S2, S3 nn.Value }

// Encode adds the layers of P of a width to a network of three input channels:
// a convolution and three residual blocks (He et al. 2016), the shortcut of
// each a convolution of single pixels.
func Encode(n *nn.Net, width int) Encoder {
	var e Encoder
	e.Stem = n.Conv(n.Input(), nn.ConvSpec{Name: "stem.0", Norm: "stem.1", Out: width, Stride: 2, ReLU: true})
	e.S1 = block(n, "s1", e.Stem, 2*width)
	e.S2 = block(n, "s2", e.S1, 4*width)
	e.S3 = block(n, "s3", e.S2, 8*width)
	return e
}

func block(n *nn.Net, name string, x nn.Value, out int) nn.Value {
	short := n.Conv(x, nn.ConvSpec{Name: name + ".sc.0", Norm: name + ".sc.1", Out: out, Size: 1, Stride: 2})
	y := n.Conv(x, nn.ConvSpec{Name: name + ".c1", Norm: name + ".b1", Out: out, Stride: 2, ReLU: true})
	return n.Conv(y, nn.ConvSpec{Name: name + ".c2", Norm: name + ".b2", Out: out, Add: short, ReLU: true})
}

// parts are how the names of P's parameters begin.
var parts = []string{"stem.", "s1.", "s2.", "s3."}

// Load sets the parameters of P in a network to those that come with the
// program, and lets them learn at a part of the rate of the others.
func Load(n *nn.Net, rate float32) error {
	file, err := safetensors.Read(weights)
	if err != nil {
		return fmt.Errorf("backbone: %w", err)
	}
	for _, part := range parts {
		if err := n.Load(file.Tensors, part); err != nil {
			return fmt.Errorf("backbone: %w", err)
		}
		for _, p := range n.Params() {
			if len(p.Name) > len(part) && p.Name[:len(part)] == part {
				p.Rate = rate
			}
		}
	}
	return nil
}

// Fill writes an image into map i of a network's input, which has its size: of
// each channel, v of 255, (v/255 - 1/2) * 4.
func Fill(t *kernel.Tensor, i int, m *imaging.Image) {
	for y := range m.H {
		row := t.Row(i, y)
		for k, v := range m.Pix[3*y*m.W:][:3*m.W] {
			row[k] = float32(v)*(4./255) - 2
		}
	}
}

// procnet is P.
type procnet struct {
	runner *nn.Runner
	hash   string
}

// Default returns the backbone that comes with the program. Its maps have 32, 64
// and 128 channels at strides 4, 8 and 16; its vector 448 numbers, the mean and
// deviation of every channel of each map. All calls return the same.
var Default = sync.OnceValues(func() (Backbone, error) {
	n := nn.New(3)
	e := Encode(n, Width)
	n.Output(e.S1)
	n.Output(e.S2)
	n.Output(e.S3)
	if err := Load(n, 0); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(weights)
	return &procnet{nn.NewRunner(n), hex.EncodeToString(sum[:])}, nil
})

func (p *procnet) Name() string { return "procnet16" }
func (p *procnet) Hash() string { return p.hash }

func (p *procnet) Dense(ctx context.Context, m *imaging.Image) ([]Map, error) {
	var maps []Map
	err := p.run(ctx, m, func(s *nn.Session) {
		for i, v := range p.runner.Net().Outputs() {
			maps = append(maps, copyMap(s.Value(v), 4<<i))
		}
	})
	return maps, err
}

func (p *procnet) Global(ctx context.Context, m *imaging.Image) ([]float32, error) {
	var out []float32
	err := p.run(ctx, m, func(s *nn.Session) {
		for _, v := range p.runner.Net().Outputs() {
			out = moments(out, s.Value(v))
		}
	})
	return out, err
}

// run runs the network on an image and calls fn with the session.
func (p *procnet) run(ctx context.Context, m *imaging.Image, fn func(*nn.Session)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m = m.PadTo(Multiple)
	return p.runner.Run(m.H, m.W, func(s *nn.Session) {
		Fill(s.Input(), 0, m)
		s.Forward()
		fn(s)
	})
}

// copyMap returns the only map of a tensor.
func copyMap(t *kernel.Tensor, stride int) Map {
	m := Map{Width: t.W, Height: t.H, Channels: t.C, Stride: stride, Data: make([]float32, 0, t.W*t.H*t.C)}
	for y := range t.H {
		m.Data = append(m.Data, t.Row(0, y)...)
	}
	return m
}

// moments appends the mean of each channel of the only map, then the deviation
// of each.
func moments(out []float32, t *kernel.Tensor) []float32 {
	sum, square := make([]float64, t.C), make([]float64, t.C)
	for y := range t.H {
		for i, v := range t.Row(0, y) {
			sum[i%t.C] += float64(v)
			square[i%t.C] += float64(v) * float64(v)
		}
	}
	n := float64(t.H * t.W)
	for _, s := range sum {
		out = append(out, float32(s/n))
	}
	for c, s := range sum {
		out = append(out, float32(math.Sqrt(max(0, square[c]/n-s/n*s/n))))
	}
	return out
}
