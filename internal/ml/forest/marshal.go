package forest

import (
	"errors"
	"fmt"
	"math"

	"fovea/internal/ml/container"
)

// The kind and version of a forest's container.
const (
	kind    = "forest"
	version = 1
)

// A description is what a forest's container says beside its tensors.
type description struct {
	Types   int `json:"types"`
	Numbers int `json:"numbers"`
}

// Marshal returns the forest as a container (package container). Tree i is two
// tensors: "i/nodes" has three numbers for each node, which number of a sample
// it asks for (-1: it is a leaf), the threshold, and its left child, behind
// which is the right one, or which leaf it is; "i/leaves" has for each leaf the
// probability of each type.
func (f *Forest) Marshal() ([]byte, error) {
	t := container.Tensors{}
	for i := range f.trees {
		tree := &f.trees[i]
		nodes := make([]float32, 0, 3*len(tree.nodes))
		for _, n := range tree.nodes {
			next := n.left
			if n.number < 0 {
				next /= int32(f.types)
			}
			nodes = append(nodes, float32(n.number), n.threshold, float32(next))
		}
		t.Put(fmt.Sprintf("%d/nodes", i), nodes, len(tree.nodes), 3)
		t.Put(fmt.Sprintf("%d/leaves", i), tree.leaves, len(tree.leaves)/f.types, f.types)
	}
	return container.Seal(kind, version, description{f.types, f.numbers}, t)
}

// Unmarshal returns the forest in a container. The bytes are not trusted: a
// child comes after its parent, so every way through a tree ends.
func Unmarshal(data []byte) (*Forest, error) {
	var d description
	t, err := container.Open(data, kind, version, &d)
	if err != nil {
		return nil, err
	}
	if d.Types < 1 || d.Types > MaxTypes || d.Numbers != Numbers {
		return nil, fmt.Errorf("forest: %d types by %d numbers of a pixel; %d are made", d.Types, d.Numbers, Numbers)
	}
	f := &Forest{types: d.Types, numbers: d.Numbers, trees: make([]tree, trees)}
	for i := range f.trees {
		count, three, leaves, types := -1, 3, -1, d.Types
		nodes, err := t.Take(fmt.Sprintf("%d/nodes", i), &count, &three)
		probabilities, err2 := t.Take(fmt.Sprintf("%d/leaves", i), &leaves, &types)
		if err = errors.Join(err, err2); err == nil {
			f.trees[i], err = f.plant(nodes, probabilities, leaves)
		}
		if err != nil {
			return nil, fmt.Errorf("forest: tree %d: %w", i, err)
		}
	}
	return f, t.Done()
}

// plant returns the tree of these nodes and leaves, if they make one.
func (f *Forest) plant(nodes, probabilities []float32, leaves int) (tree, error) {
	t := tree{leaves: probabilities, nodes: make([]node, len(nodes)/3)}
	if len(t.nodes) == 0 {
		return t, errors.New("it has no root")
	}
	for i := range t.nodes {
		number, threshold, next := nodes[3*i], nodes[3*i+1], nodes[3*i+2]
		whole := float64(number) == math.Trunc(float64(number)) && float64(next) == math.Trunc(float64(next))
		isLeaf := number == -1
		switch {
		case !whole, number < -1, number >= float32(f.numbers),
			isLeaf && (next < 0 || next >= float32(leaves)),
			!isLeaf && (next <= float32(i) || next >= float32(len(t.nodes)-1)):
			return t, fmt.Errorf("node %d asks for number %v and goes to %v", i, number, next)
		}
		t.nodes[i] = node{int32(number), threshold, int32(next)}
		if isLeaf {
			t.nodes[i].left *= int32(f.types)
		}
	}
	return t, nil
}
