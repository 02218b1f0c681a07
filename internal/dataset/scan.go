package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"fovea"
	"fovea/internal/manifest"
)

// DefaultRange is how many bytes of a manifest are one unit of work: about
// 15,000 lines, which make a segment of a megabyte.
const DefaultRange = 8 << 20

// maxRange keeps a segment and the buffers of its making small.
const maxRange = 14 << 20

// maxParts bounds what is in memory of a manifest of any size: a kilobyte or
// two for each part. Only beyond 900 GB are ranges larger than maxRange.
const maxParts = 1 << 16

// A scan reads a manifest, judges every line, and finds what concerns the whole
// of it: duplicates, totals, and whether it fails. Its parts, and the segments
// if it writes them, are kept in Blobs under names that depend only on id and
// place, so that a scan that is run again continues where it was.
type scan struct {
	profile  fovea.Profile
	split    fovea.Split
	blobs    fovea.Blobs
	source   io.ReaderAt // bound to the context of run
	manifest fovea.ObjectInfo
	id       string // first element of the names in Blobs, after their kind
	salt     string // of the hashes of source-refs: the same in every run, and known to nobody who writes manifests
	imported time.Time
	segments bool              // write them
	changes  bool              // the lines are those of an update: whatever they are, they are no file of another kind (CL-6.24)
	width    int64             // bytes of a range; 0 for DefaultRange
	workers  int               // 0 for the number of processors
	images   *ImageCheck       // opens the images; nil for not
	whole    bool              // the manifest is all of a dataset, so that its images can be compared
	other    *Earlier          // the dataset that the images are compared with, too; nil for none
	progress func(bytes int64) // called with bytes that are done; may be nil
}

// An outcome is what a scan came to.
type outcome struct {
	parts      []*part
	lines      int64 // all, blank ones included
	blank      int64
	dropped    int64 // duplicates included
	duplicates int64
	counted    int64 // lines that the share of dropped ones is a share of
	stats      fovea.Stats
	labels     []fovea.LabelCount
	bucket     string
	codes      map[string]int64 // problems by code
	fault      *fovea.Fault     // why the whole fails; nil if it does not
	copies     []duplicate      // the first maxReported of them, in order of their line
	differs    []differing      // the first images of another size, in order of their line
	observed   []observation    // what was found in all of them together, in order of their line
	classes    [2]labelSite     // where normal and anomalous images are first
}

// run scans the manifest. An error that is not the manifest's fault is
// returned; run again, it continues.
func (s *scan) run(ctx context.Context) (*outcome, error) {
	out := &outcome{codes: map[string]int64{}}
	if s.tooLarge() {
		out.fault = s.faultf(fovea.FaultTooLarge, "%d bytes, more than %d", s.manifest.Size, s.profile.Limits.ManifestBytes)
		return out, nil
	}
	parts, err := s.ranges(ctx)
	if kind := fovea.KindOf(err); err != nil && kind != fovea.Internal {
		out.fault = s.faultf(unreadable(err), "%s", err.Error())
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.parts = parts
	d, err := s.deduplicate(ctx, out)
	if err != nil {
		return nil, err
	}
	if err := s.total(ctx, out, d); err != nil {
		return nil, err
	}
	s.findSizes(out)
	if err := s.examine(ctx, out, d); err != nil {
		return nil, err
	}
	out.fault = s.judge(out)
	return out, nil
}

// unreadable returns the fault of a manifest that cannot be read.
func unreadable(err error) fovea.FaultKind {
	if fovea.KindOf(err) == fovea.Denied || errors.Is(err, fs.ErrPermission) {
		return fovea.FaultDenied
	}
	return fovea.FaultUnreadable
}

func (s *scan) tooLarge() bool {
	limit := s.profile.Limits.ManifestBytes
	return limit > 0 && s.manifest.Size > limit
}

// ranges does every range of the manifest that is not done yet, and returns
// their parts in order.
func (s *scan) ranges(ctx context.Context) ([]*part, error) {
	width, n := s.cut()
	parts := make([]*part, n)
	g, gctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(s.parallel(), len(parts)) {
		g.Go(func() (err error) {
			w := newWorker(s)
			defer func() { err = cmp.Or(err, w.finish()) }()
			for gctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(len(parts)) {
					break
				}
				start, end := i*width, min((i+1)*width, s.manifest.Size)
				p, err := s.rangeDone(gctx, start, end)
				switch {
				case err == nil && p == nil:
					p, err = w.do(gctx, start, end)
				case err == nil:
					s.tell(end - start)
				}
				if err != nil {
					return err
				}
				p.letGo()
				parts[i] = p
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return parts, ctx.Err()
}

// tell says that so many bytes of the manifest are done.
func (s *scan) tell(bytes int64) {
	if s.progress != nil {
		s.progress(bytes)
	}
}

// cut returns how many bytes a range has, and how many ranges there are.
func (s *scan) cut() (width int64, n int) {
	width = s.width
	if width <= 0 {
		width = DefaultRange
	}
	width = max(min(width, maxRange), (s.manifest.Size+maxParts-1)/maxParts)
	return width, int((s.manifest.Size + width - 1) / width)
}

// parallel returns how many ranges to do at a time.
func (s *scan) parallel() int {
	if s.workers <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return s.workers
}

// rangeDone returns the part of a range that an earlier run finished, nil if
// there is none.
func (s *scan) rangeDone(ctx context.Context, start, end int64) (*part, error) {
	p, err := loadPart(ctx, s.blobs, s.partName(start, end))
	switch {
	case err != nil && (fovea.KindOf(err) == fovea.NotFound || errors.Is(err, errDamaged)):
		return nil, nil
	case err != nil:
		return nil, err
	case p.Start != start || p.End != end || p.ETag != s.manifest.ETag || p.Built != s.segments || p.Images != (s.images != nil) || p.Seen != s.examined():
		return nil, nil
	}
	if !p.Seen {
		return p, nil
	}
	blob, err := s.blobs.Open(ctx, s.seenName(start, end))
	if err != nil {
		if fovea.KindOf(err) == fovea.NotFound {
			return nil, nil
		}
		return nil, err
	}
	return p, blob.Close()
}

// The names of a part and a segment are those of the range, so that two runs
// that cut the manifest differently do not write over each other's.
func (s *scan) partName(start, end int64) string {
	return fmt.Sprintf("imports/%s/%010x-%010x.part", s.id, start, end)
}

func (s *scan) segmentName(start, end int64) string {
	return fmt.Sprintf("segments/%s/%010x-%010x.parquet", s.id, start, end)
}

func (s *scan) faultf(kind fovea.FaultKind, format string, args ...any) *fovea.Fault {
	return &fovea.Fault{Kind: kind, Manifest: s.manifest.Ref.String(), Found: fmt.Sprintf(format, args...)}
}

// total adds up the parts, without the duplicates.
func (s *scan) total(ctx context.Context, out *outcome, d *deduplicator) error {
	index := map[string]int{}
	if out.duplicates > 0 {
		out.codes[DuplicateLine] = out.duplicates
	}
	for i, p := range out.parts {
		if err := p.fetch(ctx, s.blobs); err != nil {
			return err
		}
		if err := d.takeOut(ctx, i); err != nil {
			return err
		}
		p.firstLine = out.lines
		out.lines += p.Lines
		out.blank += p.Blank
		out.dropped += p.Dropped
		out.stats.Add(p.Stats)
		for code, n := range p.Codes {
			out.codes[code] += n
		}
		for _, l := range p.Labels {
			if l.Lines == 0 {
				continue // all lines that had it were duplicates
			}
			i, ok := index[l.Name]
			if !ok && len(out.labels) > maxLabels {
				continue
			}
			if !ok {
				i = len(out.labels)
				index[l.Name] = i
				out.labels = append(out.labels, fovea.LabelCount{Name: l.Name})
			}
			out.labels[i].Lines += l.Lines
			out.labels[i].Entries += l.Entries
			out.labels[i].Boxed += l.Boxed
		}
		if out.bucket == "" && len(p.Buckets) > 0 {
			out.bucket = p.Buckets[0].Name
		}
		p.letGo()
	}
	out.counted = out.lines
	if !s.profile.BlankLines {
		out.counted -= out.blank
	}
	return nil
}

// judge returns the reason for which the whole fails, the first of the order
// of the kinds, or nil.
func (s *scan) judge(out *outcome) *fovea.Fault {
	l := s.profile.Limits
	switch dropped := out.dropped; {
	case out.counted == 0:
		return s.faultf(fovea.FaultEmpty, "no lines")
	case s.profile.Strict && dropped > out.duplicates:
		return s.lineFault(out)
	case !s.changes && out.counted == notObjects(out.parts):
		return s.faultf(fovea.FaultNotLines, "no line that is a JSON object")
	case l.Entries(s.split) > 0 && s.countable(out) > l.Entries(s.split):
		return s.faultf(fovea.FaultTooMany, "%d, more than %d", s.countable(out), l.Entries(s.split))
	case !s.profile.Strict && float64(dropped) > l.DropShare*float64(out.counted):
		return s.faultf(fovea.FaultDropped, "%d of %d lines", dropped, out.counted)
	}
	if f := s.bucketFault(out); f != nil {
		return f
	}
	switch n := len(out.labels); {
	case n > maxLabels:
		return s.faultf(fovea.FaultLabels, "more than %d labels", maxLabels)
	case l.Labels > 0 && n > l.Labels:
		return s.faultf(fovea.FaultLabels, "%d labels", n)
	}
	return nil
}

// maxLabels bounds the labels of a dataset where no limit does: they are kept
// in memory and in the row of a revision.
const maxLabels = 100_000

// countable returns what the limit on entries counts: lines (CL-5.51), but
// images once where the last of several lines for one image counts (LV-14.15).
func (s *scan) countable(out *outcome) int64 {
	if s.profile.KeepLast {
		return out.counted - out.duplicates
	}
	return out.counted
}

func notObjects(parts []*part) (n int64) {
	for _, p := range parts {
		n += p.NotObjects
	}
	return n
}

// lineFault names the first dropped line.
func (s *scan) lineFault(out *outcome) *fovea.Fault {
	f := s.faultf(fovea.FaultLine, "%d of %d lines", out.dropped-out.duplicates, out.counted)
	for _, p := range out.parts {
		if p.First != nil {
			f.Line, f.Problem = p.firstLine+p.First.Line, &p.First.Problem
			break
		}
	}
	return f
}

// bucketFault names the first line whose image is in another bucket than the
// first image.
func (s *scan) bucketFault(out *outcome) *fovea.Fault {
	for _, p := range out.parts {
		for _, b := range p.Buckets {
			if b.Name != out.bucket {
				f := s.faultf(fovea.FaultBuckets, "%s and %s", manifest.Excerpt([]byte(out.bucket), maxFound), manifest.Excerpt([]byte(b.Name), maxFound))
				f.Line = p.firstLine + b.Line
				return f
			}
		}
	}
	return nil
}
