package dataset

import (
	"cmp"
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"fovea"
	"fovea/internal/manifest"
	"fovea/internal/quality"
)

// The defaults of ImageCheck.
const (
	DefaultParallelImages = 16
	DefaultImageTimeout   = time.Minute
)

// What an ImageCheck that decodes holds of files and pixels at most, in bytes. A
// file that is larger than all of its share is not decoded.
const (
	maxFileMemory  = 64 << 20
	maxPixelMemory = 384 << 20
)

// An ImageCheck opens the images of the entries of a manifest and tells, as
// warnings in the report, what is wrong with them. It changes nothing else:
// neither service opens images for a dataset (CL-6.55, LV-5.55). It may be
// shared, and then bounds all that share it.
//
// Of an image its header and its end are read, 64 KiB or a little more; of the
// mask of an anomalous image all, in a stream. An image that is missing or
// forbidden is a finding; storage that fails is an error, so that the import
// is tried again.
type ImageCheck struct {
	Objects  fovea.Objects // where the images are; required
	Parallel int           // images that are looked at at a time; 0 for DefaultParallelImages
	Timeout  time.Duration // for an image and its mask, or for each access if they are decoded; 0 for DefaultImageTimeout

	// Quality decodes the images, too, and compares them with each other, and
	// looks at the labels of the dataset as a whole: docs/quality.md. Then all
	// of an image is read.
	Quality bool

	once   sync.Once
	slots  chan struct{}
	files  *semaphore.Weighted // bytes of files that are held
	pixels *semaphore.Weighted // bytes of pixels
	stride int                 // images that others are compared with at a time; 0 for seenInMemory
}

func (c *ImageCheck) parallel() int {
	if c.Parallel <= 0 {
		return DefaultParallelImages
	}
	return c.Parallel
}

// look looks at an image once there is a slot for it.
func (c *ImageCheck) look(ctx context.Context, t *imageTask) error {
	c.once.Do(func() {
		c.slots = make(chan struct{}, c.parallel())
		c.files, c.pixels = semaphore.NewWeighted(maxFileMemory), semaphore.NewWeighted(maxPixelMemory)
	})
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.slots }()
	timeout := cmp.Or(c.Timeout, DefaultImageTimeout)
	j := imageJudge{ctx: ctx, objects: c.Objects, task: t, check: c}
	if t.decode {
		j.objects = timed{c.Objects, timeout} // decoding waits for memory
	} else {
		var cancel context.CancelFunc
		j.ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	if err := j.look(); err != nil {
		// Whatever its kind, it is not the manifest's fault.
		return fovea.Errorf(fovea.Internal, "check the image %s: %w", excerpt(t.want.Image.String()), err)
	}
	return nil
}

// An imageTask is an image that is to be looked at, and what was found.
type imageTask struct {
	line   int64 // of the entry, in its range
	row    uint32
	labels uint64 // a hash
	decode bool
	offset int64 // of the line in the manifest
	ref    string
	limits fovea.ImageLimits
	want   fovea.ImageExpectation

	done          chan struct{} // closed when what follows is there
	problems      []manifest.Problem
	width, height int // 0 if they are not known
	look          *quality.Look
}

// An imageQueue looks at the images of a range beside each other, and hands
// out what was found in the order of their lines. A nil queue looks at none.
type imageQueue struct {
	check   *ImageCheck
	ctx     context.Context
	cancel  context.CancelFunc
	group   *errgroup.Group
	emit    func(*imageTask)
	pending []*imageTask // oldest first
}

// queue returns a queue that calls emit, from add and finish.
func (c *ImageCheck) queue(ctx context.Context, emit func(*imageTask)) *imageQueue {
	if c == nil {
		return nil
	}
	q := &imageQueue{check: c, emit: emit}
	ctx, q.cancel = context.WithCancel(ctx)
	q.group, q.ctx = errgroup.WithContext(ctx)
	return q
}

// waiting is how many images are in a queue at most for each that is looked
// at, so that a slow one does not hold up the others.
const waiting = 4

// add puts an image into the queue, and waits while it is full.
func (q *imageQueue) add(t *imageTask) error {
	if len(q.pending) >= waiting*q.check.parallel() {
		q.pop()
	}
	if err := q.ctx.Err(); err != nil {
		return cmp.Or(q.group.Wait(), err)
	}
	t.done = make(chan struct{})
	q.pending = append(q.pending, t)
	q.group.Go(func() error {
		defer close(t.done)
		return q.check.look(q.ctx, t)
	})
	return nil
}

func (q *imageQueue) pop() {
	t := q.pending[0]
	q.pending = q.pending[1:]
	<-t.done
	q.emit(t)
}

// finish waits for all images.
func (q *imageQueue) finish() error {
	if q == nil {
		return nil
	}
	for len(q.pending) > 0 {
		q.pop()
	}
	return q.group.Wait()
}

// stop ends what is not finished.
func (q *imageQueue) stop() {
	if q != nil {
		q.cancel()
		q.group.Wait()
	}
}

// queueImage puts the image of the current entry into the queue.
func (w *worker) queueImage(q *imageQueue) error {
	e, profile := &w.entry, &w.scan.profile
	if q == nil || e.Dropped {
		return nil
	}
	return q.add(&imageTask{
		line: e.Number, row: uint32(len(w.keys) - 1), labels: hashLabels(e), decode: w.seen != nil, offset: e.Offset, ref: string(e.SourceRef),
		limits: profile.Limits.Image, want: profile.ImageOf(&w.doc, e),
	})
}

// countImage adds to the part what was found about an image.
func (w *worker) countImage(t *imageTask) {
	for i := range t.problems {
		p := &t.problems[i]
		w.part.Codes[p.Code]++
		w.keep(findingOf(p, t.line, t.offset, t.ref))
	}
	w.seen.add(t)
	if w.scan.profile.SameSize && t.width > 0 {
		w.part.Sizes.add(t)
	}
}
