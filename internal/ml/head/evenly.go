package head

// Evenly returns n of the examples in order, or fewer if fewer have a class,
// with about as many of each class as there can be: the next is always of the
// class that has the fewest so far, among equals of the one that has the fewest
// of all. So none that is rare is passed over while there is room for one of
// each. Classes has those of each example, in any number and order.
func Evenly(order []int, classes [][]int, n int) []int {
	var waiting [][]int // of each class, the examples that have it
	for _, i := range order {
		for _, c := range classes[i] {
			for len(waiting) <= c {
				waiting = append(waiting, nil)
			}
			if w := waiting[c]; len(w) == 0 || w[len(w)-1] != i {
				waiting[c] = append(w, i)
			}
		}
	}
	all, chosen := make([]int, len(waiting)), make([]int, len(waiting)) // examples of each class
	for c, w := range waiting {
		all[c] = len(w)
	}
	var out []int
	taken := map[int]bool{}
	for len(out) < n {
		next := -1
		for c, w := range waiting {
			for len(w) > 0 && taken[w[0]] {
				w = w[1:]
			}
			waiting[c] = w
			if len(w) > 0 && (next < 0 || chosen[c] < chosen[next] || chosen[c] == chosen[next] && all[c] < all[next]) {
				next = c
			}
		}
		if next < 0 {
			break
		}
		i := waiting[next][0]
		out, taken[i] = append(out, i), true
		seen := map[int]bool{}
		for _, c := range classes[i] {
			if !seen[c] {
				seen[c] = true
				chosen[c]++
			}
		}
	}
	return out
}
