package nn

import (
	"fmt"

	"fovea/internal/ml/kernel"
)

// A Value is the output of a layer, or the input of the network. The zero Value
// is none.
type Value int

// A Net is a network: layers in the order in which they run, and their
// parameters. It is built by calls that add a layer each. Sessions of a Net may
// run side by side as long as nothing changes its parameters.
type Net struct {
	nodes   []node // node i gives Value i+1
	params  []*Param
	outputs []Value
}

// A node is a layer and where it stands.
type node struct {
	op       op
	in       []Value
	channels int
}

// An op is a kind of layer.
type op interface {
	// size returns the height and width of the output for those of the inputs.
	size(in []*kernel.Tensor) (h, w int)

	// bind returns what runs the layer in a session.
	bind(s *Session, n node, out Value) step
}

// A step runs a layer in a session.
type step interface {
	forward()
	backward()
}

// New returns a network that has only an input, of so many channels.
func New(channels int) *Net {
	return &Net{nodes: []node{{op: input{}, channels: channels}}}
}

// Input returns the value that a session's Input holds.
func (n *Net) Input() Value { return 1 }

// Channels returns how many channels a value has.
func (n *Net) Channels(v Value) int { return n.nodes[v-1].channels }

// Output notes that a value is wanted: sessions that only infer keep it, and
// in training a loss must write its gradient before Backward.
func (n *Net) Output(v Value) {
	n.Channels(v)
	n.outputs = append(n.outputs, v)
}

// Outputs returns the values that are wanted, in the order in which they were
// noted.
func (n *Net) Outputs() []Value { return n.outputs }

// add adds a layer.
func (n *Net) add(o op, channels int, in ...Value) Value {
	for _, v := range in {
		if v < 1 || int(v) > len(n.nodes) {
			panic(fmt.Sprintf("nn: there is no value %d", v))
		}
	}
	n.nodes = append(n.nodes, node{op: o, in: in, channels: channels})
	return Value(len(n.nodes))
}

// input is the layer before all others.
type input struct{}

func (input) size([]*kernel.Tensor) (h, w int) { panic("nn: the input has the size it is given") }
func (input) bind(*Session, node, Value) step  { return input{} }
func (input) forward()                         {}
func (input) backward()                        {}
