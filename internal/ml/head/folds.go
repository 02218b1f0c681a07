package head

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// Folds returns for each example one of k folds, so that each has its share of
// every class. Examples may have several classes or none (Sechidis, Tsoumakas
// and Vlahavas, On the Stratification of Multi-label Data, 2011): the rarest
// class is dealt first, each of its examples to the fold that lacks it most.
func Folds(t *Targets, k int, seed uint64) []int {
	quota := make([]float64, k)
	for i := range quota {
		quota[i] = 1 / float64(k)
	}
	return deal(t, quota, seed)
}

// Split returns for each example whether it belongs to the test set, which gets
// this share of every class, and of a class with at least two examples one of
// each.
func Split(t *Targets, share float64, seed uint64) []bool {
	fold := deal(t, []float64{1 - share, share}, seed)
	test := make([]bool, t.Rows)
	for i, f := range fold {
		test[i] = f == 1
	}
	for k, n := range columnSums(t) {
		if n >= 2 {
			mend(t, test, k)
		}
	}
	return test
}

// mend moves an example of class k to the side that has none of it, if there is
// such a side: one whose other classes stay on both.
func mend(t *Targets, test []bool, k int) {
	var members [2][]int
	for i := range t.Rows {
		if t.Row(i)[k] > 0.5 {
			members[btoi(test[i])] = append(members[btoi(test[i])], i)
		}
	}
	for side := range members {
		if len(members[side]) > 0 {
			continue
		}
		for _, i := range members[1-side] {
			if !isLast(t, test, i) {
				test[i] = side == 1
				return
			}
		}
	}
}

// isLast tells whether example i is the only one on its side of a class that
// has members on both.
func isLast(t *Targets, test []bool, i int) bool {
	for k, y := range t.Row(i) {
		same, other := 0, 0
		for j := range t.Rows {
			if t.Row(j)[k] < 0.5 {
				continue
			}
			if test[j] == test[i] {
				same++
			} else {
				other++
			}
		}
		if y > 0.5 && same == 1 && other > 0 {
			return true
		}
	}
	return false
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// deal deals the examples to parts with these shares.
func deal(t *Targets, quota []float64, seed uint64) []int {
	r := rand.New(rand.NewPCG(seed, 0x666f6c6473))
	part := make([]int, t.Rows)
	for i := range part {
		part[i] = -1
	}
	order := r.Perm(t.Rows)
	sums := columnSums(t)
	lacking := make([][]float64, len(quota)) // of each part: of each class, and of all
	for p, q := range quota {
		lacking[p] = make([]float64, t.Cols+1)
		for k, n := range sums {
			lacking[p][k] = q * n
		}
		lacking[p][t.Cols] = q * float64(t.Rows)
	}
	give := func(i, k int) {
		p := neediest(lacking, k, t.Cols, r)
		part[i] = p
		lacking[p][t.Cols]--
		for c, y := range t.Row(i) {
			lacking[p][c] -= float64(y)
		}
	}
	classes := make([]int, t.Cols)
	for k := range classes {
		classes[k] = k
	}
	slices.SortStableFunc(classes, func(a, b int) int { return cmp.Compare(sums[a], sums[b]) })
	for _, k := range append(classes, t.Cols) {
		for _, i := range order {
			if part[i] < 0 && (k == t.Cols || t.Row(i)[k] > 0.5) {
				give(i, k)
			}
		}
	}
	return part
}

// neediest returns the part that lacks most of class k; among equals, of all
// examples; then any.
func neediest(lacking [][]float64, k, all int, r *rand.Rand) int {
	best, ties := 0, 1
	for p := 1; p < len(lacking); p++ {
		switch c := cmp.Or(compare(lacking[p][k], lacking[best][k]), compare(lacking[p][all], lacking[best][all])); {
		case c > 0:
			best, ties = p, 1
		case c == 0:
			if ties++; r.IntN(ties) == 0 {
				best = p
			}
		}
	}
	return best
}

// compare compares two amounts that may differ by rounding.
func compare(a, b float64) int {
	if d := a - b; d > 1e-9 || d < -1e-9 {
		return cmp.Compare(a, b)
	}
	return 0
}
