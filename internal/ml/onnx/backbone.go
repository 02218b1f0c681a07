package onnx

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
)

// Options say how images are given to a network. What is 0 is as the settings of
// the file say (Set), and where they say nothing as for most networks that were
// trained on photographs.
type Options struct {
	Name      string     // of the backbone
	OrName    string     // where neither Name nor the file says one; "onnx" if empty
	Mean, Std [3]float32 // of red, green and blue from 0 to 1: taken off, and divided by
	Side      int        // pixels of the longer side of images, where the network takes any size; 0 is 224
	Multiple  int        // and what both sides must be multiples of; 0 is 32, or 14 if 32 does not work
	Workers   int        // processor cores for an image; 0 is one
}

// Backbone is a network from a file that makes features. It is safe for use by
// several goroutines.
//
// Outputs of four dimensions (1, channels, height, width) are maps; those of
// three (1, tokens, channels) the tokens of a transformer, one for the class
// first, with or without four registers, or none, then one for each patch;
// those of two (1, channels) describe the image as a whole.
type Backbone struct {
	model *Model
	o     Options
	hash  string
	shape form
}

var _ backbone.Sized = (*Backbone)(nil)

// A form is what a backbone says of any image.
type form struct {
	numbers  int // of the image as a whole
	channels int // of a cell; 0 where there are no maps
}

// Bounds of a form: heads and what is learned of cells take time and memory with
// it.
const (
	maxVector   = 8192
	maxChannels = 2048
)

// Load returns the network in a file as a backbone. It runs it on images that
// it draws, so that what does not work is told here, and with the context it can
// be ended.
func Load(ctx context.Context, file []byte, o Options) (*Backbone, error) {
	m, err := Read(file)
	if err != nil {
		return nil, err
	}
	return m.load(ctx, file, o)
}

// load is Load of a network that was read.
func (m *Model) load(ctx context.Context, file []byte, o Options) (*Backbone, error) {
	o, err := m.options(o)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	s := m.shape
	switch {
	case s[1] != 3 || s[0] > 1 || (s[2] < 0) != (s[3] < 0) || max(s[2], s[3]) > maxSide:
		return nil, fmt.Errorf("onnx: the input %q has the shape %v: one image is needed, channels first and three of them, both sides fixed, up to %d, or none", m.input, s, maxSide)
	case slices.ContainsFunc(o.Std[:], func(v float32) bool { return v == 0 }) || o.Multiple < 0 || o.Multiple > maxMultiple:
		return nil, fmt.Errorf("onnx: a deviation of 0 in %v, or multiples of %d", o.Std, o.Multiple)
	}
	sum := sha256.Sum256(file)
	b := &Backbone{model: m, o: o, hash: hex.EncodeToString(sum[:])}
	b.o.Name, b.o.Side = displayName(cmp.Or(o.Name, o.OrName)), cmp.Or(o.Side, usualSide)
	multiples := []int{o.Multiple}
	if o.Multiple == 0 {
		multiples = []int{32, 14}
	}
	for _, n := range multiples {
		b.o.Multiple = n
		tried := b.try(ctx)
		if err = cmp.Or(err, tried); tried == nil {
			return b, nil
		}
		if s[2] > 0 || ctx.Err() != nil {
			break
		}
	}
	return nil, err // of the first
}

// displayName returns the name of a backbone as it can stand among other words.
func displayName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return '-'
	}, name)
	return cmp.Or(name[:min(len(name), 100)], "onnx")
}

// try runs the network, where it takes images of any size on two shapes and on
// the largest one that it will be shown, and notes the form of what it says.
func (b *Backbone) try(ctx context.Context) error {
	sizes := [][2]int{{b.model.shape[3], b.model.shape[2]}}
	if sizes[0][0] < 0 {
		n := b.o.Multiple
		sizes = [][2]int{{4 * n, 4 * n}, {6 * n, 4 * n}, {b.o.Side, b.o.Side}}
	}
	for i, s := range sizes {
		out, err := b.run(ctx, sampleImage(s[0], s[1]))
		if err != nil {
			return err
		}
		f, err := out.form()
		switch {
		case err != nil:
			return err
		case f.numbers > maxVector || f.channels > maxChannels:
			return fmt.Errorf("onnx: the network says %d numbers of an image and %d of each cell; %d and %d are the most: choose fewer or smaller outputs", f.numbers, f.channels, maxVector, maxChannels)
		case i > 0 && f != b.shape:
			return fmt.Errorf("onnx: the network says other numbers of images of other sizes (%d and %d, %d and %d of a cell): say which size it takes, such as 224x224", b.shape.numbers, f.numbers, b.shape.channels, f.channels)
		}
		b.shape = f
	}
	return nil
}

// form returns the form of a result.
func (r *result) form() (form, error) {
	v, err := r.global()
	if err != nil || len(r.maps) == 0 {
		return form{numbers: len(v)}, err
	}
	m, err := backbone.Join(r.maps)
	return form{len(v), m.Channels}, err
}

// sampleImage returns an image on which everything differs.
func sampleImage(w, h int) *imaging.Image {
	m := imaging.New(w, h)
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i / 7)
	}
	return m
}

// Sizes of images, in pixels of a side.
const (
	minSide     = 16
	usualSide   = 224
	maxMultiple = 256
)

// maxSide bounds images.
const maxSide = 4096

// Name returns what the options say.
func (b *Backbone) Name() string { return b.o.Name }

// Hash returns the SHA-256 of the file, in hexadecimal.
func (b *Backbone) Hash() string { return b.hash }

// HasMaps tells whether the network says something of the parts of an image.
func (b *Backbone) HasMaps() bool { return b.shape.channels > 0 }

// Side returns how many pixels the longer side of an image is to have.
func (b *Backbone) Side() int {
	if s := b.model.shape; s[2] > 0 {
		return max(s[2], s[3])
	}
	return b.o.Side
}

// Dense returns the maps, fine to coarse, without what padding added. Where the
// network takes one size only, the image is fitted into it.
func (b *Backbone) Dense(ctx context.Context, m *imaging.Image) ([]backbone.Map, error) {
	out, err := b.run(ctx, m)
	if err != nil {
		return nil, err
	}
	if len(out.maps) == 0 {
		return nil, errors.New("onnx: no output of the network is a map")
	}
	maps := slices.Clone(out.maps)
	for i := range maps {
		maps[i] = cut(&maps[i], out.w, out.h)
	}
	return maps, nil
}

// Global returns the outputs that describe the image as a whole; if there are
// none, the token of the class and the mean of the others; if there are no
// tokens, mean and deviation of each channel of each map.
func (b *Backbone) Global(ctx context.Context, m *imaging.Image) ([]float32, error) {
	out, err := b.run(ctx, m)
	if err != nil {
		return nil, err
	}
	return out.global()
}

// A result is what the network says of an image.
type result struct {
	w, h    int // of the image within the input
	vectors []float32
	classes []float32 // tokens of the class
	tokens  bool      // maps are of tokens
	maps    []backbone.Map
}

// run runs the network on an image.
func (b *Backbone) run(ctx context.Context, m *imaging.Image) (*result, error) {
	h, w := b.model.shape[2], b.model.shape[3]
	if h > 0 {
		f := min(float64(w)/float64(m.W), float64(h)/float64(m.H))
		m = m.Resize(max(1, min(w, int(math.Round(float64(m.W)*f)))), max(1, min(h, int(math.Round(float64(m.H)*f)))))
	} else {
		up := func(n int) int { return (n + b.o.Multiple - 1) / b.o.Multiple * b.o.Multiple }
		h, w = up(m.H), up(m.W)
	}
	if w > maxSide || h > maxSide {
		return nil, fmt.Errorf("onnx: an image of %dx%d pixels; %d to a side are the most", m.W, m.H, maxSide)
	}
	values, err := b.model.Run(ctx, b.fill(m, w, h), b.o.Workers)
	if err != nil {
		return nil, err
	}
	out := &result{w: m.W, h: m.H}
	for i, t := range values {
		if slices.ContainsFunc(t.Floats, func(v float32) bool { return v-v != 0 }) {
			return nil, fmt.Errorf("onnx: output %q has numbers that are infinite or none", b.model.outputs[i])
		}
		if err := out.add(t, w, h); err != nil {
			return nil, fmt.Errorf("onnx: output %q: %w", b.model.outputs[i], err)
		}
	}
	slices.SortStableFunc(out.maps, func(a, b backbone.Map) int { return cmp.Compare(a.Stride, b.Stride) })
	return out, nil
}

// fill returns an image as input of w x h pixels, mirrored beyond its edge.
func (b *Backbone) fill(m *imaging.Image, w, h int) *Tensor {
	t := &Tensor{Shape: []int{1, 3, h, w}, Floats: make([]float32, 3*h*w)}
	for y := range h {
		row := m.Pix[3*m.W*imaging.Reflect(y, m.H):]
		for x := range w {
			p := row[3*imaging.Reflect(x, m.W):]
			for c := range 3 {
				t.Floats[(c*h+y)*w+x] = (float32(p[c])/255 - b.o.Mean[c]) / b.o.Std[c]
			}
		}
	}
	return t
}

// add adds an output, the input being w x h pixels.
func (r *result) add(t *Tensor, w, h int) error {
	if t.isInts || len(t.Shape) < 2 || t.Shape[0] != 1 || t.len() == 0 {
		return fmt.Errorf("shape %v is no vector, map or tokens of one image", t.Shape)
	}
	switch len(t.Shape) {
	case 2:
		r.vectors = append(r.vectors, t.Floats...)
		return nil
	case 3:
		return r.addTokens(t, w, h)
	case 4:
		c, mh, mw := t.Shape[1], t.Shape[2], t.Shape[3]
		if mh == 1 && mw == 1 {
			r.vectors = append(r.vectors, t.Floats...)
			return nil
		}
		stride := w / mw
		if stride < 1 || w != stride*mw || h != stride*mh {
			return fmt.Errorf("a map of %dx%d cells for %dx%d pixels", mw, mh, w, h)
		}
		m := backbone.Map{Width: mw, Height: mh, Channels: c, Stride: stride, Data: make([]float32, len(t.Floats))}
		for k := range mh * mw {
			for i := range c {
				m.Data[k*c+i] = t.Floats[i*mh*mw+k]
			}
		}
		r.maps = append(r.maps, m)
		return nil
	}
	return fmt.Errorf("shape %v is no vector, map or tokens", t.Shape)
}

// addTokens adds the tokens of a transformer.
func (r *result) addTokens(t *Tensor, w, h int) error {
	n, c := t.Shape[1], t.Shape[2]
	for _, extra := range []int{1, 0, 5} {
		for stride := 4; stride <= 64; stride++ {
			if w%stride != 0 || h%stride != 0 || w/stride*(h/stride)+extra != n {
				continue
			}
			if extra > 0 {
				r.classes = append(r.classes, t.Floats[:c]...)
			}
			r.tokens = true
			r.maps = append(r.maps, backbone.Map{Width: w / stride, Height: h / stride, Channels: c, Stride: stride, Data: t.Floats[extra*c:]})
			return nil
		}
	}
	return fmt.Errorf("%d tokens are no grid of patches of %dx%d pixels", n, w, h)
}

// global returns the vector of the image.
func (r *result) global() ([]float32, error) {
	if len(r.vectors) > 0 {
		return r.vectors, nil
	}
	if len(r.maps) == 0 {
		return nil, errors.New("onnx: the network says nothing of the image")
	}
	out := slices.Clone(r.classes)
	for i := range r.maps {
		m := cut(&r.maps[i], r.w, r.h)
		mean, square, n := make([]float64, m.Channels), make([]float64, m.Channels), float64(m.Width*m.Height)
		for k, v := range m.Data {
			mean[k%m.Channels] += float64(v) / n
			square[k%m.Channels] += float64(v) * float64(v) / n
		}
		for _, v := range mean {
			out = append(out, float32(v))
		}
		for c, v := range mean {
			if !r.tokens {
				out = append(out, float32(math.Sqrt(max(0, square[c]-v*v))))
			}
		}
	}
	return out, nil
}

// cut returns the cells of a map that are over the w x h pixels at its top left.
func cut(m *backbone.Map, w, h int) backbone.Map {
	out := *m
	out.Width, out.Height = (w+m.Stride-1)/m.Stride, (h+m.Stride-1)/m.Stride
	if out.Width == m.Width && out.Height == m.Height {
		return out
	}
	out.Data = nil
	for y := range out.Height {
		out.Data = append(out.Data, m.Data[y*m.Width*m.Channels:][:out.Width*m.Channels]...)
	}
	return out
}
