package dataset

import (
	"encoding/binary"
	"errors"

	"fovea"
	"fovea/internal/manifest"
)

// An entryFacts is what an entry adds to the statistics, in a byte.
type entryFacts byte

const (
	isLabeled entryFacts = 1 << iota
	hasErrors
	isNormal
	isAnomaly
)

// The bits of a label in the facts section of a part.
const (
	labelUsed  = 1
	labelBoxed = 2
)

func factsOf(e *manifest.Entry) (f entryFacts) {
	if e.Labeled {
		f |= isLabeled
	}
	for i := range e.Problems {
		if e.Problems[i].Severity == manifest.Error {
			f |= hasErrors
		}
	}
	switch e.Class {
	case manifest.Normal:
		f |= isNormal
	case manifest.Anomaly:
		f |= isAnomaly
	}
	return f
}

// stats returns the statistics of the one entry.
func (f entryFacts) stats() fovea.Stats {
	bit := func(b entryFacts) int64 {
		if f&b != 0 {
			return 1
		}
		return 0
	}
	return fovea.Stats{Entries: 1, Labeled: bit(isLabeled), Errors: bit(hasErrors), Normal: bit(isNormal), Anomaly: bit(isAnomaly)}
}

// subtract takes the entries at the given rows, which ascend, out of the
// part's statistics and label counts. facts is the facts section of the part.
func (p *part) subtract(facts []byte, rows []uint32) error {
	bad := errors.New("the facts of " + p.name + " are damaged")
	for row := uint32(0); len(rows) > 0; row++ {
		if len(facts) == 0 {
			return bad
		}
		f := entryFacts(facts[0])
		n, size := binary.Uvarint(facts[1:])
		if size <= 0 {
			return bad
		}
		facts = facts[1+size:]
		gone := rows[0] == row
		if gone {
			rows = rows[1:]
			p.Stats.Sub(f.stats())
		}
		for range n {
			bits, size := binary.Uvarint(facts)
			if size <= 0 || bits>>2 >= uint64(len(p.Labels)) {
				return bad
			}
			facts = facts[size:]
			if !gone {
				continue
			}
			l := &p.Labels[bits>>2]
			l.Lines--
			if bits&labelUsed != 0 {
				l.Entries--
			}
			if bits&labelBoxed != 0 {
				l.Boxed--
			}
		}
	}
	return nil
}
