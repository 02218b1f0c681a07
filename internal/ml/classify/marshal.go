package classify

import (
	"errors"
	"fmt"

	"fovea/internal/ml/backbone"
	"fovea/internal/ml/container"
	"fovea/internal/ml/feature"
	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
	"fovea/internal/ml/unet"
)

// The kind of a model's container, and the version of its form.
const (
	containerKind = "classifier"
	version       = 1
)

// A description is what a model's container says beside its tensors.
type description struct {
	Task       Task               `json:"task"`
	Classes    []string           `json:"classes"`
	Thresholds []float64          `json:"thresholds"`
	Side       int                `json:"side"`
	Cell       int                `json:"cell"`
	Fine       int                `json:"fine,omitempty"`
	Backbone   *backboneID        `json:"backbone,omitempty"`
	Given      int                `json:"given,omitempty"`
	Blocks     []blockDescription `json:"blocks"`
	Normal     *normalScore       `json:"normal,omitempty"`
	Platt      head.Platt         `json:"platt"`
	Heat       heatScale          `json:"heat"`
}

// A backboneID is which backbone a model was trained with, and how many numbers
// it gives: of a cell, or of an image.
type backboneID struct {
	Name    string `json:"name"`
	Hash    string `json:"hash"`
	Numbers int    `json:"numbers"`
}

type blockDescription struct {
	Name   string  `json:"name"`
	Source source  `json:"source"`
	Method method  `json:"method"`
	Weight float64 `json:"weight"`
}

// Bounds of what a model's container can ask for.
const (
	maxClasses = 10_000
	maxBlocks  = 16
	maxSide    = 1024
	maxNumbers = 8192 // of a backbone
)

// Marshal returns the model as a container (package container) of the kind
// "classifier". Block i keeps its head as tensors "i/weights" and "i/bias", the
// Fisher vector as "i/mean", "i/axes", "i/mixture/weights", "i/mixture/means"
// and "i/mixture/variances", the memory as "i/mean", "i/scale", "i/cells", and
// the head of tiles as "i/tiles/weights" and "i/tiles/bias".
// The backbone is not in it, only its name and hash. It is joined with those of
// the networks that learned from synthetic anomalies, if any.
func (m *Model) Marshal() ([]byte, error) {
	d := description{Task: m.Task, Classes: m.Classes, Thresholds: m.Thresholds, Side: m.side, Cell: m.cell, Fine: m.fine, Given: m.given,
		Normal: m.normal, Platt: m.platt, Heat: m.heat}
	if m.network != nil {
		d.Backbone = &backboneID{m.network.Name(), m.network.Hash(), m.numbers}
	}
	t := container.Tensors{}
	for i, b := range m.blocks {
		d.Blocks = append(d.Blocks, blockDescription{b.name, b.source, b.method, b.weight})
		b.put(t, fmt.Sprint(i))
	}
	file, err := container.Seal(containerKind, version, d, t)
	if err != nil || m.odd == nil {
		return container.Join(file), err
	}
	files := [][]byte{file}
	for _, n := range m.odd.nets {
		if file, err = n.Marshal(); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return container.Join(files...), nil
}

// put adds the tensors of a block.
func (b *block) put(t container.Tensors, at string) {
	if b.head != nil {
		putMatrix(t, at+"/weights", b.head.W)
		t.Put(at+"/bias", b.head.B, len(b.head.B))
	}
	if f := b.fisher; f != nil {
		t.Put(at+"/mean", f.Mean, len(f.Mean))
		putMatrix(t, at+"/axes", f.Axes)
		t.Put(at+"/mixture/weights", f.Weights, len(f.Weights))
		putMatrix(t, at+"/mixture/means", f.Means)
		putMatrix(t, at+"/mixture/variances", f.Variances)
	}
	if b.tiles != nil {
		putMatrix(t, at+"/tiles/weights", b.tiles.W)
		t.Put(at+"/tiles/bias", b.tiles.B, len(b.tiles.B))
	}
	if m := b.memory; m != nil {
		t.Put(at+"/mean", m.Mean, len(m.Mean))
		t.Put(at+"/scale", m.Scale, len(m.Scale))
		putMatrix(t, at+"/cells", m.Cells)
	}
}

func putMatrix(t container.Tensors, name string, m *matrix.Matrix) {
	t.Put(name, m.Data, m.Rows, m.Cols)
}

// Unmarshal returns the model in a container. If it needs a backbone, find
// is asked for the one with that name and hash, and Unmarshal fails if it gives
// another: heads trained on other features would give numbers without meaning.
// The bytes are not trusted: sizes are bounded, and fit each other, or it fails.
func Unmarshal(data []byte, find func(name, hash string) (backbone.Backbone, error)) (*Model, error) {
	files, err := container.Split(data, 1+len(oddity{}.nets))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("classify: the model is empty")
	}
	var d description
	tensors, err := container.Open(files[0], containerKind, version, &d)
	if err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("classify: the model makes no sense: %w", err)
	}
	m := &Model{Task: d.Task, Classes: d.Classes, Thresholds: d.Thresholds, normal: d.Normal, platt: d.Platt, heat: d.Heat,
		lens: lens{side: d.Side, cell: d.Cell, fine: d.Fine, global: d.Task != Anomaly, given: d.Given}}
	for i, bd := range d.Blocks {
		block, err := d.take(tensors, fmt.Sprint(i), bd)
		if err != nil {
			return nil, fmt.Errorf("classify: feature %s: %w", bd.Name, err)
		}
		m.blocks = append(m.blocks, block)
	}
	if err := tensors.Done(); err != nil {
		return nil, err
	}
	if m.odd, err = d.networks(files[1:]); err != nil {
		return nil, err
	}
	if d.Backbone != nil {
		m.numbers = d.Backbone.Numbers
		if find == nil {
			return nil, fmt.Errorf("classify: the model needs backbone %s, and there is none", d.Backbone.Name)
		}
		if m.network, err = find(d.Backbone.Name, d.Backbone.Hash); err != nil {
			return nil, err
		}
		if got := m.network.Hash(); got != d.Backbone.Hash {
			return nil, fmt.Errorf("classify: the model was trained with backbone %s of hash %s, and this one has %s", d.Backbone.Name, d.Backbone.Hash, got)
		}
	}
	return m, nil
}

// check reports what of a description makes no sense.
func (d *description) check() error {
	alone := d.Normal != nil
	switch {
	case taskNames[d.Task] == "":
		return fmt.Errorf("there is no task %d", d.Task)
	case len(d.Classes) == 0 || len(d.Classes) > maxClasses || d.Task == Anomaly && len(d.Classes) != 2:
		return fmt.Errorf("%d classes", len(d.Classes))
	case len(d.Thresholds) != len(d.Classes):
		return fmt.Errorf("%d thresholds for %d classes", len(d.Thresholds), len(d.Classes))
	case d.Fine != 0 && (d.Task != Anomaly || d.Fine < 16 || d.Fine > maxSide):
		return fmt.Errorf("small defects are looked for at %d pixels", d.Fine)
	case d.Side < 16 || d.Side > maxSide || d.Cell < 2 || d.Cell > d.Side:
		return fmt.Errorf("images of %d pixels in cells of %d", d.Side, d.Cell)
	case len(d.Blocks) == 0 || len(d.Blocks) > maxBlocks:
		return fmt.Errorf("%d features", len(d.Blocks))
	case alone && (d.Task != Anomaly || !d.remembers() || !d.Normal.sound()):
		return errors.New("distances alone decide, but not so")
	case d.Task == Anomaly && d.Heat.High <= d.Heat.Low:
		return fmt.Errorf("heat from %v to %v", d.Heat.Low, d.Heat.High)
	case d.Given < 0 || d.Given > maxGiven:
		return fmt.Errorf("%d features are given", d.Given)
	case d.Backbone != nil && (d.Backbone.Numbers < 1 || d.Backbone.Numbers > maxNumbers):
		return fmt.Errorf("a backbone of %d numbers", d.Backbone.Numbers)
	}
	for _, b := range d.Blocks {
		known := b.Source == classical || b.Source == fine && d.Fine > 0 || b.Source == given && d.Given > 0 ||
			d.Backbone != nil && (b.Source == deep && d.Task == Anomaly || b.Source == global && d.Task != Anomaly)
		if !known || b.Weight < 0 || b.Weight > 1 {
			return fmt.Errorf("feature %s of source %d with weight %v", b.Name, b.Source, b.Weight)
		}
	}
	return nil
}

// remembers tells whether the features are those of a model without heads: the
// classical memory first, then that of a backbone if there is one.
func (d *description) remembers() bool {
	want := memories(d.Normal.Deep != nil)
	if len(d.Blocks) != len(want) || (d.Normal.Deep != nil) != (d.Backbone != nil) {
		return false
	}
	for i, b := range want {
		if d.Blocks[i].Source != b.source || d.Blocks[i].Method != b.method {
			return false
		}
	}
	return true
}

// sound tells whether the spreads can be divided by.
func (n *normalScore) sound() bool {
	return n.Distance.Deviation > 0 && (n.Deep == nil || n.Deep.Deviation > 0) && (n.Odd == nil || n.Odd.Deviation > 0)
}

// networks returns those of the files that learned from synthetic anomalies.
func (d *description) networks(files [][]byte) (*oddity, error) {
	o := &oddity{}
	want := 0
	if d.Normal != nil && d.Normal.Odd != nil {
		want = len(o.nets)
	}
	if len(files) != want {
		return nil, fmt.Errorf("classify: the model has %d networks, want %d", len(files), want)
	}
	if want == 0 {
		return nil, nil
	}
	for i, f := range files {
		var err error
		if o.nets[i], err = unet.Unmarshal(f); err != nil {
			return nil, fmt.Errorf("classify: network %d: %w", i, err)
		}
	}
	return o, nil
}

// take returns a block, if its tensors fit each other and what they are of.
func (d *description) take(t container.Tensors, at string, bd blockDescription) (*block, error) {
	b := &block{name: bd.Name, source: bd.Source, method: bd.Method, weight: bd.Weight}
	r := &taker{tensors: t}
	numbers := 2 * feature.Channels // with context
	switch b.source {
	case deep, global:
		numbers = d.Backbone.Numbers
	case given:
		numbers = d.Given
	}
	ofMap := b.source == classical || b.source == deep || b.source == fine
	size := 0
	switch {
	case b.method == pooled && ofMap:
		size = feature.PoolSize(numbers)
	case b.method == fisher && ofMap:
		b.fisher = r.fisher(at, numbers)
		size = 2 * len(b.fisher.Weights) * b.fisher.Means.Cols
	case b.method == tiled && b.source == fine:
		b.tiles = &head.Linear{Kind: head.EachOwn, W: r.matrix(at+"/tiles/weights", 1, feature.PoolSize(numbers)), B: r.vector(at+"/tiles/bias", 1)}
		size = tilesSize
	case b.method == nearest && ofMap:
		b.memory = r.memory(at, numbers)
		size = feature.ExtremesSize
	case b.method == whole && !ofMap:
		size = numbers
	default:
		return nil, fmt.Errorf("method %d of source %d", b.method, b.source)
	}
	if d.Normal == nil {
		outputs := len(d.Classes)
		if d.Task == Anomaly {
			outputs = 1
		}
		b.head = &head.Linear{Kind: d.Task.kind(), W: r.matrix(at+"/weights", outputs, size), B: r.vector(at+"/bias", outputs)}
	}
	return b, r.err
}

// A taker takes tensors until one is not as it should be.
type taker struct {
	tensors container.Tensors
	err     error
}

// vector returns a tensor of n numbers, any for a negative n.
func (r *taker) vector(name string, n int) []float32 {
	v, err := r.tensors.Take(name, &n)
	r.err = errors.Join(r.err, err)
	return v
}

// matrix returns a tensor of rows x cols numbers, any for negative ones.
func (r *taker) matrix(name string, rows, cols int) *matrix.Matrix {
	v, err := r.tensors.Take(name, &rows, &cols)
	r.err = errors.Join(r.err, err)
	return &matrix.Matrix{Rows: max(0, rows), Cols: max(0, cols), Data: v}
}

func (r *taker) fisher(at string, numbers int) *feature.Fisher {
	f := &feature.Fisher{Projection: &feature.Projection{Mean: r.vector(at+"/mean", numbers), Axes: r.matrix(at+"/axes", -1, numbers)}}
	weights := r.vector(at+"/mixture/weights", -1)
	k, dims := len(weights), f.Axes.Rows
	f.Mixture = &feature.Mixture{Weights: weights, Means: r.matrix(at+"/mixture/means", k, dims), Variances: r.matrix(at+"/mixture/variances", k, dims)}
	for _, v := range f.Variances.Data {
		if v <= 0 {
			r.err = errors.Join(r.err, fmt.Errorf("a variance is %v", v))
		}
	}
	if k == 0 || dims == 0 || dims > numbers {
		r.err = errors.Join(r.err, fmt.Errorf("a mixture of %d in %d dimensions", k, dims))
	}
	return f
}

func (r *taker) memory(at string, numbers int) *feature.Memory {
	m := &feature.Memory{Mean: r.vector(at+"/mean", numbers), Scale: r.vector(at+"/scale", numbers), Cells: r.matrix(at+"/cells", -1, numbers)}
	if m.Cells.Rows == 0 || m.Cells.Rows > feature.MemoryCells {
		r.err = errors.Join(r.err, fmt.Errorf("a memory of %d cells", m.Cells.Rows))
	}
	if r.err == nil {
		m.Ready()
	}
	return m
}
