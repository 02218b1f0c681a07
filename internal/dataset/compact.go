package dataset

import "fovea"

// Compaction happens in the update that makes it necessary: when it would leave
// mergeAt segments of one tier, it writes their entries together with its own.
// So every entry is rewritten once a tier, the segments of a dataset stay few
// however many updates there are, and nothing competes with the updates.
const mergeAt = 16

// tiers are the numbers of entries below which a segment is in a tier. What has
// more is never merged; replaced rows count as gone, so a segment that empties
// becomes small again.
var tiers = []int64{64, 1024}

// smallSegments returns the segments to merge: those of the lowest tier that
// has enough, with those of the tiers below.
func smallSegments(segments []fovea.SegmentRef) []fovea.SegmentRef {
	for t, limit := range tiers {
		var small []fovea.SegmentRef
		inTier := 0
		for _, s := range segments {
			live := s.Rows - s.Masked
			if live >= limit {
				continue
			}
			small = append(small, s)
			if t == 0 || live >= tiers[t-1] {
				inTier++
			}
		}
		if inTier >= mergeAt-1 {
			return small
		}
	}
	return nil
}
