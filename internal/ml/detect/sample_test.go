package detect

import (
	"context"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/head"
)

// boxed returns a set of images of a line of pixels, so many without objects,
// then so many with two small ones of each class.
func boxed(empty int, classes ...int) *Set {
	img := imaging.New(MaxSide, 24)
	s := &Set{
		Objects: make([][]head.Object, empty),
		Image:   func(context.Context, int) (*imaging.Image, error) { return img, nil },
	}
	for c, n := range classes {
		for range n {
			o := head.Object{Class: c, Box: head.Box{Left: 10, Top: 5, Width: 8, Height: 8}}
			s.Objects = append(s.Objects, []head.Object{o, o})
		}
	}
	return s
}

// TestDraw: all images are used as long as memory holds them. Of more, those
// with objects come first; half of them have each class alike, so that rare
// ones are there whatever the seed.
func TestDraw(t *testing.T) {
	for _, tt := range []struct {
		name     string
		set      *Set
		room     int
		from, to []int // images that are used: without objects, and of each class
	}{
		{"all", boxed(4, 8), 12, []int{4, 8}, []int{4, 8}},
		{"few with objects", boxed(900, 8, 1), 100, []int{91, 8, 1}, []int{91, 8, 1}},
		{"more with objects than room", boxed(900, 200), 100, []int{0, 100}, []int{0, 100}},
		{"rare classes", boxed(0, 5000, 2, 12), 100, []int{0, 38, 2, 12}, []int{0, 86, 2, 12}},
		{"as many classes as half the room", boxed(9, 100, 1, 1, 1, 1), 10, []int{0, 6, 1, 1, 1, 1}, []int{0, 6, 1, 1, 1, 1}},
		{"one", boxed(9, 9), 1, []int{0, 1}, []int{0, 1}},
	} {
		var drawn [][]int
		for seed := range uint64(8) {
			order := shuffled(tt.set, &Options{Seed: seed})
			list := tt.set.draw(slices.Clone(order), tt.room)
			drawn = append(drawn, list)
			got := make([]int, len(tt.from))
			for _, i := range list {
				if objects := tt.set.Objects[i]; len(objects) == 0 {
					got[0]++
				} else {
					got[1+objects[0].Class]++
				}
			}
			for k, n := range got {
				if n < tt.from[k] || n > tt.to[k] {
					t.Errorf("%s, seed %d: %d images without objects and of each class, want %d to %d", tt.name, seed, got, tt.from, tt.to)
					break
				}
			}
			if want := min(tt.room, len(order)); len(list) != want || !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != want {
				t.Errorf("%s, seed %d: %d images, not %d, or not in order: %v", tt.name, seed, len(list), want, list)
			}
			if !slices.Equal(list, tt.set.draw(order, tt.room)) {
				t.Errorf("%s, seed %d: other images the second time", tt.name, seed)
			}
		}
		if len(tt.set.Objects) > 2*tt.room && slices.Equal(drawn[0], drawn[1]) {
			t.Errorf("%s: two seeds draw the same", tt.name)
		}
	}
}

// TestReadMany: a class that two of many large images have is learned, whatever
// the seed, and the report says which images were used.
func TestReadMany(t *testing.T) {
	set := boxed(0, 1000, 2)
	for seed := range uint64(6) {
		o := Options{Classes: []string{"bolt", "nut"}, Seed: seed}
		s, err := read(t.Context(), set, &o)
		if err != nil {
			t.Fatal(err)
		}
		if most := maxBytes / (3 * MaxSide * MaxSide); o.Side != MaxSide || len(s.pictures) != most || len(s.classed[1]) != 2 {
			t.Errorf("seed %d: at a side of %d %d pictures, %d with the rare class; want %d and 2", seed, o.Side, len(s.pictures), len(s.classed[1]), most)
		}
	}
	few := boxed(2, 3)
	_, r, err := Train(t.Context(), few, Options{Classes: []string{"bolt"}, Steps: 1, Side: 64, Scratch: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff([]int{0, 1, 2, 3, 4}, r.Images); diff != "" {
		t.Errorf("images that were used (-want +got):\n%s", diff)
	}
}
