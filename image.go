package fovea

import "fovea/internal/manifest"

// ImageLimits are what a service allows of an image. Zero lifts one.
type ImageLimits struct {
	Bytes   int64 // of the file
	MinSide int   // pixels
	MaxSide int   // pixels
	Aspect  int   // how many times the shorter side the longer may be
}

// An ImageExpectation is what a line of a manifest says of its image. It keeps
// nothing of the line's memory.
type ImageExpectation struct {
	Image ObjectRef
	At    Place // of the source-ref
	Sizes []ImageSize
	Boxes []BoxExpectation
	Mask  *MaskExpectation // nil if there is none that can be looked at
}

// A Place is where in a line a value is.
type Place struct {
	Pointer string // JSON pointer (RFC 6901)
	Offset  int    // in the line, in bytes
}

// PlaceOf returns where the value at node is.
func PlaceOf(doc *manifest.Doc, node int) Place {
	return Place{Pointer: doc.PointerOf(node), Offset: int(doc.Nodes[node].Start)}
}

// An ImageSize is the size that a line says its image has, in pixels.
type ImageSize struct {
	Width, Height float64
	At            Place
}

// A MaskExpectation is what a line says of the mask of its image.
type MaskExpectation struct {
	Image  ObjectRef
	At     Place // of the reference
	Map    Place // of the colour map
	Colors []MaskColor

	// Unused is true for a mask whose pixels nobody looks at: that of an
	// image which is not anomalous (LV-5.38, LV-5.41).
	Unused bool
}

// A MaskColor is an entry of a colour map.
type MaskColor struct {
	Label      string
	Color      uint32 // 0xrrggbb
	Background bool
}

// A BoxExpectation is a labelled part of an image, in pixels of the image as
// its image_size has it.
type BoxExpectation struct {
	Label                    string
	Left, Top, Width, Height float64
	At                       Place // of the annotation
}
