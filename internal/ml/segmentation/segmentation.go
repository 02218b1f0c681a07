// Package segmentation finds the areas of defects and says of which type each
// is: the mean of a random forest and a U-Net, which are better together than
// each alone (vision.md §2.5), with thresholds that were chosen on images that
// neither had seen.
//
// Set and Options go in, a Model and a Report come out; nothing here knows of
// files, colours or services. A training is the same for the same images,
// options and seed, on any number of cores.
package segmentation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"fovea/internal/imaging"
	"fovea/internal/ml/feature"
	"fovea/internal/ml/forest"
	"fovea/internal/ml/unet"
)

// A Set is the images to train on. Its functions may be called several times
// for an image, by several goroutines at once.
type Set struct {
	N int // images

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
	Workers int  // processor cores; 0 is one
	Fast    bool // only a forest: seconds instead of minutes
	Steps   int  // of the network; 0 chooses

	// Progress is told how much is done, from 0 to 1, and what is being done; nil
	// is allowed.
	Progress func(done float64, stage string)
}

// MaxTypes is how many types there can be.
const MaxTypes = min(forest.MaxTypes, unet.MaxTypes)

// usualSide is what the longer side of images is fitted to for a forest alone,
// and mostSide what it is at most beside a network, whose time grows less.
const (
	usualSide = 256
	mostSide  = 512
)

// A Model finds defects. It is safe for use by several goroutines.
type Model struct {
	Types []Type

	side   int // of images, for the forest
	forest *forest.Forest
	net    *unet.Model // nil: only the forest
}

// A Type is a type of defects, and what it takes to believe in one.
type Type struct {
	Name      string
	Threshold float32 // from which probability on a pixel is of the type
	Area      float64 // of an area, as a share of the image: smaller ones are dropped
}

// A Result is what a model says of an image.
type Result struct {
	Labels *imaging.LabelMap // of the image's size: t+1 is type t, 0 none

	// Peaks tell of each type how sure the forest is where it is most sure:
	// the mean of its highest probabilities. They help a classifier of whole
	// images, as the peaks in Report do that are made the same way.
	Peaks []float32
}

// peakShare is the share of the pixels of which Peaks are the mean.
const peakShare = 0.005

// Predict returns what the model says of an image.
func (m *Model) Predict(img *imaging.Image) (*Result, error) {
	p, peaks, err := m.probabilities(img)
	if err != nil {
		return nil, err
	}
	m.dropSmall(p)
	return &Result{Labels: m.label(p, img.W, img.H), Peaks: peaks}, nil
}

// Probabilities returns how probable each type is at each pixel of the image,
// scaled to the size at which the model looks at it.
func (m *Model) Probabilities(img *imaging.Image) (*imaging.Planes, error) {
	p, _, err := m.probabilities(img)
	return p, err
}

func (m *Model) probabilities(img *imaging.Image) (*imaging.Planes, []float32, error) {
	p := m.forest.Predict(forest.Pixels(img.Fit(m.side)))
	peaks := peaksOf(p)
	if m.net == nil {
		return p, peaks, nil
	}
	q, err := m.net.Predict(img)
	if err != nil {
		return nil, nil, err
	}
	return mean(q, p), peaks, nil
}

// peaksOf returns the peaks of a forest's probabilities.
func peaksOf(p *imaging.Planes) []float32 {
	var peaks []float32
	for k := range p.C {
		peaks = append(peaks, feature.Top(p.Plane(k), peakShare))
	}
	return peaks
}

// mean returns the mean of two maps of the same image, of the size of the first.
func mean(p, q *imaging.Planes) *imaging.Planes {
	out := imaging.NewPlanes(p.C, p.H, p.W)
	for k := range p.C {
		to, from := out.Plane(k), p.Plane(k)
		for i, v := range unet.Enlarge(q.Plane(k), q.W, q.H, p.W, p.H) {
			to[i] = (from[i] + v) / 2
		}
	}
	return out
}

// claims returns how strongly a probability of a type claims a pixel: from 1 on
// it is of the type, if no other claims it more.
func (t *Type) claims(p float32) float32 { return p / t.Threshold }

// label returns for each pixel of an image of w x h pixels which type it has,
// from probabilities of any size, linear between them. It needs a few rows of
// numbers beside the result.
func (m *Model) label(p *imaging.Planes, w, h int) *imaging.LabelMap {
	out := &imaging.LabelMap{W: w, H: h, Pix: make([]uint8, w*h)}
	most, row := make([]float32, w), make([]float32, p.W)
	columns := make([]place, w)
	for x := range columns {
		columns[x] = between(x, w, p.W)
	}
	for y := range h {
		at := between(y, h, p.H)
		to := out.Pix[y*w : (y+1)*w]
		clear(most)
		for k := range m.Types {
			plane := p.Plane(k)
			above, below := plane[at.a*p.W:][:p.W], plane[at.b*p.W:][:p.W]
			for x := range row {
				row[x] = above[x] + at.part*(below[x]-above[x])
			}
			if m.Types[k].claims(slices.Max(row)) < nearly {
				continue
			}
			for x, c := range columns {
				if c := m.Types[k].claims(row[c.a] + c.part*(row[c.b]-row[c.a])); c >= 1 && c > most[x] {
					most[x], to[x] = c, uint8(k+1)
				}
			}
		}
	}
	return out
}

// nearly is how strong a claim a row has to have anywhere for a pixel between its
// numbers to be claimed: a little less than one, because of rounding.
const nearly = 0.999

// A place is between two of some numbers.
type place struct {
	a, b int
	part float32 // how far from a to b
}

// between returns which two of n numbers number i of a line of to lies between.
func between(i, to, n int) place {
	at := math.Max(0, (float64(i)+0.5)*float64(n)/float64(to)-0.5)
	a := min(n-1, int(at))
	return place{a, min(n-1, a+1), float32(at - float64(a))}
}

// dropSmall makes the probabilities of areas zero that are too small to believe
// in.
func (m *Model) dropSmall(p *imaging.Planes) {
	labels := m.label(p, p.W, p.H)
	for k, t := range m.Types {
		least := int(math.Ceil(t.Area * float64(p.W*p.H)))
		plane := p.Plane(k)
		areas(labels, uint8(k+1), func(area []int32) {
			if len(area) < least {
				for _, i := range area {
					plane[i] = 0
				}
			}
		})
	}
}

// areas calls fn with the pixels of each connected area of a label; neighbours
// at a corner are connected.
func areas(m *imaging.LabelMap, label uint8, fn func(pixels []int32)) {
	seen := make([]bool, len(m.Pix))
	var area []int32
	for start, l := range m.Pix {
		if l != label || seen[start] {
			continue
		}
		area, seen[start] = append(area[:0], int32(start)), true
		for next := 0; next < len(area); next++ {
			x, y := int(area[next])%m.W, int(area[next])/m.W
			for v := max(0, y-1); v <= min(m.H-1, y+1); v++ {
				for u := max(0, x-1); u <= min(m.W-1, x+1); u++ {
					if i := v*m.W + u; !seen[i] && m.Pix[i] == label {
						seen[i] = true
						area = append(area, int32(i))
					}
				}
			}
		}
		fn(area)
	}
}

// check reports what makes a training impossible.
func (o *Options) check(s *Set) error {
	switch {
	case len(o.Types) == 0 || len(o.Types) > MaxTypes:
		return fmt.Errorf("segmentation: %d types of defects; 1 to %d can be learned", len(o.Types), MaxTypes)
	case s.N < 2:
		return errors.New("segmentation: it takes at least two images to learn from")
	}
	if o.Progress == nil {
		o.Progress = func(float64, string) {}
	}
	return nil
}
