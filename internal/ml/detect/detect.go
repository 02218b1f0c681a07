// Package detect finds objects and says where they are: an anchor-free detector
// in the manner of CenterNet (Zhou et al. 2019) on the backbone P (vision.md
// §2.7). It gives every object a score that is, about, how probably the object
// is there; how probably, and from which score on it is best told, a training
// learns from images that its models had not seen.
//
// A training is the same for the same images, options and seed, whatever the
// number of workers.
package detect

import (
	"context"
	"errors"
	"fmt"
	"math"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/head"
	"fovea/internal/ml/nn"
)

// A Set is the images to train on.
type Set struct {
	// Objects are those of each image, in its pixels. Their scores do not
	// matter.
	Objects [][]head.Object

	// Image returns image i. It may be called several times, by one goroutine.
	// An error ends the training.
	Image func(ctx context.Context, i int) (*imaging.Image, error)
}

// Options are how to train.
type Options struct {
	Classes []string // their names, at most MaxClasses
	Seed    uint64
	Workers int // processor cores; 0 is one
	Side    int // what the longer side of images is fitted to, up to MaxSide; 0 chooses
	Steps   int // 0 chooses

	// Scratch has the network begin with random weights instead of the
	// backbone's, which shows what these are worth. Nothing is validated then.
	Scratch bool

	// Progress is told how much is done, from 0 to 1; nil is allowed.
	Progress func(done float64)
}

// Bounds of a training.
const (
	MaxClasses = 250
	MaxSide    = 640
	maxBytes   = 512 << 20 // of images that are kept in memory; of more, as many are drawn
	maxPlace   = 1e7       // of a box, in pixels
)

// stride is how many pixels of the image a cell of the output covers; distances
// are in units of so many cells.
const (
	stride = 4
	unit   = 4 * stride
)

// build returns the network for a number of classes. Its output has a channel
// for each class, then the four distances.
func build(classes int) *nn.Net {
	n := nn.New(3)
	e := backbone.Encode(n, backbone.Width)
	deep := n.Conv(e.S3, nn.ConvSpec{Name: "deep", Norm: "deep.norm", Out: 128})
	context := n.Conv(n.Mean(e.S3, false), nn.ConvSpec{Name: "context", Out: 128, Size: 1, Bias: true})
	x := n.Spread(deep, context)
	x = n.Conv(n.UpConcat(x, e.S2), nn.ConvSpec{Name: "up2", Norm: "up2.norm", Out: 64, ReLU: true})
	x = n.Conv(n.UpConcat(x, e.S1), nn.ConvSpec{Name: "up1", Norm: "up1.norm", Out: 48, ReLU: true})
	x = n.Conv(x, nn.ConvSpec{Name: "last", Norm: "last.norm", Out: 48, ReLU: true})
	n.Output(n.Conv(x, nn.ConvSpec{Name: "centres", Out: classes, Size: 1, Bias: true, Init: -3.5}))
	n.Output(n.Conv(x, nn.ConvSpec{Name: "sides", Out: 4, Size: 1, Bias: true}))
	return n
}

// check reports what makes a training impossible.
func (o *Options) check(s *Set) error {
	if len(o.Classes) == 0 || len(o.Classes) > MaxClasses {
		return fmt.Errorf("detect: %d classes; 1 to %d can be learned", len(o.Classes), MaxClasses)
	}
	if o.Side < 0 || o.Side > MaxSide || o.Steps < 0 {
		return fmt.Errorf("detect: sides of %d pixels, %d steps: the side is at most %d, neither is negative", o.Side, o.Steps, MaxSide)
	}
	any := false
	for i, objects := range s.Objects {
		for _, b := range objects {
			if b.Class < 0 || b.Class >= len(o.Classes) || !(b.Width > 0) || !(b.Height > 0) {
				return fmt.Errorf("detect: image %d has an object of class %d of %d, %g pixels wide, %g high", i, b.Class, len(o.Classes), b.Width, b.Height)
			}
			if far := math.Abs(b.Left) + math.Abs(b.Top) + b.Width + b.Height; !(far < maxPlace) {
				return fmt.Errorf("detect: image %d has an object at %g, %g, %g pixels wide, %g high: that is nowhere in an image", i, b.Left, b.Top, b.Width, b.Height)
			}
			any = true
		}
	}
	if !any {
		return errors.New("detect: no image has an object to learn from")
	}
	return nil
}
