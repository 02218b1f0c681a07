// Package backbone turns images into features that heads learn from: networks
// that were trained once and are used as they are.
//
// The network that comes with the program, P, has learned from pictures that
// formulas draw (docs/backbone.md); no photograph and no weight of others is in
// it. A user's own network can take its place: all that is asked of one is the
// interface Backbone. A model notes the hash of the backbone that made its
// features, because features of another mean nothing to it.
package backbone

import (
	"context"

	"fovea/internal/imaging"
)

// A Backbone makes features of images. It is safe for use by several goroutines,
// and ends early when the context does.
type Backbone interface {
	// Name returns what the backbone is called, for people.
	Name() string

	// Hash returns the SHA-256 of the weights, in hexadecimal.
	Hash() string

	// Dense returns the maps of an image, fine to coarse. The image is used at
	// the size that it has; whoever calls fits it.
	Dense(context.Context, *imaging.Image) ([]Map, error)

	// Global returns one vector for the whole image.
	Global(context.Context, *imaging.Image) ([]float32, error)
}

// A Sized backbone was made for images of a size.
type Sized interface {
	Backbone

	// Side returns how many pixels the longer side of an image is to have.
	Side() int
}

// A Map is features on a grid over an image.
type Map struct {
	Width, Height int // cells
	Channels      int
	Stride        int       // pixels from cell to cell
	Data          []float32 // Channels numbers a cell, row by row from the top left
}

// At returns the features of a cell.
func (m *Map) At(x, y int) []float32 {
	return m.Data[(y*m.Width+x)*m.Channels:][:m.Channels:m.Channels]
}
