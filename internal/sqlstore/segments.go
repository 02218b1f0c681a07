package sqlstore

import (
	"encoding/binary"
	"errors"

	"github.com/cespare/xxhash/v2"

	"fovea"
)

// The segments of a revision are packed into one value: a byte for the form,
// their number, the segments, and a checksum of it all. A segment is its name,
// without what it shares with the name before it, and its numbers. Integers
// are varints, but sums are eight bytes, little-endian.
//
// For 1000 segments that takes a third of the room and a twentieth of the time
// of JSON: 59 KB and 0.12 ms, see BenchmarkUnpackSegments.
const packedForm = 1

const sumSize = 8

// maxSegmentName is longer than any name of a blob.
const maxSegmentName = 1024

func packSegments(segments []fovea.SegmentRef) []byte {
	b := make([]byte, 0, 32+64*len(segments))
	b = append(b, packedForm)
	b = binary.AppendUvarint(b, uint64(len(segments)))
	last := ""
	for _, s := range segments {
		shared := sharedPrefix(last, s.Name)
		last = s.Name
		b = binary.AppendUvarint(b, uint64(shared))
		b = appendBytes(b, s.Name[shared:])
		b = binary.AppendVarint(b, s.Size)
		b = binary.LittleEndian.AppendUint64(b, s.Sum)
		b = binary.AppendVarint(b, s.Rows)
		b = binary.AppendVarint(b, s.MinSeq)
		b = binary.AppendVarint(b, s.MaxSeq)
		b = appendBytes(b, s.Deleted)
		b = binary.AppendVarint(b, s.Masked)
	}
	return withSum(b)
}

func withSum(b []byte) []byte { return binary.LittleEndian.AppendUint64(b, xxhash.Sum64(b)) }

func appendBytes[T string | []byte](b []byte, data T) []byte {
	b = binary.AppendUvarint(b, uint64(len(data)))
	return append(b, data...)
}

func sharedPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

var (
	errPackedSum  = errors.New("their checksum is wrong: the database is damaged; restore it from a backup")
	errPackedForm = errors.New("they have a form that this version of fovea does not know")
)

// unpackSegments returns what packSegments was given; nil for none.
func unpackSegments(b []byte) ([]fovea.SegmentRef, error) {
	if len(b) < 1+sumSize {
		return nil, errPackedSum
	}
	b, sum := b[:len(b)-sumSize], binary.LittleEndian.Uint64(b[len(b)-sumSize:])
	if xxhash.Sum64(b) != sum {
		return nil, errPackedSum
	}
	if b[0] != packedForm {
		return nil, errPackedForm
	}
	u := unpacker{b: b[1:]}
	n := u.uvarint()
	if n > uint64(len(u.b)) { // a segment takes more than a byte
		return nil, errPackedForm
	}
	var segments []fovea.SegmentRef
	if n > 0 {
		segments = make([]fovea.SegmentRef, n)
	}
	last := ""
	for i := range segments {
		u.segment(&segments[i], last)
		last = segments[i].Name
	}
	if u.bad || len(u.b) > 0 {
		return nil, errPackedForm
	}
	return segments, nil
}

// An unpacker takes values off b until one is bad.
type unpacker struct {
	b   []byte
	bad bool
}

func (u *unpacker) segment(s *fovea.SegmentRef, last string) {
	shared, rest := u.uvarint(), u.bytes()
	if shared > uint64(len(last)) || shared+uint64(len(rest)) > maxSegmentName {
		u.fail()
		return
	}
	s.Name = last[:shared] + string(rest)
	s.Size = u.varint()
	if sum := u.take(8); sum != nil {
		s.Sum = binary.LittleEndian.Uint64(sum)
	}
	s.Rows, s.MinSeq, s.MaxSeq = u.varint(), u.varint(), u.varint()
	if d := u.bytes(); len(d) > 0 {
		s.Deleted = append([]byte(nil), d...)
	}
	s.Masked = u.varint()
}

func (u *unpacker) fail() { u.b, u.bad = nil, true }

func (u *unpacker) take(n uint64) []byte {
	if n > uint64(len(u.b)) {
		u.fail()
		return nil
	}
	v := u.b[:n]
	u.b = u.b[n:]
	return v
}

func (u *unpacker) bytes() []byte { return u.take(u.uvarint()) }

func (u *unpacker) uvarint() uint64 {
	v, n := binary.Uvarint(u.b)
	if n <= 0 {
		u.fail()
		return 0
	}
	u.b = u.b[n:]
	return v
}

func (u *unpacker) varint() int64 {
	v, n := binary.Varint(u.b)
	if n <= 0 {
		u.fail()
		return 0
	}
	u.b = u.b[n:]
	return v
}
