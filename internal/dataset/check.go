package dataset

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"fovea"
)

// A CheckSpec says what to check: a manifest, by the rules of a service.
type CheckSpec struct {
	Profile  fovea.Profile
	Split    fovea.Split
	Manifest fovea.ObjectInfo  // its Size counts; its Ref and ETag name it in the report
	Source   io.ReaderAt       // the manifest's bytes
	Blobs    fovea.Blobs       // empty; for what is found until the result is read
	Images   *ImageCheck       // opens the images; nil for not
	Other    *Earlier          // a dataset that the images are compared with, if Images decodes them; nil for none
	Workers  int               // 0 for the number of processors
	Range    int64             // 0 for DefaultRange
	Progress func(bytes int64) // called with bytes that are done, from many goroutines; may be nil
}

// A CheckResult is what an import of the manifest would come to.
type CheckResult struct {
	scan *scan
	out  *outcome
}

// Check finds what an import of the manifest would find, by the same code, and
// imports nothing. What is wrong with the manifest is in the result; an error
// is that it could not be read.
func Check(ctx context.Context, c CheckSpec) (*CheckResult, error) {
	s := &scan{
		profile: c.Profile, split: c.Split, blobs: c.Blobs, source: c.Source, manifest: c.Manifest,
		id: fovea.FormatID(0), salt: rand.Text(), imported: time.Unix(0, 0), width: c.Range, workers: c.Workers, images: c.Images, progress: c.Progress,
		whole: true, other: c.Other,
	}
	out, err := s.run(ctx)
	if err != nil {
		return nil, err
	}
	if f := out.fault; f != nil && (f.Kind == fovea.FaultUnreadable || f.Kind == fovea.FaultDenied) {
		return nil, fovea.Errorf(fovea.BadObject, "%s", f.Found)
	}
	return &CheckResult{s, out}, nil
}

// Failed reports whether the import would fail.
func (r *CheckResult) Failed() bool { return r.out.fault != nil }

// Earlier returns what was seen of the images, for another manifest to be
// compared with, as long as the Blobs of the check are there.
func (r *CheckResult) Earlier() *Earlier {
	return &Earlier{Split: r.scan.split, Manifest: r.scan.manifest.Ref.String(), id: r.scan.id, blobs: r.scan.blobs}
}

// Summary returns the first line of the report.
func (r *CheckResult) Summary() *Summary { return r.scan.summary(r.out) }

// Labels returns the labels with their counts, in order of first appearance.
func (r *CheckResult) Labels() []fovea.LabelCount { return r.out.labels }

// Findings calls fn with the findings, in order of their lines.
func (r *CheckResult) Findings(ctx context.Context, fn func(*Finding) error) error {
	return r.scan.findings(ctx, r.out, fn)
}

// WriteReport writes the import report.
func (r *CheckResult) WriteReport(ctx context.Context, w io.Writer) error {
	return r.scan.writeReport(ctx, r.out, w)
}
