package onnx

import (
	"encoding/binary"
	"errors"
	"math"
)

// errWire is what is wrong with a file that is no protocol buffer.
var errWire = errors.New("the file is cut off, or no ONNX file")

// The wire types of protocol buffers that ONNX uses.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// A field is one of a message: its number, and its value as a number or bytes.
type field struct {
	id    int
	wire  int
	n     uint64
	bytes []byte
}

// fields calls fn for each field of a message. Groups, which are long gone, are
// refused.
func fields(b []byte, fn func(f field) error) error {
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return err
		}
		if err := fn(f); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// next returns the first field of a message, and what is behind it.
func next(b []byte) (f field, rest []byte, err error) {
	tag, n := binary.Uvarint(b)
	if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29 {
		return f, nil, errWire
	}
	b = b[n:]
	f.id, f.wire = int(tag>>3), int(tag&7)
	switch f.wire {
	case wireVarint:
		if f.n, n = binary.Uvarint(b); n <= 0 {
			return f, nil, errWire
		}
		return f, b[n:], nil
	case wire64:
		if len(b) < 8 {
			return f, nil, errWire
		}
		f.n = binary.LittleEndian.Uint64(b)
		return f, b[8:], nil
	case wire32:
		if len(b) < 4 {
			return f, nil, errWire
		}
		f.n = uint64(binary.LittleEndian.Uint32(b))
		return f, b[4:], nil
	case wireBytes:
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return f, nil, errWire
		}
		f.bytes = b[n : n+int(size)]
		return f, b[n+int(size):], nil
	}
	return f, nil, errWire
}

// maxInts is how many integers are read of a field: they are shapes and places.
const maxInts = 1 << 20

// ints appends the numbers of a repeated field of integers, packed or not.
func (f *field) ints(to []int64) ([]int64, error) {
	if f.wire == wireVarint && len(to) < maxInts {
		return append(to, int64(f.n)), nil
	}
	if f.wire != wireBytes {
		return nil, errWire
	}
	for b := f.bytes; len(b) > 0; {
		v, n := binary.Uvarint(b)
		if n <= 0 || len(to) == maxInts {
			return nil, errWire
		}
		to, b = append(to, int64(v)), b[n:]
	}
	return to, nil
}

// floats appends the numbers of a repeated field of float32, packed or not.
func (f *field) floats(to []float32) ([]float32, error) {
	if f.wire == wire32 {
		return append(to, math.Float32frombits(uint32(f.n))), nil
	}
	if f.wire != wireBytes || len(f.bytes)%4 != 0 {
		return nil, errWire
	}
	for b := f.bytes; len(b) > 0; b = b[4:] {
		to = append(to, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return to, nil
}
