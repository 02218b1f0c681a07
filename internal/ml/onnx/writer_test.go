package onnx

import (
	"encoding/binary"
	"math"
)

// The functions of this file write ONNX files for the tests.

// message appends fields.
type message []byte

func (m message) number(id int, v int64) message {
	return binary.AppendUvarint(binary.AppendUvarint(m, uint64(id)<<3), uint64(v))
}

func (m message) bytes(id int, b []byte) message {
	m = binary.AppendUvarint(m, uint64(id)<<3|wireBytes)
	return append(binary.AppendUvarint(m, uint64(len(b))), b...)
}

func (m message) text(id int, s string) message { return m.bytes(id, []byte(s)) }

func (m message) float(id int, v float32) message {
	return binary.LittleEndian.AppendUint32(binary.AppendUvarint(m, uint64(id)<<3|wire32), math.Float32bits(v))
}

// floatTensor is weights, raw.
func floatTensor(name string, shape []int, data ...float32) message {
	var m message
	for _, d := range shape {
		m = m.number(1, int64(d))
	}
	var raw []byte
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return m.number(2, typeFloat).text(8, name).bytes(9, raw)
}

// intTensor is integers with one dimension, not raw.
func intTensor(name string, data ...int64) message {
	m := message{}.number(1, int64(len(data))).number(2, typeInt64).text(8, name)
	var packed []byte
	for _, v := range data {
		packed = binary.AppendUvarint(packed, uint64(v))
	}
	return m.bytes(7, packed)
}

// setting is an attribute of a node.
func setting(name string, value any) message {
	m := message{}.text(1, name)
	switch v := value.(type) {
	case int:
		m = m.number(3, int64(v)).number(20, 2)
	case float64:
		m = m.float(2, float32(v)).number(20, 1)
	case string:
		m = m.text(4, v).number(20, 3)
	case []int:
		for _, i := range v {
			m = m.number(8, int64(i))
		}
		m = m.number(20, 7)
	case message:
		m = m.bytes(5, v).number(20, 4)
	}
	return m
}

// operation is a node.
func operation(op string, in, out []string, settings ...message) message {
	var m message
	for _, s := range in {
		m = m.text(1, s)
	}
	for _, s := range out {
		m = m.text(2, s)
	}
	m = m.text(3, "n").text(4, op)
	for _, s := range settings {
		m = m.bytes(5, s)
	}
	return m
}

// info is an input or output; a dimension below 0 has a name.
func info(name string, shape ...int) message {
	var dims message
	for _, d := range shape {
		if d < 0 {
			dims = dims.bytes(1, message{}.text(2, "any"))
		} else {
			dims = dims.bytes(1, message{}.number(1, int64(d)))
		}
	}
	return message{}.text(1, name).bytes(2, message{}.bytes(1, message{}.number(1, typeFloat).bytes(2, dims)))
}

// A graph collects what a file has.
type graph struct{ body message }

func (g *graph) node(op string, in, out []string, settings ...message) {
	g.body = g.body.bytes(1, operation(op, in, out, settings...))
}

func (g *graph) weights(t message) { g.body = g.body.bytes(5, t) }
func (g *graph) input(t message)   { g.body = g.body.bytes(11, t) }
func (g *graph) output(t message)  { g.body = g.body.bytes(12, t) }

// file returns the file.
func (g *graph) file() []byte {
	return message{}.number(1, 8).text(2, "fovea's tests").bytes(7, g.body).bytes(8, message{}.number(2, 17))
}
