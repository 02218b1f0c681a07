package rekognition

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"fovea/internal/ml/head"
)

// A found is a finding as it is kept between test and writing.
type found struct {
	Label int
	Score float32
	Box   *head.Box // in pixels of what readImage returns; nil for one of the whole image
}

// A foundFile keeps what was found in images, in their order: there may be too
// many labels of too many images for memory. For each image it has the number of
// findings, and for each of those its label and its score, and for detectors the
// four sides of its box; all numbers little-endian.
type foundFile struct {
	name  string
	boxes bool // every finding has one
}

// Bytes of a finding, without and with a box.
const (
	foundBytes = 8
	boxBytes   = 32
)

func (f *foundFile) size() int {
	if f.boxes {
		return foundBytes + boxBytes
	}
	return foundBytes
}

// write makes the file: fn adds the images.
func (f *foundFile) write(fn func(add func([]found) error) error) error {
	file, err := os.Create(f.name)
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<18)
	var line []byte
	err = fn(func(list []found) error {
		line = binary.LittleEndian.AppendUint32(line[:0], uint32(len(list)))
		for _, x := range list {
			line = binary.LittleEndian.AppendUint32(line, uint32(x.Label))
			line = binary.LittleEndian.AppendUint32(line, math.Float32bits(x.Score))
			if f.boxes {
				for _, v := range []float64{x.Box.Left, x.Box.Top, x.Box.Width, x.Box.Height} {
					line = binary.LittleEndian.AppendUint64(line, math.Float64bits(v))
				}
			}
		}
		_, err := w.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

// each calls fn with what was found in each of n images. The list is good until
// fn returns; an error of fn ends the call and is returned.
func (f *foundFile) each(n int, fn func(i int, list []found) error) error {
	file, err := os.Open(f.name)
	if err != nil {
		return err
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 1<<18)
	var data []byte
	var list []found
	for i := range n {
		var number [4]byte
		if _, err := io.ReadFull(r, number[:]); err != nil {
			return fmt.Errorf("what was found in test image %d: %w", i, err)
		}
		bytes := int(binary.LittleEndian.Uint32(number[:])) * f.size()
		data = slices.Grow(data[:0], bytes)[:bytes]
		if _, err := io.ReadFull(r, data); err != nil {
			return fmt.Errorf("what was found in test image %d: %w", i, err)
		}
		list = list[:0]
		for at := 0; at < bytes; at += f.size() {
			list = append(list, f.decode(data[at:]))
		}
		if err := fn(i, list); err != nil {
			return err
		}
	}
	return nil
}

func (f *foundFile) decode(b []byte) found {
	x := found{Label: int(binary.LittleEndian.Uint32(b)), Score: math.Float32frombits(binary.LittleEndian.Uint32(b[4:]))}
	if f.boxes {
		side := func(k int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b[foundBytes+8*k:])) }
		x.Box = &head.Box{Left: side(0), Top: side(1), Width: side(2), Height: side(3)}
	}
	return x
}
