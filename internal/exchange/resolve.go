package exchange

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A resolver finds the image files that annotations name, which often lie
// elsewhere than the annotations say.
type resolver struct {
	t      *tree
	byBase map[string][]int32 // last element of the name, as baseKey has it, to files
}

// maxNamesakes is how many files of one name are compared with a path.
const maxNamesakes = 1000

// newResolver returns a resolver for the images of a tree.
func newResolver(t *tree) *resolver {
	r := &resolver{t: t, byBase: map[string][]int32{}}
	for i, f := range t.files {
		if isImage(f.name) {
			key := baseKey(path.Base(f.name))
			r.byBase[key] = append(r.byBase[key], int32(i))
		}
	}
	return r
}

// baseKey returns what the last elements of names have in common that may mean
// the same file: they are equal in lower case and in NFC.
func baseKey(base string) string { return strings.ToLower(composed(base)) }

// find returns the file that an annotation in the folder near means by name.
// It is, in this order: the one at that path from near, or from the top; the
// only one whose path ends with name, or that name ends with; and for a name
// that is absolute or a URL, the only one with which it shares the most of its
// end. Case and normal form do not matter to an end. Files in folders of another
// split are left out; if several are left, those whose last element is the very
// same, then those of the split, then those in near win.
func (r *resolver) find(name, near string, split Split) (int32, error) {
	asked := name
	if i := r.at(near, name); i >= 0 {
		return i, nil
	}
	name = strings.ReplaceAll(strings.TrimSpace(name), `\`, "/")
	if name == "" {
		return 0, errors.New("the image has no name")
	}
	if i := r.at(near, name); i >= 0 {
		return i, nil
	}
	absolute := strings.HasPrefix(name, "/") || isDrive(name) || strings.Contains(name, "://")
	if !absolute && strings.HasPrefix(path.Join(near, name), "../") {
		return 0, fmt.Errorf("the image %.200q leads out of the collection", asked)
	}
	if len(r.byBase[baseKey(path.Base(name))]) > maxNamesakes {
		return 0, fmt.Errorf("the image %.200q is not at that path, and more than %d files have its name", asked, maxNamesakes)
	}
	found := r.longest(strings.Split(strings.TrimLeft(path.Clean(name), "./"), "/"), absolute)
	found = slices.DeleteFunc(found, func(i int32) bool { return differs(split, splitIn(path.Dir(r.t.files[i].name))) })
	found = r.prefer(found, func(f string) bool { return path.Base(f) == path.Base(name) })
	found = r.prefer(found, func(f string) bool { return split != NoSplit && splitIn(path.Dir(f)) == split })
	found = r.prefer(found, func(f string) bool { return near != "." && strings.HasPrefix(f, near+"/") })
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("the image %.200q is not in the collection", asked)
	case 1:
		return found[0], nil
	}
	one, other := r.t.files[found[0]].name, r.t.files[found[1]].name
	if composed(one) == composed(other) {
		return 0, fmt.Errorf("the image %.200q can be %+q or %+q, which look the same: rename one", asked, one, other)
	}
	return 0, fmt.Errorf("the image %.200q can be %s or %s", asked, one, other)
}

// at returns the image at a path from near, or from the top; -1 if there is
// none.
func (r *resolver) at(near, name string) int32 {
	for _, p := range []string{path.Join(near, name), path.Clean(name)} {
		if i := r.t.find(p); i >= 0 && isImage(p) {
			return int32(i)
		}
	}
	return -1
}

// differs tells whether two splits are known and not the same.
func differs(a, b Split) bool { return a != NoSplit && b != NoSplit && a != b }

// longest returns the files that share the most elements with the end of a
// path. Unless part will do, either must be the end of the other.
func (r *resolver) longest(elems []string, part bool) (found []int32) {
	most := 0
	for _, i := range r.byBase[baseKey(elems[len(elems)-1])] {
		have := strings.Split(r.t.files[i].name, "/")
		n := shared(have, elems)
		if !part && n < min(len(have), len(elems)) || n < most {
			continue
		}
		if n > most {
			found, most = nil, n
		}
		found = append(found, i)
	}
	return found
}

// shared returns how many elements two paths share at their end, in any case and
// normal form.
func shared(a, b []string) (n int) {
	for n < min(len(a), len(b)) && strings.EqualFold(composed(a[len(a)-1-n]), composed(b[len(b)-1-n])) {
		n++
	}
	return n
}

// prefer returns those of several files of which good is true, or all if it is
// of none.
func (r *resolver) prefer(found []int32, good func(name string) bool) []int32 {
	if len(found) < 2 {
		return found
	}
	var best []int32
	for _, i := range found {
		if good(r.t.files[i].name) {
			best = append(best, i)
		}
	}
	if len(best) == 0 {
		return found
	}
	return best
}
