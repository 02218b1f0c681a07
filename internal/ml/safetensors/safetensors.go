// Package safetensors reads and writes files of named numbers in the
// safetensors format: eight bytes with the length of a header, the header in
// JSON, then the numbers. It has nothing that could run, which is why weights
// are kept in it.
//
// Numbers are float32 in memory, whatever width the file has them in. A file
// is not trusted: lengths are checked before memory is asked for, and a file
// must be used up by its tensors without gap or overlap, as the format says.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// Bounds of what is read.
const (
	MaxHeader  = 4 << 20 // bytes of the header
	maxDims    = 8       // dimensions of a tensor
	maxTensors = 1 << 16
)

// A Tensor is numbers in row-major order.
type Tensor struct {
	Shape []int // no dimension: a single number
	Data  []float32
}

// A File is what a file holds.
type File struct {
	Tensors  map[string]Tensor
	Metadata map[string]string // nil if the file has none
}

// entry is how the header describes a tensor.
type entry struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets []int  `json:"data_offsets"`
}

// widths are the bytes of a number of each type that is read.
var widths = map[string]int{"F64": 8, "F32": 4, "F16": 2, "BF16": 2}

// Read returns what a file of these bytes holds. The error says what is wrong
// with it. Memory needed is at most twice the file's size and its header's.
func Read(file []byte) (*File, error) {
	if len(file) < 8 {
		return nil, fmt.Errorf("safetensors: %d bytes are too few for a file", len(file))
	}
	size := binary.LittleEndian.Uint64(file)
	if size > MaxHeader || size > uint64(len(file)-8) {
		return nil, fmt.Errorf("safetensors: a header of %d bytes in a file of %d; at most %d are read", size, len(file), MaxHeader)
	}
	body := file[8+size:]
	var header map[string]json.RawMessage
	if err := json.Unmarshal(file[8:8+size], &header); err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	if len(header) > maxTensors {
		return nil, fmt.Errorf("safetensors: %d tensors are more than %d", len(header), maxTensors)
	}
	f := &File{Tensors: map[string]Tensor{}}
	if m, ok := header["__metadata__"]; ok {
		if err := json.Unmarshal(m, &f.Metadata); err != nil {
			return nil, fmt.Errorf("safetensors: metadata: %w", err)
		}
		delete(header, "__metadata__")
	}
	entries, err := parse(header, len(body))
	if err != nil {
		return nil, err
	}
	for name, e := range entries {
		f.Tensors[name] = Tensor{Shape: e.Shape, Data: decode(e.DType, body[e.Offsets[0]:e.Offsets[1]])}
	}
	return f, nil
}

// parse checks what the header says of the tensors against the length of the
// numbers.
func parse(header map[string]json.RawMessage, length int) (map[string]entry, error) {
	entries := map[string]entry{}
	for name, raw := range header {
		var e entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, fmt.Errorf("safetensors: tensor %q: %w", name, err)
		}
		if err := e.check(length); err != nil {
			return nil, fmt.Errorf("safetensors: tensor %q: %w", name, err)
		}
		entries[name] = e
	}
	end := 0
	names := slices.SortedFunc(maps.Keys(entries), func(a, b string) int {
		x, y := entries[a].Offsets, entries[b].Offsets
		return 2*(x[0]-y[0]) + min(1, max(-1, x[1]-y[1]))
	})
	for _, name := range names {
		if o := entries[name].Offsets; o[0] != end {
			return nil, fmt.Errorf("safetensors: tensor %q begins at %d, and what is before it ends at %d", name, o[0], end)
		}
		end = entries[name].Offsets[1]
	}
	if end != length {
		return nil, fmt.Errorf("safetensors: the tensors end at %d of %d bytes", end, length)
	}
	return entries, nil
}

// check reports whether a tensor is within the numbers and as long as its shape
// says.
func (e *entry) check(length int) error {
	width, ok := widths[e.DType]
	if !ok {
		return fmt.Errorf("numbers are %q; F64, F32, F16 and BF16 are read", e.DType)
	}
	if len(e.Offsets) != 2 || e.Offsets[0] < 0 || e.Offsets[1] < e.Offsets[0] || e.Offsets[1] > length {
		return fmt.Errorf("offsets %v are not within %d bytes", e.Offsets, length)
	}
	if len(e.Shape) > maxDims {
		return fmt.Errorf("%d dimensions are more than %d", len(e.Shape), maxDims)
	}
	n := width
	for _, d := range e.Shape {
		if d < 0 || d > 0 && n > length/d {
			return fmt.Errorf("shape %v does not fit into %d bytes", e.Shape, length)
		}
		n *= d
	}
	if n != e.Offsets[1]-e.Offsets[0] {
		return fmt.Errorf("shape %v of %s needs %d bytes, the offsets %v have %d", e.Shape, e.DType, n, e.Offsets, e.Offsets[1]-e.Offsets[0])
	}
	return nil
}

// decode returns numbers of a type.
func decode(dtype string, b []byte) []float32 {
	out := make([]float32, len(b)/widths[dtype])
	for i := range out {
		switch dtype {
		case "F64":
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])))
		case "F32":
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		case "F16":
			out[i] = half(binary.LittleEndian.Uint16(b[2*i:]))
		case "BF16":
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[2*i:])) << 16)
		}
	}
	return out
}

// half returns the value of a 16-bit IEEE number.
func half(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exp {
	case 31:
		return math.Float32frombits(sign | 255<<23 | frac<<13)
	case 0:
		v := float32(frac) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(v))
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// Write writes a file with float32 numbers, tensors in the order of their names,
// so that equal files are equal bytes. It fails if a tensor's numbers are not as
// many as its shape says.
func Write(w io.Writer, f *File) error {
	header := map[string]any{}
	if f.Metadata != nil {
		header["__metadata__"] = f.Metadata
	}
	names, end := slices.Sorted(maps.Keys(f.Tensors)), 0
	for _, name := range names {
		t, n := f.Tensors[name], 1
		for _, d := range t.Shape {
			n *= d
		}
		if n != len(t.Data) || name == "__metadata__" {
			return fmt.Errorf("safetensors: tensor %q of shape %v has %d numbers", name, t.Shape, len(t.Data))
		}
		header[name] = entry{DType: "F32", Shape: append([]int{}, t.Shape...), Offsets: []int{end, end + 4*n}}
		end += 4 * n
	}
	head, err := json.Marshal(header)
	if err != nil {
		return err
	}
	head = append(head, bytes.Repeat([]byte(" "), (8-len(head)%8)%8)...) // numbers begin aligned
	if len(head) > MaxHeader {
		return fmt.Errorf("safetensors: a header of %d bytes is longer than %d", len(head), MaxHeader)
	}
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(head)))
	if _, err := w.Write(append(out, head...)); err != nil {
		return err
	}
	for _, name := range names {
		b := make([]byte, 0, 4*len(f.Tensors[name].Data))
		for _, v := range f.Tensors[name].Data {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}
