package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// A Model is a network read from a file. It is safe for use by several
// goroutines.
type Model struct {
	nodes   []node
	weights map[string]*Tensor
	input   string
	shape   []int // of the input, -1 where any
	outputs []string
	last    map[string]int // the last node that reads a value
	opset   int64
	meta    map[string]string // the settings of ours that the file has, without prefix
	memory  int64             // bytes, and
	work    int64             // multiplications, that a run may take
}

// A node is an operation.
type node struct {
	name, op string
	in, out  []string
	attr     map[string]attribute
}

// An attribute is a setting of a node.
type attribute struct {
	i      int64
	f      float32
	s      string
	ints   []int64
	floats []float32
	tensor *Tensor
}

// Read returns the network in a file. The error says what is wrong with it, or
// what in it is not supported.
func Read(file []byte) (*Model, error) {
	m, err := parse(file)
	if err == nil {
		err = m.choose()
	}
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return m, nil
}

// parse returns what is in a file, whether it can be run or not.
func parse(file []byte) (*Model, error) {
	if len(file) > MaxFile {
		return nil, fmt.Errorf("a file of %d bytes is larger than %d", len(file), MaxFile)
	}
	m := &Model{weights: map[string]*Tensor{}, last: map[string]int{}, meta: map[string]string{}, memory: maxMemory, work: maxWork}
	found := false
	err := fields(file, func(f field) error {
		switch {
		case f.id == 7 && f.wire == wireBytes && !found:
			found = true
			return m.graph(f.bytes)
		case f.id == 7:
			return errors.New("there are two graphs")
		case f.id == 8 && f.wire == wireBytes:
			return m.version(f.bytes)
		case f.id == propertyField && f.wire == wireBytes:
			return m.property(f.bytes)
		case f.id == 25:
			return errors.New("the file defines functions of its own, which are not supported")
		}
		return nil
	})
	if err == nil && !found {
		err = errors.New("there is no graph in it")
	}
	return m, err
}

// choose takes the outputs that the settings of the file name, if they name any,
// and drops the nodes and weights that no output needs, such as a classifier
// behind the layers that are wanted.
func (m *Model) choose() error {
	if names, ok := m.meta[outputsSetting]; ok {
		m.outputs = nil
		for name := range strings.SplitSeq(names, ",") {
			m.outputs = append(m.outputs, strings.TrimSpace(name))
		}
		if len(m.outputs) > maxNames {
			return fmt.Errorf("there are more than %d outputs", maxNames)
		}
	}
	needed := map[string]bool{}
	for _, name := range m.outputs {
		needed[name] = true
	}
	kept := len(m.nodes) // the nodes from there on
	for i := len(m.nodes) - 1; i >= 0; i-- {
		n := &m.nodes[i]
		if !slices.ContainsFunc(n.out, func(name string) bool { return needed[name] }) {
			continue
		}
		for _, name := range n.in {
			needed[name] = true
		}
		kept--
		m.nodes[kept] = m.nodes[i]
	}
	m.nodes = slices.Clone(m.nodes[kept:])
	maps.DeleteFunc(m.weights, func(name string, _ *Tensor) bool { return !needed[name] })
	return nil
}

// version notes which version of the operators is meant.
func (m *Model) version(b []byte) error {
	domain, v := "", int64(0)
	err := fields(b, func(f field) error {
		switch f.id {
		case 1:
			domain = string(f.bytes)
		case 2:
			v = int64(f.n)
		}
		return nil
	})
	if domain == "" || domain == "ai.onnx" {
		m.opset = v
	}
	return err
}

// graph reads the nodes and weights.
func (m *Model) graph(b []byte) error {
	return fields(b, func(f field) error {
		if f.wire != wireBytes {
			return nil
		}
		switch f.id {
		case 1:
			if len(m.nodes) == maxNodes {
				return fmt.Errorf("there are more than %d nodes", maxNodes)
			}
			n, err := readNode(f.bytes)
			if err != nil {
				return fmt.Errorf("node %d: %w", len(m.nodes), err)
			}
			m.nodes = append(m.nodes, n)
		case 5:
			name, t, err := readTensor(f.bytes)
			if err != nil {
				return fmt.Errorf("weights %q: %w", name, err)
			}
			if len(m.weights) == maxWeights || m.weights[name] != nil {
				return fmt.Errorf("weights %q are there twice, or there are more than %d", name, maxWeights)
			}
			m.weights[name] = t
		case 11, 12:
			name, shape, err := readInfo(f.bytes)
			if err != nil {
				return err
			}
			return m.addInfo(f.id == 11, name, shape)
		case 15:
			return errors.New("sparse weights are not supported")
		}
		return nil
	})
}

// addInfo notes an input or output.
func (m *Model) addInfo(input bool, name string, shape []int) error {
	switch {
	case !input && len(m.outputs) == maxNames:
		return fmt.Errorf("there are more than %d outputs", maxNames)
	case !input:
		m.outputs = append(m.outputs, name)
	case m.weights[name] != nil: // old files list weights as inputs, too
	case m.input == "":
		m.input, m.shape = name, shape
	default:
		return fmt.Errorf("inputs %q and %q: one is supported", m.input, name)
	}
	return nil
}

func readNode(b []byte) (node, error) {
	n := node{attr: map[string]attribute{}}
	domain := ""
	err := fields(b, func(f field) error {
		if len(n.in)+len(n.out)+len(n.attr) > maxNames {
			return fmt.Errorf("more than %d inputs, outputs and settings", maxNames)
		}
		switch f.id {
		case 1:
			n.in = append(n.in, string(f.bytes))
		case 2:
			n.out = append(n.out, string(f.bytes))
		case 3:
			n.name = string(f.bytes)
		case 4:
			n.op = string(f.bytes)
		case 5:
			name, a, err := readAttribute(f.bytes)
			if err != nil {
				return fmt.Errorf("attribute %q: %w", name, err)
			}
			n.attr[name] = a
		case 7:
			domain = string(f.bytes)
		}
		return nil
	})
	if n.op == "Constant" && n.attr["value"].tensor == nil {
		n.constant()
	}
	if domain != "" && domain != "ai.onnx" {
		n.op = domain + "." + n.op // which no operator is called
	}
	return n, err
}

// constant turns the number, or numbers, of a constant into a tensor.
func (n *node) constant() {
	t := &Tensor{Shape: []int{}}
	a := attribute{tensor: t}
	if v, ok := n.attr["value_float"]; ok {
		t.Floats = []float32{v.f}
	} else if v, ok := n.attr["value_int"]; ok {
		t.Ints, t.isInts = []int64{v.i}, true
	} else if v, ok := n.attr["value_floats"]; ok {
		t.Floats, t.Shape = v.floats, []int{len(v.floats)}
	} else if v, ok := n.attr["value_ints"]; ok {
		t.Ints, t.Shape, t.isInts = v.ints, []int{len(v.ints)}, true
	} else {
		return
	}
	n.attr["value"] = a
}

func readAttribute(b []byte) (name string, a attribute, err error) {
	err = fields(b, func(f field) (err error) {
		switch f.id {
		case 1:
			name = string(f.bytes)
		case 2:
			a.f = math.Float32frombits(uint32(f.n))
		case 3:
			a.i = int64(f.n)
		case 4:
			a.s = string(f.bytes)
		case 5:
			_, a.tensor, err = readTensor(f.bytes)
		case 6, 11:
			err = errors.New("a graph within the graph, as of loops and branches, is not supported")
		case 7:
			a.floats, err = f.floats(a.floats)
		case 8:
			a.ints, err = f.ints(a.ints)
		}
		return err
	})
	return name, a, err
}

// The types of numbers that are read.
const (
	typeFloat   = 1
	typeInt32   = 6
	typeInt64   = 7
	typeBool    = 9
	typeFloat16 = 10
	typeDouble  = 11
)

// readTensor reads weights.
func readTensor(b []byte) (name string, t *Tensor, err error) {
	t = &Tensor{}
	kind := 0
	var raw []byte
	hasRaw := false
	err = fields(b, func(f field) (err error) {
		switch f.id {
		case 1:
			var dims []int64
			if dims, err = f.ints(nil); err != nil {
				return err
			}
			for _, d := range dims {
				t.Shape = append(t.Shape, int(d))
			}
			if len(t.Shape) > maxDims {
				_, err = size(t.Shape)
			}
		case 2:
			kind = int(f.n)
		case 4:
			t.Floats, err = f.floats(t.Floats)
		case 5, 7:
			t.Ints, err = f.ints(t.Ints)
		case 8:
			name = string(f.bytes)
		case 9:
			raw, hasRaw = f.bytes, true
		case 13:
			err = errors.New("its numbers are in another file, which is not supported: save the model as one file")
		case 14:
			if f.n != 0 {
				err = errors.New("its numbers are in another file, which is not supported: save the model as one file")
			}
		}
		return err
	})
	if err != nil {
		return name, nil, err
	}
	n, err := size(t.Shape)
	if err != nil {
		return name, nil, err
	}
	t.isInts = kind == typeInt32 || kind == typeInt64 || kind == typeBool
	if hasRaw {
		err = t.setRaw(raw, kind, n)
	} else if kind != typeFloat && !t.isInts {
		err = fmt.Errorf("numbers of type %d are not supported", kind)
	}
	if t.isInts {
		t.Floats = nil
	} else {
		t.Ints = nil
	}
	if err == nil && t.len() != n {
		err = fmt.Errorf("%d numbers for shape %v", t.len(), t.Shape)
	}
	return name, t, err
}

// setRaw sets the numbers from n of a type, as bytes.
func (t *Tensor) setRaw(b []byte, kind, n int) error {
	width := map[int]int{typeFloat: 4, typeInt32: 4, typeInt64: 8, typeBool: 1, typeFloat16: 2, typeDouble: 8}[kind]
	if width == 0 {
		return fmt.Errorf("numbers of type %d are not supported", kind)
	}
	if len(b) != n*width {
		return fmt.Errorf("%d bytes for %d numbers of %d bytes", len(b), n, width)
	}
	le := binary.LittleEndian
	t.Floats, t.Ints = nil, nil
	if t.isInts {
		t.Ints = make([]int64, n)
	} else {
		t.Floats = make([]float32, n)
	}
	for i := range n {
		switch kind {
		case typeFloat:
			t.Floats[i] = math.Float32frombits(le.Uint32(b[4*i:]))
		case typeDouble:
			t.Floats[i] = float32(math.Float64frombits(le.Uint64(b[8*i:])))
		case typeFloat16:
			t.Floats[i] = half(le.Uint16(b[2*i:]))
		case typeInt32:
			t.Ints[i] = int64(int32(le.Uint32(b[4*i:])))
		case typeInt64:
			t.Ints[i] = int64(le.Uint64(b[8*i:]))
		case typeBool:
			t.Ints[i] = int64(b[i])
		}
	}
	return nil
}

// half returns the value of a 16-bit number.
func half(h uint16) float32 {
	v := float32(h&1023) / 1024
	exp := int(h >> 10 & 31)
	switch exp {
	case 31:
		v = float32(math.Inf(1))
		if h&1023 != 0 {
			v = float32(math.NaN())
		}
	case 0:
		v = float32(math.Ldexp(float64(v), -14))
	default:
		v = float32(math.Ldexp(1+float64(v), exp-15))
	}
	if h>>15 == 1 {
		return -v
	}
	return v
}

// readInfo reads the name and shape of an input or output.
func readInfo(b []byte) (name string, shape []int, err error) {
	sub := func(b []byte, id int, fn func([]byte) error) error {
		return fields(b, func(f field) error {
			if f.id == id && f.wire == wireBytes {
				return fn(f.bytes)
			}
			return nil
		})
	}
	err = fields(b, func(f field) error {
		switch f.id {
		case 1:
			name = string(f.bytes)
		case 2: // type, tensor type, shape, dimension
			return sub(f.bytes, 1, func(b []byte) error {
				return sub(b, 2, func(b []byte) error {
					return sub(b, 1, func(b []byte) error {
						d := -1
						err := fields(b, func(f field) error {
							if f.id == 1 && f.n > 0 && f.n <= maxNumbers {
								d = int(f.n)
							}
							return nil
						})
						if shape = append(shape, d); len(shape) > maxDims {
							return fmt.Errorf("value %q has more than %d dimensions", name, maxDims)
						}
						return err
					})
				})
			})
		}
		return nil
	})
	return name, shape, err
}

// check reports what cannot run: unknown operators, and values that nothing
// makes before they are read, so that there are no cycles.
func (m *Model) check() error {
	if err := m.complete(); err != nil {
		return err
	}
	if err := m.supported(); err != nil {
		return err
	}
	made := map[string]bool{m.input: true}
	for name := range m.weights {
		made[name] = true
	}
	for i, n := range m.nodes {
		for _, in := range n.in {
			if in != "" && !made[in] {
				return fmt.Errorf("node %d, %q: nothing makes %q before it", i, n.name, in)
			}
			m.last[in] = i
		}
		for _, out := range n.out {
			if out == "" {
				continue
			}
			if made[out] {
				return fmt.Errorf("node %d, %q: %q is made twice", i, n.name, out)
			}
			made[out] = true
		}
	}
	for _, out := range m.outputs {
		if !made[out] {
			return fmt.Errorf("nothing makes the output %.100q", out)
		}
		m.last[out] = len(m.nodes)
	}
	return nil
}

// complete reports what every file has to have.
func (m *Model) complete() error {
	if m.input == "" || len(m.shape) != 4 || len(m.outputs) == 0 {
		return fmt.Errorf("the input %q has shape %v, and there are %d outputs: one image of four dimensions and at least one output are needed", m.input, m.shape, len(m.outputs))
	}
	if m.opset < 1 {
		return errors.New("it does not say which version of the operators it means, or is cut off")
	}
	return nil
}

// supported reports all operators that are not, each with the first node that
// has it.
func (m *Model) supported() error {
	var missing []string
	seen := map[string]bool{}
	for _, n := range m.nodes {
		if operators[n.op] == nil && !seen[n.op] {
			seen[n.op] = true
			missing = append(missing, fmt.Sprintf("%s (node %.100q)", strings.Trim(fmt.Sprintf("%.100q", n.op), `"`), n.name))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	const told = 10
	more := ""
	if len(missing) > told {
		more, missing = fmt.Sprintf(" and %d more", len(missing)-told), missing[:told]
	}
	return fmt.Errorf("it has operators that are not supported: %s%s. Supported are %s. Export the network for a newer or older version of the operators (opset), simplify it, or choose outputs before these nodes",
		strings.Join(missing, ", "), more, strings.Join(slices.Sorted(maps.Keys(operators)), ", "))
}

// Shape returns the shape of the input: images, channels, height, width; -1
// where any number is right.
func (m *Model) Shape() []int { return slices.Clone(m.shape) }
