// Package container keeps trained models in files: a safetensors file whose
// metadata say what kind of model it is, in which version of the form, describe
// it in JSON, and hold a checksum of all of it. So a model can be looked into
// with common tools, and has nothing in it that could run.
//
// The metadata are "kind" and "version"; "description", an object of JSON; and
// "sha256", the checksum in hexadecimal of the same file without it. A checksum
// finds damage, not forgery: who must not trust the sender checks a signature
// first.
package container

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"fovea/internal/ml/safetensors"
)

// MaxBytes is how long a file can be.
const MaxBytes = 256 << 20

// Tensors are numbers by their names.
type Tensors map[string]safetensors.Tensor

// Seal returns the file of a model.
func Seal(kind string, version int, description any, tensors Tensors) ([]byte, error) {
	text, err := json.Marshal(description)
	if err != nil {
		return nil, err
	}
	f := &safetensors.File{Tensors: tensors, Metadata: map[string]string{
		"kind": kind, "version": strconv.Itoa(version), "description": string(text),
	}}
	if f.Metadata["sha256"], err = sum(f); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := safetensors.Write(&out, f); err != nil {
		return nil, err
	}
	if out.Len() > MaxBytes {
		return nil, fmt.Errorf("container: the %s of %d bytes is larger than %d", kind, out.Len(), MaxBytes)
	}
	return out.Bytes(), nil
}

// sum returns the checksum of a file without its checksum.
func sum(f *safetensors.File) (string, error) {
	h := sha256.New()
	err := safetensors.Write(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

// Open returns the tensors of the file of a model of that kind and version, and
// puts what describes it into description, a pointer. It fails if the file is
// damaged, of another kind, has a version that is not known here, or a number
// that is none. Whether names and shapes are as they should be, Take tells.
func Open(data []byte, kind string, version int, description any) (Tensors, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("container: a %s of %d bytes is larger than %d", kind, len(data), MaxBytes)
	}
	f, err := safetensors.Read(data)
	if err != nil {
		return nil, fmt.Errorf("container: %w", err)
	}
	if got := f.Metadata["kind"]; got != kind {
		return nil, fmt.Errorf("container: the file holds a %q, not a %q", got, kind)
	}
	if got := f.Metadata["version"]; got != strconv.Itoa(version) {
		return nil, fmt.Errorf("container: the %s is of version %q of its form, this program reads %d", kind, got, version)
	}
	want := f.Metadata["sha256"]
	delete(f.Metadata, "sha256")
	if got, err := sum(f); err != nil || got != want {
		return nil, fmt.Errorf("container: the %s is damaged: its checksum is wrong", kind)
	}
	d := json.NewDecoder(bytes.NewReader([]byte(f.Metadata["description"])))
	d.DisallowUnknownFields()
	if err := d.Decode(description); err != nil {
		return nil, fmt.Errorf("container: description of the %s: %w", kind, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("container: description of the %s: there is something after it", kind)
	}
	for name, t := range f.Tensors {
		for _, v := range t.Data {
			if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("container: tensor %q of the %s has a number %v", name, kind, v)
			}
		}
	}
	return f.Tensors, nil
}

// Put adds a tensor.
func (t Tensors) Put(name string, data []float32, shape ...int) {
	t[name] = safetensors.Tensor{Shape: shape, Data: data}
}

// Take removes a tensor and returns its numbers, if it has this shape. A
// negative dimension in shape stands for any, and is replaced by what it is.
func (t Tensors) Take(name string, shape ...*int) ([]float32, error) {
	got, ok := t[name]
	if !ok || len(got.Shape) != len(shape) {
		return nil, fmt.Errorf("container: there is no tensor %q of %d dimensions", name, len(shape))
	}
	for i, want := range shape {
		if *want < 0 {
			*want = got.Shape[i]
		}
		if got.Shape[i] != *want {
			return nil, fmt.Errorf("container: dimension %d of tensor %q is %d, want %d", i, name, got.Shape[i], *want)
		}
	}
	delete(t, name)
	return got.Data, nil
}

// Done reports tensors that nobody took.
func (t Tensors) Done() error {
	for name := range t {
		return fmt.Errorf("container: nobody knows the tensor %q", name)
	}
	return nil
}

// Join returns files as one: the length of each as eight bytes, the lowest
// first, then its bytes.
func Join(files ...[]byte) []byte {
	var out []byte
	for _, f := range files {
		out = binary.LittleEndian.AppendUint64(out, uint64(len(f)))
		out = append(out, f...)
	}
	return out
}

// Split returns the files that were joined. It fails if the lengths are not
// used up by the bytes, or there are more than most.
func Split(data []byte, most int) ([][]byte, error) {
	var files [][]byte
	for len(data) > 0 {
		if len(files) == most || len(data) < 8 {
			return nil, fmt.Errorf("container: %d bytes are left after %d files", len(data), len(files))
		}
		n := binary.LittleEndian.Uint64(data)
		if data = data[8:]; n > uint64(len(data)) {
			return nil, fmt.Errorf("container: file %d has %d bytes, and %d are left", len(files), n, len(data))
		}
		files, data = append(files, data[:n:n]), data[n:]
	}
	return files, nil
}
