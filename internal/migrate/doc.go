// Package migrate moves the projects and datasets of another place to a fovea,
// and proves it: from a folder or bucket with the layout of an AWS console or
// with exported manifests, and from a live account of Custom Labels, or of
// Lookout for Vision, through its API.
//
// It is a client of the server: it calls what AWS clients call, and the calls
// under /fovea/v1/ that docs/extensions.md describes.
//
// A run keeps what it knows in a SQLite database in a folder of its own, which
// is synced at every step. So a run that was killed, or whose network broke,
// goes on where it was, and memory holds a page of lines, a batch of objects
// and the labels of one dataset (at most maxLabels), whatever the source has.
//
// A line is changed in one way only: the values that name images and masks get
// the new place. Everything else stays byte for byte. Whether a line has
// arrived is judged by its normal form, in which these values are the SHA-256
// of what they name: equal normal forms are equal annotations of equal images.
package migrate
