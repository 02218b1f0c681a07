package feature

import "fovea/internal/ml/matrix"

// A queue finds the row that is farthest from all that were picked. How far a
// row is can only become less, so a distance that was computed earlier is a
// bound: it is computed anew only for a row that may be the farthest.
type queue struct {
	x       *matrix.Matrix
	picked  []int
	nearest []float32 // of each row: squared distance to those picked that it has seen
	seen    []int     // how many of those picked each row has seen
	heap    []int     // the rows, the one with the greatest distance first
}

// newQueue returns a queue of the rows of x of which one is picked.
func newQueue(x *matrix.Matrix, first int) *queue {
	q := &queue{x: x, picked: []int{first}, nearest: make([]float32, x.Rows), seen: make([]int, x.Rows), heap: make([]int, x.Rows)}
	for i := range q.heap {
		q.heap[i], q.seen[i] = i, 1
		q.nearest[i] = float32(squaredDistance(x.Row(first), x.Row(i)))
	}
	for at := len(q.heap)/2 - 1; at >= 0; at-- {
		q.sink(at)
	}
	return q
}

// pick picks the farthest row.
func (q *queue) pick() {
	for {
		top := q.heap[0]
		if q.seen[top] == len(q.picked) {
			q.picked = append(q.picked, top)
			q.nearest[top] = 0
			q.sink(0)
			return
		}
		q.look(top)
		q.sink(0)
	}
}

// look lets a row see those picked that it has not seen.
func (q *queue) look(i int) {
	row, bound := q.x.Row(i), q.nearest[i]
	for _, p := range q.picked[q.seen[i]:] {
		other, s := q.x.Row(p), float32(0)
		for j, v := range row {
			d := v - other[j]
			s += d * d
		}
		bound = min(bound, s)
	}
	q.nearest[i], q.seen[i] = bound, len(q.picked)
}

// sink moves a row that came nearer to its place in the heap.
func (q *queue) sink(at int) {
	for {
		next := 2*at + 1
		if next >= len(q.heap) {
			return
		}
		if next+1 < len(q.heap) && q.nearest[q.heap[next+1]] > q.nearest[q.heap[next]] {
			next++
		}
		if q.nearest[q.heap[next]] <= q.nearest[q.heap[at]] {
			return
		}
		q.heap[at], q.heap[next] = q.heap[next], q.heap[at]
		at = next
	}
}
