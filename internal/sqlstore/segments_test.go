package sqlstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
)

// manySegments returns what a revision of a large dataset has.
func manySegments(n int) []fovea.SegmentRef {
	var list []fovea.SegmentRef
	for i := range n {
		ref := fovea.SegmentRef{Name: fmt.Sprintf("segments/0064f3a2b1c0d5e7/%012d-%012d.parquet", i*8_000_000, (i+1)*8_000_000),
			Size: 1_000_000 + int64(i), Sum: 0x9e3779b97f4a7c15 * uint64(i), Rows: 15_000,
			MinSeq: int64(i) * 15_000, MaxSeq: int64(i)*15_000 + 14_999}
		if i%10 == 0 {
			ref.Deleted, ref.Masked = bytes.Repeat([]byte{byte(i)}, 40), 12
		}
		list = append(list, ref)
	}
	return list
}

func TestPackSegments(t *testing.T) {
	for _, want := range [][]fovea.SegmentRef{
		nil,
		{{}},
		{{Name: "a"}, {Name: "a"}, {Name: "ab"}, {Name: "b"}, {Name: ""}},
		{{Name: "x", Size: -1, Sum: ^uint64(0), Rows: -1 << 63, MinSeq: 1<<63 - 1, MaxSeq: 5, Deleted: []byte{0}, Masked: 7}},
		manySegments(1000),
	} {
		got, err := unpackSegments(packSegments(want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestUnpackDamaged: no change of a bit and no cut goes unseen (T18).
func TestUnpackDamaged(t *testing.T) {
	packed := packSegments(manySegments(3))
	for i := range packed {
		for bit := range 8 {
			b := bytes.Clone(packed)
			b[i] ^= 1 << bit
			if _, err := unpackSegments(b); !errors.Is(err, errPackedSum) {
				t.Fatalf("with bit %d of byte %d changed: %v", bit, i, err)
			}
		}
		if _, err := unpackSegments(packed[:i]); !errors.Is(err, errPackedSum) {
			t.Fatalf("cut to %d bytes: %v", i, err)
		}
	}
}

// FuzzUnpackSegments gives bodies of its own a right checksum.
func FuzzUnpackSegments(f *testing.F) {
	for _, n := range []int{0, 1, 20} {
		packed := packSegments(manySegments(n))
		f.Add(packed[:len(packed)-sumSize])
	}
	f.Add([]byte{packedForm, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add([]byte{packedForm, 1, 200, 1, 'a'})
	f.Fuzz(func(t *testing.T, body []byte) {
		segments, err := unpackSegments(withSum(bytes.Clone(body)))
		if err != nil {
			return
		}
		again, err := unpackSegments(packSegments(segments))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(segments, again); diff != "" {
			t.Errorf("packed and unpacked (-want +got):\n%s", diff)
		}
	})
}

func BenchmarkUnpackSegments(b *testing.B) {
	segments := manySegments(1000)
	packed := packSegments(segments)
	asJSON, err := json.Marshal(segments)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("packed", func(b *testing.B) {
		b.SetBytes(int64(len(packed)))
		for b.Loop() {
			if _, err := unpackSegments(packed); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("JSON", func(b *testing.B) {
		b.SetBytes(int64(len(asJSON)))
		for b.Loop() {
			var list []fovea.SegmentRef
			if err := json.Unmarshal(asJSON, &list); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Logf("packed %d bytes, JSON %d", len(packed), len(asJSON))
}
