package dataset

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"fovea"
)

// HelpImport does ranges of an import that another process runs, until none is
// left or the import has ended. That process finds their parts when it comes to
// them. What both do at a time has the same bytes and the same names.
func (o *Ops) HelpImport(ctx context.Context, job fovea.ImportJob) error {
	v, err := o.importing(ctx, job.Dataset)
	if err != nil || v == nil {
		return err
	}
	s := o.scanOf(ctx, v, job)
	if s.tooLarge() {
		return nil
	}
	width, n := s.cut()
	h := &helper{scan: s, width: width, taken: make([]bool, n), goesOn: func() (bool, error) {
		v, err := o.importing(ctx, job.Dataset)
		return v != nil, err
	}}
	if err := h.run(ctx); err != nil {
		return fmt.Errorf("help to import %s into dataset %d: %w", job.Manifest.Ref, job.Dataset, err)
	}
	return nil
}

// A helper does ranges of a scan that others do too. Nothing is agreed with
// them: they go up from the first range, a helper goes down from random places,
// and so two of them rarely do the same range.
type helper struct {
	scan   *scan
	width  int64
	goesOn func() (bool, error) // does the import?

	mu     sync.Mutex
	taken  []bool // ranges that are done or that this helper does
	listed time.Time
	took   time.Duration // by the last listing
}

func (h *helper) run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	for range min(h.scan.parallel(), len(h.taken)) {
		g.Go(func() (err error) {
			w := newWorker(h.scan)
			defer func() { err = cmp.Or(err, w.finish()) }()
			last := 0
			for {
				i, err := h.next(gctx, last)
				if err != nil || i < 0 {
					return err
				}
				start := int64(i) * h.width
				if _, err := w.do(gctx, start, min(start+h.width, h.scan.manifest.Size)); err != nil {
					return err
				}
				last = i
			}
		})
	}
	return g.Wait()
}

// next takes the range before the last one, or a random one if that is taken.
// It returns -1 when no range is left.
func (h *helper) next(ctx context.Context, last int) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if on, err := h.look(ctx); err != nil || !on {
		return -1, err
	}
	if last > 0 && !h.taken[last-1] {
		h.taken[last-1] = true
		return last - 1, nil
	}
	var left []int
	for i, taken := range h.taken {
		if !taken {
			left = append(left, i)
		}
	}
	if len(left) == 0 {
		return -1, nil
	}
	i := left[rand.N(len(left))]
	h.taken[i] = true
	return i, nil
}

// look notes which ranges are done, and reports whether the import goes on. It
// lists them as often as costs it no more than a third of its time: little,
// unless there are very many.
func (h *helper) look(ctx context.Context) (goesOn bool, err error) {
	if time.Since(h.listed) < 2*h.took {
		return true, ctx.Err()
	}
	began := time.Now()
	done := map[string]bool{}
	for info, err := range h.scan.blobs.List(ctx, "imports/"+h.scan.id+"/") {
		if err != nil {
			return false, err
		}
		done[info.Name] = true
	}
	for i := range h.taken {
		start := int64(i) * h.width
		if done[h.scan.partName(start, min(start+h.width, h.scan.manifest.Size))] {
			h.taken[i] = true
		}
	}
	// An import that has ended removes its parts; those of one that goes on
	// after they were listed were all there.
	goesOn, err = h.goesOn()
	h.listed = time.Now()
	h.took = h.listed.Sub(began)
	return goesOn, err
}
