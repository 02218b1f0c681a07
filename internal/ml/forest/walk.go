package forest

// together is how many samples go through a tree together, as many as an uint8
// tells apart. Neighbouring pixels take nearly the same way, so that a node is
// looked at once for many of them.
const together = 256

// A samples is n samples: number j of sample i is of[j*number+i*sample].
type samples struct {
	n              int
	of             []float32
	number, sample int
}

// A walk is samples on their way through a tree.
type walk struct {
	x     [][together]float32 // each number of the samples
	order [together]uint8     // the samples, those at the same node in a row
	right [together]uint8     // scratch memory of part
	todo  []group
}

// A group is the samples at a node: those from and to in order.
type group struct {
	node     int32
	from, to int
}

// sum adds to out, times the number of trees, how probable each type is for
// each sample: type k of sample i to out[k*kind+i*each].
func (f *Forest) sum(out []float32, s samples, kind, each int) {
	w := &walk{x: make([][together]float32, f.numbers)}
	for first := 0; first < s.n; first += together {
		n := min(together, s.n-first)
		for j := range w.x {
			for i := range n {
				w.x[j][i] = s.of[j*s.number+(first+i)*s.sample]
			}
		}
		for i := range f.trees {
			w.through(&f.trees[i], n, func(samples []uint8, leaf int32) {
				for k, p := range f.trees[i].leaves[leaf:][:f.types] {
					for _, i := range samples {
						out[k*kind+(first+int(i))*each] += p
					}
				}
			})
		}
	}
}

// through takes n samples through a tree and calls fn with those at each leaf,
// and where its probabilities begin.
func (w *walk) through(t *tree, n int, fn func(samples []uint8, leaf int32)) {
	for i := range n {
		w.order[i] = uint8(i)
	}
	w.todo = append(w.todo[:0], group{0, 0, n})
	for len(w.todo) > 0 {
		g := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		node := &t.nodes[g.node]
		if node.number < 0 {
			fn(w.order[g.from:g.to], node.left)
			continue
		}
		middle := g.from + w.part(w.order[g.from:g.to], &w.x[node.number], node.threshold)
		if middle < g.to {
			w.todo = append(w.todo, group{node.left + 1, middle, g.to})
		}
		if middle > g.from {
			w.todo = append(w.todo, group{node.left, g.from, middle})
		}
	}
}

// part puts the samples that go left first and returns how many they are. It has
// no branch that a processor would have to guess.
func (w *walk) part(list []uint8, x *[together]float32, threshold float32) int {
	l, r := 0, 0
	for _, i := range list {
		list[l], w.right[uint8(r)] = i, i
		goes := 0
		if x[i] >= threshold {
			goes = 1
		}
		r += goes
		l += 1 - goes
	}
	copy(list[l:], w.right[:r])
	return l
}
