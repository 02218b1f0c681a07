package segmentation

import (
	"fmt"

	"fovea/internal/ml/container"
	"fovea/internal/ml/forest"
	"fovea/internal/ml/unet"
)

// The kind and version of a model's container.
const (
	kind    = "segmentation"
	version = 1
)

// A description is what a model's container says.
type description struct {
	Types   []Type `json:"types"`
	Side    int    `json:"side"`
	Network bool   `json:"network"`
}

// Marshal returns the model as joined containers (package container): one of
// the kind "segmentation" without tensors, that of the forest, and that of the
// network if there is one.
func (m *Model) Marshal() ([]byte, error) {
	head, err := container.Seal(kind, version, description{m.Types, m.side, m.net != nil}, nil)
	if err != nil {
		return nil, err
	}
	trees, err := m.forest.Marshal()
	if err != nil || m.net == nil {
		return container.Join(head, trees), err
	}
	net, err := m.net.Marshal()
	return container.Join(head, trees, net), err
}

// Unmarshal returns the model in joined containers. The bytes are not trusted:
// sizes are bounded, and fit each other, or it fails.
func Unmarshal(data []byte) (*Model, error) {
	files, err := container.Split(data, 3)
	if err != nil {
		return nil, err
	}
	if len(files) < 2 {
		return nil, fmt.Errorf("segmentation: a model of %d files, want 2 or 3", len(files))
	}
	var d description
	tensors, err := container.Open(files[0], kind, version, &d)
	if err != nil {
		return nil, err
	}
	if err := tensors.Done(); err != nil {
		return nil, err
	}
	if err := d.check(len(files)); err != nil {
		return nil, err
	}
	m := &Model{Types: d.Types, side: d.Side}
	if m.forest, err = forest.Unmarshal(files[1]); err != nil {
		return nil, err
	}
	if n := m.forest.Types(); n != len(d.Types) {
		return nil, fmt.Errorf("segmentation: the forest knows %d types, the model %d", n, len(d.Types))
	}
	if !d.Network {
		return m, nil
	}
	if m.net, err = unet.Unmarshal(files[2]); err != nil {
		return nil, err
	}
	if n := len(m.net.Types()); n != len(d.Types) {
		return nil, fmt.Errorf("segmentation: the network knows %d types, the model %d", n, len(d.Types))
	}
	return m, nil
}

// check reports what of a description makes no sense.
func (d *description) check(files int) error {
	if len(d.Types) == 0 || len(d.Types) > MaxTypes || d.Side < 16 || d.Side > mostSide || d.Network != (files == 3) {
		return fmt.Errorf("segmentation: a model of %d types, side %d, %d files", len(d.Types), d.Side, files)
	}
	for _, t := range d.Types {
		if !(t.Threshold > 0 && t.Threshold <= 1) || !(t.Area >= 0 && t.Area <= 1) {
			return fmt.Errorf("segmentation: type %q from probability %v and area %v on", t.Name, t.Threshold, t.Area)
		}
	}
	return nil
}
