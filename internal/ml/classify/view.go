package classify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"golang.org/x/sync/errgroup"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/feature"
	"fovea/internal/ml/matrix"
)

// A view is what is seen of an image before anything is learnt.
type view struct {
	classical *feature.Map
	fine      *feature.Map // nil for small images, and labels
	deep      *feature.Map // nil without a backbone
	global    []float32    // likewise
	given     []float32    // nil where nothing is given
}

// cells returns the map of a source; nil if there is none.
func (v *view) cells(from source) *feature.Map {
	switch from {
	case classical:
		return v.classical
	case fine:
		return v.fine
	case deep:
		return v.deep
	}
	return nil
}

// bytes returns how much memory a view takes.
func (v *view) bytes() int64 {
	n := len(v.classical.Data) + len(v.global)
	for _, m := range []*feature.Map{v.fine, v.deep} {
		if m != nil {
			n += len(m.Data)
		}
	}
	return 4 * int64(n)
}

// A lens is how images are looked at (vision.md §2.1 and §2.2).
type lens struct {
	side    int               // pixels of the longer side
	fine    int               // likewise, to look for small defects; 0 is not at all
	cell    int               // of a cell of the classical map
	network backbone.Backbone // nil is none
	global  bool              // the network describes the whole, not its cells
	numbers int               // that it gives: of a cell, or of the whole; 0 before the first
	given   int               // features that others make
}

// lensOf returns how the images of a task are looked at.
func lensOf(t Task, b backbone.Backbone) lens {
	if t == Anomaly {
		return lens{side: coarseSide, cell: 8, network: b}
	}
	return lens{side: 128, cell: 4, network: b, global: true}
}

// look returns what is seen of an image, and what is given of it.
func (l lens) look(ctx context.Context, m *imaging.Image, given []float32) (*view, error) {
	if len(given) != l.given {
		return nil, fmt.Errorf("classify: %d features are given, and %d were in training", len(given), l.given)
	}
	v := &view{given: given}
	if l.fine > 0 {
		v.fine = feature.Classical(m.Fit(l.fine), l.cell).WithContext()
	}
	small := m.Fit(l.side)
	v.classical = feature.Classical(small, l.cell).WithContext()
	if l.network == nil {
		return v, nil
	}
	if b, ok := l.network.(backbone.Sized); ok {
		small = m.Fit(b.Side())
	}
	var err error
	if l.global {
		v.global, err = l.network.Global(ctx, small)
	} else {
		v.deep, err = deepCells(ctx, l.network, small)
	}
	if err != nil {
		return nil, err
	}
	if got := numbersOf(v); l.numbers > 0 && got != l.numbers {
		return nil, fmt.Errorf("backbone %s gives %d numbers, and gave %d in training", l.network.Name(), got, l.numbers)
	}
	return v, nil
}

// deepCells returns the maps of a network as one.
func deepCells(ctx context.Context, b backbone.Backbone, m *imaging.Image) (*feature.Map, error) {
	maps, err := b.Dense(ctx, m)
	if err != nil {
		return nil, err
	}
	one, err := backbone.Join(maps)
	return &feature.Map{H: one.Height, W: one.Width, C: one.Channels, Data: one.Data}, err
}

// numbersOf returns how many numbers the network gave of a view.
func numbersOf(v *view) int {
	if v.deep != nil {
		return v.deep.C
	}
	return len(v.global)
}

// keptBytes bounds the views that are kept.
const keptBytes = 256 << 20

// A gallery is the views of all images of a set. Those that find room are kept,
// others are made anew when they are wanted.
type gallery struct {
	lens
	set     *Set
	workers int
	mu      sync.Mutex
	kept    []*view
	room    int64
}

func newGallery(set *Set, l lens, workers int) *gallery {
	return &gallery{lens: l, set: set, workers: max(1, workers), kept: make([]*view, len(set.Labels)), room: keptBytes}
}

// each calls fn for every image with what is seen of it, several at the same
// time. It ends early with the first error, or the context's.
func (g *gallery) each(ctx context.Context, done func(n int), fn func(i int, v *view) error) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(g.workers)
	finished := 0
	for i := range g.set.Labels {
		if inner.Err() != nil {
			break
		}
		group.Go(func() error {
			v, err := g.view(inner, i)
			if err == nil {
				err = fn(i, v)
			}
			if err != nil {
				return fmt.Errorf("image %d: %w", i, err)
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			finished++
			done(finished)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// view returns what is seen of image i.
func (g *gallery) view(ctx context.Context, i int) (*view, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g.mu.Lock()
	v := g.kept[i]
	g.mu.Unlock()
	if v != nil {
		return v, nil
	}
	m, err := g.set.Image(ctx, i)
	if err != nil {
		return nil, err
	}
	var given []float32
	if g.set.Given != nil {
		given = g.set.Given[i]
	}
	if v, err = g.look(ctx, m, given); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if size := v.bytes(); size <= g.room {
		g.room -= size
		g.kept[i] = v
	}
	return v, nil
}

// Cells that are drawn from all images to learn what cells are like.
const drawn = 15_000

// A sample is what was drawn from each image.
type sample struct {
	cells map[source][]*matrix.Matrix
	tiles []tiling
}

// newSample returns a sample of n images of which nothing is drawn.
func newSample(n int) *sample {
	s := &sample{cells: map[source][]*matrix.Matrix{}, tiles: make([]tiling, n)}
	for _, from := range []source{classical, fine, deep} {
		s.cells[from] = make([]*matrix.Matrix, n)
	}
	return s
}

// add draws the cells of image i of n.
func (s *sample) add(v *view, i, n int, seed uint64) {
	for _, from := range []source{classical, fine, deep} {
		if m := v.cells(from); m != nil {
			r := rand.New(rand.NewPCG(seed, uint64(from)<<32|uint64(i)))
			c := m.Cells()
			s.cells[from][i] = c.Pick(feature.Sample(c.Rows, (drawn+n-1)/n, r))
		}
	}
}

// stack returns the matrices of which keep is true below each other.
func stack(ms []*matrix.Matrix, keep func(i int) bool) *matrix.Matrix {
	rows, cols := 0, 0
	for i, m := range ms {
		if keep(i) {
			rows, cols = rows+m.Rows, m.Cols
		}
	}
	out := matrix.New(rows, cols)
	at := 0
	for i, m := range ms {
		if keep(i) {
			at += copy(out.Data[at:], m.Data)
		}
	}
	return out
}
