package fovea

import "fovea/internal/manifest"

// A Profile is what the shared code must know of one service. What differs
// between the services is data in here, supplied by their protocol packages;
// the operations never ask which service they serve.
type Profile struct {
	Service Service
	Limits  Limits

	// NewChecker returns what judges the lines of a manifest. Every worker
	// has its own.
	NewChecker func() manifest.Checker

	// FaultText returns what the service tells of a terminal fault: the
	// code for the import report and the message for the dataset's status.
	FaultText func(Fault) (code, message string)

	// ImageOf returns what the line of an entry, which was judged and not
	// dropped, says of its image. It is called only if images are looked at.
	ImageOf func(doc *manifest.Doc, e *manifest.Entry) ImageExpectation

	KeepLast   bool // of entries with one source-ref the last counts, not the first (LV-5.52, CL-6.22)
	BlankLines bool // blank lines count as dropped lines (CL-5.6) instead of being passed over (LV-5.5)
	Strict     bool // one dropped line fails the import (LV-5.89)
	SameSize   bool // all images of a project have one size (LV-5.51)

	// StopFrom has the statuses from which a model may be stopped: the services
	// differ on one that is starting and on one that could not be started (CL-4.3,
	// LV-2.89).
	StopFrom []ModelStatus

	// OutputAtOnce refuses to train where the bucket for the output is not there
	// (LV 6.2), instead of letting the training fail (CL-6.73).
	OutputAtOnce bool
}

// Limits are the quotas of a service. Zero lifts one.
type Limits struct {
	Projects      int     // of an account
	ManifestBytes int64   // of a manifest
	TrainEntries  int64   // entries, or lines of a manifest, of a train dataset
	TestEntries   int64   // and of a test dataset
	LineChars     int64   // characters of a line; never zero, because it bounds memory
	Labels        int     // distinct labels of a dataset
	ProjectLabels int     // distinct labels of all datasets of a project
	MaskLabels    int     // anomaly labels of a mask (LV-9.16)
	Boxes         int     // boxes of an image (CL-12.10)
	Changes       int     // datasets of an account that are imported or changed at a time (CL-2.105)
	DropShare     float64 // share of the lines that may be dropped (CL-5.67); 1 lifts it
	Image         ImageLimits

	Minima    bool // training needs the least numbers of images (LV-6.7, LV-6.8)
	MaskTrain int  // training images of a model that finds areas (LV-6.12)
	MaskTest  int  // and its test images
	Models    int  // models of a project (CL-12.27)
	Trainings int  // trainings of an account at a time (CL-12.27, LV-2.68)
	Copies    int  // copies of models of an account at a time
	Running   int  // models of an account that are hosted at a time
	Units     int  // inference units of a model (CL-12.22, LV-2.86)
}

// Lifted returns the limits with every quota lifted. LineChars stays, because
// it bounds memory.
func (l Limits) Lifted() Limits { return Limits{LineChars: l.LineChars, DropShare: 1} }

// Entries returns the limit on entries of a split.
func (l Limits) Entries(s Split) int64 {
	if s == Test {
		return l.TestEntries
	}
	return l.TrainEntries
}

// A FaultKind is a reason for which a whole import or update fails.
type FaultKind uint8

// The kinds of fault, in the order in which they are looked for.
const (
	FaultUnreadable FaultKind = iota // the manifest vanished, changed or cannot be read (CL-6.1)
	FaultDenied                      // it may not be read (CL-6.4)
	FaultTooLarge                    // CL-6.2, LV-5.72
	FaultEmpty                       // CL-6.9, LV-5.73
	FaultNotLines                    // no line of it is a JSON object: it is something else (CL-6.1)
	FaultLine                        // Strict: a line is dropped (LV-5.74 to LV-5.82)
	FaultTooMany                     // more entries than allowed (CL-6.3, LV-5.84)
	FaultDropped                     // too large a share of the lines is dropped (CL-6.5)
	FaultBuckets                     // images in more than one bucket (CL-6.8, LV-5.78)
	FaultLabels                      // too many labels (CL-6.6, LV-5.85)
	FaultTooFew                      // too few labelled images to distribute (CL-6.7)
	FaultService                     // our fault (CL-6.10)
)

// A Fault is a reason for which a whole import or update fails.
type Fault struct {
	Kind     FaultKind
	Manifest string            // its S3 URI
	Line     int64             // FaultLine: number of the first dropped line
	Problem  *manifest.Problem // FaultLine: what is wrong with it
	Found    string            // what was counted, such as "12 of 40 lines"
}
