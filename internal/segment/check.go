package segment

import (
	"context"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"fovea"
)

// Check reads a segment and reports what is wrong with it: that it is missing,
// of another size or checksum than ref says, or that one of its columns cannot
// be decoded or does not fit the others. It reads every byte and every value,
// and keeps nothing in a cache.
func Check(ctx context.Context, blobs fovea.Blobs, ref fovea.SegmentRef) error {
	r, err := load(ctx, blobs, ref)
	if err != nil {
		return err
	}
	facts, err := r.facts()
	if err != nil {
		return err
	}
	if err := r.checkOrder(facts.seqs, ref); err != nil {
		return err
	}
	if _, err := r.refs(); err != nil {
		return err
	}
	if _, err := r.extra(); err != nil {
		return err
	}
	read := 0
	if err := r.lines(newBitset(r.rows, true).rows(), func(int, []byte) { read++ }); err != nil {
		return err
	}
	if read != r.rows {
		return fmt.Errorf("segment %s is damaged: it has %d lines and not %d", ref.Name, read, r.rows)
	}
	return nil
}

// checkOrder reports sequence numbers that do not ascend, or are not those that
// ref says.
func (r *reader) checkOrder(seqs []int64, ref fovea.SegmentRef) error {
	for i := 1; i < len(seqs); i++ {
		if seqs[i] <= seqs[i-1] {
			return fmt.Errorf("segment %s is damaged: its sequence numbers do not ascend at row %d", ref.Name, i)
		}
	}
	if n := len(seqs); n > 0 && (seqs[0] != ref.MinSeq || seqs[n-1] != ref.MaxSeq) {
		return fmt.Errorf("segment %s is damaged: its sequence numbers are %d to %d and not %d to %d",
			ref.Name, seqs[0], seqs[n-1], ref.MinSeq, ref.MaxSeq)
	}
	return nil
}

// CheckRef reports a reference whose deleted rows are not what it says.
func CheckRef(ref fovea.SegmentRef) error {
	deleted := roaring.New()
	if len(ref.Deleted) > 0 {
		if err := deleted.UnmarshalBinary(ref.Deleted); err != nil {
			return fmt.Errorf("the deleted rows of segment %s: %w", ref.Name, err)
		}
	}
	n := deleted.GetCardinality()
	if n != uint64(ref.Masked) || n > 0 && int64(deleted.Maximum()) >= ref.Rows {
		return fmt.Errorf("%d rows of segment %s are deleted and not %d of %d", n, ref.Name, ref.Masked, ref.Rows)
	}
	return nil
}
