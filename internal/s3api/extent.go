package s3api

import (
	"encoding/binary"
	"errors"
)

// An extent is a run of bytes of one blob.
type extent struct {
	blob   int64
	off, n int64
}

// extents are the bytes of an object or a part, in order.
type extents []extent

// size returns the number of bytes.
func (es extents) size() int64 {
	var n int64
	for _, e := range es {
		n += e.n
	}
	return n
}

// slice returns the extents of n bytes from off on; fewer at the end.
func (es extents) slice(off, n int64) extents {
	var out extents
	for _, e := range es {
		if n <= 0 {
			break
		}
		if off >= e.n {
			off -= e.n
			continue
		}
		k := min(e.n-off, n)
		out = append(out, extent{e.blob, e.off + off, k})
		off, n = 0, n-k
	}
	return out
}

// blobs returns each blob once.
func (es extents) blobs() []int64 {
	var ids []int64
	seen := make(map[int64]bool, len(es))
	for _, e := range es {
		if !seen[e.blob] {
			seen[e.blob] = true
			ids = append(ids, e.blob)
		}
	}
	return ids
}

// encode returns the extents as they are stored in a row: varints.
func (es extents) encode() []byte {
	b := make([]byte, 0, 16*len(es))
	for _, e := range es {
		b = binary.AppendVarint(b, e.blob)
		b = binary.AppendVarint(b, e.off)
		b = binary.AppendVarint(b, e.n)
	}
	return b
}

func decodeExtents(b []byte) (extents, error) {
	var es extents
	for len(b) > 0 {
		var v [3]int64
		for i := range v {
			x, n := binary.Varint(b)
			if n <= 0 || x < 0 {
				return nil, errors.New("a list of extents is damaged")
			}
			v[i], b = x, b[n:]
		}
		es = append(es, extent{v[0], v[1], v[2]})
	}
	return es, nil
}
