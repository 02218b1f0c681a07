package migrate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
)

// naive is the definition of RFC 6962, 2.1, word for word.
func naive(leaves [][sha256.Size]byte) [sha256.Size]byte {
	switch n := len(leaves); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	default:
		k := 1
		for 2*k < n {
			k *= 2
		}
		return nodeHash(naive(leaves[:k]), naive(leaves[k:]))
	}
}

func TestMerkle(t *testing.T) {
	var m merkle
	var leaves [][sha256.Size]byte
	for n := range 70 {
		want := naive(leaves)
		if got := m.root(); got != hex.EncodeToString(want[:]) {
			t.Errorf("of %d leaves: %s, want %x", n, got, want)
		}
		leaf := leafHash([]byte(fmt.Sprint(n)))
		leaves = append(leaves, leaf)
		m.add(leaf)
	}
	// The first test vector of the reference implementation of RFC 6962: one
	// empty leaf.
	var one merkle
	one.add(leafHash(nil))
	if got, want := one.root(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"; got != want {
		t.Errorf("of an empty leaf: %s, want %s", got, want)
	}
}
