package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// file returns a file with that header and numbers.
func file(header string, body ...byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), body...)
}

func TestRoundTrip(t *testing.T) {
	for _, want := range []*File{
		{Tensors: map[string]Tensor{}},
		{
			Tensors: map[string]Tensor{
				"b": {Shape: []int{2, 3}, Data: []float32{1, -2, 3.5, 0, 1e-30, float32(math.Inf(1))}},
				"a": {Shape: []int{}, Data: []float32{7}},
				"c": {Shape: []int{0, 5}, Data: []float32{}},
			},
			Metadata: map[string]string{"made": "by hand"},
		},
	} {
		var b bytes.Buffer
		if err := Write(&b, want); err != nil {
			t.Fatal(err)
		}
		got, err := Read(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-written +read):\n%s", diff)
		}
		var again bytes.Buffer
		if err := Write(&again, got); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
			t.Errorf("written twice, the bytes differ (%v)", err)
		}
	}
}

func TestReadWidths(t *testing.T) {
	for _, tt := range []struct {
		dtype string
		bytes []byte
		want  float32
	}{
		{"F64", binary.LittleEndian.AppendUint64(nil, math.Float64bits(-1.25)), -1.25},
		{"F32", binary.LittleEndian.AppendUint32(nil, math.Float32bits(1e20)), 1e20},
		{"BF16", []byte{0x80, 0x3f}, 1},
		{"F16", []byte{0x00, 0x3c}, 1},
		{"F16", []byte{0x00, 0xc0}, -2},
		{"F16", []byte{0x01, 0x00}, 1. / (1 << 24)},
		{"F16", []byte{0xff, 0x7b}, 65504},
		{"F16", []byte{0x00, 0xfc}, float32(math.Inf(-1))},
		{"F16", []byte{0x00, 0x80}, float32(math.Copysign(0, -1))},
	} {
		n := len(tt.bytes)
		f, err := Read(file(`{"x":{"dtype":"`+tt.dtype+`","shape":[1],"data_offsets":[0,`+string(rune('0'+n))+`]}}`, tt.bytes...))
		if err != nil {
			t.Errorf("%s: %v", tt.dtype, err)
		} else if got := f.Tensors["x"].Data[0]; math.Float32bits(got) != math.Float32bits(tt.want) {
			t.Errorf("%s %x = %g, want %g", tt.dtype, tt.bytes, got, tt.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	four := []byte{1, 2, 3, 4}
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "too few"},
		{"header longer than file", binary.LittleEndian.AppendUint64(nil, 99), "header of 99"},
		{"huge header", binary.LittleEndian.AppendUint64(nil, 1<<62), "at most"},
		{"no JSON", file(`{`), "header"},
		{"not an object", file(`[]`), "header"},
		{"tensor is no object", file(`{"x":1}`), `tensor "x"`},
		{"metadata is no object", file(`{"__metadata__":1}`), "metadata"},
		{"type", file(`{"x":{"dtype":"I64","shape":[],"data_offsets":[0,4]}}`, four...), "I64"},
		{"beyond the end", file(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, four...), "not within"},
		{"negative offset", file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, four...), "not within"},
		{"one offset", file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}}`, four...), "not within"},
		{"shape too large", file(`{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}`, four...), "does not fit"},
		{"negative shape", file(`{"x":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}`, four...), "does not fit"},
		{"shape of other length", file(`{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,4]}}`, four...), "needs 0 bytes"},
		{"many dimensions", file(`{"x":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}`, four...), "dimensions"},
		{"gap", file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, append(four, four...)...), "begins at 4"},
		{"overlap", file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, four...), "begins at 0"},
		{"rest", file(`{}`, four...), "end at 0 of 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(tt.file)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestWriteErrors(t *testing.T) {
	err := Write(&bytes.Buffer{}, &File{Tensors: map[string]Tensor{"x": {Shape: []int{2}, Data: []float32{1}}}})
	if err == nil || !strings.Contains(err.Error(), "has 1 numbers") {
		t.Errorf("error %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"__metadata__":{"a":"b"}}`, 1, 2, 3, 4))
	f.Add(file(`{"x":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]}}`, 1, 2, 3, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Read(b)
		if err != nil {
			return
		}
		n := 0
		for _, x := range got.Tensors {
			n += len(x.Data)
		}
		if 2*n > len(b) {
			t.Errorf("%d numbers of %d bytes", n, len(b))
		}
		var out bytes.Buffer
		if err := Write(&out, got); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(out.Bytes()); err != nil {
			t.Fatal(err)
		}
	})
}
