package dataset

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"
	"golang.org/x/sync/errgroup"
)

// keyMemory bounds the keys that are compared at a time. A pass over those that
// fit is enough for two million entries.
const keyMemory = 64 << 20

// A duplicate is an entry that another one with its source-ref displaces.
type duplicate struct {
	part, kept         int // indexes of the parts of both
	row                uint32
	line, keptLineInIt uint32
}

// A place is where an entry is.
type place struct {
	part      int
	row, line uint32
}

// deduplicate finds the entries whose source-ref another entry has, in all
// parts: the first counts, or the last (KeepLast). Only the keys of some hash
// bytes are in memory at a time.
func (s *scan) deduplicate(ctx context.Context, out *outcome) (*deduplicator, error) {
	d := &deduplicator{scan: s, out: out, gone: make([]*roaring.Bitmap, len(out.parts))}
	for from := 0; from < 256; {
		to, size := from, 0
		for ; to < 256; to++ {
			n := 0
			for _, p := range out.parts {
				n += int(p.Keys[to+1]-p.Keys[to]) * keySize
			}
			if size += n; size > keyMemory && to > from {
				break
			}
		}
		if err := d.pass(ctx, from, to); err != nil {
			return nil, err
		}
		from = to
	}
	d.trim()
	out.copies, out.duplicates = d.found, d.count
	return d, nil
}

type deduplicator struct {
	scan *scan
	out  *outcome

	mu    sync.Mutex
	gone  []*roaring.Bitmap // by part; nil for none
	found []duplicate
	count int64
}

// pass compares the keys whose hashes begin with the bytes from to to-1.
func (d *deduplicator) pass(ctx context.Context, from, to int) error {
	sections := make([][]byte, len(d.out.parts))
	for i, p := range d.out.parts {
		var err error
		if sections[i], err = p.keys(ctx, d.scan.blobs, from, to); err != nil {
			return err
		}
	}
	var g errgroup.Group
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			seen := map[[keyHash]byte]place{} // as large as the largest group before long
			for ctx.Err() == nil {
				b := from + int(next.Add(1)) - 1
				if b >= to {
					break
				}
				clear(seen)
				for i, p := range d.out.parts {
					base := p.Keys[from]
					d.compare(seen, i, sections[i][(p.Keys[b]-base)*keySize:(p.Keys[b+1]-base)*keySize])
				}
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// compare looks the keys up among those of the entries before them.
func (d *deduplicator) compare(seen map[[keyHash]byte]place, part int, keys []byte) {
	for ; len(keys) > 0; keys = keys[keySize:] {
		hash := [keyHash]byte(keys)
		at := place{part, binary.LittleEndian.Uint32(keys[keyHash:]), binary.LittleEndian.Uint32(keys[keyHash+4:])}
		old, ok := seen[hash]
		switch {
		case !ok:
			seen[hash] = at
		case d.scan.profile.KeepLast:
			seen[hash] = at
			d.add(old, at)
		default:
			d.add(at, old)
		}
	}
}

// add notes that kept displaces gone.
func (d *deduplicator) add(gone, kept place) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone[gone.part] == nil {
		d.gone[gone.part] = roaring.New()
	}
	d.gone[gone.part].Add(gone.row)
	d.count++
	d.found = append(d.found, duplicate{gone.part, kept.part, gone.row, gone.line, kept.line})
	if len(d.found) >= 2*maxReported {
		d.trim()
	}
}

// trim keeps the first of the duplicates that were found.
func (d *deduplicator) trim() {
	slices.SortFunc(d.found, func(a, b duplicate) int {
		return cmp.Or(cmp.Compare(a.part, b.part), cmp.Compare(a.row, b.row))
	})
	d.found = d.found[:min(len(d.found), maxReported)]
}

// takeOut takes the duplicates of a part out of its statistics and masks them
// in its segment.
func (d *deduplicator) takeOut(ctx context.Context, part int) error {
	gone, p := d.gone[part], d.out.parts[part]
	if gone == nil {
		return nil
	}
	facts, err := p.facts(ctx, d.scan.blobs)
	if err != nil {
		return err
	}
	rows := gone.ToArray()
	if err := p.subtract(facts, rows); err != nil {
		return err
	}
	var buf bytes.Buffer
	gone.RunOptimize()
	if _, err := gone.WriteTo(&buf); err != nil {
		return err
	}
	p.Segment.Deleted, p.Segment.Masked = buf.Bytes(), int64(len(rows))
	p.Dropped += int64(len(rows))
	return nil
}
