package dataset

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"fovea"
	"fovea/internal/manifest"
	"fovea/internal/segment"
)

// A rewriter writes entries into new segments of about DefaultRange bytes of
// lines each, so that it holds no more than that.
type rewriter struct {
	ops      *Ops
	prefix   string    // of the names of the segments
	imported time.Time // stands in for creation dates that are missing
	builder  segment.Builder
	bytes    int
	segments []fovea.SegmentRef
}

// add adds an entry; its Offset is its sequence number, which ascends.
func (w *rewriter) add(ctx context.Context, e *manifest.Entry) error {
	w.builder.Add(e.Offset, e)
	if w.bytes += len(e.Line); w.bytes < DefaultRange {
		return nil
	}
	return w.flush(ctx)
}

func (w *rewriter) flush(ctx context.Context) error {
	name := fmt.Sprintf("%s-%06d.parquet", w.prefix, len(w.segments))
	data, ref, err := w.builder.Build(name, w.imported)
	if err != nil {
		return err
	}
	if _, err := w.ops.Blobs.Put(ctx, name, bytes.NewReader(data)); err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	w.segments, w.bytes = append(w.segments, ref), 0
	return nil
}

// finish returns the segments that were written, none for no entries.
func (w *rewriter) finish(ctx context.Context) ([]fovea.SegmentRef, error) {
	if w.builder.Rows() > 0 {
		if err := w.flush(ctx); err != nil {
			return nil, err
		}
	}
	return w.segments, nil
}
