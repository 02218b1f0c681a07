// Package fovea is the vocabulary of the program: what a project, a dataset
// and a revision are and the rules they keep, the error kinds that every layer
// shares, and the interfaces of what keeps them (Store, Blobs, Objects).
//
// It holds no AWS word. Statuses, ARNs and error names belong to the protocol
// packages, internal/rekognition and internal/lookout, which translate in both
// directions and supply what differs below the wire as a [Profile].
package fovea
