// Package manifest reads and writes the JSON Lines files in which both
// services exchange labelled images: one image a line, as SageMaker Ground
// Truth writes them.
//
// The package knows the syntax and nothing of either service: what is right or
// wrong about a line is decided by a [Checker] that a protocol package
// supplies. It keeps each line as it came, because that is what a client gets
// back when it lists entries, and it reports a line it cannot read as a
// problem with that entry, not as an error: one bad line must not lose the
// other thousand.
//
// It imports nothing of fovea, so that the vocabulary can name its types.
package manifest
