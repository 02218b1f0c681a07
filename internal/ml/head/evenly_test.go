package head_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/ml/head"
)

// TestEvenly: the rarest class comes first, then each in turn; an example of
// several classes counts for each of them, once.
func TestEvenly(t *testing.T) {
	classes := [][]int{{0}, {0}, {0}, {0}, {1}, {1}, {2}, nil, {0, 1, 1, 0}}
	for _, tt := range []struct {
		name  string
		order []int
		n     int
		want  []int
	}{
		{"none", []int{0, 1, 2}, 0, nil},
		{"one", []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, 1, []int{6}},
		{"one of each", []int{0, 1, 2, 3, 4, 5, 6}, 3, []int{6, 4, 0}},
		{"in turn, as long as there are any", []int{3, 2, 1, 0, 5, 4, 6}, 6, []int{6, 5, 3, 4, 2, 1}},
		{"of two classes", []int{8, 0, 4, 6, 1}, 3, []int{6, 8, 4}},
		{"fewer have a class", []int{7, 1, 7}, 3, []int{1}},
		{"not in the order", []int{7}, 3, nil},
	} {
		if diff := cmp.Diff(tt.want, head.Evenly(tt.order, classes, tt.n)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestEvenlyMany: of many examples in any order no class is passed over that
// there is room for, whatever others come with it.
func TestEvenlyMany(t *testing.T) {
	const examples, most, kinds = 3000, 60, 40
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		classes := make([][]int, examples)
		for i := range classes {
			classes[i] = []int{0}
			if i < kinds-1 { // of each but the first one example
				classes[i] = append(classes[i], i+1)
			}
		}
		got := head.Evenly(r.Perm(examples), classes, most)
		var missing []int
		for i := range kinds - 1 {
			if !slices.Contains(got, i) {
				missing = append(missing, i)
			}
		}
		slices.Sort(got)
		if len(got) != most || len(slices.Compact(got)) != most || len(missing) > 0 {
			t.Errorf("seed %d: %d examples, without %v", seed, len(got), missing)
		}
	}
}
