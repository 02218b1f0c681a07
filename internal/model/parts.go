package model

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Weights of a model are parts with names, such as those of its classifier and
// its segmenter: the magic, the number of parts, and for each its name and its
// bytes, each with its length before it; all numbers four bytes, little-endian.
const (
	partsMagic = "fovea model 1\n"
	maxParts   = 16
	maxName    = 64
)

// A Part is a part of the weights of a model.
type Part struct {
	Name string
	Data []byte
}

// JoinParts returns the weights that have the parts.
func JoinParts(parts ...Part) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(partsMagic), uint32(len(parts)))
	for _, p := range parts {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(p.Name))), p.Name...)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(p.Data))), p.Data...)
	}
	return b
}

var errParts = errors.New("the weights of the model are damaged")

// SplitParts returns the parts of weights, which share their memory. The bytes
// are not trusted.
func SplitParts(weights []byte) (map[string][]byte, error) {
	b, ok := cut(weights, len(partsMagic))
	if !ok || string(weights[:len(partsMagic)]) != partsMagic || len(b) < 4 {
		return nil, errParts
	}
	n := binary.LittleEndian.Uint32(b)
	if n > maxParts {
		return nil, fmt.Errorf("%w: they have %d parts", errParts, n)
	}
	b = b[4:]
	parts := map[string][]byte{}
	for range n {
		var name, data []byte
		if name, b, ok = field(b, maxName); !ok {
			return nil, errParts
		}
		if data, b, ok = field(b, len(b)); !ok || parts[string(name)] != nil {
			return nil, errParts
		}
		parts[string(name)] = data
	}
	if len(b) > 0 {
		return nil, errParts
	}
	return parts, nil
}

// field returns the bytes at the start of b that have their length before them,
// and what follows.
func field(b []byte, most int) (data, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := int64(binary.LittleEndian.Uint32(b))
	if n > int64(most) || n > int64(len(b)-4) {
		return nil, nil, false
	}
	return b[4 : 4+n : 4+n], b[4+n:], true
}

func cut(b []byte, n int) ([]byte, bool) {
	if len(b) < n {
		return nil, false
	}
	return b[n:], true
}
