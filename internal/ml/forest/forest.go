// Package forest finds the pixels of defects with a random forest (Breiman,
// Random Forests, 2001) on what surrounds each pixel: colours, edges and
// curvature on four scales (vision.md §2.5). It learns in seconds from a few
// images with masks, where a network takes minutes, and the two complement each
// other.
//
// A forest is the same for the same samples and seed, on any number of cores.
package forest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"golang.org/x/sync/errgroup"

	"fovea/internal/ml/matrix"
)

// The recipe of vision.md §2.5.
const (
	trees    = 40
	depth    = 16
	leafSize = 4   // samples of a leaf, at least
	steps    = 128 // values of a number that are told apart while learning
)

// MaxTypes is how many types of defects there can be.
const MaxTypes = 64

// A Forest tells how probable each type of defect is. It is safe for use by
// several goroutines.
type Forest struct {
	types   int // classes without the background
	numbers int // of a sample
	trees   []tree
}

// A tree is nodes of which the first is the root.
type tree struct {
	nodes  []node
	leaves []float32 // probabilities of the types, one leaf after another
}

// A node sends samples to its left child where a number is below the threshold,
// and to the next, its right one, otherwise. A leaf has number -1.
type node struct {
	number    int32
	threshold float32
	left      int32 // or where the leaf's probabilities begin
}

// Samples are what a forest learns from: a row of numbers for each, and its
// class, 0 for the background and t+1 for type t.
type Samples struct {
	X *matrix.Matrix
	Y []uint8
}

// Fit returns a forest that learned to tell this many types, at most MaxTypes,
// from the samples. It ends early, with its error, when the context does.
func Fit(ctx context.Context, s Samples, types int, seed uint64, workers int) (*Forest, error) {
	if s.X.Rows == 0 || s.X.Rows != len(s.Y) || types < 1 || types > MaxTypes {
		return nil, fmt.Errorf("forest: %d samples with %d classes of %d types", s.X.Rows, len(s.Y), types)
	}
	for i, y := range s.Y {
		if int(y) > types {
			return nil, fmt.Errorf("forest: sample %d has class %d of %d", i, y, types)
		}
	}
	b := bin(s.X)
	f := &Forest{types: types, numbers: s.X.Cols, trees: make([]tree, trees)}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(max(1, workers))
	for i := range f.trees {
		g.Go(func() error {
			w := &grower{binned: b, y: s.Y, classes: types + 1, rng: rand.New(rand.NewPCG(seed, uint64(i)))}
			err := w.grow(inner)
			f.trees[i] = w.tree
			return err
		})
	}
	return f, g.Wait()
}

// A binned is samples whose numbers are replaced by their rank among steps.
type binned struct {
	bins  [][]uint8   // of each number, of each sample
	edges [][]float32 // of each number: the lowest value of each bin but the first
}

// bin ranks each number by its quantiles.
func bin(x *matrix.Matrix) *binned {
	b := &binned{bins: make([][]uint8, x.Cols), edges: make([][]float32, x.Cols)}
	column := make([]float32, x.Rows)
	for j := range x.Cols {
		for i := range column {
			column[i] = x.Row(i)[j]
		}
		sorted := slices.Sorted(slices.Values(column))
		for k := 1; k < steps; k++ {
			e := sorted[k*len(sorted)/steps]
			if n := len(b.edges[j]); e > sorted[0] && (n == 0 || e > b.edges[j][n-1]) {
				b.edges[j] = append(b.edges[j], e)
			}
		}
		b.bins[j] = make([]uint8, x.Rows)
		for i, v := range column {
			at, equal := slices.BinarySearch(b.edges[j], v)
			if equal {
				at++
			}
			b.bins[j][i] = uint8(at)
		}
	}
	return b
}

// A grower grows a tree.
type grower struct {
	*binned
	y       []uint8
	classes int
	rng     *rand.Rand
	tree    tree
	counts  []float64 // scratch memory: of a bin, of a class
}

// grow grows the tree on as many samples as there are, drawn with replacement.
func (g *grower) grow(ctx context.Context) error {
	samples := make([]int32, len(g.y))
	for i := range samples {
		samples[i] = int32(g.rng.IntN(len(g.y)))
	}
	type branch struct {
		at      int32
		samples []int32
		depth   int
	}
	g.tree.nodes = []node{{}}
	for todo := []branch{{0, samples, 0}}; len(todo) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		number, edge, ok := -1, 0, false
		if b.depth < depth {
			number, edge, ok = g.split(b.samples)
		}
		if !ok {
			g.leaf(b.at, b.samples)
			continue
		}
		left, right := g.part(b.samples, number, edge)
		child := int32(len(g.tree.nodes))
		g.tree.nodes[b.at] = node{int32(number), g.edges[number][edge], child}
		g.tree.nodes = append(g.tree.nodes, node{}, node{})
		todo = append(todo, branch{child, left, b.depth + 1}, branch{child + 1, right, b.depth + 1})
	}
	return nil
}

// leaf makes a node a leaf.
func (g *grower) leaf(at int32, samples []int32) {
	g.tree.nodes[at] = node{-1, 0, int32(len(g.tree.leaves))}
	count := make([]float32, g.classes)
	for _, s := range samples {
		count[g.y[s]]++
	}
	for _, c := range count[1:] {
		g.tree.leaves = append(g.tree.leaves, c/float32(len(samples)))
	}
}

// part puts the samples below an edge first, and returns both parts.
func (g *grower) part(samples []int32, number, edge int) (left, right []int32) {
	at := 0
	for i, s := range samples {
		if int(g.bins[number][s]) <= edge {
			samples[i], samples[at] = samples[at], samples[i]
			at++
		}
	}
	return samples[:at], samples[at:]
}

// split returns the number and its edge at which the samples part best, among
// as many numbers as the root of how many there are, drawn at random; more
// where those part nothing.
func (g *grower) split(samples []int32) (number, edge int, ok bool) {
	pure := true
	for _, s := range samples {
		pure = pure && g.y[s] == g.y[samples[0]]
	}
	if pure || len(samples) < 2*leafSize {
		return 0, 0, false
	}
	tried, best := int(math.Sqrt(float64(len(g.bins)))), math.Inf(-1)
	for i, j := range g.rng.Perm(len(g.bins)) {
		if i >= tried && ok {
			break
		}
		if e, score := g.edge(samples, j); score > best {
			number, edge, best, ok = j, e, score, true
		}
	}
	return number, edge, ok
}

// edge returns the edge of number j at which the samples part best, and how
// well: the sum, over both parts, of the squares of how many have each class,
// divided by how many there are. Maximizing it minimizes Gini's impurity. It is
// minus infinity where no edge leaves enough on both sides.
func (g *grower) edge(samples []int32, j int) (edge int, best float64) {
	k := g.classes
	if g.counts == nil {
		g.counts = make([]float64, (steps+2)*k)
	}
	bins := len(g.edges[j]) + 1
	count, left, right := g.counts[:bins*k], g.counts[steps*k:(steps+1)*k], g.counts[(steps+1)*k:]
	clear(g.counts)
	for _, s := range samples {
		count[int(g.bins[j][s])*k+int(g.y[s])]++
		right[g.y[s]]++
	}
	best = math.Inf(-1)
	nLeft, nRight := 0.0, float64(len(samples))
	for e := range bins - 1 {
		for c, n := range count[e*k : (e+1)*k] {
			left[c] += n
			right[c] -= n
			nLeft += n
			nRight -= n
		}
		if nLeft < leafSize || nRight < leafSize {
			continue
		}
		if score := squares(left)/nLeft + squares(right)/nRight; score > best {
			edge, best = e, score
		}
	}
	return edge, best
}

func squares(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x * x
	}
	return s
}

// Types returns how many types the forest tells.
func (f *Forest) Types() int { return f.types }

// Probabilities returns how probable each type is for each row of x.
func (f *Forest) Probabilities(x *matrix.Matrix) *matrix.Matrix {
	out := matrix.New(x.Rows, f.types)
	f.sum(out.Data, samples{n: x.Rows, of: x.Data, number: 1, sample: x.Cols}, 1, f.types)
	for i := range out.Data {
		out.Data[i] /= trees
	}
	return out
}
