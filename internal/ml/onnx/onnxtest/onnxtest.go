// Package onnxtest writes small ONNX files: for tests, and for benchmarks that
// give the same network to others.
package onnxtest

import (
	"encoding/binary"
	"math"
	"strings"
)

// A Message is fields of a protocol buffer; its methods return it with another.
type Message []byte

// Number appends an integer.
func (m Message) Number(id int, v int64) Message {
	return binary.AppendUvarint(binary.AppendUvarint(m, uint64(id)<<3), uint64(v))
}

// Bytes appends bytes, or a message.
func (m Message) Bytes(id int, b []byte) Message {
	m = binary.AppendUvarint(m, uint64(id)<<3|2)
	return append(binary.AppendUvarint(m, uint64(len(b))), b...)
}

// Text appends a string.
func (m Message) Text(id int, s string) Message { return m.Bytes(id, []byte(s)) }

// Float appends a number.
func (m Message) Float(id int, v float32) Message {
	return binary.LittleEndian.AppendUint32(binary.AppendUvarint(m, uint64(id)<<3|5), math.Float32bits(v))
}

// Floats is weights, raw.
func Floats(name string, shape []int, data ...float32) Message {
	var m Message
	for _, d := range shape {
		m = m.Number(1, int64(d))
	}
	var raw []byte
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return m.Number(2, 1).Text(8, name).Bytes(9, raw)
}

// Ints is integers with one dimension, not raw.
func Ints(name string, data ...int64) Message {
	m := Message{}.Number(1, int64(len(data))).Number(2, 7).Text(8, name)
	var packed []byte
	for _, v := range data {
		packed = binary.AppendUvarint(packed, uint64(v))
	}
	return m.Bytes(7, packed)
}

// Setting is an attribute of a node.
func Setting(name string, value any) Message {
	m := Message{}.Text(1, name)
	switch v := value.(type) {
	case int:
		m = m.Number(3, int64(v)).Number(20, 2)
	case float64:
		m = m.Float(2, float32(v)).Number(20, 1)
	case string:
		m = m.Text(4, v).Number(20, 3)
	case []int:
		for _, i := range v {
			m = m.Number(8, int64(i))
		}
		m = m.Number(20, 7)
	case Message:
		m = m.Bytes(5, v).Number(20, 4)
	}
	return m
}

// Operation is a node.
func Operation(op string, in, out []string, settings ...Message) Message {
	var m Message
	for _, s := range in {
		m = m.Text(1, s)
	}
	for _, s := range out {
		m = m.Text(2, s)
	}
	m = m.Text(3, "make "+strings.Join(out, " ")).Text(4, op)
	for _, s := range settings {
		m = m.Bytes(5, s)
	}
	return m
}

// Info is an input or output; a dimension below 0 has a name.
func Info(name string, shape ...int) Message {
	var dims Message
	for _, d := range shape {
		if d < 0 {
			dims = dims.Bytes(1, Message{}.Text(2, "any"))
		} else {
			dims = dims.Bytes(1, Message{}.Number(1, int64(d)))
		}
	}
	return Message{}.Text(1, name).Bytes(2, Message{}.Bytes(1, Message{}.Number(1, 1).Bytes(2, dims)))
}

// A Graph collects what a file has.
type Graph struct{ Body Message }

// Node adds an operation, of what is called in, to what is called out.
func (g *Graph) Node(op string, in, out []string, settings ...Message) {
	g.Body = g.Body.Bytes(1, Operation(op, in, out, settings...))
}

// Weights adds weights.
func (g *Graph) Weights(t Message) { g.Body = g.Body.Bytes(5, t) }

// Input adds an input.
func (g *Graph) Input(t Message) { g.Body = g.Body.Bytes(11, t) }

// Output adds an output.
func (g *Graph) Output(t Message) { g.Body = g.Body.Bytes(12, t) }

// File returns the file.
func (g *Graph) File() []byte {
	return Message{}.Number(1, 8).Text(2, "fovea's tests").Bytes(7, g.Body).Bytes(8, Message{}.Number(2, 17))
}
