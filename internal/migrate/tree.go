package migrate

import (
	"crypto/sha256"
	"encoding/hex"
)

// A merkle collects leaves in order and has their tree hash, that of RFC 6962:
// a leaf is SHA-256 of a byte 0 and its text, a node SHA-256 of a byte 1 and
// the hashes of its two halves, of which the left one is the largest power of
// two that is less than the whole. It holds one hash for each level.
type merkle struct {
	n     int64
	peaks [][sha256.Size]byte // of whole trees, the largest first
}

// leafHash returns the hash of a leaf.
func leafHash(text []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(text)
	h.Sum(sum[:0])
	return sum
}

func nodeHash(left, right [sha256.Size]byte) [sha256.Size]byte {
	var b [1 + 2*sha256.Size]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}

// add appends a leaf by its hash.
func (m *merkle) add(leaf [sha256.Size]byte) {
	m.peaks = append(m.peaks, leaf)
	for n := m.n; n&1 == 1; n >>= 1 {
		last := len(m.peaks) - 1
		m.peaks[last-1] = nodeHash(m.peaks[last-1], m.peaks[last])
		m.peaks = m.peaks[:last]
	}
	m.n++
}

// root returns the tree hash in hexadecimal. That of no leaves is the SHA-256 of
// nothing.
func (m *merkle) root() string {
	if len(m.peaks) == 0 {
		sum := sha256.Sum256(nil)
		return hex.EncodeToString(sum[:])
	}
	sum := m.peaks[len(m.peaks)-1]
	for i := len(m.peaks) - 2; i >= 0; i-- {
		sum = nodeHash(m.peaks[i], sum)
	}
	return hex.EncodeToString(sum[:])
}
