// Package unet finds the pixels of defects: a U-Net (Ronneberger et al. 2015)
// whose encoder is the backbone P, trained on images with masks (vision.md
// §2.5). It says for each pixel and type of defect how probable it is; where to
// cut is for others to decide, from images that it has not seen.
//
// A training is the same for the same images, options and seed, whatever the
// number of workers.
package unet

import (
	"context"
	"errors"
	"fmt"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/nn"
)

// A Set is the images to train on. Each function may be called several times
// for an image, by one goroutine; an error ends the training.
type Set struct {
	// Shows are the types that the mask of each image shows; none is a normal
	// image. Where memory cannot hold all images, they say which ones are used.
	Shows [][]int

	// Image returns image i.
	Image func(ctx context.Context, i int) (*imaging.Image, error)

	// Mask returns where the defects of image i are, of the image's size: label
	// t+1 is type t. It returns nil where there are none.
	Mask func(ctx context.Context, i int) (*imaging.LabelMap, error)
}

// Options are how to train.
type Options struct {
	Types   []string // names of the types of defects, at most MaxTypes
	Seed    uint64
	Workers int // processor cores; 0 is one
	Side    int // what the longer side of images is fitted to, up to MaxSide; 0 chooses
	Steps   int // 0 chooses

	// Progress is told how much is done, from 0 to 1; nil is allowed.
	Progress func(done float64)
}

// Bounds of a training.
const (
	MaxTypes = 64
	MaxSide  = 1024
	maxBytes = 512 << 20 // of images that are kept in memory; of more, as many are drawn
	perPixel = 8         // bytes: the image, the mask, and where its types are
)

// What a step learns from.
const (
	batch = 8
	crop  = 128
)

// build returns the network for a number of types. Its outputs are the logits
// of the pixels, and of whole images.
func build(types int) *nn.Net {
	n := nn.New(3)
	e := backbone.Encode(n, backbone.Width)
	up := func(name string, x, skip nn.Value, out int) nn.Value {
		return n.Conv(n.UpConcat(x, skip), nn.ConvSpec{Name: name, Norm: name + ".norm", Out: out, ReLU: true})
	}
	x := up("up3", e.S3, e.S2, 48)
	x = up("up2", x, e.S1, 32)
	x = up("up1", x, e.Stem, 16)
	x = up("up0", x, n.Input(), 8)
	n.Output(n.Conv(x, nn.ConvSpec{Name: "pixels", Out: types, Size: 1, Bias: true, Init: -2}))
	n.Output(n.Conv(n.Mean(e.S3, true), nn.ConvSpec{Name: "image", Out: types, Size: 1, Bias: true}))
	return n
}

// check reports what makes a training impossible.
func (o *Options) check(s *Set) error {
	switch {
	case len(o.Types) == 0 || len(o.Types) > MaxTypes:
		return fmt.Errorf("unet: %d types of defects; 1 to %d can be learned", len(o.Types), MaxTypes)
	case len(s.Shows) == 0:
		return errors.New("unet: there are no images to learn from")
	case o.Side < 0 || o.Side > MaxSide || o.Steps < 0:
		return fmt.Errorf("unet: sides of %d pixels, %d steps: the side is at most %d, neither is negative", o.Side, o.Steps, MaxSide)
	}
	for i, types := range s.Shows {
		for _, t := range types {
			if t < 0 || t >= len(o.Types) {
				return fmt.Errorf("unet: image %d shows type %d of %d", i, t, len(o.Types))
			}
		}
	}
	return nil
}
