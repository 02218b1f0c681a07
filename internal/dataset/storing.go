package dataset

import (
	"bytes"
	"context"
	"fmt"

	"fovea"
)

// A storing writes what a worker made of one range, while the worker scans the
// next: a processor has nothing to do while a disk or a network makes bytes
// durable. One range at a time, so that there is one copy of one segment.
type storing struct {
	segment []byte
	part    []byte
	bytes   int64      // of the manifest that they are made of
	done    chan error // nil while nothing is being written
}

// store begins to write the segment and then the part of the range that the
// worker has scanned, once those of the one before are written.
func (w *worker) store(ctx context.Context) (*part, error) {
	s, p := w.scan, w.part
	var segment []byte
	if s.segments {
		var err error
		if segment, p.Segment, err = w.builder.Build(s.segmentName(p.Start, p.End), s.imported); err != nil {
			return nil, err
		}
	}
	if err := w.finish(); err != nil {
		return nil, err
	}
	p.name = s.partName(p.Start, p.End)
	data, err := p.encode(w.storing.part, w.groupKeys(), w.facts, w.problems)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", p.name, err)
	}
	// The builder's bytes are good until the next line only.
	w.storing.segment, w.storing.part = append(w.storing.segment[:0], segment...), data
	done := make(chan error, 1)
	w.storing.done, w.storing.bytes = done, p.End-p.Start
	go func() { done <- w.storing.put(ctx, s.blobs, p.Segment.Name, p.name) }()
	return p, nil
}

// put writes the segment, if it has a name, and then the part.
func (t *storing) put(ctx context.Context, blobs fovea.Blobs, segment, part string) error {
	if segment != "" {
		if _, err := blobs.Put(ctx, segment, bytes.NewReader(t.segment)); err != nil {
			return fmt.Errorf("write segment: %w", err)
		}
	}
	if _, err := blobs.Put(ctx, part, bytes.NewReader(t.part)); err != nil {
		return fmt.Errorf("write part: %w", err)
	}
	return nil
}

// finish waits until what the worker has made is stored, and tells of it then.
func (w *worker) finish() error {
	if w.storing.done == nil {
		return nil
	}
	err := <-w.storing.done
	w.storing.done = nil
	if err == nil {
		w.scan.tell(w.storing.bytes)
	}
	return err
}
